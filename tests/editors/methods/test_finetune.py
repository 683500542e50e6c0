"""Breadth-first fine-tuning on tiny random models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.methods.finetune import FineTune, FineTuneConfig
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import answer_batch, join
from knowledgesmith.editors.objective.targets import TargetRow, TargetSource
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.errors import Cancelled, EditDiverged
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

SMALL: dict[str, Any] = {"layers": (1,), "epochs": 25, "batch": 2, "learning_rate": 1e-2}


def apply(loaded: LoadedModel, request: UpdateRequest, *, steps: Recorder | None = None, **changes: Any) -> Weights:
    statistics = TextStatistics(loaded, ("unused",), None)
    method = FineTune(FineTuneConfig(**{**SMALL, **changes}))
    return method.apply(loaded, request, statistics, steps or Recorder())


def target_rows(loaded: LoadedModel, request: UpdateRequest) -> list[TargetRow]:
    source = TargetSource(loaded, request.canonical(), end=".", paths=2)
    updates = request.canonical().updates
    return [row for index, update in enumerate(updates) for row in source.rows(index, update.prompts[0].text)]


def loss(loaded: LoadedModel, rows: list[TargetRow]) -> float:
    batch = answer_batch([row.row for row in rows])
    with torch.no_grad():
        return float(divergence(answer_logits(loaded.model, batch), Targets.join([r.targets for r in rows])).mean())


@pytest.mark.parametrize(
    ("goal", "target"),
    [(Goal.EDIT, TargetDistribution.NEW_OBJECT), (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH)],
)
def test_answers_move_to_their_targets(loaded: LoadedModel, goal: Goal, target: TargetDistribution) -> None:
    request = rehearsal_request(goal, target)
    loaded = teach(loaded, request)
    rows = target_rows(loaded, request)
    before = loss(loaded, rows)
    artefact = apply(loaded, request, margin=0.0)
    assert loss(loaded, rows) == before
    with attached(loaded, artefact):
        assert loss(loaded, rows) < 0.6 * before


def test_retained_rows_hold_the_model(llama: LoadedModel) -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    items = [join(llama.tokenizer, prompt=item.prompt.text, answer=item.answer) for item in request.retain]
    own = Targets.join(own_distributions(llama.model, items))

    def drift(artefact: Weights) -> float:
        with attached(llama, artefact), torch.no_grad():
            return float(divergence(answer_logits(llama.model, answer_batch(items)), own).mean())

    assert drift(apply(llama, request, retain_weight=5.0)) < 0.5 * drift(apply(llama, request, retained=0.0))


def test_easy_facts_end_the_training_early(llama: LoadedModel) -> None:
    artefact = apply(llama, rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT), margin=100.0, retained=0.0)
    assert artefact.metadata["epochs"] == "2"
    assert artefact.metadata["ended"] == "learned"
    (delta,) = artefact.deltas.values()
    assert isinstance(delta, Dense)
    assert not bool(delta.delta.any()), "a fact below the margin does not push"


def test_order_does_not_matter_and_runs_repeat(loaded: LoadedModel) -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    turned = replace(request, updates=request.updates[::-1], retain=request.retain[::-1])
    first, again, other = (apply(loaded, r, epochs=3) for r in (request, request, turned))
    assert first.sha256 == again.sha256 == other.sha256
    assert apply(loaded, replace(request, seed=8), epochs=3).sha256 != first.sha256


def test_parts_do_not_change_the_result_and_double_precision_reaches_the_artefact() -> None:
    request = rehearsal_request(Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH)
    one, many = (apply(tiny_llama(dtype=torch.float64), request, epochs=3, micro_tokens=n) for n in (10_000, 20))
    for name, delta in one.deltas.items():
        found, other = delta, many.deltas[name]
        assert isinstance(found, Dense)
        assert isinstance(other, Dense)
        torch.testing.assert_close(found.delta, other.delta, rtol=0, atol=1e-9)
        assert found.delta.dtype == torch.float64
        assert not torch.equal(found.delta.float().double(), found.delta), "trained in float64, not only kept so"


@pytest.mark.parametrize("moment", [1, 2, 6])
def test_cancelling_restores_every_bit(loaded: LoadedModel, moment: int) -> None:
    before = weights_sha256(loaded.model)
    with pytest.raises(Cancelled):
        apply(loaded, rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT), steps=Recorder(cancel_at=moment))
    assert weights_sha256(loaded.model) == before
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert all("forward" not in vars(block) for block in loaded.architecture.blocks)


def test_divergence_is_reported_and_leaves_the_model(llama: LoadedModel) -> None:
    before = weights_sha256(llama.model)
    with pytest.raises(EditDiverged):
        apply(llama, rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT), learning_rate=1e37)
    assert weights_sha256(llama.model) == before
