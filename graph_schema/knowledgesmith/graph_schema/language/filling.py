"""Puts names into templates so that the whole reads as English: articles and closing marks meet only once.

"The capital is {o}." with "Washington, D.C." ends in one dot; "the {o}" with "The Hague" has one article; "a {o}" with
"apple" reads "an apple". Nothing of a name is touched: where a sentence begins with one, "eBay" is not "EBay". So a
template gets its capital before the names are put in (:func:`opened`), since nobody can tell a name afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, NamedTuple

from knowledgesmith.graph_schema.language.name_keys import name_key

_SLOT: Final = re.compile(r"(?:\b(?P<article>[Tt]he|[Aa]n?) )?\{(?P<slot>[so])\}(?P<mark>[.?!,;。？！．؟۔।]?)")
_ARTICLES: Final = frozenset({"the", "a", "an"})
_STOPS: Final = ".。．۔।"
_SWALLOWED: Final = {
    **dict.fromkeys(f"{_STOPS}…‥᙮።։", _STOPS),
    **dict.fromkeys("?？؟", f"{_STOPS}?？؟"),
    **dict.fromkeys("!！", f"{_STOPS}!！"),
    ",": ",",
    ";": ";",
}
"""By the last character of a name, quotes aside: the marks that may not follow it."""
_QUOTES: Final = "\"'”’»」』"
_ENDS: Final = "".join(_SWALLOWED) + "．؛،"
_WORD: Final = re.compile(r"\W*(\w+)")
_LIKE_A_CONSONANT: Final = re.compile(
    r"uni(?!n|m|de)|us[aeu]|eu|ew|ur[ai]|ut[aeio]|ubi|ufo|(?:one|once)(?!\w)", re.IGNORECASE
)
"""Words that begin with the sound of "you" or "won"."""
_SILENT_H: Final = re.compile(r"hou?r|hono|honest|heir", re.IGNORECASE)
_LETTERS: Final = frozenset("AEFHILMNORSX")
"""Letters whose own names begin with a vowel."""
_SPELT: Final = 3
"""Capitals alone, up to so many, are read letter by letter."""


class Surroundings(NamedTuple):
    """What a template has directly around a name: ``the``, ``a`` or nothing before it, a mark or nothing behind it."""

    article: str
    mark: str


def surroundings(texts: Iterable[str]) -> frozenset[Surroundings]:
    """All that the templates have around names."""
    found: set[Surroundings] = set()
    for text in set(texts):
        for slot in _SLOT.finditer(text):
            article = (slot["article"] or "").casefold()
            found.add(Surroundings(article[:1] if article == "an" else article, slot["mark"]))
    return frozenset(found)


def is_fitted(name: str) -> bool:
    """Whether a name may meet an article or a mark of a template, which then is left out."""
    return name.rstrip(_QUOTES)[-1:] in _SWALLOWED or name.partition(" ")[0].casefold() in _ARTICLES


def reading_key(name: str, *, articles: bool) -> str:
    """The same for names that some template makes the same: end marks aside, and where it has articles, these.

    "It is {o}." reads alike with "Acme Inc." and with "Acme Inc", "in the {o}" with "The Hague" and with "Hague". Of
    names that are nothing but marks or an article nothing is left: they are alike.
    """
    key = name_key(name)
    if key[-1:] in _ENDS:
        key = key.rstrip(f"{_ENDS} ")
    first, _, rest = key.partition(" ")
    return rest if articles and first in _ARTICLES else key


def fill(text: str, *, subject: str = "", obj: str = "") -> str:
    """Put names into a template in one pass, so that braces inside a name stay what they are."""
    return _SLOT.sub(_filler(subject, obj), text)


def fill_one(text: str, name: str) -> str:
    """The same for a template that names one end only, quickly."""
    before, after, plain = _around(text)
    if plain and name[-1:] not in _SWALLOWED and name[-1:] not in _QUOTES:
        return f"{before}{name}{after}"
    return fill(text, subject=name, obj=name)


@cache
def opened(text: str) -> str:
    """A template as it opens a sentence: its own first letter is a capital. Where a name stands first, none changes."""
    capital = text[:1].upper()
    return capital + text[1:] if len(capital) == 1 else text


@cache
def inside(text: str) -> str:
    """A template as it stands inside a sentence: its own first letter is a small one, a name stays what it is."""
    small = text[:1].lower()
    return small + text[1:] if len(small) == 1 else text


def indefinite(name: str) -> str:
    """``a`` or ``an``, by how the first word of a name begins when it is read."""
    found = _WORD.match(name)
    if found is None:
        return "a"
    word = found[1]
    if word[0].isdigit():
        digits = re.match(r"\d+", word)
        number = digits[0] if digits else word
        return "an" if number[0] == "8" or (number[:2] in {"11", "18"} and len(number) % 3 == 2) else "a"
    if len(word) == 1 or (word.isupper() and len(word) <= _SPELT):
        return "an" if word[0].upper() in _LETTERS else "a"
    if _LIKE_A_CONSONANT.match(name, found.start(1)):
        return "a"
    return "an" if word[0].casefold() in "aeiou" or _SILENT_H.match(word) else "a"


def _filler(subject: str, obj: str) -> Callable[[re.Match[str]], str]:
    def put(found: re.Match[str]) -> str:
        name = subject if found["slot"] == "s" else obj
        ends = _SWALLOWED.get(name.rstrip(_QUOTES)[-1:], "")
        mark = "" if found["mark"] and found["mark"] in ends else found["mark"]
        return f"{_article(found['article'] or '', name)}{name}{mark}"

    return put


def _article(article: str, name: str) -> str:
    """The article that stands before a name, with the space after it."""
    if not article or name.partition(" ")[0].casefold() in _ARTICLES:
        return ""
    fitting = article if article.casefold() == "the" else indefinite(name)
    return f"{fitting.capitalize() if article[0].isupper() else fitting} "


@cache
def _around(text: str) -> tuple[str, str, bool]:
    """What stands before and after the only slot, and whether it is the only one, without an article."""
    slots = list(_SLOT.finditer(text))
    if len(slots) != 1 or slots[0]["article"]:
        return "", "", False
    return text[: slots[0].start()], text[slots[0].start() + len("{s}") :], True
