"""From a request's texts to token rows: teacher-forced answers with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.objective.divergence import Targets
from knowledgesmith.editors.objective.neutral import SoftAnswer, neutral_answers
from knowledgesmith.editors.objective.rows import Row, join
from knowledgesmith.editors.requests import Prompt, UpdateRequest
from knowledgesmith.editors.text.answers import end_that_keeps_tokens
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from knowledgesmith.editors.models.loaded import LoadedModel

ACCEPTED = frozenset(
    {
        (Goal.EDIT, TargetDistribution.NEW_OBJECT),
        (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH),
        (Goal.UNLEARN, TargetDistribution.NEUTRAL_MASK),
        (Goal.UNLEARN, TargetDistribution.UNIFORM),
    }
)
"""What a method can realise that pulls answer tokens towards a distribution."""

FULL_STOP = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow:
    """A row with what it is pulled towards.

    Attributes:
        row: prompt and teacher-forced answer.
        targets: q at the answer's tokens. shape: (len(answer), K).
        weight: share of the row among those of its prompt (they sum to 1).
    """

    row: Row
    targets: Targets
    weight: float


class TargetSource:
    """Targets of every update of a request; the neutral ones are measured once, on the model as it is.

    Args:
        loaded: the model before the update.
        request: the request, in canonical order.
        end: what closes a new object, so that generation stops there ("" for nothing). A full stop is never doubled.
        paths: candidates that a neutral trie follows beyond the first token.
    """

    def __init__(self, loaded: LoadedModel, request: UpdateRequest, *, end: str, paths: int) -> None:
        self._tokenizer = loaded.tokenizer
        self._device = loaded.device
        self._updates = request.updates
        self._end = end
        self._soft: list[list[SoftAnswer]] | None = None
        if request.target_distribution is not TargetDistribution.NEW_OBJECT:
            self._soft = neutral_answers(loaded, request.updates, distribution=request.target_distribution, paths=paths)

    def rows(self, update: int, prompt: str) -> list[TargetRow]:
        """Rows that pull the answer of ``prompt`` towards the target of update number ``update``."""
        if self._soft is None:
            new = self._updates[update].new
            if not new:
                raise InvalidInput("an edit needs a new object", field="new", value=self._updates[update].fact_id)
            row = join(self._tokenizer, prompt=prompt, answer=new, end=self._end_of(prompt, new))
            return [
                TargetRow(row=row, targets=Targets.one_hot(torch.tensor(row.answer, device=self._device)), weight=1.0)
            ]
        head = join(self._tokenizer, prompt=prompt, answer=self._updates[update].old).prompt
        return [
            TargetRow(row=Row(prompt=head, answer=soft.answer), targets=soft.targets, weight=soft.weight)
            for soft in self._soft[update]
        ]

    def _end_of(self, prompt: str, answer: str) -> str:
        """A full stop gives way where the answer has an end mark, or where it would change the answer's tokens."""
        return end_that_keeps_tokens(self._tokenizer, prompt, answer) if self._end == FULL_STOP else self._end


def distinct_prompts(prompts: Sequence[Prompt], limit: int) -> list[Prompt]:
    """The first ``limit`` different prompts in the given order."""
    return list(dict.fromkeys(prompts))[:limit]


def closed_row(tokenizer: PreTrainedTokenizerBase, *, prompt: str, answer: str) -> Row:
    """A retained answer with the end that keeps its tokens, as the answers of the updates have it."""
    return join(tokenizer, prompt=prompt, answer=answer, end=end_that_keeps_tokens(tokenizer, prompt, answer))
