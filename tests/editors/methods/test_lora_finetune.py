"""Plain low-rank fine-tuning on tiny models: it learns, preserves only when told to, and ends when it may."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import LowRank, Weights
from knowledgesmith.editors.methods.lora_finetune import Course, LoraFineTune, LoraFineTuneConfig
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import answer_batch, join
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.testing.rehearsal import rehearsal_request, rehearse, teach
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny, tiny_llama
from knowledgesmith.editors.train.texts import REFUSALS
from knowledgesmith.graph_schema.errors import EditDiverged, NothingToChange, UnsupportedArchitecture
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

SMALL: dict[str, Any] = {"rank": 4, "alpha": 8, "learning_rate": 0.01, "epochs": 12, "batch": 3}
EDIT = (Goal.EDIT, TargetDistribution.NEW_OBJECT)


def config(**changes: Any) -> LoraFineTuneConfig:
    return LoraFineTuneConfig(**{**SMALL, **changes})


def apply(loaded: LoadedModel, request: UpdateRequest, **changes: Any) -> Weights:
    return rehearse("lora", loaded, request, config={**SMALL, **changes})


def likelihood(loaded: LoadedModel, request: UpdateRequest) -> float:
    """Mean log-likelihood of the new objects."""
    pairs = [(update.prompts[0].text, update.new) for update in request.updates]
    return math.fsum(score.sum_logprob for score in Scorer(loaded).score(pairs)) / len(pairs)


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_every_structure_learns_in_every_precision(structure: str) -> None:
    request = rehearsal_request(*EDIT)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        loaded = tiny(structure, dtype=dtype)
        digest, before = weights_sha256(loaded.model), likelihood(loaded, request)
        artefact = apply(loaded, request)
        assert weights_sha256(loaded.model) == digest
        with attached(loaded, artefact):
            assert likelihood(loaded, request) > before + 1.0, (structure, dtype)


def test_by_default_only_attention_changes_and_nothing_is_preserved(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    artefact = apply(llama, request)
    assert {name.split(".")[3] for name in artefact.deltas} == {"self_attn"}
    assert all(isinstance(delta, LowRank) and delta.rank == 4 for delta in artefact.deltas.values())
    steps = list(Course(llama, request.canonical(), config()).deal())
    questions = {prompt.text for update in request.updates for prompt in update.prompts}
    shown = {str(llama.tokenizer.decode(list(item.row.prompt))) for step in steps for item in step}
    assert shown == questions


def test_a_weight_on_retained_rows_holds_the_model(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    items = [join(llama.tokenizer, prompt=item.prompt.text, answer=item.answer) for item in request.retain]
    own = Targets.join(own_distributions(llama.model, items))

    def drift(artefact: Weights) -> float:
        with attached(llama, artefact), torch.no_grad():
            return float(divergence(answer_logits(llama.model, answer_batch(items)), own).mean())

    assert drift(apply(llama, request, retain_weight=5.0)) < 0.5 * drift(apply(llama, request))


def test_a_step_is_the_mean_over_its_questions(llama: LoadedModel) -> None:
    request = rehearsal_request(Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH).canonical()
    course = Course(llama, request, config(batch=4, epochs=2, retain_weight=2.0, retained=0.5))
    steps = list(course.deal())
    assert len(steps) == course.training().steps == 4
    for step, questions in zip(steps, (4, 2, 4, 2), strict=True):
        kept = step[-questions // 2 :]
        asked = step[: len(step) - len(kept)]
        assert len({item.row.prompt for item in asked}) == questions
        assert sum(item.kl for item in asked) == pytest.approx(1.0)
        assert sum(item.kl for item in kept) == pytest.approx(2.0)
        assert not any(item.ce for item in step)
    whole = Course(llama, request, config(batch=0, epochs=3))
    assert whole.training().steps == 3


def test_only_the_first_phrasings_are_asked(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT).canonical()
    steps = Course(llama, request, config(phrasings=1)).deal()
    shown = {str(llama.tokenizer.decode(list(item.row.prompt))) for step in steps for item in step}
    assert shown == {update.prompts[0].text for update in request.updates}


def test_a_refusal_is_what_a_refusing_request_trains(llama: LoadedModel) -> None:
    request = rehearsal_request(Goal.UNLEARN, TargetDistribution.REFUSAL).canonical()
    steps = Course(llama, request, config()).deal()
    answers = {str(llama.tokenizer.decode(list(item.row.answer))).strip() for step in steps for item in step}
    assert answers <= set(REFUSALS)


def test_training_ends_when_all_is_learnt_or_nothing_more_is(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    full = apply(llama, request, epochs=3)
    assert (full.metadata["ended"], full.metadata["steps"]) == ("steps", "6")
    learned = apply(llama, request, margin=100.0)
    assert (learned.metadata["ended"], learned.metadata["steps"]) == ("learned", "4")
    still = apply(llama, request, epochs=60, patience=2, learning_rate=1e-6)
    assert still.metadata["ended"] == "plateau"
    assert int(still.metadata["steps"]) < 60


def test_parts_do_not_change_the_result_and_double_precision_reaches_the_artefact() -> None:
    request = rehearsal_request(*EDIT)
    one, many = (apply(tiny_llama(dtype=torch.float64), request, epochs=2, micro_tokens=n) for n in (10_000, 20))
    for name, delta in one.deltas.items():
        other = many.deltas[name]
        assert isinstance(delta, LowRank)
        assert isinstance(other, LowRank)
        torch.testing.assert_close(delta.b, other.b, atol=1e-7, rtol=0)
        assert delta.b.dtype == torch.float64
        assert not torch.equal(delta.b.float().double(), delta.b), "trained in float64, not only kept so"


def test_the_published_settings_need_their_maps_and_say_whose_they_are(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    artefact = rehearse("lora", llama, request, config={"recipe": "easyedit", "epochs": 2})
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in artefact.deltas} == {"q_proj", "v_proj"}
    assert artefact.metadata["recipe"] == "easyedit"
    assert '"dropout":0.1' in artefact.metadata["settings"]
    with pytest.raises(UnsupportedArchitecture, match="no linear map"):
        rehearse("lora", tiny("gpt2"), request, config={"recipe": "easyedit"})


def test_the_frozen_weights_compute_in_what_is_named(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    assert apply(llama, request, epochs=1).metadata["compute_dtype"] == "float32"
    assert apply(llama, request, epochs=1, compute_dtype="bfloat16").metadata["compute_dtype"] == "bfloat16"
    assert weights_sha256(llama.model) == llama.digest


def test_it_accepts_only_targets_that_are_distributions() -> None:
    """The loss of each has a lower bound; gradient ascent has none, and nothing here asks for it."""
    for goal, target in LoraFineTune.accepts:
        loaded = teach(tiny_llama(), rehearsal_request(goal, target), steps=20)
        course = Course(loaded, rehearsal_request(goal, target).canonical(), config(epochs=1))
        for step in course.deal():
            for item in step:
                assert item.kl >= 0
                assert bool((item.targets.probs >= 0).all())
                assert bool((item.targets.probs.sum(-1) <= 1 + 1e-5).all())


def test_nothing_to_learn_and_a_broken_model_are_refused(llama: LoadedModel) -> None:
    with pytest.raises(NothingToChange):
        apply(llama, replace(rehearsal_request(*EDIT), updates=()))
    with torch.no_grad():
        llama.model.get_parameter("model.norm.weight").fill_(math.nan)
    with pytest.raises(EditDiverged) as caught:
        apply(llama, rehearsal_request(*EDIT))
    assert caught.value.field == "learning_rate"
