"""Does a generation begin with an answer? Exact, case-aware, alias-aware, at the end of a word, number or symbol.

"boron" is not "B", "C++" is not "C", "Guinea-Bissau" is not "Guinea", "U.S.A." is not "U.S." and "3.5" is not "3";
opening quotes, brackets, emphasis, spaces and an article before the answer are tolerated. Where words are not parted
by spaces, a letter of the same script goes on with the word: what a dictionary would have to decide is no match.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_OPENING = re.compile(r"^[\s\"'`“”‘’«»„‚「『(\[*_]+")
_ARTICLE = re.compile(r"^(?:the|The|a|A|an|An)\s+(?=\S)")
_ARTICLES = frozenset({"a", "A", "an", "An", "the", "The"})
_EMPHASIS = "*_`"
_HYPHENS = "-‐‑"
_APOSTROPHES = "'’´"
_JOINERS = f"–/·・‧.{_APOSTROPHES}"
_GLUED = "#%&@\\*′″"
"""Punctuation that belongs to what it stands at: C#, 7%, AT&T."""
_LOOSE = "<>|~→™®©`"
"""Symbols that do not belong to a word: markup, marks of a trade."""
_POSSESSIVE = re.compile(r"^['’´]s(?!\w)")
_NUMBER_GOES_ON = re.compile(r"^(?:[.,:/–]\d| \d{3}(?!\d))")
_NEW_SENTENCE = re.compile(r"^\.[^\W\d_][^\W\d_]")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_ELLIPSIS = 3


def matched_alias(generation: str, answers: Iterable[str]) -> str | None:
    """The longest of ``answers`` that ``generation`` begins with, or ``None``; empty answers never match."""
    starts = _starts(normalise(generation))
    found = [answer for answer in answers if any(_begins(start, answer, marks) for start, marks in starts)]
    return max(found, key=lambda answer: len(normalise(answer)), default=None)


def matches(generation: str, answers: Iterable[str]) -> bool:
    """Whether ``generation`` begins with one of ``answers`` as whole words."""
    return matched_alias(generation, answers) is not None


def normalise(text: str) -> str:
    """One form of accents (NFC), one blank for any run of white space, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_complete(answer: str, rest: str) -> bool:
    """Whether ``answer`` ends where it ends in the text ``answer + rest``, and does not go on there as a longer one."""
    if not rest or rest[0].isspace():
        return not (answer[-1:].isdigit() and _NUMBER_GOES_ON.match(rest))
    if is_word(rest[0]):
        return _changes_script(answer[-1], rest[0])
    if rest[0] == answer[-1] and not is_word(rest[0]):
        return _closes(answer, rest)
    if rest[0] in _HYPHENS:
        return rest[1:2] == rest[0] and is_word(rest[2:3])
    if answer[-1].isdigit() and _NUMBER_GOES_ON.match(rest):
        return False
    if rest[0] in _JOINERS and is_word(rest[1:2]):
        return bool(_POSSESSIVE.match(rest)) or _is_new_sentence(answer, rest)
    return not _is_glued(answer, rest[0])


def stays_complete(answer: str, head: str) -> bool:
    """Whether ``answer`` is still complete before a token that begins with ``head``."""
    return not head or is_complete(ending_of(answer), head)


def ending_of(answer: str) -> str:
    """The shortest text that ends like ``answer``: what may follow answers that end alike is the same."""
    if is_word(answer[-1]):
        return answer[-1] if not answer[-1].isascii() else "7" if answer[-1].isdigit() else "xx"
    mark = "." * _ELLIPSIS if answer.endswith("." * _ELLIPSIS) else answer[-1]
    return f"x{mark}" if any(map(is_word, answer)) else mark


def is_word(character: str) -> bool:
    """Whether a character is part of a word or number: a letter, a digit, a combining mark or ``_``."""
    return bool(character) and (
        character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")
    )


def _starts(text: str) -> tuple[tuple[str, str], ...]:
    """The text as it is, without what may open it, and without an article after that; each with the emphasis opened."""
    opened = _OPENING.sub("", text)
    without = _ARTICLE.sub("", opened)
    bare = _OPENING.sub("", without)
    first, second = text[: len(text) - len(opened)], without[: len(without) - len(bare)]
    return (text, ""), (opened, first), (bare, first + second)


def _begins(text: str, answer: str, opened: str) -> bool:
    wanted = normalise(answer)
    if not wanted or not text.startswith(wanted):
        return False
    rest = text[len(wanted) :]
    closing = "".join(mark for mark in _EMPHASIS if mark in opened)
    closed = rest.lstrip(closing) if closing else rest
    if wanted in _ARTICLES and closed[:1].isspace() and is_word(closed[1:2]):
        return False  # an article before something else
    return is_complete(wanted, closed)


def _closes(answer: str, rest: str) -> bool:
    """A mark that stands again: only one full stop after an abbreviation or an ellipsis is the end of a sentence."""
    if rest[0] != "." or is_word(rest[1:2]) or rest[1:2] == ".":
        return False
    return any(map(is_word, answer)) or answer.endswith("." * _ELLIPSIS)


def _is_new_sentence(answer: str, rest: str) -> bool:
    """``Paris.The``, a blank forgotten, but not ``U.S.``, ``Node.js`` or ``example.com``."""
    return (
        len(answer) > 1
        and is_word(answer[-2])
        and bool(_NEW_SENTENCE.match(rest))
        and rest[1].isupper()
        and rest[2].islower()
    )


def _is_glued(answer: str, character: str) -> bool:
    if character in _LOOSE and any(map(is_word, answer)):
        return False
    return character in _GLUED or character in "°♭♮" or unicodedata.category(character) in {"Sm", "Sc", "Sk"}


def _changes_script(last: str, following: str) -> bool:
    """Latin before Han ends a word, so does Han or Katakana before Hiragana (a particle); any other letter goes on."""
    after = _script(following)
    if after not in _UNSPACED:
        return False
    before = _script(last)
    return before not in _UNSPACED or (after == "HIRAGANA" and before in {"CJK", "KATAKANA"})


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0].partition("-")[0]
