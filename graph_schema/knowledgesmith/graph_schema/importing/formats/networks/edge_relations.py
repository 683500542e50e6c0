"""Which attribute of edges is their relation, told from the first ones: by its name, or as the only one in words.

People call it ``relationship``, ``interaction``, ``Beziehung``, ``关系``; the words are those over columns of tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from knowledgesmith.graph_schema.importing.formats.rows.column_words import BETWEEN, OTHER, STRONG, WEAK, Role, heading
from knowledgesmith.graph_schema.importing.formats.tables.marks import is_direction, is_label, mostly, truth_of
from knowledgesmith.graph_schema.importing.reading.literals import is_literal

LOOKED_AT: Final = 2_000
"""Edges that are looked at."""
_FEW: Final = 8
"""Edges below which a relation need not come twice as a rule."""
_LONGEST: Final = 60
_WORDS: Final = """interaction interaction_type interactions interaktion interacción interazione interação interactie
    interakcja etkileşim взаимодействие взаимодія 相互作用 交互 互动 互動 상호작용 تفاعل"""
_NAMES: Final = frozenset(map(heading, _WORDS.split()))
"""What tools for networks of genes and proteins call it, beside what people write over columns of relations."""
_OTHERS: Final = frozenset(
    [
        *OTHER[Role.SOURCE],
        *OTHER[Role.ID],
        *OTHER[Role.DOMAIN],
        *("id", "weight", "color", "colour", "farbe", "couleur", "颜色", "顏色", "style", "shape"),
        *("width", "date", "time"),
        *("note", "notes", "comment", "description", "remark", "url", "uri", "link", "href", "timestamp", "unit"),
        *("evidence", "author", "dataset", "database", "provenance", "year", "dir", "direction"),
    ]
)
"""Names of attributes that say something else of an edge, whatever they hold."""


@dataclass
class _Seen:
    filled: int = 0
    words: int = 0
    longest: int = 0
    values: set[str] = field(default_factory=set[str])


class EdgeSurvey:
    """What the attributes of the first edges look like."""

    def __init__(self) -> None:
        self._edges = 0
        self._seen: dict[str, _Seen] = {}

    def add(self, attributes: Mapping[str, Any]) -> None:
        """Look at one edge."""
        self._edges += 1
        for name, value in attributes.items():
            text = " ".join(value.split()) if isinstance(value, str) else ""
            seen = self._seen.setdefault(name, _Seen())
            if not text:
                continue
            seen.filled += 1
            seen.words += any(map(str.isalpha, text)) and not is_literal(text) and "://" not in text
            seen.longest = max(seen.longest, len(text))
            seen.values.add(text)

    def by_name(self, usual: Sequence[str]) -> tuple[str, ...]:
        """The usual attributes together with those that are called so in any language, the surest first."""
        sure = self._called(frozenset(STRONG[Role.RELATION]) | _NAMES)
        likely = self._called(frozenset(WEAK[Role.RELATION]) | BETWEEN)
        return tuple(dict.fromkeys((*usual[:1], *sure, *usual[1:], *likely)))

    def only_one(self) -> str:
        """The only attribute that holds few words again and again; empty where none does, or several do."""
        found = [name for name, seen in self._seen.items() if self._in_words(seen) and not self._is_other(name)]
        return found[0] if len(found) == 1 and self._repeats(self._seen[found[0]]) else ""

    def _called(self, words: frozenset[str]) -> list[str]:
        return [name for name, seen in self._seen.items() if heading(name) in words and self._in_words(seen)]

    def _in_words(self, seen: _Seen) -> bool:
        return seen.words > seen.filled / 2 and not mostly(sorted(seen.values), truth_of)

    def _is_other(self, name: str) -> bool:
        return heading(name) in _OTHERS or is_label(name) or is_direction(name)

    def _repeats(self, seen: _Seen) -> bool:
        share = 0.7 if seen.filled < _FEW else 0.5
        whole = seen.filled > self._edges / 2 and seen.longest <= _LONGEST
        return whole and len(seen.values) <= share * seen.filled
