"""Real models: one that the limits were set on, and one (``KSMITH_SECOND_MODEL``, a folder) that they were not."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
import torch
from tests.taught import Spoil, spoilt_health

from knowledgesmith.editors.health.reading import StateReading, read_state
from knowledgesmith.editors.models.default_model import ensure_default_model
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.loading import load
from knowledgesmith.graph_schema.errors import ModelNotFound
from knowledgesmith.graph_schema.types.health import Health

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]
SECOND = "KSMITH_SECOND_MODEL"


def noise(scale: float) -> Spoil:
    """Noise on the linear maps of all blocks: these models share the head with the embedding, which stays."""

    def spoil(loaded: LoadedModel) -> None:
        generator = torch.Generator().manual_seed(1)
        for name, parameter in loaded.model.named_parameters():
            if parameter.ndim > 1 and "embed" not in name:
                parameter.add_(scale * parameter.std() * torch.randn(parameter.shape, generator=generator))

    return spoil


def nan_row(loaded: LoadedModel) -> None:
    """One row that is no number."""
    loaded.architecture.down_projection(3).module.get_parameter("weight")[7] = torch.nan


@cache
def real(which: str) -> tuple[LoadedModel, StateReading]:
    """A model and its reading; the test is skipped, and says how to run it, where the model is not there."""
    if which == "default":
        try:
            folder = str(ensure_default_model())
        except ModelNotFound as error:
            pytest.skip(str(error))
    else:
        folder = os.environ.get(SECOND, "")
        if not folder or not Path(folder).is_dir():
            pytest.skip(f"THE SECOND MODEL WAS NOT CHECKED: set {SECOND} to the folder of a model in safetensors")
    loaded = load(folder, device="cpu")
    return loaded, read_state(loaded)


def health_of(which: str, spoil: Spoil) -> Health:
    """What the check says of the spoilt model."""
    return spoilt_health(*real(which), spoil)


@pytest.mark.parametrize("which", ["default", "second"])
def test_wrecks_and_a_harmless_change_are_told_apart(which: str) -> None:
    wreck = health_of(which, noise(0.5))
    assert not wreck.ok
    assert "less likely a token" in wreck.reason
    assert "no finite numbers" in health_of(which, nan_row).reason
    harmless = health_of(which, noise(0.01))
    assert harmless.ok, harmless.reasons
    assert harmless.perplexity_ratio == pytest.approx(1, abs=0.1)
