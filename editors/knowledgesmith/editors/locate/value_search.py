"""Find, for many edits at once, the change δ of an activation that makes the model give the wanted answers.

The search of ROME and MEMIT (Meng et al. 2022, equation 4; 2023, equation 16), which AlphaEdit takes over: Adam on δ,
added at the subject's last token of every row, with early stop and a clamp relative to the clean activation. δ stands
on top of a block's output (MEMIT) or of what down projections write (ROME; with several of them each has its own δ, and
all are searched together), and there it stands before a norm that follows. Here it is
batched over edits: the losses are separable, each edit has its own Adam state and is frozen by itself, so the result
is that of one search after another. The target is any distribution, hence the same search edits and unlearns.

Beyond the reference an edit also ends where its objective falls no more (``plateau``), and one that ends without having
met its target is given the best δ of its course, not the last one; that may be none at all, where every other was worse
for the target and what is kept together. A δ that met its target may be scaled down to the weakest one that still
serves it (``weakest``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from knowledgesmith.editors.objective.divergence import Targets, backward, divergence, per_row, wide
from knowledgesmith.editors.objective.rows import Row, answer_batch
from knowledgesmith.editors.objective.suffix import Prefilled, bucketed, prefill, suffix_logits
from knowledgesmith.editors.solve.plateau import Plateau
from knowledgesmith.editors.solve.weakest import least_shares
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import EditDiverged

if TYPE_CHECKING:
    from torch import nn

    from knowledgesmith.editors.models.loaded import LoadedModel

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8
_COMPACT_BELOW = 0.6
_HALF_SCALE = 1024.0
"""Losses of a float16 model are multiplied by this before the backward pass: small gradients would vanish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRow:
    """One row of the search.

    Attributes:
        row: prompt and teacher-forced answer.
        lookup: position of the subject's last token.
        edit: index of the edit that it belongs to.
        targets: q at the answer's tokens. shape: (len(answer), K).
        weight: factor of its mean KL(q ‖ p); the weights of an edit's task rows sum to 1.
        task: whether it counts for the early stop (preservation rows do not).
    """

    row: Row
    lookup: int
    edit: int
    targets: Targets
    weight: float
    task: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """Settings of the search; learning rate and clamp are relative to the norm of the clean activation.

    Attributes:
        layer: block whose output changes.
        inside: blocks in which it is the output of the down projection that changes; then ``layer`` is not looked at.
        steps: most forward passes (one step less).
        learning_rate: Adam's step per coordinate, in units of ``norm / sqrt(d)``.
        clamp: largest norm of δ, in units of the clean norm.
        decay: factor of ``norm(δ) / norm(h)²`` (as in the reference, not squared).
        stop: an edit ends when its task loss is below this.
        window: passes in which an edit's lowest objective has to fall, or the edit ends; 0: the reference's search,
            which takes all steps and gives the last δ.
        share: least fall over the window, as a share of the objective.
        settle: task loss below which a δ still serves, once it has met ``stop``: it is scaled down to the least share
            that does. 0: it stays as it was found.
        rows: rows in one forward pass.
    """

    layer: int = -1
    inside: tuple[int, ...] = ()
    steps: int = 20
    learning_rate: float = 0.5
    clamp: float = 1.0
    decay: float = 1e-3
    stop: float = 0.05
    window: int = 0
    share: float = 0.01
    settle: float = 0.0
    rows: int = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """δ of each edit with its course.

    Attributes:
        changes: one a place. shape (n, places, d), float32 or wider, whatever the model's dtype.
        steps: optimiser steps taken by each edit. shape: (n,), int64.
        loss: task loss of each edit at its δ. shape: (n,).
        met: whether its search came below ``stop``; only where it did, a δ of 0 is all that was wanted.
            shape: (n,), bool.
    """

    changes: Tensor
    steps: Tensor
    loss: Tensor
    met: Tensor

    @property
    def change(self) -> Tensor:
        """δ at the one place of a search that has one. shape: (n, d)."""
        (only,) = self.changes.unbind(1)
        return only


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the changes stand: on top of block ``layer``, or of what the modules above it write."""

    layer: int
    modules: tuple[nn.Module, ...]

    @classmethod
    def of(cls, loaded: LoadedModel, settings: SearchSettings) -> _Places:
        inside = sorted(settings.inside)
        modules = tuple(loaded.architecture.down_projection(layer).module for layer in inside)
        return cls(inside[0] - 1 if inside else settings.layer, modules)

    def logits(self, loaded: LoadedModel, rows: Prefilled, change: Tensor) -> Tensor:
        """Logits with each row's changes. shape of ``change``: (B, places, d)."""
        if not self.modules:
            return suffix_logits(loaded, rows, change[:, 0])
        inside = list(zip(self.modules, change.unbind(1), strict=True))
        return suffix_logits(loaded, rows, None, inside=inside)


@dataclass(slots=True)
class _Group:
    """Rows that share a forward pass."""

    rows: Prefilled
    targets: Targets
    edit: Tensor
    weight: Tensor
    task: Tensor


def search_values(
    loaded: LoadedModel,
    rows: Sequence[SearchRow],
    *,
    settings: SearchSettings,
    step: Callable[[int, int], None] | None = None,
) -> SearchResult:
    """Search all edits together. The first task row of an edit gives its clean activation.

    Args:
        loaded: the model, unchanged afterwards.
        rows: rows of the edits 0 … n - 1, each edit with at least one task row.
        settings: settings of the search.
        step: called before each step with (done, total); may raise to cancel.

    Raises:
        EditDiverged: a clean activation, a loss or a gradient is not finite.
    """
    places = _Places.of(loaded, settings)
    groups, anchors = everything = _prepare(loaded, rows, settings, places)
    _check("the model's own activations", anchors, loaded)
    count, _, width = anchors.shape
    norms = anchors.norm(dim=-1)
    change = torch.zeros_like(anchors, requires_grad=True)
    first, second = torch.zeros_like(anchors), torch.zeros_like(anchors)
    rate = (settings.learning_rate * norms / width**0.5)[..., None]
    active = torch.ones(count, dtype=torch.bool, device=anchors.device)
    steps = torch.zeros(count, dtype=torch.long, device=anchors.device)
    loss = torch.zeros(count, dtype=anchors.dtype, device=anchors.device)
    plateau = Plateau(window=settings.window, share=settings.share)
    best, least = torch.zeros_like(anchors), loss
    for index in range(settings.steps):
        if step is not None:
            step(index, settings.steps)
        task, objective = _backward(loaded, places, groups, change, norms, active, settings)
        # a comparison with nan is false: without this check a search that broke down would count as finished
        _check("the losses of the value search", task, loaded)
        loss = torch.where(active, task, loss)
        lower = active & (plateau.see(objective) | (task < settings.stop))
        best = torch.where(lower[:, None, None], change.detach(), best)
        least = torch.where(lower, task, least)
        active = active & (task >= settings.stop) & ~plateau.stuck()
        if index == settings.steps - 1 or not bool(active.any()):
            break
        with torch.no_grad():
            gradient = change.grad if change.grad is not None else torch.zeros_like(change)
            _check("the gradients of the value search", gradient, loaded)
            update = _adam(gradient, first, second, index + 1)
            moved = change - rate * update
            scale = (settings.clamp * norms / moved.norm(dim=-1).clamp_min(_EPSILON)).clamp_max(1)
            change.copy_(torch.where(active[:, None, None], moved * scale[..., None], change))
            change.grad = None
        steps += active
        groups = [_compacted(group, active) for group in groups if bool(active[group.edit].any())]
    if settings.window == 0:
        best, least = change.detach(), loss
    met = least < settings.stop
    if settings.settle > settings.stop and bool(met.any()):
        best, least = _settled(loaded, places, everything[0], best, least, met, settings)
    return SearchResult(changes=best, steps=steps, loss=least, met=met)


@torch.no_grad()
def _settled(
    loaded: LoadedModel,
    places: _Places,
    groups: Sequence[_Group],
    change: Tensor,
    loss: Tensor,
    met: Tensor,
    settings: SearchSettings,
) -> tuple[Tensor, Tensor]:
    """The weakest δ that still serves, and its task loss, of the edits that met their target."""

    def losses(share: Tensor) -> Tensor:
        cancellation.check()
        total = torch.zeros_like(loss)
        for group in groups:
            logits = places.logits(loaded, group.rows, (change * share[:, None, None])[group.edit])
            own = per_row(divergence(logits, group.targets), group.rows.row, len(group.edit)) * group.weight
            total.index_add_(0, group.edit, own * group.task)
        return total

    shares = least_shares(losses, bound=settings.settle, met=met).to(change)
    return change * shares[:, None, None], torch.where(met, losses(shares), loss)


def _prepare(
    loaded: LoadedModel, rows: Sequence[SearchRow], settings: SearchSettings, places: _Places
) -> tuple[list[_Group], Tensor]:
    anchors: dict[int, Tensor] = {}
    first_row: dict[int, int] = {}
    for index, item in enumerate(rows):
        if item.task:
            first_row.setdefault(item.edit, index)
    groups: list[_Group] = []
    lengths = [(len(item.row.prompt) + len(item.row.answer), item.lookup) for item in rows]
    for chosen in bucketed(loaded, lengths, size=settings.rows):
        items = [rows[i] for i in chosen]
        batch = answer_batch([item.row for item in items], device=loaded.device)
        starts = torch.tensor([item.lookup for item in items], device=loaded.device)
        filled = prefill(loaded, batch, layer=places.layer, starts=starts, watch=places.modules)
        # the answer tokens of a batch come row by row, so the rows' targets can simply be stacked
        targets = Targets.join([item.targets.to(loaded.device) for item in items])
        groups.append(
            _Group(
                rows=filled,
                targets=targets,
                edit=torch.tensor([item.edit for item in items], device=loaded.device),
                weight=torch.tensor(
                    [item.weight for item in items], device=loaded.device, dtype=wide(filled.hidden).dtype
                ),
                task=torch.tensor([item.task for item in items], device=loaded.device),
            )
        )
        for local, i in enumerate(chosen):
            if first_row.get(rows[i].edit) == i:
                clean = [seen[local] for seen in filled.watched] or [filled.hidden[local, 0]]
                anchors[rows[i].edit] = wide(torch.stack(clean))
    return groups, torch.stack([anchors[edit] for edit in sorted(anchors)])


def _backward(
    loaded: LoadedModel,
    places: _Places,
    groups: Sequence[_Group],
    change: Tensor,
    norms: Tensor,
    active: Tensor,
    settings: SearchSettings,
) -> tuple[Tensor, Tensor]:
    """Gradients of all active edits into ``change.grad``; their task losses and their objectives. shapes: (n,)."""
    total, objective = torch.zeros_like(norms[:, 0]), torch.zeros_like(norms[:, 0])
    scale = _HALF_SCALE if loaded.model.dtype is torch.float16 else 1.0
    for group in groups:
        logits = places.logits(loaded, group.rows, change[group.edit])
        own = per_row(divergence(logits, group.targets), group.rows.row, len(group.edit)) * group.weight
        total.index_add_(0, group.edit, (own * group.task).detach())
        objective.index_add_(0, group.edit, own.detach())
        backward(own[active[group.edit]].sum() * scale)
    if change.grad is not None and scale != 1.0:
        change.grad.div_(scale)
    decay = (settings.decay * change.norm(dim=-1) / norms**2).sum(-1)
    backward(decay[active].sum())
    return total, objective + decay.detach()


def _check(what: str, values: Tensor, loaded: LoadedModel) -> None:
    if not bool(torch.isfinite(values).all()):
        raise EditDiverged(
            f"{what} are not finite",
            field="learning_rate",
            value=f"{int((~torch.isfinite(values)).reshape(len(values), -1).any(dim=1).sum())} of {len(values)}",
            hint=f"Lower the learning rate or the clamp; a model that overflows in {loaded.model.dtype} needs a wider "
            "dtype (bfloat16 or float32).",
        )


def _adam(gradient: Tensor, first: Tensor, second: Tensor, number: int) -> Tensor:
    """Adam's direction; moments are updated in place. ``number`` counts from 1."""
    first.mul_(_BETAS[0]).add_(gradient, alpha=1 - _BETAS[0])
    second.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
    mean, spread = first / (1 - _BETAS[0] ** number), second / (1 - _BETAS[1] ** number)
    return mean / (spread.sqrt() + _EPSILON)


def _compacted(group: _Group, active: Tensor) -> _Group:
    """Drop the rows of finished edits once they are many."""
    keep = active[group.edit]
    if float(keep.float().mean()) >= _COMPACT_BELOW:
        return group
    return _Group(
        rows=group.rows.select(keep),
        targets=group.targets.at(keep[group.rows.row]),
        edit=group.edit[keep],
        weight=group.weight[keep],
        task=group.task[keep],
    )
