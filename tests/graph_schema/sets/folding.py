"""Folds the records of an importer in memory, so that readers are tested without a database."""

from __future__ import annotations

import gzip
import io
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from knowledgesmith.graph_schema.catalogue.relations import inspect_catalogue
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import (
    CaseRecord,
    DeniedRecord,
    EntityRecord,
    FactRecord,
    Finding,
    Rejection,
    RelationRecord,
    TemplateRecord,
)
from knowledgesmith.graph_schema.importing.registry import load_importer
from knowledgesmith.graph_schema.types.facts import Form, Relation, Split, Template

SHARED = Path(__file__).parents[4] / "shared" / "data"


@dataclass
class Folded:
    """What the records say, in the simplest form."""

    entities: dict[str, EntityRecord] = field(default_factory=dict[str, EntityRecord])
    facts: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    relations: dict[str, Relation] = field(default_factory=dict[str, Relation])
    templates: defaultdict[str, list[Template]] = field(default_factory=lambda: defaultdict(list))
    cases: dict[str, CaseRecord] = field(default_factory=dict[str, CaseRecord])
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    findings: list[Finding] = field(default_factory=list[Finding])
    denied: int = 0

    def names(self, *uids: str) -> list[str]:
        return [self.entities[uid].name for uid in uids]

    def reasons(self) -> list[str]:
        return [f"{rejection.place}: {rejection.reason}" for rejection in self.rejections]

    def texts(self, relation: str, split: Split, form: Form = Form.CLOZE) -> list[str]:
        declared = self.relations[relation].templates
        found = (*declared, *self.templates[relation])
        return [t.text for t in found if (t.split, t.form) == (split, form)]

    def check(self) -> None:
        """What every reader owes: known ends, one declaration a relation, a catalogue that is accepted."""
        given = [
            Relation(
                name=name,
                rel_type="",
                domain_type=relation.domain_type,
                range_type=relation.range_type,
                traits=relation.traits,
                templates=(*relation.templates, *self.templates[name]),
            )
            for name, relation in self.relations.items()
        ]
        _, problems = inspect_catalogue(given)
        assert not problems, problems[:3]
        known = {"", *self.entities}
        for case in self.cases.values():
            for change in (change for changes in case.rounds for change in changes):
                assert change.subject in self.entities
                assert {change.old_object, change.new_object} <= known
                assert change.relation in self.relations
            assert all(probe.stem for probe in case.probes)


def fold(
    name: str,
    files: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    roles: Mapping[str, str] | None = None,
) -> Folded:
    """Read files by an importer; a value is bytes, text, or anything that becomes JSON."""
    importer = load_importer(name)
    given = [
        InputFile(name=file, content=io.BytesIO(_bytes(content)), role=(roles or {}).get(file, ""))
        for file, content in files.items()
    ]
    folded = Folded()
    for record in importer.read(given, importer.options.model_validate(dict(options or {}))):
        if isinstance(record, EntityRecord):
            assert record.merge or record.uid not in folded.entities
            folded.entities.setdefault(record.uid, record)
        elif isinstance(record, FactRecord):
            folded.facts.add((record.subject, record.relation, record.object))
        elif isinstance(record, RelationRecord):
            assert record.relation.name not in folded.relations
            folded.relations[record.relation.name] = record.relation
        elif isinstance(record, TemplateRecord):
            folded.templates[record.relation].append(record.template)
        elif isinstance(record, CaseRecord):
            assert record.id not in folded.cases
            folded.cases[record.id] = record
        elif isinstance(record, Finding):
            folded.findings.append(record)
        elif isinstance(record, DeniedRecord):
            folded.denied += 1
        else:
            folded.rejections.append(record)
    return folded


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def shared(*patterns: str) -> dict[str, bytes]:
    """The files below the shared folder that fit, unpacked; skips the test loudly where the folder is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared data at {SHARED}")
    paths = [path for pattern in patterns for path in sorted(SHARED.glob(pattern)) if path.is_file()]
    assert paths, patterns
    return {
        path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in paths
    }
