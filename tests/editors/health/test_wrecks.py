"""Wrecks and good changes of models that learnt something, of several structures: each judged for what it is.

A random model cannot be wrecked: what it says means nothing before and after. So tiny models are taught the passages
first, and then spoilt.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache

import pytest
import torch

from knowledgesmith.editors.encoding import encode, pad_right, pad_token_id
from knowledgesmith.editors.health.judging import Evidence, judge
from knowledgesmith.editors.health.passages import passages
from knowledgesmith.editors.health.reading import StateReading, read_state
from knowledgesmith.editors.models import LoadedModel
from knowledgesmith.editors.testing import tiny
from knowledgesmith.graph_schema.health import Health, HealthVerdict

TAUGHT = ("llama", "gpt2", "gemma3")
Spoil = Callable[[LoadedModel], None]


@cache
def taught(structure: str) -> tuple[LoadedModel, StateReading]:
    """A tiny model that predicts the passages far better than chance, and its reading."""
    loaded = tiny(structure)
    rows = [encode(loaded.tokenizer, text) for text in passages()]
    batch = pad_right(rows, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
    labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
    loaded.model.requires_grad_(True)
    optimiser = torch.optim.Adam(loaded.model.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        loaded.model(**batch.arguments(), labels=labels).loss.backward()
        optimiser.step()
    loaded.model.requires_grad_(False)
    return loaded, read_state(loaded)


@contextmanager
def spoilt(loaded: LoadedModel, spoil: Spoil) -> Generator[None]:
    kept = {name: parameter.detach().clone() for name, parameter in loaded.model.named_parameters()}
    try:
        with torch.no_grad():
            spoil(loaded)
        yield
    finally:
        with torch.no_grad():
            for name, parameter in loaded.model.named_parameters():
                parameter.copy_(kept[name])


def health_of(structure: str, spoil: Spoil) -> Health:
    loaded, before = taught(structure)
    with spoilt(loaded, spoil):
        after = read_state(loaded)
    return judge(Evidence(before=before, after=after))


def noise(scale: float) -> Spoil:
    def spoil(loaded: LoadedModel) -> None:
        generator = torch.Generator().manual_seed(1)
        for parameter in loaded.model.parameters():
            if parameter.ndim > 1:
                parameter.add_(scale * parameter.std() * torch.randn(parameter.shape, generator=generator))

    return spoil


def scaled(factor: float) -> Spoil:
    """One block, its norms too: where a norm follows a projection, the projection's scale alone does nothing."""

    def spoil(loaded: LoadedModel) -> None:
        for name, parameter in loaded.model.named_parameters():
            if f".{loaded.architecture.num_layers // 2}." in name:
                parameter.mul_(factor)

    return spoil


def nan_row(loaded: LoadedModel) -> None:
    projection = loaded.architecture.down_projection(1)
    projection.module.get_parameter("weight")[0] = torch.nan


def infinite_value(loaded: LoadedModel) -> None:
    loaded.architecture.down_projection(0).module.get_parameter("weight")[0, 0] = torch.inf


def one_word(word: str, gain: float) -> Spoil:
    """The head says one word whatever it is asked: its row is far along what every hidden state has in common."""

    def spoil(loaded: LoadedModel) -> None:
        token = loaded.tokenizer(word, add_special_tokens=False)["input_ids"][0]
        seen: list[torch.Tensor] = []
        handle = loaded.architecture.lm_head.register_forward_pre_hook(lambda _m, args: seen.append(args[0][0, -1]))
        for text in passages()[:20]:
            loaded.model(torch.tensor([encode(loaded.tokenizer, text)]))
        handle.remove()
        middle = torch.stack(seen).mean(dim=0)
        loaded.architecture.lm_head.get_parameter("weight")[token] += gain * middle / middle.square().sum()

    return spoil


@pytest.mark.parametrize("structure", TAUGHT)
@pytest.mark.parametrize(
    "spoil",
    [noise(1.0), noise(3.0), scaled(20.0), nan_row, infinite_value, one_word(" city", 200.0), one_word("\n", 200.0)],
    ids=["noise", "much noise", "scaled layer", "NaN row", "one infinite value", "one word", "line breaks"],
)
def test_a_wreck_is_called_one(structure: str, spoil: Spoil) -> None:
    found = health_of(structure, spoil)
    assert found.verdict is HealthVerdict.WRECKED
    assert found.reason
    assert not found.ok


@pytest.mark.parametrize("structure", TAUGHT)
@pytest.mark.parametrize("spoil", [lambda _: None, noise(0.001), noise(0.01)], ids=["placebo", "grain", "some noise"])
def test_a_change_that_spoils_nothing_is_not(structure: str, spoil: Spoil) -> None:
    found = health_of(structure, spoil)
    assert found.ok, found.reasons
    assert found.perplexity_ratio == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("structure", TAUGHT)
def test_the_reason_names_what_is_wrong(structure: str) -> None:
    assert "no finite numbers" in health_of(structure, nan_row).reason
    reasons = " ".join(health_of(structure, one_word(" city", 200.0)).reasons)
    assert "less likely a token" in reasons
    assert "repeats itself" in reasons
