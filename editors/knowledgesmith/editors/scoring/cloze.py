"""Log-likelihoods of options after their stems, each distinct stem computed once.

The stems of a batch run once and leave their keys and values; the last position already gives every option's first
token. Options continue from a copy of their stem's cache, those of similar length together, in one more pass that also
tells how likely each is complete. Only positions that predict something needed reach the head. The result equals a pass
over each full text (to rounding), whatever else is in the batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import torch

from knowledgesmith.editors.models.digests import config_sha256, text_sha256, tokenizer_sha256
from knowledgesmith.editors.models.windows import attention_window
from knowledgesmith.editors.scoring.beliefs import OptionScore
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import head_only_at
from knowledgesmith.editors.text.encoding import encode, pad_right, pad_token_id, plain_ids, prefix_ids
from knowledgesmith.editors.text.endings import Endings
from knowledgesmith.editors.text.matching import ending_of
from knowledgesmith.graph_schema.errors import DeviceOutOfMemory, InvalidInput
from knowledgesmith.graph_schema.language.joining import joined

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.text.encoding import Batch

Ids = tuple[int, ...]
_VERSION = "cloze/3"
"""Changes whenever a stored score would not be computed as it is now."""
_OPTIONS_PER_ROW = 4
_LOGITS_AT_ONCE = 1 << 26
"""Most numbers that the head may put out in one pass (256 MiB in float32)."""
_SIMILAR = 1.5
_LEAST = 1e-40


@dataclass(frozen=True, slots=True)
class _Continuation:
    """Tokens to score after a context, and how the option ends (``endings.ending_of``)."""

    ids: Ids
    ending: str


@dataclass(frozen=True, slots=True)
class _Group:
    """A context and the continuations to score after it."""

    context: Ids
    continuations: tuple[_Continuation, ...]

    @property
    def longest(self) -> int:
        """Tokens of the longest continuation."""
        return max(len(one.ids) for one in self.continuations)

    @property
    def positions(self) -> int:
        """Places at which the head is read."""
        return 1 + sum(len(one.ids) for one in self.continuations)


@dataclass(frozen=True, slots=True)
class _Trace:
    """What the model gives to a continuation's tokens, to everything else there, and to what follows; in nats."""

    logprobs: tuple[float, ...]
    others: tuple[float, ...]
    ends: float
    goes_on: float


_Traces = dict[tuple[Ids, _Continuation], _Trace]


class Scorer:
    """Scores (stem, option) pairs under the state that the model shows at the time of the call.

    A stem is a prompt: memories act at its end, contexts stand before it.

    Args:
        loaded: the model.
        batch_rows: stems in one forward pass; up to four times as many options continue from them.
    """

    def __init__(self, loaded: LoadedModel, *, batch_rows: int = 32) -> None:
        if batch_rows < 1:
            raise InvalidInput("must be at least 1", field="batch_rows", value=batch_rows)
        self._loaded = loaded
        self._batch_rows = batch_rows
        self._window = attention_window(loaded.model)

    @cached_property
    def key(self) -> str:
        """What besides the model's state and the texts decides a score: part of the cache key."""
        loaded = self._loaded
        dtype = str(loaded.model.dtype).removeprefix("torch.")
        decides = text_sha256(tokenizer_sha256(loaded.tokenizer), config_sha256(loaded.model))
        return f"{_VERSION}/{dtype}/{decides}"

    @cached_property
    def _endings(self) -> Endings:
        width = len(cast("Tensor", self._loaded.architecture.lm_head.weight))
        return Endings(self._loaded.tokenizer, width=width, device=self._loaded.device)

    @property
    def _positions(self) -> int:
        """Most places at which the head is read in one pass."""
        return max(1, _LOGITS_AT_ONCE // self._endings.width)

    def score(self, requests: Sequence[tuple[str, str]]) -> list[OptionScore]:
        """Log-likelihoods of ``option`` as it follows ``stem`` (``joining``) for each (stem, option), in their order.

        Raises:
            InvalidInput: an option has no tokens.
            DeviceOutOfMemory: a batch did not fit; lower ``batch_rows``.
        """
        splits = self._split(requests)
        traces: _Traces = {}
        for batch in self._batches(splits):
            try:
                traces.update(self._score_batch(batch))
            except torch.OutOfMemoryError as error:
                raise DeviceOutOfMemory(
                    "a scoring batch did not fit on the device",
                    field="batch_rows",
                    value=self._batch_rows,
                    hint="Lower batch_rows.",
                ) from error
        return [
            _option_score(option.strip(), one.ids, self._endings.heads(one.ids), traces[context, one])
            for (context, one), (_, option) in zip(splits, requests, strict=True)
        ]

    def _split(self, requests: Sequence[tuple[str, str]]) -> list[tuple[Ids, _Continuation]]:
        """Context and continuation of each request."""
        tokenizer = self._loaded.tokenizer
        start = tuple(prefix_ids(tokenizer))
        stems = {stem: self._loaded.before(stem) for stem, _ in requests}
        whole = plain_ids(tokenizer, [f"{before}{stem}" for stem, before in stems.items()])
        contexts = dict(zip(stems, map(tuple, whole), strict=True))
        # how stem and option are joined does not depend on what stands before them
        texts = plain_ids(tokenizer, [f"{stems[stem]}{joined(stem, option)}" for stem, option in requests])
        splits: list[tuple[Ids, _Continuation]] = []
        for (stem, option), ids in zip(requests, texts, strict=True):
            context, full = contexts[stem], tuple(ids)
            # a token that spans stem and option makes their common beginning the context
            shared = _common(context, full)
            if not option.strip() or shared == len(full):
                raise InvalidInput("an option needs text", field="option", value=option)
            begin = start + full[:shared]
            one = _Continuation(full[shared:], ending_of(option.strip()))
            splits.append((begin or tuple(encode(tokenizer, "")), one))
        return splits

    def _batches(self, splits: Sequence[tuple[Ids, _Continuation]]) -> Iterator[list[_Group]]:
        """Distinct work, sorted by length so that padding is small and the result does not depend on the order."""
        distinct: dict[Ids, set[_Continuation]] = {}
        for context, continuation in splits:
            distinct.setdefault(context, set()).add(continuation)
        batch: list[_Group] = []
        for group in _groups(distinct, self._batch_rows * _OPTIONS_PER_ROW, self._positions):
            if batch and not self._fits(batch, group):
                yield batch
                batch = []
            batch.append(group)
        if batch:
            yield batch

    def _fits(self, batch: list[_Group], group: _Group) -> bool:
        """Whether a group may join a batch: enough room, and no padding where a window would count it."""
        more = [*batch, group]
        options = sum(len(one.continuations) for one in more)
        if len(more) > self._batch_rows or options > self._batch_rows * _OPTIONS_PER_ROW:
            return False
        if sum(one.positions for one in more) > self._positions:
            return False
        contexts = [len(one.context) for one in more]
        width = max(contexts) + max(one.longest for one in more)
        return self._window is None or width <= self._window or len(set(contexts)) == 1

    @torch.inference_mode()
    def _score_batch(self, groups: list[_Group]) -> _Traces:
        stems = self._pad([group.context for group in groups])
        rows = torch.arange(len(groups), device=self._loaded.device)
        last = torch.tensor(stems.lengths, device=self._loaded.device) - 1
        lm_head = self._loaded.architecture.lm_head
        with forward_context.prompting(stems.lengths), head_only_at(lm_head, rows=rows, positions=last):
            output = self._loaded.model(**stems.arguments(), use_cache=True)
        items = [(row, one) for row, group in enumerate(groups) for one in group.continuations]
        first = _log_shares(output.logits[0], [row for row, _ in items], [one.ids[0] for _, one in items]).tolist()
        traces: _Traces = {}
        for chosen in _of_similar_length([len(one.ids) for _, one in items]):
            part, heads = [items[index] for index in chosen], [first[index] for index in chosen]
            for (row, one), trace in zip(part, self._continue(stems, output.past_key_values, part, heads), strict=True):
                traces[groups[row].context, one] = trace
        return traces

    def _continue(
        self, stems: Batch, cache: Any, items: list[tuple[int, _Continuation]], first: list[list[float]]
    ) -> Iterator[_Trace]:
        """Traces of continuations from their first token's log-shares and a pass over all of their tokens."""
        origin = torch.tensor([row for row, _ in items], device=self._loaded.device)
        fed = self._pad([one.ids for _, one in items])
        offsets = torch.tensor(stems.lengths, device=self._loaded.device)[origin]
        index, positions = fed.attention_mask.nonzero(as_tuple=True)
        lm_head = self._loaded.architecture.lm_head
        with forward_context.continuing(fed.lengths), head_only_at(lm_head, rows=index, positions=positions):
            output = self._loaded.model(
                input_ids=fed.input_ids,
                attention_mask=torch.cat([stems.attention_mask[origin], fed.attention_mask], dim=1),
                position_ids=fed.position_ids + offsets[:, None],
                past_key_values=_selected(cache, origin),
                use_cache=True,
            )
        logits = output.logits[0]
        stops = torch.tensor(fed.lengths).cumsum(0) - 1
        inner = [place for place in range(len(logits)) if place not in set(stops.tolist())]
        shares = _log_shares(logits, inner, [token for _, one in items for token in one.ids[1:]]).tolist()
        after = self._after(logits[stops.to(logits.device)], [one.ending for _, one in items]).tolist()
        begin = 0
        for (_, one), head, (ends, goes_on) in zip(items, first, after, strict=True):
            part = [head, *shares[begin : begin + len(one.ids) - 1]]
            begin += len(one.ids) - 1
            yield _Trace(tuple(here for here, _ in part), tuple(other for _, other in part), ends, goes_on)

    def _after(self, logits: Tensor, endings: Sequence[str]) -> Tensor:
        """Log-shares of the tokens that leave each answer complete, and of those that go on with it. shape: (n, 2)."""
        kinds = list(dict.fromkeys(endings))
        weights = _weights(logits)
        masks = torch.stack([self._endings.mask(kind) for kind in kinds]).to(weights)
        total = weights.sum(dim=-1, dtype=torch.float64)
        own = torch.tensor([kinds.index(ending) for ending in endings], device=logits.device)[:, None]
        goes_on, ends = ((weights @ mask.T).double().gather(1, own)[:, 0] for mask in (masks, 1 - masks))
        return (torch.stack([ends, goes_on], dim=1) / total[:, None]).clamp_min(_LEAST).log()

    def _pad(self, rows: Sequence[Ids]) -> Batch:
        return pad_right(rows, pad_id=pad_token_id(self._loaded.tokenizer), device=self._loaded.device)


def _weights(logits: Tensor) -> Tensor:
    """exp(logits - max): shares but for their total, in at least float32. shape: (n, V)."""
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return (wide - wide.amax(dim=-1, keepdim=True)).exp_()


def _log_shares(logits: Tensor, rows: list[int], tokens: list[int]) -> Tensor:
    """Log p and log(1 - p) of ``tokens[i]`` under ``logits[rows[i]]``, in float64. shape: (n, 2).

    The logits are shifted by their maximum before anything is added up in float64, so neither loses its digits where
    p is close to 1.
    """
    weights = _weights(logits)
    total = weights.sum(dim=-1, dtype=torch.float64)[rows]
    here = weights[rows, tokens].double()
    wide = logits.to(weights.dtype)
    logprob = (wide[rows, tokens] - wide.amax(dim=-1)[rows]).double() - total.log()
    return torch.stack([logprob, ((total - here) / total).clamp_min(_LEAST).log()], dim=1)


def _option_score(text: str, ids: Ids, heads: tuple[str, ...], trace: _Trace) -> OptionScore:
    return OptionScore(
        sum_logprob=math.fsum(trace.logprobs),
        n_tokens=len(ids),
        text=text,
        tokens=ids,
        heads=heads,
        logprobs=trace.logprobs,
        others=trace.others,
        ends=trace.ends,
        goes_on=trace.goes_on,
    )


def _selected(cache: Any, rows: Tensor) -> Any:
    """Rows of a cache as a cache of their own; the given one stays as it is."""
    own = copy(cache)
    if hasattr(cache, "layers"):
        own.layers = [copy(layer) for layer in cache.layers]
    own.batch_select_indices(rows)
    return own


def _of_similar_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices in chunks with little padding: the longest of a chunk is at most half as long again as its shortest."""
    chunk: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        if chunk and lengths[index] > _SIMILAR * lengths[chunk[0]]:
            yield chunk
            chunk = []
        chunk.append(index)
    if chunk:
        yield chunk


def _common(left: Ids, right: Ids) -> int:
    if right[: len(left)] == left:
        return len(left)
    return next(index for index, (a, b) in enumerate(zip(left, (*right, -1), strict=False)) if a != b)


def _groups(distinct: dict[Ids, set[_Continuation]], limit: int, positions: int) -> Iterator[_Group]:
    """Groups of at most ``limit`` continuations and ``positions`` tokens in all, where one alone is not longer."""
    for context in sorted(distinct, key=lambda ids: (len(ids), ids)):
        part: list[_Continuation] = []
        tokens = 1
        for one in sorted(distinct[context], key=lambda one: (len(one.ids), one.ids, one.ending)):
            if part and (len(part) == limit or tokens + len(one.ids) > positions):
                yield _Group(context, tuple(part))
                part, tokens = [], 1
            part.append(one)
            tokens += len(one.ids)
        yield _Group(context, tuple(part))
