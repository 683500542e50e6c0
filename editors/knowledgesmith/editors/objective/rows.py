"""Token rows: a cloze prompt and its teacher-forced answer, and batches of them. Only answer tokens carry a loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from knowledgesmith.editors.text.encoding import prefix_ids
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.language.joining import joined

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORE = -100
"""Label of a position that carries no loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Token ids of a cloze prompt and of its teacher-forced answer (never empty)."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBatch:
    """Right-padded rows with answer-only labels.

    Attributes:
        ids: shape (B, T).
        mask: 1 where ``ids`` is not padding; shape (B, T).
        labels: the answer's tokens at their own positions, ``IGNORE`` elsewhere; shape (B, T).
        row: row of each answer token; shape (N,), ascending.
        position: position whose output predicts it (one before its own); shape (N,).
    """

    ids: Tensor
    mask: Tensor
    labels: Tensor
    row: Tensor
    position: Tensor

    @property
    def answers(self) -> Tensor:
        """The answer tokens in the order of ``row`` and ``position``. shape: (N,)."""
        return self.ids[self.row, self.position + 1]


def join(tokenizer: PreTrainedTokenizerBase, *, prompt: str, answer: str, end: str = "") -> Row:
    """Tokenise ``prompt``, ``answer`` as it follows there (``joining``) and ``end`` once, cut where the answer begins.

    Cutting the joint tokenisation, and not joining two tokenisations, is what a reader of the text would produce.
    A token that covers the boundary belongs to the answer.
    """
    cancellation.check()
    text = f"{joined(prompt, answer)}{end}"
    encoded = tokenizer(text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
    ids = cast("list[int]", encoded["input_ids"])
    stops = [stop for _, stop in cast("list[tuple[int, int]]", encoded["offset_mapping"])]
    first = next(index for index, stop in enumerate(stops) if stop > len(prompt))
    return Row(prompt=(*prefix_ids(tokenizer), *ids[:first]), answer=tuple(ids[first:]))


def rows(tokenizer: PreTrainedTokenizerBase, pairs: Sequence[tuple[str, str]], *, end: str = "") -> list[Row]:
    """``join`` for many (prompt, answer) pairs."""
    return [join(tokenizer, prompt=prompt, answer=answer, end=end) for prompt, answer in pairs]


def answer_batch(items: Sequence[Row], *, device: torch.device | str = "cpu", pad: int = 0) -> AnswerBatch:
    """Pad rows on the right; the padding id is irrelevant because of the mask."""
    length = max(len(item.prompt) + len(item.answer) for item in items)
    ids = torch.full((len(items), length), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORE)
    for index, item in enumerate(items):
        start, stop = len(item.prompt), len(item.prompt) + len(item.answer)
        ids[index, :stop] = torch.tensor(item.prompt + item.answer)
        mask[index, :stop] = 1
        labels[index, start:stop] = torch.tensor(item.answer)
    row, own = (labels != IGNORE).nonzero(as_tuple=True)
    moved = (tensor.to(device) for tensor in (ids, mask, labels, row, own - 1))
    return AnswerBatch(**dict(zip(("ids", "mask", "labels", "row", "position"), moved, strict=True)))


def buckets(items: Sequence[Row], *, size: int) -> Iterator[list[int]]:
    """Indices of ``items`` in chunks of at most ``size`` rows of similar length (little padding)."""
    order = sorted(range(len(items)), key=lambda i: (len(items[i].prompt) + len(items[i].answer), i))
    for start in range(0, len(order), size):
        yield order[start : start + size]
