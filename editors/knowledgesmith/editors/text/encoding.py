"""Texts to token batches without touching the tokenizer's global state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import torch

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

_AT_ONCE: Final = 1024
"""Texts that the tokenizer takes in one call: between two calls it is asked whether anybody still waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch padded on the right. All shapes (B, T), integer, on the model's device.

    ``position_ids`` count real tokens only; ``lengths`` are the rows' numbers of real tokens.
    """

    input_ids: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    lengths: tuple[int, ...]

    def arguments(self) -> dict[str, Tensor]:
        """Keyword arguments of the model's forward pass."""
        return {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "position_ids": self.position_ids,
        }


def prefix_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Tokens that this tokenizer puts in front of every text (a BOS, or none)."""
    plain = _ids(tokenizer, "a", special=False)
    full = _ids(tokenizer, "a", special=True)
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return full[:start]
    return []


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of a text to continue: with the tokenizer's BOS if it has that habit, never with an EOS.

    Markup of special tokens inside ``text`` is read as plain characters. A text without tokens gives the BOS (or EOS)
    token, so that there is something to condition on.

    Raises:
        InvalidInput: the text has no tokens and the tokenizer no BOS or EOS.
    """
    ids = prefix_ids(tokenizer) + _ids(tokenizer, text, special=False)
    if ids:
        return ids
    for start in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if isinstance(start, int):
            return [start]
    raise InvalidInput("the text has no tokens", field="text", value=text, hint="Give a text that is not empty.")


def plain_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts without any special token; markup of special tokens is read as plain characters."""
    found: list[list[int]] = []
    for start in range(0, len(texts), _AT_ONCE):
        cancellation.check()
        some = list(texts[start : start + _AT_ONCE])
        encoded = tokenizer(some, add_special_tokens=False, split_special_tokens=True)
        found += cast("list[list[int]]", encoded["input_ids"])
    return found


def pad_token_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """A token to fill with; masked everywhere, so any will do."""
    for candidate in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if isinstance(candidate, int):
            return candidate
    return 0


def pad_right(rows: Sequence[Sequence[int]], *, pad_id: int, device: torch.device) -> Batch:
    """Stack token rows, shorter ones filled on the right.

    Raises:
        InvalidInput: there is no row, or a row is empty.
    """
    if not rows or not all(rows):
        raise InvalidInput("a batch needs rows, and every row a token", field="rows", value=len(rows))
    width = max(map(len, rows))
    filled = [[*row, *[pad_id] * (width - len(row))] for row in rows]
    mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
    attention_mask = torch.tensor(mask, device=device)
    return Batch(
        input_ids=torch.tensor(filled, device=device),
        attention_mask=attention_mask,
        position_ids=(attention_mask.cumsum(dim=1) - 1).clamp_min(0),
        lengths=tuple(map(len, rows)),
    )


def _ids(tokenizer: PreTrainedTokenizerBase, text: str, *, special: bool) -> list[int]:
    cancellation.check()
    encoded = tokenizer(text, add_special_tokens=special, split_special_tokens=True)
    return cast("list[int]", encoded["input_ids"])
