"""Models that look back a limited way only: where padding would push real tokens out of sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_LIMITS = ("sliding_window", "attention_chunk_size")


def attention_window(model: PreTrainedModel) -> int | None:
    """Tokens that the shortest-sighted layer looks back, or ``None`` where every layer sees everything.

    A window counts places in the cache, padding among them. A batch that continues from rows padded on the right is
    therefore only right while its whole width fits into the window, or where its rows have no padding at all.
    """
    config = model.config.get_text_config()
    if getattr(config, "use_sliding_window", None) is False:
        return None
    found = [getattr(config, name, None) for name in _LIMITS]
    limits = [limit for limit in found if isinstance(limit, int) and limit > 0]
    return min(limits) if limits else None
