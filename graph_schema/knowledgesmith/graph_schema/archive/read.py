"""Reads archives from outside: everything is checked before anything is used, and nothing is believed."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from knowledgesmith.graph_schema.archive.format import (
    FILE_MEMBER,
    MANIFEST,
    MAX_BYTES,
    MAX_LINE,
    MAX_MANIFEST,
    MAX_RATIO,
    TABLES,
    ArchiveInfo,
    Manifest,
    Member,
    parse_manifest,
    properties,
    reject,
)
from knowledgesmith.graph_schema.catalogue.accepted_traits import parse_accepted
from knowledgesmith.graph_schema.catalogue.corrected_wordings import parse_corrections
from knowledgesmith.graph_schema.catalogue.relations import from_properties, inspect_catalogue
from knowledgesmith.graph_schema.errors import IllegalState
from knowledgesmith.graph_schema.graphs import paging
from knowledgesmith.graph_schema.importing.staging.relations import MAX_RELATIONS, MAX_TEMPLATES
from knowledgesmith.graph_schema.language.text_checks import GRAPH_ID, MAX_NAME, MAX_UID, MAX_WORD, problem_with
from knowledgesmith.graph_schema.storage.migrations import migrations
from knowledgesmith.graph_schema.types.facts import Fact, Relation

_CHUNK: Final = 1 << 20
_SMALL: Final = 1 << 20
_MAX_TEMPLATES: Final = MAX_TEMPLATES * (2 * MAX_NAME)
"""Characters of the templates of a relation: all that an import takes, with their JSON around."""
_MAX_CATALOGUE: Final = 256 << 20
"""Bytes of the catalogue, which is held in memory; 10,000 relations with ten templates each have 20 MB."""
_MAX_ROWS: Final = 1_000_000
"""Rows of members whose ids are held in memory."""
Sized = tuple[int, Any]
"""A row's size in bytes, and the row."""
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


@dataclass(slots=True)
class Archive:
    """An archive whose names, sizes and manifest are in order; ``verify`` checks the content.

    Use it in a ``with`` block.

    Raises:
        ArchiveRejected: a member or the file as a whole is not what it should be.
    """

    path: Path
    manifest: Manifest
    sha256: str
    _file: zipfile.ZipFile
    _catalogue: dict[str, Relation] | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an archive and check everything that needs no unpacking."""
        try:
            file = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise reject(path.name, "is no archive, or a part of one") from error
        try:
            infos = _checked_infos(file)
            raw = _read_small(file, MANIFEST)
            manifest = parse_manifest(raw)
            _check_manifest(manifest, infos)
        except BaseException:
            file.close()
            raise
        return cls(path, manifest, hashlib.sha256(raw).hexdigest(), file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def info(self) -> ArchiveInfo:
        """What it says about itself."""
        return ArchiveInfo(
            graph_id=self.manifest.graph_id,
            graph_digest=self.manifest.graph_digest,
            sha256=self.sha256,
            size=self.path.stat().st_size,
            rows={member.name: member.rows for member in self.manifest.members},
        )

    def rows(self, name: str) -> Iterator[Any]:
        """The rows of a member; its size and digest are checked on the way."""
        for _, row in self.sized(name):
            yield row

    def sized(self, name: str) -> Iterator[Sized]:
        """The rows of a member with their sizes in bytes."""
        member = self._member(name)
        count = 0
        with self._stream(member) as stream:
            while line := stream.readline(MAX_LINE + 1):
                count += 1
                if len(line) > MAX_LINE:
                    raise reject(name, f"has a row of more than {MAX_LINE} bytes")
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise reject(name, f"has no JSON in row {count}") from error
                yield len(line), row
            stream.finish()
        if count != member.rows:
            raise reject(name, f"has {count} rows, the manifest says {member.rows}")

    def unpack(self, name: str, target: Path) -> None:
        """Write a member that is a file; ``target`` appears when it is whole."""
        scratch = target.with_name(f".{target.name}.tmp")
        try:
            with self._stream(self._member(name)) as stream, scratch.open("wb") as out:
                while block := stream.read(_CHUNK):
                    out.write(block)
                stream.finish()
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)

    def files(self, folder: str) -> list[str]:
        """Members that are files of a folder."""
        return [member.name for member in self.manifest.members if member.name.startswith(f"{folder}/")]

    def catalogue(self) -> dict[str, Relation]:
        """The checked relation catalogue.

        Raises:
            ArchiveRejected: it is no catalogue that an import would accept.
        """
        if self._catalogue is None:
            self._catalogue = self._read_catalogue()
        return self._catalogue

    def _read_catalogue(self) -> dict[str, Relation]:
        try:
            relations: list[Relation] = []
            for row in self.rows("relations.jsonl"):
                if len(relations) == MAX_RELATIONS:
                    raise reject("relations.jsonl", f"has more than {MAX_RELATIONS} relations")
                relations.append(from_properties(_relation(row)))
            catalogue, problems = inspect_catalogue(relations)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise reject("relations.jsonl", "holds a row that is no relation") from error
        if problems:
            raise reject("relations.jsonl", f"has a relation {problems[0].relation[:60]!r} that {problems[0].problem}")
        return {name: catalogue[name] for name in sorted(catalogue)}

    def facts(self) -> Iterator[Fact]:
        """The asserted facts by (subject, relation, object)."""
        for row in self.rows("facts.jsonl"):
            if not (isinstance(row, list) and len(row) == 4 and all(isinstance(part, str) for part in row)):
                raise reject("facts.jsonl", "has a row that is no fact")
            if problem := problem_with(row[3], limit=MAX_NAME, empty=True):
                raise reject("facts.jsonl", f"has a fact whose source {problem}")
            yield Fact(subject=row[0], relation=row[1], object=row[2], source=row[3])

    def entities(self) -> Iterator[paging.EntityRow]:
        """The entities by uid."""
        last = ""
        for row in self.rows("entities.jsonl"):
            if not _is_entity(row):
                raise reject("entities.jsonl", "has a row that is no entity")
            if row[0] <= last:
                raise reject("entities.jsonl", "is not in the order of uids")
            last = row[0]
            yield paging.EntityRow(
                uid=row[0], name=row[1], type=row[2], domain=row[3], aliases=tuple(row[4]), retired=row[5]
            )

    def verify(self) -> None:
        """Read every member once and check sizes, digests, rows, the catalogue and the digest of the facts.

        Raises:
            ArchiveRejected: with the member that is wrong.
        """
        self._verify_graph()
        self._verify_facts(self.catalogue())
        for _ in self.entities():
            pass
        for member in self.manifest.members:
            if member.name not in {"relations.jsonl", "entities.jsonl", "facts.jsonl"}:
                self._verify_member(member)

    def _verify_graph(self) -> None:
        rows = [properties(row, "graph.jsonl") for row in islice(self.rows("graph.jsonl"), 2)]
        if len(rows) != 1:
            raise reject("graph.jsonl", "does not describe one graph")
        traits, imports = rows[0].get("accepted_traits"), rows[0].get("imports", 0)
        if type(imports) is not int or not isinstance(rows[0].get("source", ""), str):
            raise reject("graph.jsonl", "has a property of another type")
        try:
            if traits is not None and not isinstance(traits, list):
                raise reject("graph.jsonl", "has accepted traits that are no list")
            parse_accepted(traits)
            parse_corrections(rows[0].get("corrected_wordings"))
        except IllegalState as error:
            raise reject("graph.jsonl", "has an accepted trait or a corrected wording that is none") from error

    def _verify_facts(self, catalogue: Mapping[str, Relation]) -> None:
        digest = paging.FactsDigest()
        last: tuple[str, str, str] | None = None
        try:
            for fact in self.facts():
                if fact.relation not in catalogue:
                    raise reject("facts.jsonl", f"names a relation that the catalogue lacks: {fact.relation[:60]!r}")
                if fact.key == last:
                    raise reject("facts.jsonl", f"states a fact twice: {' '.join(fact.key)!a:.100}")
                last = fact.key
                digest.add(fact.key)
        except ValueError as error:
            raise reject("facts.jsonl", "is not in order") from error
        if digest.hexdigest() != self.manifest.graph_digest:
            raise reject("facts.jsonl", "does not give the graph's digest")

    def _verify_member(self, member: Member) -> None:
        if member.name in TABLES:
            for _ in self.rows(member.name):
                pass
            return
        with self._stream(member) as stream:
            while stream.read(_CHUNK):
                pass
            stream.finish()

    def _member(self, name: str) -> Member:
        return next(member for member in self.manifest.members if member.name == name)

    def _stream(self, member: Member) -> _Checked:
        return _Checked(self._file, member)


class _Checked:
    """A member as a stream that never gives more bytes than the manifest allows, and knows whether they were right."""

    def __init__(self, file: zipfile.ZipFile, member: Member) -> None:
        self._member = member
        self._digest = hashlib.sha256()
        self._left = member.size
        self._stream: IO[bytes] = file.open(member.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes."""
        return self._take(lambda: self._stream.read(size))

    def readline(self, size: int) -> bytes:
        """At most ``size`` bytes of a line."""
        return self._take(lambda: self._stream.readline(size))

    def _take(self, read: Any) -> bytes:
        try:
            block: bytes = read()
        except _BROKEN as error:
            raise reject(self._member.name, "is cut off or damaged") from error
        self._left -= len(block)
        if self._left < 0:
            raise reject(self._member.name, "is longer than the manifest says")
        self._digest.update(block)
        return block

    def finish(self) -> None:
        """Check what can only be known at the end."""
        if self._left:
            raise reject(self._member.name, "is shorter than the manifest says")
        if self._digest.hexdigest() != self._member.sha256:
            raise reject(self._member.name, "does not have the digest that the manifest says")


def _relation(row: Any) -> Any:
    """A row of the catalogue whose values have the types of an import's.

    Raises:
        ValueError: they have not.
    """
    flags = ("functional", "inverse_functional", "symmetric", "transitive", "hierarchical")
    parts = row["composed_of"]
    typed = (
        all(isinstance(row[key], bool) for key in flags)
        and all(isinstance(row[key], str) for key in ("name", "rel_type", "domain_type", "range_type", "templates"))
        and row["rel_type"] != ""
        and isinstance(row["inverse_of"], str | None)
        and isinstance(parts, list)
        and all(isinstance(part, str) for part in parts)
        and all(_texts(row.get(key, [])) for key in ("compositions", "sub_of"))  # earlier archives have none
        and isinstance(row.get("either_way"), bool | None)
    )
    if not typed:
        raise ValueError("a property of another type")
    if len(row["templates"]) > _MAX_TEMPLATES:
        raise ValueError("too many templates")
    return row


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in cast("list[object]", value))


def _is_entity(row: object) -> bool:
    if not isinstance(row, list) or len(row) != 6:
        return False
    texts = row[:4]
    return (
        all(isinstance(text, str) for text in texts)
        and not problem_with(row[0], limit=MAX_UID)
        and not problem_with(row[1], limit=MAX_NAME)
        and not problem_with(row[2], limit=MAX_WORD, empty=True)
        and not problem_with(row[3], limit=MAX_WORD, empty=True)
        and isinstance(row[4], list)
        and all(isinstance(alias, str) and not problem_with(alias, limit=MAX_NAME, empty=True) for alias in row[4])
        and isinstance(row[5], bool)
    )


def _checked_infos(file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in file.infolist():
        name = info.filename
        if name not in {MANIFEST, *TABLES} and not FILE_MEMBER.fullmatch(name):
            raise reject(name, "has no place in an archive")
        if name in infos:
            raise reject(name, "stands twice")
        if info.flag_bits & 1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise reject(name, "is encrypted, or packed in a way that archives are not")
        if info.file_size > _SMALL and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise reject(name, f"shrinks more than {MAX_RATIO} times")
        infos[name] = info
    if sum(info.file_size for info in infos.values()) > MAX_BYTES:
        raise reject(MANIFEST, f"stands beside members of more than {MAX_BYTES} bytes")
    for name in (MANIFEST, *TABLES):
        if name not in infos:
            raise reject(name, "is missing")
    return infos


def _read_small(file: zipfile.ZipFile, name: str) -> bytes:
    try:
        with file.open(name) as stream:
            raw = stream.read(MAX_MANIFEST + 1)
    except _BROKEN as error:
        raise reject(name, "is cut off or damaged") from error
    if len(raw) > MAX_MANIFEST:
        raise reject(name, f"has more than {MAX_MANIFEST} bytes")
    return raw


def _check_manifest(manifest: Manifest, infos: dict[str, zipfile.ZipInfo]) -> None:
    newest = migrations()[-1].version
    if manifest.schema_version > newest:
        raise reject(
            MANIFEST,
            f"is of schema version {manifest.schema_version}, this release knows {newest}",
            hint="Install the newer release of KnowledgeSmith.",
        )
    if not GRAPH_ID.fullmatch(manifest.graph_id):
        raise reject(MANIFEST, f"names no graph: {manifest.graph_id[:60]!r}")
    named = [member.name for member in manifest.members]
    if len(set(named)) != len(named):
        raise reject(MANIFEST, "names a member twice")
    for name in set(named) ^ (set(infos) - {MANIFEST}):
        raise reject(name, "stands in the archive or in its manifest, but not in both")
    for name in ("models.jsonl", "revisions.jsonl", "branches.jsonl", "interventions.jsonl", "probe_sets.jsonl"):
        if manifest.rows(name) > _MAX_ROWS:
            raise reject(name, f"has more than {_MAX_ROWS} rows")
    if infos["relations.jsonl"].file_size > _MAX_CATALOGUE:
        raise reject("relations.jsonl", f"has more than {_MAX_CATALOGUE} bytes")
    for member in manifest.members:
        if infos[member.name].file_size != member.size:
            raise reject(member.name, "has not the size that the manifest says")
