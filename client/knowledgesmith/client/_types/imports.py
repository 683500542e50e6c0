"""What goes into an import and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from knowledgesmith.v1 import graph_pb2

from .graphs import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFile:
    """One file to upload.

    Attributes:
        path: where it lies.
        role: what it holds, where its name does not tell (``entities``, ``relations``, ``facts``, ``templates`` …).
        name: what the server calls it; empty = the file's own name.
    """

    path: Path
    role: str = ""
    name: str = ""

    @property
    def shown_name(self) -> str:
        """The name that is sent."""
        return self.name or self.path.name

    @classmethod
    def below(cls, path: Path | str) -> Iterator[Self]:
        """The file itself, or every file below a folder in sorted order, named by its way from the folder.

        Hidden files and links that lead out of the folder are left out.
        """
        root = Path(path)
        if not root.is_dir():
            yield cls(path=root)
            return
        for file in sorted(root.rglob("*"), key=lambda found: found.relative_to(root).as_posix()):
            inner = file.relative_to(root)
            hidden = any(part.startswith(".") for part in inner.parts)
            if file.is_file() and not hidden and file.resolve().is_relative_to(root.resolve()):
                yield cls(path=file, name=f"{root.name}/{inner.as_posix()}" if root.name else inner.as_posix())


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import is: bytes, records or rows ``done`` of a ``stage``, ``seconds`` since the call began."""

    stage: str
    done: int
    seconds: float

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportProgress) -> Self:
        """Read the wire's message."""
        return cls(stage=message.stage, done=message.done, seconds=message.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRejection:
    """A record that could not be used: file, line or number from 1 (0 = the whole file), what is wrong."""

    file: str
    record: int
    reason: str

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportRejection) -> Self:
        """Read the wire's message."""
        return cls(file=message.file, record=message.record, reason=message.reason)

    def __str__(self) -> str:
        """``file:record: reason``."""
        place = f"{self.file}:{self.record}" if self.record else self.file
        return f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFinding:
    """One thing that an import found: file, line or number from 1 (0 = the whole file), what, for how many."""

    file: str
    record: int
    text: str
    count: int

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportFinding) -> Self:
        """Read the wire's message."""
        return cls(file=message.file, record=message.record, text=message.text, count=message.count)

    def __str__(self) -> str:
        """``file:record: text``."""
        place = f"{self.file}:{self.record}" if self.record else self.file
        return f"{place}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFindings:
    """One kind of thing that an import found (merged, named by id, cyclic, doubled …); it rejected nothing.

    ``meaning`` is the kind in words, ``count`` how many records, entities or facts, ``examples`` the first by place.
    """

    kind: str
    meaning: str
    count: int
    examples: tuple[ImportFinding, ...]

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportFindings) -> Self:
        """Read the wire's message."""
        return cls(
            kind=message.kind,
            meaning=message.meaning,
            count=message.count,
            examples=tuple(map(ImportFinding.from_proto, message.examples)),
        )


Key = tuple[str, str, str]
"""Subject uid, relation, object uid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportExamples:
    """The first ones of each sort of difference, at most 20: uids of entities, keys of facts."""

    entities_created: tuple[str, ...] = ()
    entities_changed: tuple[str, ...] = ()
    entities_retired: tuple[str, ...] = ()
    facts_created: tuple[Key, ...] = ()
    facts_removed: tuple[Key, ...] = ()

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportExamples) -> Self:
        """Read the wire's message."""
        return cls(
            entities_created=tuple(message.entities_created),
            entities_changed=tuple(message.entities_changed),
            entities_retired=tuple(message.entities_retired),
            facts_created=tuple((fact.subject, fact.relation, fact.object) for fact in message.facts_created),
            facts_removed=tuple((fact.subject, fact.relation, fact.object) for fact in message.facts_removed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or would do.

    ``reasons`` counts rejected records by reason, values left out; ``rejections`` are the first hundred. ``seconds``
    and ``stage_seconds`` are the server's time; ``version`` is the graph's, 0 for a dry run. ``traits_accepted`` counts
    accepted traits that hold on; ``traits_left_out`` names those that do not fit the files any more. ``findings`` says
    by kind what was merged, named by id, cyclic, doubled, contradictory or taken from a default.
    """

    entities_created: int
    entities_matched: int
    entities_retired: int
    facts_created: int
    facts_matched: int
    facts_removed: int
    relations: int
    seconds: float
    digest: str
    version: int
    records: int
    rejected: int
    entities_changed: int
    cases: int
    reasons: Mapping[str, int]
    rejections: tuple[ImportRejection, ...]
    examples: ImportExamples
    stage_seconds: Mapping[str, float]
    traits_accepted: int = 0
    traits_left_out: tuple[str, ...] = ()
    findings: tuple[ImportFindings, ...] = ()

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportReport) -> Self:
        """Read the wire's message."""
        return cls(
            entities_created=message.entities_created,
            entities_matched=message.entities_matched,
            entities_retired=message.entities_retired,
            facts_created=message.facts_created,
            facts_matched=message.facts_matched,
            facts_removed=message.facts_removed,
            relations=message.relations,
            seconds=message.seconds,
            digest=message.digest,
            version=message.version,
            records=message.records,
            rejected=message.rejected,
            entities_changed=message.entities_changed,
            cases=message.cases,
            reasons=dict(message.reasons),
            rejections=tuple(map(ImportRejection.from_proto, message.rejections)),
            examples=ImportExamples.from_proto(message.examples),
            stage_seconds=dict(message.stage_seconds),
            traits_accepted=message.traits_accepted,
            traits_left_out=tuple(message.traits_left_out),
            findings=tuple(map(ImportFindings.from_proto, message.findings)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The graph after an import (empty after a dry run), and what the import did."""

    graph: Graph
    report: ImportReport

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportResult | graph_pb2.ImportBundledGraphResponse) -> Self:
        """Read the wire's message."""
        return cls(graph=Graph.from_proto(message.graph), report=ImportReport.from_proto(message.report))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImporterOption:
    """An option of an importer: JSON schema of its values, default (``None`` where ``required``), one line about it."""

    name: str
    schema: Mapping[str, Any]
    default: object
    required: bool
    description: str

    @classmethod
    def from_proto(cls, message: graph_pb2.ImporterOption) -> Self:
        """Read the wire's message."""
        return cls(
            name=message.name,
            schema=json.loads(message.schema_json or "{}"),
            default=json.loads(message.default_json) if message.default_json else None,
            required=not message.default_json,
            description=message.description,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """A format that can be imported; ``endings`` is empty where it must be named."""

    name: str
    summary: str
    endings: tuple[str, ...]
    options: tuple[ImporterOption, ...]

    @classmethod
    def from_proto(cls, message: graph_pb2.Importer) -> Self:
        """Read the wire's message."""
        return cls(
            name=message.name,
            summary=message.summary,
            endings=tuple(message.endings),
            options=tuple(map(ImporterOption.from_proto, message.options)),
        )

    @classmethod
    def from_listing(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``python -m knowledgesmith.graph_schema.importing.listing`` prints, which needs no server."""
        options = [graph_pb2.ImporterOption(**option) for option in values["options"]]
        return cls.from_proto(
            graph_pb2.Importer(
                name=values["name"], summary=values["summary"], endings=values["endings"], options=options
            )
        )
