"""What every registered method owes: one suite over the registry (``-k NAME`` runs one method)."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.contract import Family
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.registry import METHODS, build, method_class
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.testing.rehearsal import (
    Recorder,
    fingerprint,
    materialise,
    rehearsal_request,
    rehearse,
    reversed_request,
    teach,
)
from knowledgesmith.editors.testing.tiny import tiny_gpt2, tiny_llama
from knowledgesmith.graph_schema.errors import Cancelled, FailedPrecondition, InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

GOLDENS = Path(__file__).parent / "goldens"
NAMES = sorted(METHODS)
CHANGING = [name for name in NAMES if name != "placebo"]
TOLERANCE = 1e-4

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


def golden(name: str) -> dict[str, Any]:
    file = GOLDENS / f"{name}.json"
    assert file.is_file(), f"method {name} has no golden file; write its config and run scripts/update_goldens.py"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def pairs(name: str) -> list[tuple[Goal, TargetDistribution]]:
    return sorted(method_class(name).accepts)


def first_request(name: str) -> UpdateRequest:
    return rehearsal_request(*pairs(name)[0])


def assert_untouched(loaded: LoadedModel, digest: str) -> None:
    assert weights_sha256(loaded.model) == digest
    assert not loaded.model.training
    for parameter in loaded.model.parameters():
        assert not parameter.requires_grad
        assert parameter.grad is None
    for module in loaded.model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks


def structure(loaded: LoadedModel) -> list[tuple[str, type]]:
    return [(name, type(module)) for name, module in loaded.model.named_modules()]


@pytest.mark.parametrize("name", NAMES)
def test_declares_what_it_is(name: str) -> None:
    cls = method_class(name)
    assert cls.name == name
    assert isinstance(cls.family, Family)
    assert cls.accepts
    assert all((goal is Goal.EDIT) == (target is TargetDistribution.NEW_OBJECT) for goal, target in cls.accepts)
    assert all((cls.objective.task_loss, cls.objective.preservation, cls.objective.operator, cls.objective.source))
    assert build(name).__class__ is cls


@pytest.mark.parametrize("name", NAMES)
def test_refuses_unknown_settings(name: str) -> None:
    with pytest.raises(InvalidInput, match="no_such_setting"):
        build(name, {"no_such_setting": 1})


@pytest.mark.parametrize("family", [tiny_llama, tiny_gpt2])
@pytest.mark.parametrize("name", NAMES)
def test_leaves_the_model_and_the_process_alone(name: str, family: Any) -> None:
    loaded: LoadedModel = family()
    modules, random = structure(loaded), torch.get_rng_state()
    for pair in pairs(name):
        artefact = rehearse(name, loaded, rehearsal_request(*pair), config=golden(name)["config"])
        assert isinstance(artefact, Weights)
        assert artefact.metadata["method"] == name
        assert bool(artefact.deltas) == (name != "placebo")
        assert_untouched(loaded, loaded.digest)
    assert structure(loaded) == modules
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_run_leaves_the_model_alone(name: str) -> None:
    loaded, full = tiny_llama(), Recorder()
    modules = structure(loaded)
    config = golden(name)["config"]
    rehearse(name, loaded, first_request(name), config=config, progress=full)
    assert len(full.calls) >= 2, "a method reports progress, or it cannot be cancelled"
    for call in sorted({1, len(full.calls) // 2 + 1, len(full.calls)}):
        with pytest.raises(Cancelled):
            rehearse(name, loaded, first_request(name), config=config, progress=Recorder(cancel_at=call))
        assert_untouched(loaded, loaded.digest)
        assert structure(loaded) == modules


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_request_does_not_matter(name: str) -> None:
    loaded = tiny_llama()
    for pair in pairs(name):
        request = rehearsal_request(*pair)
        one = rehearse(name, loaded, request, config=golden(name)["config"])
        other = rehearse(name, loaded, reversed_request(request), config=golden(name)["config"])
        assert one.deltas.keys() == other.deltas.keys()
        for parameter, delta in one.deltas.items():
            gap = (materialise(delta) - materialise(other.deltas[parameter])).abs().max()
            assert float(gap) <= 1e-5, (pair, parameter)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_artefact(name: str) -> None:
    for pair in pairs(name):
        request = rehearsal_request(*pair, seed=3)
        digests = {rehearse(name, tiny_llama(), request, config=golden(name)["config"]).sha256 for _ in range(2)}
        assert len(digests) == 1, pair


def mean_score(loaded: LoadedModel, request: UpdateRequest) -> float:
    """Mean log-likelihood of what the goal speaks of: the new object to install, or the old one to erase."""
    scores = Scorer(loaded).score(
        [
            (update.prompts[0].text, update.new if request.goal is Goal.EDIT else update.old)
            for update in request.updates
        ]
    )
    return math.fsum(score.sum_logprob for score in scores) / len(scores)


@pytest.mark.parametrize("family", [tiny_llama, tiny_gpt2])
@pytest.mark.parametrize("name", CHANGING)
def test_moves_beliefs_in_the_right_direction(name: str, family: Any) -> None:
    loaded = teach(family(), first_request(name))
    for pair in pairs(name):
        request = rehearsal_request(*pair)
        before = mean_score(loaded, request)
        with attached(loaded, rehearse(name, loaded, request, config=golden(name)["config"])):
            after = mean_score(loaded, request)
        gain = after - before if request.goal is Goal.EDIT else before - after
        assert gain > 0.1, (pair, before, after)


@pytest.mark.parametrize("name", CHANGING)
def test_weights_that_are_not_numbers_are_refused(name: str) -> None:
    loaded = tiny_llama()
    for layer in range(loaded.architecture.num_layers):
        with torch.no_grad():
            loaded.architecture.down_projection(layer).weight.fill_(math.nan)
    digest = weights_sha256(loaded.model)
    for pair in pairs(name):
        with pytest.raises(FailedPrecondition):
            rehearse(name, loaded, rehearsal_request(*pair), config=golden(name)["config"])
        assert_untouched(loaded, digest)


@pytest.mark.parametrize("name", NAMES)
def test_golden_values(name: str) -> None:
    expected = golden(name)["expected"]
    assert set(expected) == {f"{goal.value}/{target.value}" for goal, target in pairs(name)}
    for pair in pairs(name):
        artefact = rehearse(name, tiny_llama(), rehearsal_request(*pair), config=golden(name)["config"])
        found, wanted = fingerprint(artefact), expected["/".join(part.value for part in pair)]
        assert found.keys() == wanted.keys()
        for parameter, numbers in found.items():
            for kind, number in numbers.items():
                allowed = TOLERANCE * max(1.0, wanted[parameter]["norm"])
                assert abs(number - wanted[parameter][kind]) <= allowed, (pair, parameter, kind)


def test_every_method_has_goldens_and_every_golden_a_method() -> None:
    assert sorted(file.stem for file in GOLDENS.glob("*.json")) == NAMES
