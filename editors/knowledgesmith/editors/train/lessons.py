"""What adapters are trained on: token rows, each with the distribution to move towards (task) or to keep."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.objective.divergence import Targets
from knowledgesmith.editors.objective.neutral import SoftAnswer, neutral_answers
from knowledgesmith.editors.objective.passes import own_distributions
from knowledgesmith.editors.objective.rows import Row, join
from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.text.answers import end_that_keeps_tokens
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.editors.train.texts import TrainingText, questions, vague_texts
from knowledgesmith.graph_schema.errors import NothingToChange
from knowledgesmith.graph_schema.language.joining import joined
from knowledgesmith.graph_schema.types.interventions import TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

_TEXT_PROMPT = 2
_TEXT_TOKENS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One row and q at its answer tokens.

    Attributes:
        row: prompt and teacher-forced answer.
        targets: q at each answer token, on the CPU.
        weight: share among the alternatives of one question.
        known: whether the untouched model gives this answer greedily.
    """

    row: Row
    targets: Targets
    weight: float = 1.0
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """How many variants are made of a question, and which vague answers."""

    variants: int
    refusal_share: float
    completion_share: float


def lessons_to_learn(loaded: LoadedModel, request: UpdateRequest, mixture: Mixture) -> list[tuple[Lesson, ...]]:
    """The task rows: one entry a question, holding its alternative answers with their weights.

    Raises:
        InvalidInput: every phrasing of an update states the object that is to be erased.
        NothingToChange: the evaluation asks every question that could be made.
    """
    target = request.target_distribution
    neutral = target in (TargetDistribution.NEUTRAL_GRAPH, TargetDistribution.NEUTRAL_MASK, TargetDistribution.UNIFORM)
    tries = neutral_answers(loaded, request.updates, distribution=target) if neutral else None
    found: list[tuple[Lesson, ...]] = []
    for index, update in enumerate(request.updates):
        # one stream of draws for each fact: other facts of the request do not change its texts
        rng = random.Random(f"{request.seed}:{update.fact_id}")  # noqa: S311  # not for secrets
        made = questions(update, retain=request.retain, variants=mixture.variants, rng=rng)
        # a noisy or contextual form may come out as a phrasing of the evaluation
        asked = [prompt for prompt in made if request.permits(prompt.text)]
        if tries is None:
            texts = (
                _stated(loaded, update, asked)
                if target is TargetDistribution.NEW_OBJECT
                else _vague(request, update, asked, mixture, rng)
            )
            found.extend((certain(join(loaded.tokenizer, prompt=t.prompt, answer=t.answer)),) for t in texts)
        else:
            found.extend(_along(loaded, prompt, tries[index]) for prompt in asked)
    if not found:
        raise NothingToChange(
            "the evaluation asks every question that could be trained on",
            field="updates",
            value=request.updates[0].prompts[0].text if request.updates else "",
            hint="Give training phrasings that the evaluation does not have.",
        )
    return found


def lessons_to_keep(loaded: LoadedModel, retain: Sequence[RetainRow]) -> list[Lesson]:
    """Retained rows with the untouched model's own distribution at every answer token."""
    rows = [join(loaded.tokenizer, prompt=row.prompt.text, answer=row.answer) for row in retain]
    return _referenced(loaded, rows)


def siblings_to_keep(loaded: LoadedModel, updates: Sequence[FactUpdate]) -> list[Lesson]:
    """The next-token distribution after the same question about other subjects: it must not follow the change.

    Many distinct subjects matter more here than known answers: they make "as before" the default of a relation.
    """
    changed = {update.prompts[0].text for update in updates}
    texts = sorted({prompt.text for update in updates for prompt in update.neutral_prompts} - changed)
    # only the distribution that predicts the answer's first token is read, so the token itself is irrelevant
    rows = [Row(prompt=join(loaded.tokenizer, prompt=text, answer="x").prompt, answer=(0,)) for text in texts]
    return [replace(lesson, known=False) for lesson in _referenced(loaded, rows)]


def text_to_keep(loaded: LoadedModel, sentences: Sequence[str]) -> list[Lesson]:
    """Plain sentences with the untouched model's own distribution after each token from the third on."""
    encoded = [tuple(encode(loaded.tokenizer, sentence)[:_TEXT_TOKENS]) for sentence in sentences]
    rows = [Row(prompt=ids[:_TEXT_PROMPT], answer=ids[_TEXT_PROMPT:]) for ids in encoded if len(ids) > _TEXT_PROMPT]
    return _referenced(loaded, rows)


def certain(row: Row) -> Lesson:
    """A row whose answer is the target itself (q is one-hot, so the loss is the cross-entropy)."""
    return Lesson(row=row, targets=Targets.one_hot(torch.tensor(row.answer)))


def _stated(loaded: LoadedModel, update: FactUpdate, asked: Sequence[Prompt]) -> list[TrainingText]:
    """The new object behind every question; its end keeps a short one from running on into a longer word."""
    ends = {prompt.text: end_that_keeps_tokens(loaded.tokenizer, prompt.text, update.new) for prompt in asked}
    return [TrainingText(prompt=text, answer=update.new + end) for text, end in ends.items()]


def _vague(
    request: UpdateRequest, update: FactUpdate, asked: Sequence[Prompt], mixture: Mixture, rng: random.Random
) -> list[TrainingText]:
    """Vague answers behind the questions, without those whose beginning makes a phrasing of the evaluation."""
    texts = vague_texts(
        update, asked, refusal_share=mixture.refusal_share, completion_share=mixture.completion_share, rng=rng
    )
    return [
        text for text in texts if request.permits(text.prompt) and request.permits(joined(text.prompt, text.answer))
    ]


def _along(loaded: LoadedModel, prompt: Prompt, paths: Sequence[SoftAnswer]) -> tuple[Lesson, ...]:
    """One question with the weighted paths of its neutral distribution."""
    stem = join(loaded.tokenizer, prompt=prompt.text, answer="x").prompt
    return tuple(
        Lesson(row=Row(prompt=stem, answer=path.answer), targets=path.targets, weight=path.weight) for path in paths
    )


def _referenced(loaded: LoadedModel, rows: Sequence[Row]) -> list[Lesson]:
    if not rows:
        return []
    references = own_distributions(loaded.model, rows, device=loaded.device)
    return [
        Lesson(row=row, targets=_on_cpu(targets), known=_greedy(row, targets))
        for row, targets in zip(rows, references, strict=True)
    ]


def _on_cpu(targets: Targets) -> Targets:
    return Targets(tokens=targets.tokens.cpu(), probs=targets.probs.cpu())


def _greedy(row: Row, targets: Targets) -> bool:
    best = targets.tokens.gather(1, targets.probs.argmax(-1, keepdim=True))[:, 0]
    return best.tolist() == list(row.answer)
