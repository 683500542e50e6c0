"""Where a subject stands in a prompt, as whole words of any script, so that every mention can become a slot.

A name stands in a text where no word goes on at its borders: "Mali" neither in "Somali" nor in "Malian", "マリ" not in
"ソマリア", "C" not in "C++", "7" not in "7.5", "Jean" not in "Jean-Luc"; but it does in "Paris-based", "Mali's",
"서울의" and "والقاهرة", where a suffix, a particle or a small word is joined to it. Scripts without blanks between
words (Chinese, Thai, …) do not show their borders: of several mentions there it must be plain which ones are the name.
Case, width and the composition of letters do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from knowledgesmith.graph_schema.importing.reading.problems import quote

SLOT: Final = "{}"
"""Where a benchmark's prompt names its subject."""
_KATAKANA: Final = ((0x30A1, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F))
_HANGUL: Final = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF))
_NEAR: Final = 60
"""Characters on either side that are looked at for where a word ends."""
_JAMO: Final = frozenset(map(chr, range(0x1160, 0x1200)))
"""Vowels and final consonants of Korean syllables that are written letter by letter."""
_UNSPACED: Final = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0x1B00, 0x1B7F)),
    *((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3040, 0x30A0), (0x3100, 0x312F), (0x31A0, 0x31EF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xA980, 0xA9DF), (0xAA60, 0xAADF), (0xF900, 0xFAFF)),
    *((0x1B000, 0x1B16F), (0x20000, 0x3FFFF)),
)
_PARTICLES: Final = re.compile(
    "(?:으로|로|에서|에게|에|까지|부터|보다|처럼|하고|한테|조차|마저|께서|께|은|는|이|가|을|를|의|와|과|도|만|랑|나|며|라|란|인|"
    "입니다|이다|였다|였|아|야|여){1,3}"
)
"""What Korean writes behind a noun."""
_SMALL_WORDS: Final = re.compile("[והבלמשכ]{1,3}|[وفبكلس]{0,2}(?:ال)?|[وف]?لل")
"""What Hebrew and Arabic write before one."""
_FUNCTION: Final = frozenset(
    "的了是在有和与與及或为為被由从從到对對向于於把将將给給让讓以其之而且并並也都就还還又很更最吗呢吧啊这這那哪谁誰什"
    "はがをにへとでのもやかよねばわ"
)
"""Characters of unspaced scripts that are words by themselves and part of no name."""
_BINDING: Final = frozenset("+#")
"""Signs that make another word of the one before them."""
_APOSTROPHES: Final = frozenset("'’ʼ")


class NoSlot(ValueError):
    """A prompt in which the subject cannot become a slot; ``str`` says why, for a rejection."""


@dataclass(frozen=True, slots=True)
class _Sign:
    """One character with its marks: as it stands, folded, its kind, and where it begins and ends in the text."""

    text: str
    folded: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    text: str
    sure: bool


def with_slots(text: str, subject: str) -> str:
    """A prompt with every mention of its subject replaced by the slot; slots that stand there already stay.

    Raises:
        NoSlot: the subject does not stand in it as a word, what is meant by it cannot be told, braces stand in it, or
            it holds nothing else.
    """
    parts = text.split(SLOT)
    if any(sign in part for part in parts for sign in "{}"):
        raise NoSlot(f"braces in the prompt {quote(text)}")
    slotted = SLOT.join(_replaced(part, subject, text, needed=len(parts) == 1) for part in parts)
    if not says_something(slotted):
        raise NoSlot(f"the prompt {quote(text)} holds nothing but its subject")
    return slotted


def says_something(prompt: str) -> bool:
    """Whether a prompt with slots holds a word beside them."""
    return any(char.isalnum() for char in prompt.replace(SLOT, ""))


def _replaced(text: str, subject: str, whole: str, *, needed: bool) -> str:
    if not needed and text.isascii() and _folded(subject) not in text.lower():
        return text
    signs = tuple(_signs(text))
    found = [_mention(signs, first, last) for first, last in _occurrences(signs, subject)]
    mentions = [mention for mention in found if mention is not None]
    if not mentions:
        if not needed:
            return text
        inside = next((_word_around(signs, *ends) for ends in _occurrences(signs, subject)), "")
        if inside:
            raise NoSlot(
                f"the subject {quote(subject)} stands in the prompt {quote(whole)} only inside {quote(inside)}"
            )
        raise NoSlot(f"the subject {quote(subject)} does not stand in the prompt {quote(whole)}")
    _check(mentions, subject, whole)
    parts, last = [], 0
    for mention in mentions:
        parts += [text[last : mention.start], SLOT]
        last = mention.end
    return "".join([*parts, text[last:]])


def _check(mentions: list[_Mention], subject: str, whole: str) -> None:
    """Refuse mentions of which it cannot be told whether all are the name.

    Raises:
        NoSlot: they differ in case, or there are several where a script shows no borders of words.
    """
    exact = unicodedata.normalize("NFKC", subject)
    others = [m.text for m in mentions if unicodedata.normalize("NFKC", m.text) != exact]
    if others and len(others) < len(mentions):
        reason = f"both {quote(subject)} and {quote(others[0])} stand in the prompt {quote(whole)}"
        raise NoSlot(f"{reason}; whether both are the subject cannot be told")
    if len(mentions) > 1 and not all(mention.sure for mention in mentions):
        reason = f"the subject {quote(subject)} stands {len(mentions)} times in the prompt {quote(whole)}"
        raise NoSlot(f"{reason}, perhaps inside another word: its script shows no borders of words")


def _folded(subject: str) -> str:
    return "".join(sign.folded for sign in _signs(" ".join(subject.split())))


def _signs(text: str) -> Iterator[_Sign]:
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and (unicodedata.category(text[end])[0] == "M" or text[end] in _JAMO):
            end += 1
        part = text[start:end]
        yield _Sign(part, *_read(part), start, end)
        start = end


@lru_cache(maxsize=65_536)
def _read(part: str) -> tuple[str, str]:
    """A character with its marks folded, and its kind."""
    if unicodedata.category(part[0]) == "Cf":
        return "", "hidden"
    composed = unicodedata.normalize("NFKC", part)
    # Folding can take a composed letter apart again
    return unicodedata.normalize("NFKC", composed.casefold()), _kind(composed[:1] or part[0])


@cache
def _kind(char: str) -> str:
    """gap, word, katakana, hangul or unspaced."""
    if not (char.isalnum() or char in "_ー"):
        return "gap"
    for kind, ranges in (("katakana", _KATAKANA), ("hangul", _HANGUL), ("unspaced", _UNSPACED)):
        if any(first <= ord(char) <= last for first, last in ranges):
            return kind
    return "word"


def _occurrences(signs: tuple[_Sign, ...], subject: str) -> Iterator[tuple[int, int]]:
    """First and last sign of what reads like the subject, from left to right, none inside another."""
    wanted = _folded(subject)
    text = "".join(sign.folded for sign in signs)
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    position = 0
    for number, sign in enumerate(signs):
        if sign.folded:
            begins[position] = number
            position += len(sign.folded)
            ends[position] = number
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        if at in begins and at + len(wanted) in ends:
            yield begins[at], ends[at + len(wanted)]
            at = text.find(wanted, at + len(wanted))
        else:
            at = text.find(wanted, at + 1)


def _mention(signs: tuple[_Sign, ...], first: int, last: int) -> _Mention | None:
    """The mention between two signs; None where a word goes on at one of its borders."""
    before = [sign for sign in signs[max(first - _NEAR, 0) : first] if sign.kind != "hidden"]
    after = [sign for sign in signs[last + 1 : last + 1 + _NEAR] if sign.kind != "hidden"]
    sides = (_goes_on_before(before, signs[first]), _goes_on_after(signs[last], after))
    if "yes" in sides:
        return None
    start, end = signs[first].start, signs[last].end
    text = "".join(sign.text for sign in signs[first : last + 1])
    return _Mention(start, end, text, "perhaps" not in sides)


def _goes_on_after(last: _Sign, after: list[_Sign]) -> str:
    """Whether a word goes on behind a sign: yes, no, or perhaps."""
    if not after:
        return "no"
    sign = after[0]
    if last.kind == "gap":
        return "yes" if _joins(last.text) and _begins_word(sign) else "no"
    if sign.kind == "gap":
        return "yes" if _bound_after(last, after) else "no"
    if sign.kind != last.kind:
        return "no"
    if sign.kind == "unspaced":
        return "no" if sign.text in _FUNCTION else "perhaps"
    if sign.kind == "hangul":
        return "no" if _PARTICLES.fullmatch(_run(after, "hangul")) else "yes"
    return "yes"


def _joins(sign: str) -> bool:
    """Whether a sign can stand in the middle of a word: "U.S.A."; brackets, quotes and full-width signs end one."""
    return sign.isascii() and unicodedata.category(sign[0]) in {"Po", "Pd", "Sm", "Sc", "Sk"} and sign not in '!?;:"%,'


def _begins_word(sign: _Sign) -> bool:
    """Whether letters of a script with blanks between words follow."""
    return sign.kind == "word"


def _bound_after(last: _Sign, after: list[_Sign]) -> bool:
    """Whether a sign that is no letter joins what follows to the word."""
    sign, following = after[0].text, after[1] if len(after) > 1 else None
    if last.kind != "word":
        return False
    if sign in _BINDING:
        return True
    if following is None or following.kind == "gap":
        return False
    if sign in ".,":
        return last.text.isdigit() and following.text.isdigit()
    # "Jean-Luc" is another name than "Jean"; "Paris-based" speaks of Paris
    return sign in "-‐‑&" and not following.text.islower()


def _goes_on_before(before: list[_Sign], first: _Sign) -> str:
    """Whether a word goes on before a sign: yes, no, or perhaps."""
    if not before:
        return "no"
    sign = before[-1]
    if first.kind == "gap":
        return "yes" if _joins(first.text) and _begins_word(sign) else "no"
    if sign.kind == "gap":
        return "yes" if _bound_before(before, first) else "no"
    if sign.kind != first.kind:
        return "no"
    if sign.kind == "unspaced":
        return "no" if sign.text in _FUNCTION else "perhaps"
    if sign.kind == "word" and _SMALL_WORDS.fullmatch(_run(before[::-1], "word")[::-1]):
        return "no"
    return "yes"


def _bound_before(before: list[_Sign], first: _Sign) -> bool:
    sign, preceding = before[-1].text, before[-2] if len(before) > 1 else None
    if first.kind != "word" or preceding is None or preceding.kind == "gap":
        return False
    if sign in ".,":
        return first.text.isdigit() and preceding.text.isdigit()
    if sign in _APOSTROPHES:
        return preceding.text == "O" and (len(before) < 3 or before[-3].kind == "gap")
    # "anti-Paris" speaks of Paris; "New-York" is another name than "York"
    return sign in "-‐‑&" and not _run(before[-2::-1], "word")[::-1].islower()


def _run(signs: list[_Sign], kind: str) -> str:
    """The signs of one kind at the start, together."""
    found: list[str] = []
    for sign in signs:
        if sign.kind != kind:
            break
        found.append(sign.folded if kind == "hangul" else sign.text)
    return "".join(found)


def _word_around(signs: tuple[_Sign, ...], first: int, last: int) -> str:
    """The word that what reads like the subject stands in, with what hyphens and points join to it."""
    while first and not signs[first - 1].text.isspace():
        first -= 1
    while last + 1 < len(signs) and not signs[last + 1].text.isspace():
        last += 1
    return "".join(sign.text for sign in signs[first : last + 1]).strip(" ,.;:!?\"'()")
