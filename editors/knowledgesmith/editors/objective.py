"""The shared objective: every method pulls answer tokens towards a target distribution q by KL(q ‖ p).

One representation serves all teachers (design: target distributions; Min et al. table of objectives):

- ``NEW_OBJECT``: q is one-hot, so KL(q ‖ p) is the cross-entropy of the new object;
- preservation: q is the unedited model's own distribution (its K most likely tokens and the rest as one bucket);
- ``NEUTRAL_*`` and ``UNIFORM``: q is a trie over the candidate objects (``neutral.py``).

Only answer tokens carry a loss, and only they pass through the language-model head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from knowledgesmith.editors.encoding import prefix_ids
from knowledgesmith.editors.surgery.hooks import head_only_at
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.language.joining import joined

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

IGNORE = -100
"""Label of a position that carries no loss."""

TINY = 1e-12
"""Smallest probability whose logarithm is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Token ids of a cloze prompt and of its teacher-forced answer (never empty)."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """q at N positions: its K listed tokens, and one bucket for all others (1 - the row's sum).

    Attributes:
        tokens: shape (N, K), int64; a token occurs once in a row, padding entries have probability 0.
        probs: shape (N, K), float32, rows sum to at most 1.
    """

    tokens: Tensor
    probs: Tensor

    @classmethod
    def one_hot(cls, tokens: Tensor) -> Targets:
        """Q = δ(token). shape of ``tokens``: (N,)."""
        return cls(tokens=tokens[:, None], probs=torch.ones(len(tokens), 1, device=tokens.device))

    @classmethod
    def top(cls, logits: Tensor, *, k: int = 64) -> Targets:
        """Q = softmax(logits), its ``k`` most likely tokens listed. shape of ``logits``: (N, V)."""
        probs, tokens = wide(logits).softmax(-1).topk(min(k, logits.shape[-1]), dim=-1)
        return cls(tokens=tokens, probs=probs)

    def to(self, device: torch.device) -> Targets:
        """The same targets on ``device``."""
        return Targets(tokens=self.tokens.to(device), probs=self.probs.to(device))

    @classmethod
    def join(cls, parts: Sequence[Targets]) -> Targets:
        """Stack along N, padding K; all on one device."""
        width = max(part.tokens.shape[1] for part in parts)
        padded = [(functional.pad(p.tokens, (0, width - p.tokens.shape[1])), p) for p in parts]
        return cls(
            tokens=torch.cat([tokens for tokens, _ in padded]),
            probs=torch.cat([functional.pad(p.probs, (0, width - p.probs.shape[1])) for _, p in padded]),
        )

    def at(self, index: Tensor) -> Targets:
        """The rows of ``index`` (int64 or bool, shape (M,))."""
        return Targets(tokens=self.tokens[index], probs=self.probs[index])


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


def answer_logits(model: PreTrainedModel, batch: AnswerBatch, **inputs: Any) -> Tensor:
    """Logits that predict the answer tokens. shape: (N, V), float32. ``inputs`` go to the model's forward.

    The model may be wrapped by adapters: its head is found through ``get_output_embeddings``.
    """
    head = cast("Any", model).get_output_embeddings()
    with head_only_at(head, rows=batch.row, positions=batch.position):
        outputs = model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False, **inputs)
    return wide(cast("Tensor", outputs.logits)[0])


def wide(tensor: Tensor) -> Tensor:
    """At least float32: losses are never computed in half precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def divergence(logits: Tensor, targets: Targets) -> Tensor:
    """KL(q ‖ p) per position, in nats; the tokens that ``targets`` does not list count as one bucket. shape: (N,).

    For a one-hot q it is the cross-entropy -log p(token).
    """
    log_p = wide(logits).log_softmax(-1).gather(-1, targets.tokens)
    q = targets.probs.to(log_p.dtype)
    listed = (q * (q.clamp_min(TINY).log() - log_p)).sum(-1)
    rest_q = (1 - q.sum(-1)).clamp_min(0)
    rest_p = (1 - (log_p.exp() * (q > 0)).sum(-1)).clamp_min(TINY)
    return listed + rest_q * (rest_q.clamp_min(TINY).log() - rest_p.log())


def backward(loss: Tensor) -> None:
    """Gradients of a scalar loss into its leaves."""
    cast("Any", loss).backward()


def per_row(losses: Tensor, row: Tensor, count: int) -> Tensor:
    """Mean of the token losses of each row. shapes: (N,), (N,) -> (count,)."""
    totals = losses.new_zeros(count).index_add(0, row, losses)
    numbers = losses.new_zeros(count).index_add(0, row, torch.ones_like(losses))
    return totals / numbers.clamp_min(1)


def cross_entropy(model: PreTrainedModel, batch: AnswerBatch) -> Tensor:
    """Mean over rows of the mean cross-entropy of their answer tokens. shape: ()."""
    losses = divergence(answer_logits(model, batch), Targets.one_hot(batch.answers))
    return per_row(losses, batch.row, len(batch.ids)).mean()


def kl_to_reference(model: PreTrainedModel, batch: AnswerBatch, reference: Targets) -> Tensor:
    """Mean over rows of the mean KL(reference ‖ model) at their answer tokens. shape: ()."""
    losses = divergence(answer_logits(model, batch), reference)
    return per_row(losses, batch.row, len(batch.ids)).mean()


@torch.no_grad()
def own_distributions(
    model: PreTrainedModel, items: Sequence[Row], *, k: int = 64, size: int = 64, device: torch.device | str = "cpu"
) -> list[Targets]:
    """The model's own distributions at the answer tokens of each row: the reference of a preservation term."""
    found: dict[int, Targets] = {}
    for chosen in buckets(items, size=size):
        batch = answer_batch([items[i] for i in chosen], device=device)
        targets = Targets.top(answer_logits(model, batch), k=k)
        found.update({i: targets.at(batch.row == local) for local, i in enumerate(chosen)})
    return [found[i] for i in range(len(items))]


def answered(logits: Tensor, batch: AnswerBatch) -> Tensor:
    """Whether every answer token of a row is the arg-max (what greedy generation would say). shape: (B,), bool."""
    wrong = (logits.argmax(-1) != batch.answers).float()
    return torch.zeros(len(batch.ids), device=wrong.device).index_add(0, batch.row, wrong) == 0
