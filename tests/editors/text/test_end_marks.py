"""Every text that a method trains on ends once, and its answer keeps the tokens that are scored."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from knowledgesmith.editors.methods import finetune
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.rows import Row, join
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.testing.rehearsal import rehearsal_request
from knowledgesmith.editors.train import texts as augment
from knowledgesmith.editors.train.lessons import Mixture, lessons_to_learn
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

ANSWERS = ("Lima", "U.S.", "Who?", "C++", "7", "東京。", "...", "Lima!”")


def asking(answer: str) -> UpdateRequest:
    """The rehearsal's request with one answer everywhere."""
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    return replace(
        request,
        updates=tuple(replace(update, new=answer) for update in request.updates),
        retain=tuple(replace(row, answer=answer) for row in request.retain),
    )


def learnt(loaded: LoadedModel, request: UpdateRequest) -> list[Row]:
    mixture = Mixture(variants=0, refusal_share=0.0, completion_share=0.0)
    return [lesson.row for lessons in lessons_to_learn(loaded, request, mixture) for lesson in lessons]


def kept(loaded: LoadedModel, request: UpdateRequest) -> list[Row]:
    retained: Callable[..., Any] = vars(finetune)["_retained"]
    return [target.row for _, target in retained(loaded, request)]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("rows", [learnt, kept], ids=["new objects of relearn", "retained rows of finetune"])
def test_a_trained_answer_ends_once_and_keeps_its_tokens(
    llama: LoadedModel, rows: Callable[[LoadedModel, UpdateRequest], list[Row]], answer: str
) -> None:
    plain = join(llama.tokenizer, prompt="The capital of Peru is", answer=answer).answer
    found = rows(llama, asking(answer))
    assert found
    for row in found:
        assert row.answer[: len(plain)] == plain
        end = llama.tokenizer.decode(list(row.answer[len(plain) :]))
        assert end in ({".", "\n", ""} if answer in {"Lima", "C++", "7"} else {"\n", ""})


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_statement_before_a_question_ends_once(answer: str) -> None:
    request = asking(answer)
    rng = random.Random(0)  # noqa: S311
    update = replace(request.updates[0], new="Nowhere", candidates=())
    texts = [prompt.text for prompt in augment.questions(update, retain=request.retain, variants=40, rng=rng)]
    stated = [text for text in texts if f"{answer} " in text or f"{answer}. " in text]
    assert stated
    assert any(f"{answer}. " in text for text in stated) == (answer in {"Lima", "C++", "7"})
