"""What goes into an import and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from knowledgesmith.client._wire.fill import absent

from .enums import FileRole
from .graphs import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFile:
    """One file to upload.

    Attributes:
        path: where it lies.
        role: what it holds, where its name does not tell.
        name: what the server calls it; empty = the file's own name.
    """

    path: Path
    role: FileRole = FileRole.UNSPECIFIED
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
class ImportRejection:
    """A record that could not be used: file, line or number from 1 (0 = the whole file), what is wrong."""

    file: str
    record: int
    reason: str

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FactName:
    """A fact by its uids."""

    subject_uid: str
    relation: str
    object_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportExamples:
    """The first ones of each sort of difference, at most 20: uids of entities, names of facts."""

    entities_created: tuple[str, ...] = ()
    entities_changed: tuple[str, ...] = ()
    entities_retired: tuple[str, ...] = ()
    facts_created: tuple[FactName, ...] = ()
    facts_removed: tuple[FactName, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The graph after an import (``None`` after a dry run), and what the import did."""

    graph: Graph | None
    report: ImportReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ImporterOption:
    """An option of an importer: JSON schema of its values, default (``None`` where ``required``), one line about it."""

    name: str
    schema: Mapping[str, Any]
    default: Any
    description: str
    required: bool = field(metadata=absent("default"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """A format that can be imported; ``endings`` is empty where it must be named."""

    name: str
    summary: str
    endings: tuple[str, ...]
    options: tuple[ImporterOption, ...]

    @classmethod
    def from_listing(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``python -m knowledgesmith.graph_schema.importing.listing`` prints, which needs no server."""
        options = tuple(
            ImporterOption(
                name=option["name"],
                schema=json.loads(option["schema_json"] or "{}"),
                default=json.loads(option["default_json"]) if option["default_json"] else None,
                description=option["description"],
                required=not option["default_json"],
            )
            for option in values["options"]
        )
        return cls(name=values["name"], summary=values["summary"], endings=tuple(values["endings"]), options=options)
