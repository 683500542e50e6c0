"""Typedefs of OBO: the names and traits of relations, and which of them are remarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from knowledgesmith.graph_schema.importing.formats.ontology.names import relation_word
from knowledgesmith.graph_schema.importing.formats.ontology.obo_clauses import is_plain, read_text, read_words
from knowledgesmith.graph_schema.importing.formats.ontology.obo_frames import Frame
from knowledgesmith.graph_schema.importing.formats.ontology.relations import Declaration, RelationTable
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Record

_FLAGS: Final = {
    "is_transitive": "transitive",
    "is_symmetric": "symmetric",
    "is_functional": "functional",
    "is_inverse_functional": "inverse_functional",
}


def is_true(value: str) -> bool:
    """Whether the value of a flag says so, whatever stands behind it."""
    words = read_words(value, 1)
    return bool(words.ids) and words.ids[0].casefold() == "true"


class Typedefs:
    """Declares relations in a table; ``metadata`` and ``tags`` are the keys of those that are remarks.

    ``metadata`` are tags that say nothing of the thing itself; ``tags`` are these and the ones of the class level.
    """

    def __init__(self, table: RelationTable) -> None:
        self._table = table
        self.metadata: set[str] = set()
        self.tags: set[str] = set()

    def declare(self, frame: Frame) -> None:
        """Take a typedef with its traits."""
        found = read_words((frame.values("id") or [""])[0], 1)
        if not found.ids:
            return
        key, plain = found.ids[0], is_plain(found.raw[0])
        declared = self._table.declare(key, frame.place)
        for line in frame.lines:
            if line.tag in _FLAGS:
                setattr(declared, _FLAGS[line.tag], is_true(line.value))
            elif line.tag in _NOTED:
                _NOTED[line.tag](declared, key, line.value)
        self._name(frame, declared, key, plain=plain)
        metadata, class_level = (any(map(is_true, frame.values(tag))) for tag in ("is_metadata_tag", "is_class_level"))
        if metadata and not class_level:
            self.metadata.add(key)
        if metadata or class_level:
            self.tags.add(key)

    def _name(self, frame: Frame, declared: Declaration, key: str, *, plain: bool) -> None:
        """The word of an id without a prefix, which may have a second id; else of the names."""
        if plain:
            declared.words.add(relation_word(key))
            for value in frame.values("xref"):
                for other in read_words(value, 1).ids:
                    self._table.also(other, key)
        else:
            words = (relation_word(read_text(value).text) for value in frame.values("name"))
            declared.words.update(word for word in words if word)

    def problems(self, frame: Frame) -> Iterator[Record]:
        """What of a typedef became no trait."""
        for line in frame.lines:
            if line.tag in _CHAINS and len(read_words(line.value, 3).ids) != 2:
                text = f"{line.tag} of {quote(frame.values('id')[0])} is no chain of two relations: {quote(line.value)}"
                yield Finding(place=frame.at(line), kind=FindingKind.IGNORED, text=text)


def _inverse(declared: Declaration, _key: str, value: str) -> None:
    declared.inverses.update(read_words(value, 1).ids)


def _transitive_over(declared: Declaration, key: str, value: str) -> None:
    declared.chains.update((key, other) for other in read_words(value, 1).ids)


def _chain(declared: Declaration, _key: str, value: str) -> None:
    parts = read_words(value, 3).ids
    if len(parts) == 2:
        declared.chains.add((parts[0], parts[1]))


def _above(declared: Declaration, _key: str, value: str) -> None:
    declared.above.update(read_words(value, 1).ids)


_CHAINS: Final = ("holds_over_chain", "equivalent_to_chain")
_NOTED: Final[Mapping[str, Callable[[Declaration, str, str], None]]] = {
    "inverse_of": _inverse,
    "transitive_over": _transitive_over,
    "is_a": _above,
    **dict.fromkeys(_CHAINS, _chain),
}
