"""Which attribute of the nodes of a network is their name: one that is called so, else one that reads like names.

Ids that are words are the names already: ``Alice`` with ``hometown: Paris`` stays Alice. Only where the ids are numbers
or codes is an attribute looked for that nobody calls a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from knowledgesmith.graph_schema.importing.formats.rows.column_words import OTHER, Role, heading
from knowledgesmith.graph_schema.importing.reading.literals import is_literal

LOOKED_AT: Final = 2_000
"""Nodes of a file that are looked at."""
_MOSTLY: Final = 0.9
"""Share of different values of an attribute that tells nodes apart."""
_MANY: Final = 30
"""Nodes over which an attribute that is not called a name must tell them apart."""
_WORDS: Final = frozenset({"name", "label", "title", "caption", "nom", "nombre", "bezeichnung"})
_ENDS: Final = ("name", "label", "bezeichnung")
_SIGNS: Final = ("\u540d", "\u0627\u0633\u0645")
"""Parts of headings in scripts that do not separate words, or join the article to them."""
_CERTAIN: Final = frozenset(OTHER[Role.NAME]) - {"label", "title"}
"""Headings that mean the name of a thing; a label may be its kind, a title its rank."""
_TEXTS: Final = frozenset(
    [
        "desc",
        "description",
        "remark",
        "remarks",
        "comment",
        "note",
        "notes",
        "abstract",
        "definition",
        "text",
        "url",
        "uri",
        "href",
        "link",
        "image",
        "path",
        "color",
        "colour",
        "email",
        "date",
    ]
)
_LONGEST: Final = 80


@dataclass
class _Seen:
    filled: int = 0
    given: int = 0
    letters: int = 0
    ids: int = 0
    codes: int = 0
    longest: int = 0
    values: set[str] = field(default_factory=set[str])


class Survey:
    """What the attributes of the first nodes look like."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self.nodes = self._codes = 0

    @property
    def full(self) -> bool:
        """Whether enough nodes were looked at."""
        return self.nodes >= LOOKED_AT

    @property
    def attributes(self) -> tuple[str, ...]:
        """All attributes, in the order of their coming."""
        return tuple(self._seen)

    def add(self, identifier: str, attributes: Mapping[str, Any]) -> None:
        """Look at one node."""
        self.nodes += 1
        defaulted = getattr(attributes, "defaulted", ())
        self._codes += _is_code(identifier) or is_literal(identifier)
        for name, value in attributes.items():
            if not isinstance(value, str) or not (text := " ".join(value.split())):
                continue
            seen = self._seen.setdefault(name, _Seen())
            seen.filled += 1
            seen.given += name not in defaulted
            seen.letters += any(sign.isalpha() for sign in text) and not is_literal(text)
            seen.ids += text == identifier
            seen.codes += _is_code(text)
            seen.longest = max(seen.longest, len(text))
            seen.values.add(text)

    def names(self, preferred: Sequence[str]) -> tuple[str, ...]:
        """The attributes that hold names: those of ``preferred`` that do, else the likeliest other one, else none."""
        given = tuple(name for name in preferred if self._names(name) and self._given(name))
        if given:
            return given
        certain = [name for name in self._seen if self._names(name) and heading(name) in _CERTAIN]
        likely = certain or [name for name in self._seen if self._names(name) and self._likely(name)]
        return tuple(sorted(likely, key=self._rank)[:1])

    @property
    def coded(self) -> bool:
        """Whether most ids are numbers or codes, so that any words are a better name."""
        return self._codes > self.nodes / 2

    def _given(self, name: str) -> bool:
        """Whether an attribute that was asked for is a name: words that are ids yield to no kind and no rank."""
        return heading(name) in _CERTAIN or self.coded or self._differs(name)

    def _likely(self, name: str) -> bool:
        """Whether an attribute names nodes whose ids do not."""
        return self.coded and (self._differs(name) if _called_so(name) else self._tells_apart(name))

    def _differs(self, name: str) -> bool:
        """Whether the values are not those of a kind that many nodes are of; a key's default says nothing of that."""
        seen = self._seen[name]
        return len(seen.values) > seen.given / 2

    def _names(self, name: str) -> bool:
        """Whether most values of an attribute are words and not the node's id again."""
        seen = self._seen.get(name)
        return seen is not None and seen.letters > seen.filled / 2 and seen.ids <= seen.filled / 2

    def _tells_apart(self, name: str) -> bool:
        seen = self._seen[name]
        enough = seen.filled >= max(self.nodes / 2, _MANY)
        return enough and len(seen.values) >= _MOSTLY * seen.filled and seen.longest <= 200

    def _rank(self, name: str) -> tuple[bool, bool, bool, bool, int]:
        seen = self._seen[name]
        return (
            not _called_so(name),
            seen.codes > seen.filled / 2,
            heading(name) in _TEXTS,
            seen.longest > _LONGEST,
            list(self._seen).index(name),
        )


def _called_so(name: str) -> bool:
    title = heading(name)
    words = title.split()
    return (
        title in OTHER[Role.NAME]
        or not _WORDS.isdisjoint(words)
        or any(word.endswith(_ENDS) for word in words)
        or any(sign in title for sign in _SIGNS)
    )


def _is_code(text: str) -> bool:
    """Whether a text reads like a code: no blank, capitals, digits or signs only; scripts without case have none."""
    cased = [sign for sign in text if sign.isupper() or sign.islower()]
    if " " in text or not text.isascii():
        return False
    return not cased or all(sign.isupper() for sign in cased) or any(sign.isdigit() for sign in text)
