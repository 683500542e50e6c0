"""Folds records into plain tables, so that readers can be compared without a database."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from knowledgesmith.graph_schema.catalogue.relations import inspect_catalogue
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import (
    EntityRecord,
    FactRecord,
    Finding,
    Record,
    Rejection,
    RelationRecord,
)
from knowledgesmith.graph_schema.importing.registry import load_importer
from knowledgesmith.graph_schema.types.digests import graph_digest
from knowledgesmith.graph_schema.types.facts import Relation


@dataclass
class Folded:
    """What the records of one import come to."""

    entities: dict[str, EntityRecord] = field(default_factory=dict[str, EntityRecord])
    made: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    relations: dict[str, Relation] = field(default_factory=dict[str, Relation])
    facts: dict[tuple[str, str, str], FactRecord] = field(default_factory=dict[tuple[str, str, str], FactRecord])
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def digest(self) -> str:
        return graph_digest(self.facts)

    @property
    def uids(self) -> set[str]:
        return set(self.entities) | set(self.made)

    @property
    def names(self) -> dict[str, str]:
        return {uid: record.name or uid for uid, record in self.entities.items()}

    def count(self, relation: str) -> int:
        return sum(1 for key in self.facts if key[1] == relation)

    @property
    def reasons(self) -> list[str]:
        return [f"{rejection.place}: {rejection.reason}" for rejection in self.rejections]


def fold(records: Iterable[Record]) -> Folded:
    """Fold records, and check what every importer owes: good catalogue, no fact end that nobody makes."""
    folded = Folded()
    for record in records:
        if isinstance(record, EntityRecord):
            assert record.uid not in folded.entities or record.merge
            folded.entities[record.uid] = record
        elif isinstance(record, RelationRecord):
            assert record.relation.name not in folded.relations
            folded.relations[record.relation.name] = record.relation
        elif isinstance(record, FactRecord):
            folded.facts[record.subject, record.relation, record.object] = record
        elif isinstance(record, Rejection):
            folded.rejections.append(record)
        elif isinstance(record, Finding):
            folded.findings.append(record)
    for fact in folded.facts.values():
        for uid, name in ((fact.subject, fact.subject_name), (fact.object, fact.object_name)):
            if uid not in folded.entities:
                assert fact.create_missing, fact
                folded.made.setdefault(uid, set()).add(name)
    named = {key[1] for key in folded.facts}
    relations = [*folded.relations.values()]
    relations += [Relation(name=name, rel_type="") for name in named - set(folded.relations)]
    assert inspect_catalogue(relations)[1] == []
    return folded


def read(name: str, /, *files: tuple[str, bytes | str], **options: Any) -> Folded:
    """Records of files given as (name, content), folded."""
    importer = load_importer(name)
    inputs = [
        InputFile(name=file, content=io.BytesIO(content.encode() if isinstance(content, str) else content))
        for file, content in files
    ]
    return fold(importer.read(inputs, importer.options(**options)))
