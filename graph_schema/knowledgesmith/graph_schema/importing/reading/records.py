"""What an importer yields: entities, relations, templates, facts and cases of benchmarks, each with its place.

Importers only translate a format; they do not look anything up, do not check traits and do not touch the database.
``staging`` collects their records on disk, so an importer's memory is bounded by one record of its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from knowledgesmith.graph_schema.importing.reading.findings import Finding, FindingKind
from knowledgesmith.graph_schema.types.cases import CaseChange, CaseProbe, CaseRecord, Place
from knowledgesmith.graph_schema.types.facts import Relation, Template

__all__ = (
    "CaseChange",
    "CaseProbe",
    "CaseRecord",
    "DeniedRecord",
    "EntityRecord",
    "FactRecord",
    "Finding",
    "FindingKind",
    "Place",
    "Record",
    "Rejection",
    "RelationRecord",
    "TemplateRecord",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRecord:
    """An entity. ``type`` empty = to be inferred from the relations, else ``Entity``.

    ``merge`` allows several records of one uid (benchmarks repeat their subjects): aliases are united, and of
    different names, types or domains the alphabetically first non-empty one stays, whatever the order of records.
    Without it a second record of a uid is rejected.
    """

    place: Place
    uid: str
    name: str
    type: str = ""
    domain: str = ""
    aliases: Sequence[str] = ()
    merge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRecord:
    """A declared relation with its traits and templates; relations that only facts name get no traits."""

    place: Place
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRecord:
    """One phrasing of a relation that is declared or named by a fact."""

    place: Place
    relation: str
    template: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRecord:
    """A fact between two entities, named by uid, or (``by_name``) by uid or else by a name that only one entity has.

    ``create_missing`` makes an entity of an unknown end (a target outside the file) and uses ``subject_name`` or
    ``object_name`` (else the uid) as its name; otherwise a fact with an unknown end is rejected.
    """

    place: Place
    subject: str
    relation: str
    object: str
    source: str = ""
    by_name: bool = False
    create_missing: bool = False
    subject_name: str = ""
    object_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedRecord:
    """A statement that its source labels false: it becomes no fact, is counted, and told where it is stated as true."""

    place: Place
    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A record that cannot be used, and why; good records around it are kept."""

    place: Place
    reason: str


Record: TypeAlias = (
    EntityRecord | RelationRecord | TemplateRecord | FactRecord | CaseRecord | DeniedRecord | Rejection | Finding
)
