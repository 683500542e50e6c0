"""Wrecks and good changes of taught tiny models, of several structures: each judged for what it is."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from tests.taught import Spoil, noise, nothing, one_row, one_value, one_word, scaled, spoilt_health, teach

from knowledgesmith.editors.health.reading import StateReading, read_state
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.graph_schema.types.health import Health, HealthVerdict

TAUGHT = ("llama", "gpt2", "gemma3")
WRECKS: dict[str, Spoil] = {
    "noise": noise(1.0),
    "much noise": noise(3.0),
    "scaled layer": scaled(20.0),
    "NaN row": one_row(torch.nan),
    "one infinite value": one_value,
    "one word": one_word(" city", 200.0),
    "line breaks": one_word("\n", 200.0),
}
GOOD: dict[str, Spoil] = {"placebo": nothing, "a grain": noise(0.001), "some noise": noise(0.01)}


@cache
def taught(structure: str) -> tuple[LoadedModel, StateReading]:
    """A taught model and its reading."""
    loaded = teach(structure)
    return loaded, read_state(loaded)


def health_of(structure: str, spoil: Spoil) -> Health:
    """What the check says of a spoilt model."""
    return spoilt_health(*taught(structure), spoil)


@pytest.mark.parametrize("structure", TAUGHT)
@pytest.mark.parametrize("wreck", WRECKS)
def test_a_wreck_is_called_one(structure: str, wreck: str) -> None:
    found = health_of(structure, WRECKS[wreck])
    assert found.verdict is HealthVerdict.WRECKED
    assert found.reason
    assert not found.ok


@pytest.mark.parametrize("structure", TAUGHT)
@pytest.mark.parametrize("change", GOOD)
def test_a_change_that_spoils_nothing_is_not(structure: str, change: str) -> None:
    found = health_of(structure, GOOD[change])
    assert found.ok, found.reasons
    assert found.perplexity_ratio == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("structure", TAUGHT)
def test_the_reason_names_what_is_wrong(structure: str) -> None:
    assert "no finite numbers" in health_of(structure, WRECKS["NaN row"]).reason
    reasons = " ".join(health_of(structure, WRECKS["one word"]).reasons)
    assert "less likely a token" in reasons
    assert "repeats itself" in reasons
