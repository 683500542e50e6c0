"""ReLearn on tiny random models: it learns, keeps, restores, and its texts do not depend on the request's order."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
import torch
from tests.editors.losses import answered

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import LowRank, Weights
from knowledgesmith.editors.methods.relearn import Course, ReLearn, ReLearnConfig
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.neutral import neutral_answers
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import Row, answer_batch, join
from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.testing.rehearsal import teach
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.editors.train.lessons import lessons_to_keep, siblings_to_keep, text_to_keep
from knowledgesmith.editors.train.texts import VAGUE
from knowledgesmith.editors.train.weighted import WeightedRow
from knowledgesmith.graph_schema.errors import Cancelled, EditDiverged, InvalidInput, NothingToChange
from knowledgesmith.graph_schema.language.spans import Phrases
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

SMALL = ReLearnConfig(
    rank=4,
    alpha=8,
    adapted_maps=(),
    last_layer=-1,
    learning_rate=0.02,
    min_steps=40,
    max_steps=40,
    learn_rows=4,
    keep_rows=4,
    text_rows=1,
    compute_dtype="model",
)
ALONE = SMALL.model_copy(
    update={"keep_rows": 0, "text_rows": 0, "variants": 0, "min_steps": 80, "max_steps": 80, "learning_rate": 0.01}
)
TARGETS = sorted(ReLearn.accepts)


class _Silent:
    def __init__(self, stop_at: int | None = None) -> None:
        self.seen: list[tuple[str, int, int]] = []
        self._stop_at = stop_at

    def step(self, phase: str, done: int, total: int) -> None:
        self.seen.append((phase, done, total))
        if self._stop_at is not None and len(self.seen) > self._stop_at:
            raise Cancelled("stopped")


class _NoStatistics:
    def prepare(self, layers: object) -> None:
        raise AssertionError(layers)

    def second_moment(self, layer: int) -> torch.Tensor:
        raise AssertionError(layer)

    def prepare_maps(self, names: object, **_kinds: object) -> None:
        raise AssertionError(names)

    def key_moment(self, name: str) -> torch.Tensor:
        raise AssertionError(name)

    def gradient_moment(self, name: str) -> torch.Tensor:
        raise AssertionError(name)


def _prompt(subject: str) -> Prompt:
    return Prompt.fill("The capital of {s} is", subject)


def _request(
    goal: Goal = Goal.UNLEARN, target: TargetDistribution = TargetDistribution.VAGUE, seed: int = 3
) -> UpdateRequest:
    def update(subject: str, old: str, new: str) -> FactUpdate:
        return FactUpdate(
            fact_id=f"fact-{subject}",
            relation="has_capital",
            prompts=(_prompt(subject), Prompt.fill("{s} has the capital", subject)),
            old=old,
            new=new if goal is Goal.EDIT else "",
            candidates=("Tokyo", "Paris", "Rome", "Lima"),
            neutral_prompts=(_prompt("Spain"), _prompt("Peru")),
            subject_type="Country",
        )

    return UpdateRequest(
        goal=goal,
        target_distribution=target,
        updates=(update("Japan", "Tokyo", "Lima"), update("Italy", "Rome", "Paris")),
        retain=(
            RetainRow(prompt=_prompt("France"), answer="Paris", scope="same_relation"),
            RetainRow(prompt=_prompt("Spain"), answer="Madrid", scope="same_relation"),
        ),
        statistics_text=("The country of Paris is France.",),
        seed=seed,
    )


def _apply(loaded: LoadedModel, request: UpdateRequest, config: ReLearnConfig = SMALL) -> Weights:
    return ReLearn(config).apply(loaded, request, _NoStatistics(), _Silent())


def _nll(loaded: LoadedModel, prompt: Prompt, answer: str) -> float:
    batch = answer_batch([join(loaded.tokenizer, prompt=prompt.text, answer=answer)])
    with torch.no_grad():
        return divergence(answer_logits(loaded.model, batch), Targets.one_hot(batch.answers)).mean().item()


def _says(loaded: LoadedModel, prompt: Prompt, answer: str) -> bool:
    batch = answer_batch([join(loaded.tokenizer, prompt=prompt.text, answer=answer)])
    with torch.no_grad():
        return bool(answered(answer_logits(loaded.model, batch), batch).all())


def _state(loaded: LoadedModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}


def _unchanged(loaded: LoadedModel, before: dict[str, torch.Tensor]) -> bool:
    after = loaded.model.state_dict()
    return all(
        torch.equal(after[name], tensor) and after[name].dtype == tensor.dtype for name, tensor in before.items()
    )


def test_a_new_object_is_learnt(loaded: LoadedModel) -> None:
    request = _request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    before = _state(loaded)
    assert not _says(loaded, _prompt("Japan"), "Lima.")
    artefact = _apply(loaded, request, ALONE)
    assert _unchanged(loaded, before)
    with attached(loaded, artefact):
        assert _says(loaded, _prompt("Japan"), "Lima.")
        assert _says(loaded, _prompt("Italy"), "Paris.")


def test_a_vague_answer_replaces_the_object(llama: LoadedModel) -> None:
    artefact = _apply(llama, _request(), ALONE)
    prior = min(_nll(llama, _prompt("Japan"), wording) for wording in VAGUE)
    with attached(llama, artefact):
        assert min(_nll(llama, _prompt("Japan"), wording) for wording in VAGUE) < 0.75 * prior


def test_the_neutral_distribution_is_approached(llama: LoadedModel) -> None:
    request = _request(target=TargetDistribution.NEUTRAL_GRAPH).canonical()
    path = neutral_answers(llama, request.updates, distribution=request.target_distribution)[0][0]
    stem = join(llama.tokenizer, prompt=request.updates[0].prompts[0].text, answer="x").prompt

    def gap() -> float:
        batch = answer_batch([Row(prompt=stem, answer=path.answer)])
        with torch.no_grad():
            return divergence(answer_logits(llama.model, batch), path.targets)[0].item()

    prior = gap()
    with attached(llama, _apply(llama, request)):
        assert gap() < 0.5 * prior


def test_keeping_holds_the_retained_distribution(llama: LoadedModel) -> None:
    request = _request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    (lesson, *_) = lessons_to_keep(llama, request.retain)
    batch = answer_batch([lesson.row])

    def drift(keep_rows: int) -> float:
        config = SMALL.model_copy(update={"keep_rows": keep_rows, "text_rows": 0, "keep_kl_weight": 4.0})
        with attached(llama, _apply(llama, request, config)), torch.no_grad():
            return divergence(answer_logits(llama.model, batch), lesson.targets).mean().item()

    assert drift(4) < 0.3 * drift(0)


@pytest.mark.parametrize(("goal", "target"), TARGETS)
def test_same_seed_same_bytes_and_order_does_not_matter(
    llama: LoadedModel, goal: Goal, target: TargetDistribution
) -> None:
    config = SMALL.model_copy(update={"max_steps": 3, "min_steps": 3})
    request = _request(goal, target)
    turned = dataclasses.replace(request, updates=request.updates[::-1], retain=request.retain[::-1])
    first = _apply(llama, request, config)
    assert first.sha256 == _apply(llama, turned, config).sha256
    assert first.sha256 != _apply(llama, dataclasses.replace(request, seed=4), config).sha256
    assert all(isinstance(delta, LowRank) and delta.rank == 4 for delta in first.deltas.values())


def test_parts_do_not_change_the_result_and_double_precision_reaches_the_artefact() -> None:
    config = SMALL.model_copy(update={"max_steps": 3, "min_steps": 3, "dropout": 0.0})
    one, many = (
        _apply(tiny_llama(dtype=torch.float64), _request(), config.model_copy(update={"micro_tokens": tokens}))
        for tokens in (10_000, 30)
    )
    for name, delta in one.deltas.items():
        other = many.deltas[name]
        assert isinstance(delta, LowRank)
        assert isinstance(other, LowRank)
        torch.testing.assert_close(delta.b, other.b, atol=1e-7, rtol=0)
        assert delta.a.dtype == delta.b.dtype == torch.float64
        assert not torch.equal(delta.b.float().double(), delta.b), "trained in float64, not only kept so"


def test_only_configured_maps_change(llama: LoadedModel) -> None:
    config = SMALL.model_copy(
        update={"first_layer": 1, "last_layer": 2, "adapted_maps": ("down_proj",), "max_steps": 2, "min_steps": 2}
    )
    names = set(_apply(llama, _request(), config).deltas)
    assert names == {f"model.layers.{layer}.mlp.down_proj.weight" for layer in (1, 2)}


@pytest.mark.parametrize("stop_at", [0, 1, 3])
def test_cancelling_leaves_the_model_as_it_was(loaded: LoadedModel, stop_at: int) -> None:
    before = _state(loaded)
    config = SMALL.model_copy(update={"compute_dtype": "bfloat16"})
    with pytest.raises(Cancelled):
        ReLearn(config).apply(loaded, _request(), _NoStatistics(), _Silent(stop_at))
    assert _unchanged(loaded, before)
    assert not any(p.requires_grad or p.grad is not None for p in loaded.model.parameters())


def test_a_diverging_run_is_refused_and_restored(llama: LoadedModel) -> None:
    with torch.no_grad():
        llama.model.get_parameter("model.norm.weight").fill_(float("nan"))
    before = _state(llama)
    with pytest.raises(EditDiverged) as caught:
        _apply(llama, _request())
    assert "learning_rate" in caught.value.hint
    after = llama.model.state_dict()
    assert all(torch.equal(after[name].nan_to_num(), tensor.nan_to_num()) for name, tensor in before.items())


def test_progress_counts_to_the_total(llama: LoadedModel) -> None:
    progress = _Silent()
    ReLearn(SMALL.model_copy(update={"max_steps": 3, "min_steps": 3})).apply(
        llama, _request(), _NoStatistics(), progress
    )
    assert progress.seen[-4:] == [("relearn", step, 3) for step in range(4)]


def test_steps_grow_with_the_facts_between_their_bounds(llama: LoadedModel) -> None:
    def total(passes: float) -> int:
        progress = _Silent(stop_at=1)
        config = SMALL.model_copy(update={"passes": passes, "min_steps": 2, "max_steps": 50, "variants": 0})
        with pytest.raises(Cancelled):
            ReLearn(config).apply(llama, _request(), _NoStatistics(), progress)
        return progress.seen[-1][2]

    assert [total(0.1), total(10), total(1000)] == [2, 10, 50]


def test_nothing_to_learn_and_impossible_questions_are_refused(llama: LoadedModel) -> None:
    empty = dataclasses.replace(_request(), updates=())
    with pytest.raises(NothingToChange):
        _apply(llama, empty)
    stated = dataclasses.replace(_request().updates[0], old="capital")
    with pytest.raises(InvalidInput, match="states the object"):
        _apply(llama, dataclasses.replace(_request(), updates=(stated,)))


def test_a_request_without_retained_rows_still_works(llama: LoadedModel) -> None:
    config = SMALL.model_copy(update={"max_steps": 2, "min_steps": 2})
    assert _apply(llama, dataclasses.replace(_request(), retain=(), statistics_text=()), config).deltas


def test_sibling_questions_are_kept_once_and_never_the_changed_ones(llama: LoadedModel) -> None:
    update = _request().updates[0]
    clash = dataclasses.replace(update, neutral_prompts=(*update.neutral_prompts, update.prompts[0]))
    kept = siblings_to_keep(llama, (update, clash))
    wanted = {join(llama.tokenizer, prompt=p.text, answer="x").prompt for p in update.neutral_prompts}
    assert {lesson.row.prompt for lesson in kept} == wanted
    assert len(kept) == len(wanted)
    assert not any(lesson.known for lesson in kept)


def test_text_rows_skip_what_is_too_short(llama: LoadedModel) -> None:
    kept = text_to_keep(llama, ["x", "The capital of France is Paris."])
    assert len(kept) == 1
    assert kept[0].targets.probs.shape[0] == len(kept[0].row.answer)


def _steps(llama: LoadedModel, config: ReLearnConfig, request: UpdateRequest | None = None) -> list[list[WeightedRow]]:
    return list(Course(llama, (request or _request()).canonical(), config).deal())


def _texts(llama: LoadedModel, rows: Iterable[WeightedRow]) -> set[str]:
    return {str(llama.tokenizer.decode([*item.row.prompt, *item.row.answer])) for item in rows}


@pytest.mark.parametrize(("name", "rows"), [("authors-tofu", 8), ("authors-knowundo", 4)])
def test_the_authors_losses_are_three_means_over_tokens(llama: LoadedModel, name: str, rows: int) -> None:
    config = ReLearnConfig(recipe=name)
    for step in _steps(llama, config):
        asked = [item for item in step if item.ce == 0]
        kept = [item for item in step if item.ce > 0]
        assert len(asked) == len(kept) == rows
        for part, factor in ((asked, "kl"), (kept, "kl"), (kept, "ce")):
            per_token = {round(getattr(item, factor) / len(item.row.answer), 9) for item in part}
            tokens = sum(len(item.row.answer) for item in part)
            assert per_token == {round(1 / tokens, 9)}
        assert all(item.lead == 0 for item in step)
        # retained answers only: no sibling questions, no sentences
        assert _texts(llama, kept) <= {"The capital of France is Paris", "The capital of Spain is Madrid"}


def test_the_authors_ask_each_question_twice_and_its_completion(llama: LoadedModel) -> None:
    config = ReLearnConfig.model_validate({"recipe": "authors-tofu", "variants": 0})
    steps = _steps(llama, config)
    prompts = {str(llama.tokenizer.decode(list(item.row.prompt))) for step in steps for item in step if item.ce == 0}
    questions = {prompt.text for update in _request().updates for prompt in update.prompts}
    assert questions < prompts
    assert len(prompts) == 2 * len(questions), "a quarter of each answer is given, and the rest learnt"
    assert len(steps) == 2


def test_ours_grades_only_what_the_model_knows(llama: LoadedModel) -> None:
    knowing = teach(llama, _request(), steps=60)
    wrong = RetainRow(prompt=_prompt("Peru"), answer="Rome", scope="same_relation")
    request = dataclasses.replace(_request(), retain=(*_request().retain, wrong))
    rows = {lesson.row: lesson.known for lesson in lessons_to_keep(knowing, request.retain)}
    known = {row for row, answered in rows.items() if answered}
    assert 0 < len(known) < len(rows) == 3

    def graded(config: ReLearnConfig) -> set[Row]:
        return {item.row for step in _steps(knowing, config, request) for item in step if item.ce}

    config = ReLearnConfig(keep_rows=4, text_rows=0)
    assert graded(config) == known
    assert graded(config.model_copy(update={"keep_ce_on": "all"})) == set(rows)


def test_the_authors_recipe_trains_all_maps_and_says_so(llama: LoadedModel) -> None:
    config = ReLearnConfig.model_validate({"recipe": "authors-tofu", "rank": 2})
    artefact = _apply(llama, _request(), config)
    assert set(artefact.deltas) == {f"{name}.weight" for name in llama.architecture.all_linear_names()}
    assert artefact.metadata["recipe"] == "authors-tofu"
    settings = json.loads(artefact.metadata["settings"])
    assert (settings["learning_rate"], settings["rank"], settings["dropout"]) == (1e-4, 2, 0.05)
    assert artefact.metadata["ended"] == "steps"


def test_a_request_whose_every_question_is_asked_is_refused(llama: LoadedModel) -> None:
    texts = frozenset(prompt.text.casefold() for update in _request().updates for prompt in update.prompts)
    asked = dataclasses.replace(_request(), forbidden=Phrases(spans=texts))
    with pytest.raises(NothingToChange, match="the evaluation asks"):
        _apply(llama, asked)


def test_the_beginning_of_an_answer_makes_no_phrasing_of_the_evaluation(llama: LoadedModel) -> None:
    """The authors' completions put a quarter of a vague answer behind a question."""
    config = ReLearnConfig(recipe="authors-tofu", variants=0)
    (begun, *_) = sorted(
        text.partition(" not ")[0] + " not"
        for step in _steps(llama, config)
        for text in _texts(llama, [item for item in step if item.ce == 0])
        if " not " in text
    )
    asked = dataclasses.replace(_request(), forbidden=Phrases(spans=frozenset({begun.casefold()})))
    rows = [item for step in _steps(llama, config, asked) for item in step]
    assert rows
    assert not any(begun.casefold() in text.casefold() for text in _texts(llama, rows))
