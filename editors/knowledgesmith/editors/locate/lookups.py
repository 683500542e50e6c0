"""Where a prompt's subject is looked up: its last token, whose key stands for the subject in every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from knowledgesmith.editors.requests import Prompt
from knowledgesmith.editors.text.encoding import prefix_ids
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Token ids of a prompt and the position where its subject is looked up."""

    ids: tuple[int, ...]
    position: int

    @property
    def key(self) -> tuple[int, ...]:
        """The tokens up to the look-up: by causality prompts that agree in them have the same key in every layer."""
        return self.ids[: self.position + 1]


def lookup(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> Lookup:
    """The last token that begins inside the subject.

    Pieces of one multi-byte character share an offset, so the first token that reaches the subject's end may be only
    half of its last character. A row's first token is an attention sink whose key hardly depends on it, so a subject
    that is only this token is looked up at the next one.
    """
    cancellation.check()
    encoded = tokenizer(prompt.text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
    start = prefix_ids(tokenizer)
    ids = (*start, *cast("list[int]", encoded["input_ids"]))
    spans = cast("list[tuple[int, int]]", encoded["offset_mapping"])
    inside = [index for index, (begin, stop) in enumerate(spans) if begin < prompt.end and stop > prompt.start]
    if not inside:
        raise InvalidInput("no token stands for the subject", field="prompt", value=prompt.text)
    return Lookup(ids=ids, position=min(max(len(start) + inside[-1], 1), len(ids) - 1))
