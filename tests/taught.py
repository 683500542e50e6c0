"""Tiny models that were taught something, and ways to spoil them.

A random model cannot be wrecked: what it says means nothing before and after. So a tiny model learns the passages of
the health check first, in seconds, and is then spoilt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager

import torch

from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.health.judging import Evidence, judge
from knowledgesmith.editors.health.passages import passages
from knowledgesmith.editors.health.reading import StateReading, read_state
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.testing.tiny import tiny
from knowledgesmith.editors.text.encoding import encode, pad_right, pad_token_id
from knowledgesmith.graph_schema.types.health import Health

Spoil = Callable[[LoadedModel], None]
"""Changes the weights of a model in place."""


def teach(structure: str, *, steps: int = 60) -> LoadedModel:
    """A tiny model that predicts the passages far better than chance."""
    torch.set_num_threads(1)  # tiny matrices gain nothing from threads
    loaded = tiny(structure)
    rows = [encode(loaded.tokenizer, text) for text in passages()]
    batch = pad_right(rows, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
    labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
    loaded.model.requires_grad_(True)
    optimiser = torch.optim.Adam(loaded.model.parameters(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        loaded.model(**batch.arguments(), labels=labels).loss.backward()
        optimiser.step()
    loaded.model.requires_grad_(False)
    return loaded


def noise(scale: float) -> Spoil:
    """Noise of ``scale`` standard deviations of each matrix on all of them."""

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


def one_row(value: float) -> Spoil:
    """One row of a down projection is one value."""

    def spoil(loaded: LoadedModel) -> None:
        loaded.architecture.down_projection(1).module.get_parameter("weight")[0] = value

    return spoil


def one_value(loaded: LoadedModel) -> None:
    """One value of a down projection is infinite."""
    loaded.architecture.down_projection(0).module.get_parameter("weight")[0, 0] = math.inf


def one_word(word: str, gain: float) -> Spoil:
    """The head says one word whatever it is asked: its row lies far along what all hidden states have in common."""

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


def nothing(loaded: LoadedModel) -> None:
    """No change."""
    del loaded


@torch.no_grad()
def artefact_of(loaded: LoadedModel, spoil: Spoil, **metadata: str) -> Weights:
    """What ``spoil`` does, as an artefact; the model is itself again. Values that are no numbers stay what they are."""
    kept = {name: parameter.detach().clone() for name, parameter in loaded.model.named_parameters()}
    spoil(loaded)
    deltas = {name: parameter - kept[name] for name, parameter in loaded.model.named_parameters()}
    for name, parameter in loaded.model.named_parameters():
        parameter.copy_(kept[name])
    changed = {name: delta for name, delta in deltas.items() if not bool((delta == 0).all())}
    artefact = Weights(
        deltas={name: Dense(torch.zeros_like(delta)) for name, delta in changed.items()}, metadata=metadata
    )
    for name, delta in artefact.deltas.items():
        assert isinstance(delta, Dense)
        delta.delta.copy_(changed[name])  # behind the check that a method's own artefact passes
    return artefact


@contextmanager
def spoilt(loaded: LoadedModel, spoil: Spoil) -> Generator[None]:
    """The model while it is spoilt."""
    kept = {name: parameter.detach().clone() for name, parameter in loaded.model.named_parameters()}
    try:
        with torch.no_grad():
            spoil(loaded)
        yield
    finally:
        with torch.no_grad():
            for name, parameter in loaded.model.named_parameters():
                parameter.copy_(kept[name])


def spoilt_health(loaded: LoadedModel, before: StateReading, spoil: Spoil) -> Health:
    """What the check says of the spoilt model, ``before`` being its reading as it is."""
    with spoilt(loaded, spoil):
        after = read_state(loaded)
    return judge(Evidence(before=before, after=after))
