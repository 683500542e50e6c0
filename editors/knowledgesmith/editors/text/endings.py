"""Which tokens may follow an answer that is complete: the vocabulary, parted at the ends of words, numbers and symbols.

A token goes on with an answer when its first character does (``matching.is_complete``): " C" followed by "++" is not
"C", "7" followed by "5" is not "7", and "New York" followed by " City" is still complete. So the scorer and the reading
of free text mean the same by an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from knowledgesmith.editors.text.matching import ending_of, stays_complete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

_ANCHOR = "a"
_BROKEN = "\ufffd"
_PUNCTUATION_BYTES = frozenset({0xE2, 0xE3, 0xEF, 0xF0})
"""Lead bytes (UTF-8) of punctuation of many scripts, symbols and pictures; the others begin letters."""
_MARK, _LETTER = "。", "x"
"""What a token that holds only a part of a character is read as."""
_CHUNK = 8192


class Endings:
    """Masks over the vocabulary by how an answer ends; each made once.

    Args:
        tokenizer: its tokens' texts are read once.
        width: number of logits; the model's head may be wider than the vocabulary.
        device: where the masks are.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, width: int, device: torch.device) -> None:
        self.width = width
        self._device = device
        self._heads = _heads(tokenizer, width)
        self._tokens: dict[str, Tensor] = {}
        for head in set(self._heads):
            chosen = [token for token, other in enumerate(self._heads) if other == head]
            self._tokens[head] = torch.tensor(chosen, device=device)
        self._masks: dict[str, Tensor] = {}

    def heads(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """First character of each token's text; "" for special tokens, which end a text."""
        return tuple(self._heads[token] for token in tokens)

    def mask(self, answer: str) -> Tensor:
        """1 for every token that would go on with ``answer``, 0 for those that leave it complete. shape: (V,)."""
        kind = ending_of(answer)
        if kind not in self._masks:
            goes_on = torch.zeros(self.width, device=self._device)
            for head, tokens in self._tokens.items():
                if not stays_complete(kind, head):
                    goes_on[tokens] = 1.0
            self._masks[kind] = goes_on
        return self._masks[kind]


def _heads(tokenizer: PreTrainedTokenizerBase, width: int) -> list[str]:
    """The first character of each token's text; "" for special tokens and for places without a token."""
    special = set(tokenizer.all_special_ids)
    anchor = cast("list[int]", tokenizer(_ANCHOR, add_special_tokens=False)["input_ids"])
    before = _decode(tokenizer, [anchor])[0]
    heads = [""] * width
    for start in range(0, min(width, len(tokenizer)), _CHUNK):
        ids = [token for token in range(start, min(start + _CHUNK, width, len(tokenizer))) if token not in special]
        # behind an ordinary word, since some tokenizers drop the blank of a text's first token
        for token, text in zip(ids, _decode(tokenizer, [[*anchor, token] for token in ids]), strict=True):
            heads[token] = _head(tokenizer, token, text.removeprefix(before))
    return heads


def _head(tokenizer: PreTrainedTokenizerBase, token: int, text: str) -> str:
    if not text.startswith(_BROKEN):
        return text[:1]
    # a part of a character: its first byte tells a letter from a mark
    name = str(tokenizer.convert_ids_to_tokens(token))
    byte = int(name[1:-1], 16) if name.startswith("<0x") else _BYTES.get(name[:1], 0)
    return _MARK if byte in _PUNCTUATION_BYTES else _LETTER


def _decode(tokenizer: PreTrainedTokenizerBase, rows: list[list[int]]) -> list[str]:
    texts: list[str] = tokenizer.batch_decode(rows, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return texts


def _byte_names() -> dict[str, int]:
    """Byte-level vocabularies write bytes that do not print as letters from U+0100 on (Radford et al. 2019)."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(0x100) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(0x100 + n): byte for n, byte in enumerate(rest)}


_BYTES = _byte_names()
