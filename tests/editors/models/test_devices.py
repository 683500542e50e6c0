"""Every part that computes runs where the model lies: no tensor of the CPU meets one of another device.

No GPU is needed: ``pretend`` stands for one. The old release's AlphaEdit and FineTune fail here as they did on CUDA.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.editors.pretend import ELSEWHERE, Elsewhere, MixedDevicesError, moved, pretended

from knowledgesmith.editors.artefacts.session import ModelSession
from knowledgesmith.editors.artefacts.weights import Dense, LowRank, Weights
from knowledgesmith.editors.measures.fluency import perplexity, plain_text
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.loading import check_runs
from knowledgesmith.editors.objective.divergence import Targets, backward
from knowledgesmith.editors.registry import METHODS, method_class
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.rehearsal import materialise, rehearsal_request, rehearse
from knowledgesmith.editors.testing.tiny import tiny_gpt2, tiny_llama
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

GOLDENS = Path(__file__).parents[1] / "methods" / "goldens"
TEXTS = ("The capital of France is Paris.", "Berlin is a city of Germany.", "The chemical symbol of boron is B.")
PAIRS = [
    ("The capital of France is", "Paris"),
    ("The capital of Japan is", "Kyoto or Osaka"),
    ("The capital of France is", "Rome"),
]
MODELS: dict[str, Callable[[], LoadedModel]] = {"llama": tiny_llama, "gpt2": tiny_gpt2}
TASKS = [
    (name, goal, target)
    for name in sorted(METHODS)
    for goal, target in sorted(method_class(name).accepts)
    if name != "placebo" and target in {TargetDistribution.NEW_OBJECT, TargetDistribution.NEUTRAL_GRAPH}
]

REFUSED: list[Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = [
    lambda away, here: away + here,
    lambda away, here: here * away,
    lambda away, here: torch.cat([away, here]),
    lambda away, here: away.index_add_(0, torch.tensor([0]), here[:1]),
    lambda away, here: here[away.long()],
    lambda away, here: away.add_(here),
    lambda away, here: torch.randn(len(away) + len(here), device=ELSEWHERE, generator=torch.Generator()),
    lambda away, here: here + away.sum(),
    lambda away, here: torch.nn.functional.linear(away, here[None]),
    lambda away, here: torch.where(away > 0, here, here),
]
"""Joins of a tensor that lies elsewhere with one that lies here."""


@pytest.fixture(params=sorted(MODELS))
def build(request: pytest.FixtureRequest) -> Callable[[], LoadedModel]:
    """Makes the same model again and again."""
    return MODELS[request.param]


def settings(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((GOLDENS / f"{name}.json").read_text("utf-8"))
    return dict(content["config"])


@pytest.mark.parametrize(("name", "goal", "target"), TASKS)
def test_a_method_computes_where_the_model_lies(name: str, goal: Goal, target: TargetDistribution) -> None:
    build = tiny_gpt2 if goal is Goal.EDIT else tiny_llama
    wanted = rehearse(name, build(), rehearsal_request(goal, target), config=settings(name))
    with pretended():
        model = moved(build())
        found = rehearse(name, model, rehearsal_request(goal, target), config=settings(name))
        assert model.device == ELSEWHERE
        assert weights_sha256(model.model) == model.digest, "the model is as it was"
    assert set(found.deltas) == set(wanted.deltas)
    for key, delta in wanted.deltas.items():
        here, there = materialise(delta), materialise(found.deltas[key])
        assert not isinstance(there, Elsewhere), "what is kept lies on the CPU"
        assert (here - there).norm() <= 0.02 * here.norm(), "the values are the real ones"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_models_of_other_dtypes_stay_on_the_device(dtype: torch.dtype) -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    with pretended():
        model = moved(tiny_llama(dtype=dtype))
        found = rehearse("alphaedit", model, request, config=settings("alphaedit"))
        resident = ModelSession(model)
        resident.switch([found])
        assert len(Scorer(model).score(PAIRS)) == len(PAIRS)
        assert resident.measured_sha256() != model.digest
        resident.switch([])
        assert resident.measured_sha256() == model.digest


@pytest.mark.parametrize("compute_dtype", ["float32", "bfloat16", "model"])
def test_another_compute_dtype_stays_on_the_device(compute_dtype: str) -> None:
    config = {**settings("relearn"), "compute_dtype": compute_dtype}
    request = rehearsal_request(Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH)
    with pretended():
        model = moved(tiny_llama())
        rehearse("relearn", model, request, config=config)
        assert weights_sha256(model.model) == model.digest


def test_scores_perplexity_texts_and_statistics_are_those_of_the_cpu(build: Callable[[], LoadedModel]) -> None:
    here = build()
    scores = [score.sum_logprob for score in Scorer(here).score(PAIRS)]
    text, moment = generate(here, [PAIRS[0][0]], max_new_tokens=4), TextStatistics(here, TEXTS, None).second_moment(1)
    fluency = perplexity(here, plain_text()[:3])
    with pretended():
        there = moved(build())
        check_runs(there)
        assert [score.sum_logprob for score in Scorer(there).score(PAIRS)] == pytest.approx(scores, rel=1e-5)
        assert generate(there, [PAIRS[0][0]], max_new_tokens=4) == text
        assert perplexity(there, plain_text()[:3]) == pytest.approx(fluency, rel=1e-5)
        measured = TextStatistics(there, TEXTS, None).second_moment(1)
        assert torch.allclose(measured.cpu(), moment, rtol=1e-4, atol=1e-6)


def test_artefacts_are_attached_and_taken_off_on_the_device() -> None:
    name = "model.layers.1.mlp.down_proj.weight"
    with pretended():
        resident = ModelSession(moved(tiny_llama()))
        shape = resident.loaded.model.get_parameter(name).shape
        changes: list[Dense | LowRank] = [
            Dense(torch.ones(shape)),
            LowRank(torch.ones(2, shape[1]), torch.ones(shape[0], 2), scale=0.5),
        ]
        resident.switch([Weights(deltas={name: change}) for change in changes])
        assert resident.measured_sha256() != resident.loaded.digest
        resident.switch([])
        assert resident.measured_sha256() == resident.loaded.digest


def _forgetful_to(targets: Targets, device: torch.device) -> Targets:
    del device
    return Targets(tokens=targets.tokens.cpu(), probs=targets.probs.cpu())


def _drop_device(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def forgetful(*args: Any, **kwargs: Any) -> torch.Tensor:
        kwargs.pop("device", None)
        return function(*args, **kwargs)

    return forgetful


def test_a_forgotten_device_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The instrument itself: every part is found to leave its numbers on the CPU, if it did."""
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    with pretended():
        model = moved(tiny_llama())
        with monkeypatch.context() as patch:
            patch.setattr(Targets, "to", _forgetful_to)
            for name in ("alphaedit", "finetune", "relearn"):
                with pytest.raises(MixedDevicesError, match="two devices"):
                    rehearse(name, model, request, config=settings(name))
        with monkeypatch.context() as patch:
            patch.setattr(torch, "tensor", _drop_device(torch.tensor))
            for look in (
                lambda: Scorer(model).score(PAIRS),
                lambda: generate(model, ["The capital of"], max_new_tokens=2),
                lambda: perplexity(model, plain_text()[:2]),
                lambda: TextStatistics(model, TEXTS, None).second_moment(1),
            ):
                with pytest.raises(MixedDevicesError, match="two devices"):
                    look()


@pytest.mark.parametrize("join", REFUSED)
@pytest.mark.parametrize("inference", [False, True])
def test_what_a_gpu_refuses_is_refused(
    join: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], *, inference: bool
) -> None:
    with pretended(), torch.inference_mode(mode=inference):
        away, here = torch.tensor([1.0, 2.0, 0.0], device=ELSEWHERE), torch.tensor([1.0, 2.0, 3.0])
        with pytest.raises(MixedDevicesError):
            join(away, here)


@pytest.mark.parametrize("inference", [False, True])
def test_what_a_gpu_does_is_done(*, inference: bool) -> None:
    with pretended(), torch.inference_mode(mode=inference):
        away, here = torch.tensor([1.0, 2.0, 0.0], device=ELSEWHERE), torch.tensor([1.0, 2.0, 3.0])
        assert (away * torch.tensor(2.0)).tolist() == [2.0, 4.0, 0.0]
        assert (away + here.to(away.device)).tolist() == [2.0, 4.0, 3.0]
        assert (away.cpu() + here).tolist() == [2.0, 4.0, 3.0]
        assert away[torch.tensor([2, 1])].tolist() == away[[2, 1]].tolist() == [0.0, 2.0]
        assert away.copy_(here).tolist() == [1.0, 2.0, 3.0]
        assert bool((away > 2).any())
        assert away.sum().item() == 6.0
        assert away.device == ELSEWHERE


def test_gradients_and_optimisers_stay_there() -> None:
    with pretended():
        weight = torch.nn.Parameter(torch.tensor([1.0, 2.0], device=ELSEWHERE))
        optimiser = torch.optim.Adam([weight], lr=0.1)
        backward(weight.square().sum())
        optimiser.step()
        assert isinstance(weight.grad, Elsewhere)
        assert weight.tolist() == pytest.approx([0.9, 1.9], abs=1e-5)
        with pytest.raises(MixedDevicesError):
            backward((weight * torch.ones(2)).sum())
