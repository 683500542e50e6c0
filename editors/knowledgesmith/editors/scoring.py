"""Log-likelihoods of options after their stems, each distinct stem computed once.

The stems of a batch run once and leave their keys and values; the last position already gives every option's first
token. Options of several tokens continue from a copy of their stem's cache, all in one more pass. Only positions
that predict an option's token reach the head. The result equals a pass over each full text (to rounding).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.editors.beliefs import OptionScore
from knowledgesmith.editors.encoding import encode, pad_right, pad_token_id, plain_ids, prefix_ids
from knowledgesmith.editors.surgery.hooks import head_only_at
from knowledgesmith.graph_schema.errors import DeviceOutOfMemory, InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.encoding import Batch
    from knowledgesmith.editors.models import LoadedModel

Ids = tuple[int, ...]
_OPTIONS_PER_ROW = 4


@dataclass(frozen=True, slots=True)
class _Group:
    """A context and the continuations to score after it."""

    context: Ids
    continuations: tuple[Ids, ...]

    @property
    def longer(self) -> int:
        """Number of continuations that need a second pass."""
        return sum(len(continuation) > 1 for continuation in self.continuations)


class Scorer:
    """Scores (stem, option) pairs under the weights that the model carries at the time of the call.

    Args:
        loaded: the model.
        batch_rows: stems in one forward pass; up to four times as many options continue from them.
    """

    def __init__(self, loaded: LoadedModel, *, batch_rows: int = 32) -> None:
        if batch_rows < 1:
            raise InvalidInput("must be at least 1", field="batch_rows", value=batch_rows)
        self._loaded = loaded
        self._batch_rows = batch_rows

    @property
    def key(self) -> str:
        """What besides weights and texts decides a score: part of the cache key."""
        return f"cloze/{str(self._loaded.model.dtype).removeprefix('torch.')}"

    def score(self, requests: Sequence[tuple[str, str]]) -> list[OptionScore]:
        """Sum of log-likelihoods of ``" " + option`` after ``stem`` for each (stem, option), in their order.

        Raises:
            InvalidInput: an option has no tokens.
            DeviceOutOfMemory: a batch did not fit; lower ``batch_rows``.
        """
        splits = self._split(requests)
        sums: dict[tuple[Ids, Ids], float] = {}
        for batch in self._batches(splits):
            try:
                sums.update(self._score_batch(batch))
            except torch.OutOfMemoryError as error:
                raise DeviceOutOfMemory(
                    "a scoring batch did not fit on the device",
                    field="batch_rows",
                    value=self._batch_rows,
                    hint="Lower batch_rows.",
                ) from error
        return [OptionScore(sums[context, option], len(option)) for context, option in splits]

    def _split(self, requests: Sequence[tuple[str, str]]) -> list[tuple[Ids, Ids]]:
        """Context and continuation tokens of each request."""
        tokenizer = self._loaded.tokenizer
        start = tuple(prefix_ids(tokenizer))
        stems = list(dict.fromkeys(stem for stem, _ in requests))
        contexts = dict(zip(stems, map(tuple, plain_ids(tokenizer, stems)), strict=True))
        texts = plain_ids(tokenizer, [f"{stem} {option}" for stem, option in requests])
        splits: list[tuple[Ids, Ids]] = []
        for (stem, option), ids in zip(requests, texts, strict=True):
            context, full = contexts[stem], tuple(ids)
            # a token that spans stem and option makes their common beginning the context
            shared = _common(context, full)
            if not option.strip() or shared == len(full):
                raise InvalidInput("an option needs text", field="option", value=option)
            begin = start + full[:shared]
            splits.append((begin or tuple(encode(tokenizer, "")), full[shared:]))
        return splits

    def _batches(self, splits: Sequence[tuple[Ids, Ids]]) -> Iterator[list[_Group]]:
        """Distinct work, sorted by length so that padding is small and the result does not depend on the order."""
        distinct: dict[Ids, set[Ids]] = {}
        for context, continuation in splits:
            distinct.setdefault(context, set()).add(continuation)
        limit = self._batch_rows * _OPTIONS_PER_ROW
        batch: list[_Group] = []
        for group in _groups(distinct, limit):
            if len(batch) == self._batch_rows or sum(g.longer for g in batch) + group.longer > limit:
                yield batch
                batch = []
            batch.append(group)
        if batch:
            yield batch

    @torch.inference_mode()
    def _score_batch(self, groups: list[_Group]) -> dict[tuple[Ids, Ids], float]:
        stems = self._pad([group.context for group in groups])
        rows = torch.arange(len(groups), device=self._loaded.device)
        last = torch.tensor(stems.lengths, device=self._loaded.device) - 1
        with head_only_at(self._loaded.architecture.lm_head, rows=rows, positions=last):
            output = self._loaded.model(**stems.arguments(), use_cache=any(group.longer for group in groups))
        items = [(row, continuation) for row, group in enumerate(groups) for continuation in group.continuations]
        first = _gather(output.logits[0], [row for row, _ in items], [ids[0] for _, ids in items])
        sums = {(groups[row].context, ids): value for (row, ids), value in zip(items, first.tolist(), strict=True)}
        longer = [(row, ids) for row, ids in items if len(ids) > 1]
        if longer:
            for (row, ids), value in zip(longer, self._continue(stems, output.past_key_values, longer), strict=True):
                sums[groups[row].context, ids] += value
        return sums

    def _continue(self, stems: Batch, cache: Any, items: list[tuple[int, Ids]]) -> list[float]:
        """Log-likelihood of each continuation after its first token."""
        origin = torch.tensor([row for row, _ in items], device=self._loaded.device)
        cache.batch_select_indices(origin)
        fed = self._pad([ids[:-1] for _, ids in items])
        offsets = torch.tensor(stems.lengths, device=self._loaded.device)[origin]
        index, positions = fed.attention_mask.nonzero(as_tuple=True)
        with head_only_at(self._loaded.architecture.lm_head, rows=index, positions=positions):
            output = self._loaded.model(
                input_ids=fed.input_ids,
                attention_mask=torch.cat([stems.attention_mask[origin], fed.attention_mask], dim=1),
                position_ids=fed.position_ids + offsets[:, None],
                past_key_values=cache,
                use_cache=True,
            )
        targets = [token for _, ids in items for token in ids[1:]]
        each = _gather(output.logits[0], list(range(len(targets))), targets)
        sums = torch.zeros(len(items), dtype=torch.float64, device=each.device).index_add_(0, index, each)
        return [float(value) for value in sums.tolist()]

    def _pad(self, rows: Sequence[Ids]) -> Batch:
        return pad_right(rows, pad_id=pad_token_id(self._loaded.tokenizer), device=self._loaded.device)


def _gather(logits: Tensor, rows: list[int], tokens: list[int]) -> Tensor:
    """Log-probability of ``tokens[i]`` under ``logits[rows[i]]``, in float64. shape: (n,)."""
    logits = logits.float()
    totals = logits.logsumexp(dim=-1)
    return (logits[rows, tokens] - totals[rows]).double()


def _common(left: Ids, right: Ids) -> int:
    if right[: len(left)] == left:
        return len(left)
    return next(index for index, (a, b) in enumerate(zip(left, (*right, -1), strict=False)) if a != b)


def _groups(distinct: dict[Ids, set[Ids]], limit: int) -> Iterator[_Group]:
    for context in sorted(distinct, key=lambda ids: (len(ids), ids)):
        waiting = iter(sorted(distinct[context], key=lambda ids: (len(ids), ids)))
        while part := tuple(islice(waiting, limit)):
            yield _Group(context, part)
