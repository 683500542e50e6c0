"""AlphaEdit on tiny random models: it installs, keeps, forgets, restores, and does not mind the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.methods.alphaedit import AlphaEdit, AlphaEditConfig
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import answer_batch, join
from knowledgesmith.editors.objective.targets import TargetSource
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.graph_schema.errors import Cancelled, EditDiverged, InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

# models of sixteen dimensions cannot tell a dozen texts before one subject apart: no phrasing is put behind another one
SMALL: dict[str, Any] = {
    "layers": (0, 1),
    "steps": 12,
    "kept": 1.0,
    "penalty": 0.01,
    "clamp": 3.0,
    "retain": 1.0,
    "least_prompts": 1,
}


def task_loss(loaded: LoadedModel, request: UpdateRequest, base: Sequence[Any]) -> float:
    rows = [row for per_update in base for row in per_update]
    batch = answer_batch([row.row for row in rows])
    with torch.no_grad():
        return float(divergence(answer_logits(loaded.model, batch), Targets.join([r.targets for r in rows])).mean())


def target_rows(loaded: LoadedModel, request: UpdateRequest) -> list[Any]:
    request = request.canonical()
    source = TargetSource(loaded, request, end=".", paths=2)
    return [source.rows(i, update.prompts[0].text) for i, update in enumerate(request.updates)]


def apply(loaded: LoadedModel, request: UpdateRequest, **changes: Any) -> Weights:
    config = AlphaEditConfig(**{**SMALL, **changes})
    statistics = TextStatistics(loaded, request.statistics_text, None)
    return AlphaEdit(config).apply(loaded, request, statistics, Recorder())


def dense(artefact: Weights) -> dict[str, torch.Tensor]:
    found = {name: delta.delta for name, delta in artefact.deltas.items() if isinstance(delta, Dense)}
    assert len(found) == len(artefact.deltas)
    return found


@pytest.mark.parametrize(
    ("goal", "target"),
    [(Goal.EDIT, TargetDistribution.NEW_OBJECT), (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH)],
)
def test_answers_move_to_their_targets(loaded: LoadedModel, goal: Goal, target: TargetDistribution) -> None:
    request = rehearsal_request(goal, target)
    loaded = teach(loaded, request, steps=60)
    base = target_rows(loaded, request)
    before = task_loss(loaded, request, base)
    artefact = apply(loaded, request, stop=0.1, clamp=1.0)
    assert task_loss(loaded, request, base) == before, "the model itself is unchanged"
    with attached(loaded, artefact):
        after = task_loss(loaded, request, base)
    assert after < 0.95 * before


def test_retained_rows_hold_their_neighbours(llama: LoadedModel) -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    llama = teach(llama, request, steps=60)
    rows = [join(llama.tokenizer, prompt=item.prompt.text, answer=item.answer) for item in request.retain]
    own = Targets.join(own_distributions(llama.model, rows))

    def drift(artefact: Weights) -> float:
        with attached(llama, artefact), torch.no_grad():
            return float(divergence(answer_logits(llama.model, answer_batch(rows)), own).mean())

    assert drift(apply(llama, request, retain=10.0, steps=40)) < 0.8 * drift(
        apply(llama, request, retain=0.0, steps=40)
    )


def test_kept_directions_confine_the_update(llama: LoadedModel) -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    artefact = apply(llama, request, kept=0.5)
    statistics = TextStatistics(llama, request.statistics_text, None)
    name = llama.architecture.down_projection(1).parameter_name
    moment = statistics.second_moment(1).double()
    values, vectors = torch.linalg.eigh(moment)
    loud = vectors[:, len(values) // 2 :]
    delta = dense(artefact)[name].double()
    assert float((delta @ loud).norm()) < 1e-5 * float(delta.norm())


def test_order_does_not_matter_and_runs_repeat(loaded: LoadedModel) -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    turned = replace(
        request,
        updates=request.updates[::-1],
        retain=request.retain[::-1],
        statistics_text=request.statistics_text[::-1],
    )
    first, again, other = apply(loaded, request), apply(loaded, request), apply(loaded, turned)
    assert first.sha256 == again.sha256
    for name, delta in dense(first).items():
        torch.testing.assert_close(delta, dense(other)[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("moment", [1, 4, 13, 14])
def test_cancelling_restores_every_bit(loaded: LoadedModel, moment: int) -> None:
    before = weights_sha256(loaded.model)
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    statistics = TextStatistics(loaded, request.statistics_text, None)
    with pytest.raises(Cancelled):
        AlphaEdit(AlphaEditConfig(**SMALL)).apply(loaded, request, statistics, Recorder(cancel_at=moment))
    assert weights_sha256(loaded.model) == before
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert all("forward" not in vars(block) for block in loaded.architecture.blocks)


def test_divergence_is_reported_and_leaves_the_model(llama: LoadedModel) -> None:
    before = weights_sha256(llama.model)
    with pytest.raises(EditDiverged):
        apply(llama, rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT), learning_rate=1e38, clamp=1e38)
    assert weights_sha256(llama.model) == before


def test_wrong_layers_and_missing_objects_are_named(llama: LoadedModel) -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    with pytest.raises(InvalidInput, match="layer"):
        apply(llama, request, layers=(99,))
    empty = replace(request, updates=(replace(request.updates[0], new=""),))
    with pytest.raises(InvalidInput, match="new object"):
        apply(llama, empty)


def test_default_layers_follow_the_depth(llama: LoadedModel) -> None:
    artefact = apply(llama, rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT), layers=())
    assert artefact.metadata["layers"] == "1"
