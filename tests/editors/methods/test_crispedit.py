"""CrispEdit against a plain implementation with a dense projector, and what the projection is for."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest
import torch

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.methods.crispedit import CrispEdit, CrispEditConfig, fact_losses, middle_layers
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.targets import TargetSource
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.solve.kfac import Factors, low_curvature
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import tiny_gpt2, tiny_llama
from knowledgesmith.graph_schema.errors import EditDiverged, InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

EDIT = (Goal.EDIT, TargetDistribution.NEW_OBJECT)
UNLEARN = (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH)
SMALL: dict[str, Any] = {"layers": (1, 2), "epochs": 12, "learning_rate": 0.02, "energy": 0.2}


def apply(loaded: LoadedModel, request: UpdateRequest, **settings: Any) -> Weights:
    statistics = TextStatistics(loaded, request.statistics_text, None)
    return CrispEdit(CrispEditConfig(**{**SMALL, **settings})).apply(loaded, request, statistics, Recorder())


def dense(artefact: Weights) -> dict[str, torch.Tensor]:
    found = {name: delta.delta for name, delta in artefact.deltas.items() if isinstance(delta, Dense)}
    assert len(found) == len(artefact.deltas)
    return found


def plain(loaded: LoadedModel, request: UpdateRequest, config: CrispEditConfig) -> dict[str, torch.Tensor]:
    """One matrix, its projector built in full, Adam written out, a fact at a time."""
    request = request.canonical()
    [layer] = config.layers
    item = loaded.architecture.down_projection(layer)
    statistics = TextStatistics(loaded, request.statistics_text, None)
    curvature = torch.kron(statistics.gradient_moment(item.name), statistics.key_moment(item.name))
    values, vectors = torch.linalg.eigh(curvature)
    share = values.clamp_min(0).cumsum(0) / values.clamp_min(0).sum()
    flat = vectors[:, share <= config.energy]
    source = TargetSource(loaded, request, end=config.end, paths=config.paths)
    name = item.parameter_name
    with borrowed(loaded.model, [name], trainable=True) as parameters, torch.enable_grad():
        weight = parameters[name]
        start = weight.detach().clone()
        first = second = torch.zeros(item.out_features, item.in_features).double()
        steps = 0
        for epoch in range(config.epochs):
            order = list(range(len(request.updates)))
            Random(f"{request.seed}/{epoch}").shuffle(order)  # noqa: S311
            for begin in range(0, len(order), config.batch):
                chosen = order[begin : begin + config.batch]
                gradient = torch.zeros_like(first)
                for fact in chosen:
                    prompts = request.updates[fact].prompts
                    for row in source.rows(fact, prompts[epoch % len(prompts)].text):
                        loss = fact_losses(loaded, [[replace(row, weight=1.0)]]).sum() * row.weight / len(chosen)
                        gradient += item.as_parameter(torch.autograd.grad(loss, weight)[0])
                gradient = (flat @ (flat.T @ gradient.flatten())).reshape(gradient.shape)
                steps += 1
                first = 0.9 * first + 0.1 * gradient
                second = 0.999 * second + 0.001 * gradient.square()
                step = (first / (1 - 0.9**steps)) / ((second / (1 - 0.999**steps)).sqrt() + 1e-8)
                moved = item.as_parameter(weight.detach() - start) - config.learning_rate * step
                moved = (flat @ (flat.T @ moved.flatten())).reshape(moved.shape)
                with torch.no_grad():
                    weight.copy_(start + item.as_parameter(moved))
        return {name: weight.detach() - start}


@pytest.mark.parametrize("pair", [EDIT, UNLEARN])
@pytest.mark.parametrize("family", [tiny_llama, tiny_gpt2])
def test_equals_a_plain_implementation(family: Any, pair: tuple[Goal, TargetDistribution]) -> None:
    loaded: LoadedModel = family(dtype=torch.float64)
    request = rehearsal_request(*pair, seed=2)
    settings: dict[str, Any] = {"layers": (1,), "epochs": 3, "batch": 2, "margin": 0.0, "energy": 0.1}
    found = dense(apply(loaded, request, **settings))
    [(name, expected)] = plain(loaded, request, CrispEditConfig(**{**SMALL, **settings})).items()
    assert list(found) == [name]
    assert found[name].dtype is torch.float64
    assert float(expected.norm()) > 0.01
    assert float((found[name] - expected).norm()) <= 1e-8 * float(expected.norm())


@pytest.mark.parametrize("pair", [EDIT, UNLEARN])
def test_answers_move_and_stay_in_the_flat_directions(
    loaded: LoadedModel, pair: tuple[Goal, TargetDistribution]
) -> None:
    request = rehearsal_request(*pair)
    loaded = teach(loaded, request, steps=60)
    source = TargetSource(loaded, request.canonical(), end=".", paths=2)
    asked = [source.rows(n, update.prompts[0].text) for n, update in enumerate(request.canonical().updates)]

    def loss() -> float:
        with torch.no_grad():
            return float(fact_losses(loaded, asked).mean())

    before = loss()
    artefact = apply(loaded, request)
    with attached(loaded, artefact):
        assert loss() < 0.7 * before
    statistics = TextStatistics(loaded, request.statistics_text, None)
    for layer in (1, 2):
        item = loaded.architecture.down_projection(layer)
        factors = Factors(inputs=statistics.key_moment(item.name), outputs=statistics.gradient_moment(item.name))
        change = item.as_parameter(dense(artefact)[item.parameter_name]).double()
        outside = change - low_curvature(factors, energy=0.2).project(change)
        assert float(outside.norm()) < 1e-4 * float(change.norm())


def test_the_text_is_hurt_less_than_without_the_projection(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    llama = teach(llama, request, steps=60)
    statistics = TextStatistics(llama, request.statistics_text, None)
    ids = [cast("Any", llama.tokenizer)(text)["input_ids"] for text in request.statistics_text]

    def distributions() -> list[torch.Tensor]:
        with torch.no_grad():
            return [llama.model(torch.tensor([row])).logits[0].log_softmax(-1) for row in ids]

    own = distributions()

    def hurt(energy: float) -> tuple[float, float]:
        """KL on the text, and what the curvature said that it would be."""
        artefact = apply(llama, request, layers=(1,), energy=energy)
        with attached(llama, artefact):
            moved = distributions()
        kl = [float((a.exp() * (a - b)).sum(-1).mean()) for a, b in zip(own, moved, strict=True)]
        item = llama.architecture.down_projection(1)
        change = dense(artefact)[item.parameter_name].double()
        told = statistics.gradient_moment(item.name) @ change @ statistics.key_moment(item.name) @ change.T
        return sum(kl) / len(kl), float(told.trace()) / 2

    kept, free = hurt(0.01), hurt(1.0)
    assert kept[0] < 0.5 * free[0]
    assert kept[1] < 0.1 * free[1]


def test_a_fact_that_is_met_no_longer_pushes(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    artefact = apply(llama, request, margin=1e6)
    assert artefact.metadata["epochs"] == "2", "every phrasing was seen once"
    assert all(float(delta.abs().max()) == 0 for delta in dense(artefact).values())
    one = replace(request, updates=request.updates[:1])
    short = apply(llama, one, margin=3.0, epochs=200, energy=1.0)
    assert 1 < int(short.metadata["epochs"]) < 200


def test_what_cannot_be_is_named(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    assert [middle_layers(depth) for depth in (1, 4, 30, 32)] == [
        (0,),
        (2, 3),
        tuple(range(18, 23)),
        tuple(range(19, 24)),
    ]
    with pytest.raises(EditDiverged):
        apply(llama, request, learning_rate=2e37)
    with pytest.raises(InvalidInput, match="layer"):
        apply(llama, request, layers=(99,))
    with pytest.raises(InvalidInput, match="new object"):
        apply(llama, replace(request, updates=(replace(request.updates[0], new=""),)))
    with pytest.raises(InvalidInput, match="text"):
        apply(llama, replace(request, statistics_text=()))


def test_it_does_not_end_while_a_phrasing_is_not_learned() -> None:
    """One phrasing is below the margin before anything is trained, the others are not."""
    request = rehearsal_request(*EDIT)
    loaded = tiny_llama()
    source = TargetSource(loaded, request.canonical(), end=".", paths=2)
    prompts = [update.prompts for update in request.canonical().updates]
    with torch.no_grad():
        first = max(float(fact_losses(loaded, [source.rows(n, own[0].text)])[0]) for n, own in enumerate(prompts))
        second = max(float(fact_losses(loaded, [source.rows(n, own[1].text)])[0]) for n, own in enumerate(prompts))
    low, high = sorted((first, second))
    turned = (
        request
        if first == low
        else replace(request, updates=tuple(replace(u, prompts=u.prompts[::-1]) for u in request.updates))
    )
    assert high > low
    artefact = apply(loaded, turned, margin=(low + high) / 2)
    assert any(bool(delta.any()) for delta in dense(artefact).values())
