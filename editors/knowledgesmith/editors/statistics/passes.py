"""One pass over some sentences: sums of products of what linear maps read and of the gradients of what they write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.statistics.gradients import keys_and_gradients
from knowledgesmith.editors.statistics.identity import Kind
from knowledgesmith.editors.statistics.maps import highest_block
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import capture_input, stop_after
from knowledgesmith.editors.text.encoding import Batch, pad_right, pad_token_id
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import ModelNotFinite

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.models.loaded import LoadedModel

_NO_FLOAT64 = frozenset({"mps"})
"""Devices without float64: their products are made in float32, their sums on the CPU."""

Wanted = tuple[str, Kind]


@dataclass(slots=True)
class Seen:
    """Sums over the sentences of a pass, with the numbers of tokens and sentences."""

    sums: dict[Wanted, Tensor] = field(default_factory=dict)
    tokens: int = 0
    sentences: int = 0

    def add(self, wanted: Wanted, part: Tensor) -> None:
        """Add to one of the sums, in float64."""
        part = part.double() if part.device.type not in _NO_FLOAT64 else part.cpu().double()
        self.sums[wanted] = self.sums[wanted] + part if wanted in self.sums else part


def pass_over(
    loaded: LoadedModel, rows: Sequence[Sequence[int]], maps: Mapping[Wanted, Projection], *, batch_rows: int
) -> Seen:
    """Sums for all wanted maps and kinds.

    Args:
        loaded: the model.
        rows: token ids of sentences of similar length.
        maps: what is wanted of which map.
        batch_rows: sentences in one forward pass.

    Raises:
        ModelNotFinite: a sum is not finite.
        Cancelled: nobody waits any more.
    """
    seen = Seen()
    by_kind = {kind: {name: maps[name, kind] for name, other in maps if other is kind} for kind in Kind}
    for start in range(0, len(rows), batch_rows):
        cancellation.check()
        chunk = rows[start : start + batch_rows]
        batch = pad_right(chunk, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
        with forward_context.at_rest():
            if by_kind[Kind.KEYS]:
                _add_keys(seen, loaded, batch, by_kind[Kind.KEYS])
            if by_kind[Kind.GRADIENTS]:
                _add_gradients(seen, loaded, batch, chunk, by_kind[Kind.GRADIENTS])
            if by_kind[Kind.FISHER]:
                _add_fisher(seen, loaded, batch, by_kind[Kind.FISHER])
        seen.tokens += sum(batch.lengths)
        seen.sentences += len(chunk)
    for (name, kind), total in seen.sums.items():
        if not bool(total.isfinite().all()):
            raise ModelNotFinite(f"the {kind.value} of a linear map are not finite", field="map", value=name)
    return seen


@torch.no_grad()
def _add_keys(seen: Seen, loaded: LoadedModel, batch: Batch, maps: Mapping[str, Projection]) -> None:
    top = highest_block(loaded, maps)
    with ExitStack() as stack:
        inputs = {name: stack.enter_context(capture_input(item.module)) for name, item in maps.items()}
        with stop_after(top):
            loaded.model(**batch.arguments(), use_cache=False)
    real = batch.attention_mask.bool()
    for name, capture in inputs.items():
        keys = _precise(capture.value[real])
        seen.add((name, Kind.KEYS), keys.T @ keys)


def _add_gradients(
    seen: Seen, loaded: LoadedModel, batch: Batch, rows: Sequence[Sequence[int]], maps: Mapping[str, Projection]
) -> None:
    real = batch.attention_mask.bool()
    drawn = torch.cat([_uniform(row) for row in rows]).to(loaded.device)

    def sampled(logits: Tensor) -> Tensor:
        shares = wide(logits).detach().softmax(-1).cumsum(-1)
        places = torch.searchsorted(shares, drawn.to(shares.dtype)[:, None] * shares[:, -1:])[:, 0]
        return places.clamp_max(shares.shape[-1] - 1)

    _, gradients = _read(loaded, batch, maps, predicting=real, labels=sampled)
    for name, gradient in gradients.items():
        own = _precise(gradient[real])
        seen.add((name, Kind.GRADIENTS), own.T @ own)


def _add_fisher(seen: Seen, loaded: LoadedModel, batch: Batch, maps: Mapping[str, Projection]) -> None:
    predicting = batch.attention_mask.bool().clone()
    for row, length in enumerate(batch.lengths):
        predicting[row, length - 1] = False
    following = batch.input_ids.roll(-1, dims=1)[predicting]
    keys, gradients = _read(loaded, batch, maps, predicting=predicting, labels=lambda _logits: following)
    for name in maps:
        squares = squared_by_sentence(_precise(keys[name]), _precise(gradients[name]), batch.lengths)
        seen.add((name, Kind.FISHER), squares)


def squared_by_sentence(keys: Tensor, gradients: Tensor, lengths: Sequence[int]) -> Tensor:
    """Σ over sentences of (Σ over its tokens of g kᵀ)², elementwise. shapes: (B, T, f), (B, T, d) -> (d, f).

    Squared sentence by sentence: in the square of a batch's gradient, sentences that pull apart would cancel.
    """
    total = keys.new_zeros(gradients.shape[-1], keys.shape[-1])
    for key, gradient, length in zip(keys, gradients, lengths, strict=True):
        total += (gradient[:length].T @ key[:length]).square()
    return total


def _read(
    loaded: LoadedModel,
    batch: Batch,
    maps: Mapping[str, Projection],
    *,
    predicting: Tensor,
    labels: Callable[[Tensor], Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Keys and gradients of the negative log-likelihood of labels, summed: a row's gradients depend on it alone.

    Args:
        loaded: the model.
        batch: sentences.
        maps: by name.
        predicting: which positions predict. shape: (B, T), bool.
        labels: what they shall predict, from their logits. shapes: (N, V) -> (N,), in the order of ``predicting``.
    """

    def loss(logits: Tensor) -> Tensor:
        return -logits.log_softmax(-1).gather(-1, labels(logits)[:, None]).sum()

    rows, positions = predicting.nonzero(as_tuple=True)
    return keys_and_gradients(loaded, batch.arguments(), maps, rows=rows, positions=positions, loss=loss)


def _uniform(row: Sequence[int]) -> Tensor:
    """A number in [0, 1) for each token that depends on the sentence alone, in whatever batch it is. float64."""
    seed = int.from_bytes(hashlib.sha256(repr(tuple(row)).encode()).digest()[:8], "big") % 2**63
    return torch.rand(len(row), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _precise(tensor: Tensor) -> Tensor:
    return wide(tensor) if tensor.device.type in _NO_FLOAT64 else tensor.double()
