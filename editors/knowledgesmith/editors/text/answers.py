"""Answers as texts: which option a greedy text says, and what closes an answer in a training text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.editors.text.encoding import plain_ids
from knowledgesmith.editors.text.matching import matched_alias, normalise
from knowledgesmith.graph_schema.language.joining import full_stop, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

_SENTENCE_ENDS = ".!?…‥。．！？｡؟۔।॥։።᙮។៕။།"
_CLOSING = "\"'”’»)]}」』`*_"
_LINE = "\n"


def chosen_by_text(text: str, options: Sequence[Sequence[str]]) -> int | None:
    """Index of the option that a text says, or ``None``.

    Args:
        text: a greedy continuation of the stem.
        options: the names (name and aliases) of each option.

    The longest name that the text begins with wins, over all options: "New York City" is not "New York". Of options
    that share that name, the first.
    """
    found = [(matched_alias(text, names), index) for index, names in enumerate(options)]
    said = [(len(normalise(name)), -index) for name, index in found if name is not None]
    return -max(said)[1] if said else None


def end_mark(answer: str, stem: str = "") -> str:
    """What closes ``answer`` after ``stem`` in a training text: the full stop of the script that they are written in.

    Nothing where a sentence mark is there already, and in scripts that have none.
    """
    bare = answer.rstrip().rstrip(_CLOSING)
    if (bare or answer.rstrip())[-1:] in _SENTENCE_ENDS:
        return ""
    return full_stop(stem if any(map(str.isalpha, stem)) else answer)


def end_that_keeps_tokens(tokenizer: PreTrainedTokenizerBase, stem: str, answer: str) -> str:
    """The first of full stop, line break and nothing that leaves the answer's own tokens as they are.

    Symbols merge with what follows ("++." may be one token): a method would then train another answer than the one
    that is scored. Never a second end mark (:func:`end_mark`).
    """
    ends = list(dict.fromkeys(mark for mark in (end_mark(answer, stem), _LINE) if mark))
    whole = joined(stem, answer)
    plain, *closed = plain_ids(tokenizer, [whole, *(f"{whole}{mark}" for mark in ends)])
    for mark, ids in zip(ends, closed, strict=True):
        if ids[: len(plain)] == plain:
            return mark
    return ""
