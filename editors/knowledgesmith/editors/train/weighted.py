"""What one step of training reads: token rows with their shares of the step's loss, in micro-batches that fit.

    L = Σ_rows kl_i · KL(q_i ‖ p_θ)  +  ce_i · CE(answer_i)

Both terms are means over a row's answer tokens; ``lead`` moves a share of the first one onto the first token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from knowledgesmith.editors.objective.divergence import Targets

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.objective.rows import Row

Average = Literal["row", "token"]
"""Whether a mean over rows counts each row alike, or each answer token alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedRow:
    """A row with what it is pulled towards, and how hard.

    Attributes:
        row: prompt and teacher-forced answer.
        targets: q at the answer's tokens. shape: (len(answer), K).
        kl: factor of the row's mean KL(q ‖ p).
        ce: factor of the mean cross-entropy of its own answer.
        lead: share of ``kl`` that lies on the first answer token alone.
        margin: below this mean KL, in nats, the row does not push; ``None``: it always does.
    """

    row: Row
    targets: Targets
    kl: float = 0.0
    ce: float = 0.0
    lead: float = 0.0
    margin: float | None = None

    @property
    def length(self) -> int:
        """Tokens of prompt and answer."""
        return len(self.row.prompt) + len(self.row.answer)


def shares(rows: Sequence[Row], total: float, average: Average) -> list[float]:
    """``total`` divided among rows, so that their weighted sum is ``total`` times the mean of their losses."""
    if average == "row":
        return [total / len(rows) for _ in rows]
    tokens = sum(len(row.answer) for row in rows)
    return [total * len(row.answer) / tokens for row in rows]


def micro_batches(rows: Sequence[WeightedRow], tokens: int) -> list[list[WeightedRow]]:
    """Rows of similar length together, at most ``tokens`` padded tokens a part; a longer row stands alone.

    The order depends on lengths and on the given order only, so sums are made in the same order in every run.
    """
    parts: list[list[WeightedRow]] = []
    for item in sorted(rows, key=lambda item: item.length):
        # sorted: the newest row is the widest of its part
        if not parts or (len(parts[-1]) + 1) * item.length > tokens:
            parts.append([])
        parts[-1].append(item)
    return parts


def padded_tokens(part: Sequence[WeightedRow]) -> int:
    """Tokens that a part costs, padding included."""
    return len(part) * max(item.length for item in part)


def joined_targets(part: Sequence[WeightedRow], device: torch.device) -> Targets:
    """The targets of a part on ``device``, in one copy where they lie together."""
    targets = [item.targets for item in part]
    if len({found.tokens.device for found in targets}) == 1:
        return Targets.join(targets).to(device)
    return Targets.join([found.to(device) for found in targets])


def token_weights(part: Sequence[WeightedRow], kind: Literal["kl", "ce"]) -> Tensor:
    """The factor of each answer token's loss, float64, on the CPU. shape: (N,)."""
    weights: list[float] = []
    for item in part:
        count = len(item.row.answer)
        total, lead = (item.kl, item.lead) if kind == "kl" else (item.ce, 0.0)
        share = total * (1 - lead) / count
        weights += [share + total * lead, *([share] * (count - 1))]
    return torch.tensor(weights, dtype=torch.float64)
