"""Records of one entity or fact: texts are cleaned and checked, and what is too long is named and left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, readable
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import EntityRecord, FactRecord, Place, Record, Rejection
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, MAX_WORD, problem_with

IS_A: Final = "is_a"
"""Name of the relation from a class to a wider one, in every notation."""
EQUIVALENT: Final = "equivalent_to"
DISJOINT: Final = "disjoint_from"
SYMMETRIC: Final = frozenset({EQUIVALENT, DISJOINT})
"""Relations whose facts are written with the smaller uid first, so that every notation gives the same fact."""

_REMEMBERED: Final = 50_000


def name_from(uid: str) -> str:
    """A readable name from a uid; empty when it would be the uid."""
    name = readable(uid)
    return "" if name == uid else name


class Literals:
    """Entities of type ``Literal``, each only once as far as a bounded memory reaches."""

    def __init__(self) -> None:
        self._recent: set[str] = set()

    def record(self, place: Place, uid: str, text: str) -> Iterator[Record]:
        """The literal's entity, unless it was there lately."""
        if uid in self._recent:
            return
        if len(self._recent) == _REMEMBERED:
            self._recent.clear()
        self._recent.add(uid)
        yield EntityRecord(place=place, uid=uid, name=text, type="Literal", merge=True)


def fact_record(place: Place, subject: str, relation: str, obj: str, *, object_name: str) -> FactRecord:
    """A fact whose object need not be described in the files."""
    if relation in SYMMETRIC and obj < subject:
        return FactRecord(
            place=place, subject=obj, relation=relation, object=subject, create_missing=True, subject_name=object_name
        )
    return FactRecord(
        place=place, subject=subject, relation=relation, object=obj, create_missing=True, object_name=object_name
    )


def entity_records(
    *,
    place: Place,
    uid: str,
    name: str,
    type_: str = "",
    domain: str = "",
    aliases: Iterable[str] = (),
    merge: bool = True,
) -> Iterator[Record]:
    """The entity, after a rejection for each of its texts that cannot be used.

    An entity without a usable name gets one from its uid; none where that is the uid itself, so that another file's
    name counts.
    """
    kept: dict[str, None] = {}
    label = clean(name)
    if label and (problem := problem_with(label, limit=MAX_NAME)):
        yield Rejection(place=place, reason=f"the name of {quote(uid)} {problem}; its id is used instead")
        label = ""
    label = label or name_from(uid)
    for text in sorted(map(clean, aliases)):
        if problem := problem_with(text, limit=MAX_NAME, empty=True):
            yield Rejection(place=place, reason=f"an alias of {quote(uid)} {problem}")
        elif text and text != label:
            kept[text] = None
    for word, what in ((type_, "type"), (domain, "domain")):
        if problem := problem_with(word, limit=MAX_WORD, empty=True):
            yield Rejection(place=place, reason=f"the {what} of {quote(uid)} {problem}")
    yield EntityRecord(
        place=place,
        uid=uid,
        name=label,
        type="" if problem_with(type_, limit=MAX_WORD, empty=True) else type_,
        domain="" if problem_with(domain, limit=MAX_WORD, empty=True) else domain,
        aliases=tuple(kept),
        merge=merge,
    )
