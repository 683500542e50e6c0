"""Low-rank adapters put on a model, trained on a course, and taken off again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.train.loop import Trained, Training, train
from knowledgesmith.editors.train.lora import adapted
from knowledgesmith.editors.train.lower import LowerCache
from knowledgesmith.editors.train.masters import Masters
from knowledgesmith.editors.train.weighted import WeightedRow

if TYPE_CHECKING:
    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.artefacts.weights import LowRank
    from knowledgesmith.editors.contract import Progress
    from knowledgesmith.editors.models.loaded import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings:
    """How adapters are made and stepped.

    Attributes:
        rank: r; cut to the smaller side of a map.
        alpha: the added term is scaled by alpha / r.
        dropout: share of the inputs that is left out while training.
        first_layer: the lowest block that has an adapter.
        learning_rate: Adam's.
        weight_decay: share of the learning rate by which a step shrinks each number.
        clip: largest norm of a step's gradient; ``None``: any.
        seed: of the first factors and of the dropout.
    """

    rank: int
    alpha: float
    dropout: float
    first_layer: int
    learning_rate: float
    weight_decay: float = 0.0
    clip: float | None = None
    seed: int


def train_adapters(
    loaded: LoadedModel,
    maps: Sequence[Projection],
    course: Iterable[Sequence[WeightedRow]],
    training: Training,
    *,
    settings: AdapterSettings,
    progress: Progress,
) -> tuple[dict[str, LowRank], Trained]:
    """The change of each adapted parameter, and how the training went; the model is as it was.

    Raises:
        EditDiverged: the loss or a gradient is not finite.
        DeviceOutOfMemory: the device has no room for one row.
        Cancelled: raised by ``progress``.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    with (
        adapted(
            maps, rank=settings.rank, alpha=settings.alpha, dropout=settings.dropout, generator=generator
        ) as adapters,
        torch.enable_grad(),
    ):
        masters = Masters(
            adapters.parameters(),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            clip=settings.clip,
            activations=loaded.model.dtype,
        )
        forward = LowerCache(loaded, settings.first_layer)
        trained = train(forward, masters, course, training, device=loaded.device, progress=progress)
        return dict(adapters.as_deltas()), trained
