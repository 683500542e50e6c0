"""The form of an archive: one ``.ksmith`` file that holds a graph and everything that stands on it.

It is a zip of JSON Lines and of files named by their digest, with ``manifest.json`` as its last member: the SHA-256,
size and number of rows of every other member, and the digests of graph, probe sets, plans and ledgers. Members have
fixed names in a fixed order and no times, so equal content gives equal bytes. Nothing in it is ever executed, no name
becomes a path, and no pickle has a place in it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledgesmith.graph_schema.errors import ArchiveRejected
from knowledgesmith.graph_schema.language.text_checks import MAX_UID, problem_with

FORMAT: Final = "knowledgesmith-archive"
VERSION: Final = 1
"""Version of the form; a reader refuses newer ones."""
MANIFEST: Final = "manifest.json"
TABLES: Final = (
    *("graph.jsonl", "relations.jsonl", "entities.jsonl", "facts.jsonl", "versions.jsonl"),
    *("cases.jsonl", "probe_sets.jsonl", "models.jsonl", "revisions.jsonl", "branches.jsonl"),
    *("interventions.jsonl", "probes.jsonl", "planned.jsonl", "ledger.jsonl"),
)
"""Members of rows, in the order in which they are loaded."""
GRAPH_TABLES: Final = TABLES[:6]
"""What belongs to the graph itself and may be loaded under another id."""
FILE_MEMBER: Final = re.compile(r"(probe_sets|artefacts)/([0-9a-f]{64})\.(parquet|json|safetensors)")
"""Members that are files named by a digest."""
MAX_LINE: Final = 16 * 1024 * 1024
MAX_MANIFEST: Final = 64 * 1024 * 1024
MAX_BYTES: Final = 256 * 1024**3
"""Bytes of an unpacked archive."""
MAX_RATIO: Final = 200
"""Most that a member of more than a mebibyte may shrink; rows of JSON shrink 5 to 30 times."""
NOT_CARRIED: Final = frozenset(
    {
        *("digest", "head_branch", "archive", "load_member", "load_rows", "deleting_at"),
        *("state", "import_owner", "import_expires", "import_counts"),
        *("heads_todo", "heads_after", "heads_failed", "counts", "counts_stamp"),
    }
)
"""Properties of a graph that are about the database it lies in; an archive neither says nor sets them."""
_TIME: Final = "$time"
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NAMES: Final = frozenset(
    {
        *("id", "graph_id", "branch_id", "model_id", "request_id", "intervention", "anchor", "uid", "relation"),
        *("fact_id", "revision_id", "base_revision", "state", "stamp", "name", "rel_type", "head_branch"),
    }
)
"""Properties that stand in an index, or name something: texts of bounded length."""


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Member(BaseModel):
    """One line of the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: Digest
    size: int = Field(ge=0)
    rows: int = Field(ge=0)


class Manifest(BaseModel):
    """What an archive holds; ``schema_version`` is that of the database it was written from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    version: int
    schema_version: int
    graph_id: str
    graph_digest: Digest
    members: tuple[Member, ...]
    probe_sets: Mapping[str, Digest]
    plans: Mapping[str, Digest]
    ledgers: Mapping[str, Digest]

    def dump(self) -> bytes:
        """Canonical JSON."""
        return json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=False, indent=1).encode()

    def rows(self, name: str) -> int:
        """Rows of a member."""
        return next((member.rows for member in self.members if member.name == name), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveInfo:
    """An archive that was written or checked."""

    graph_id: str
    graph_digest: str
    sha256: str
    """Digest of the manifest: two archives with the same one hold the same."""
    size: int
    rows: Mapping[str, int]


def parse_manifest(raw: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ArchiveRejected: it is no manifest, or of a newer release.
    """
    try:
        version = json.loads(raw).get("version")
    except (ValueError, AttributeError, RecursionError) as error:
        raise reject(MANIFEST, "is no JSON object") from error
    if isinstance(version, int) and version > VERSION:
        raise reject(MANIFEST, f"has the form {version}, this release knows {VERSION}", hint="Use the newer release.")
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise reject(MANIFEST, f"{place}: {first['msg']}") from error
    if manifest.format != FORMAT:
        raise reject(MANIFEST, f"is of another format: {manifest.format[:40]!r}")
    return manifest


def reject(member: str, problem: str, *, hint: str = "") -> ArchiveRejected:
    """The error that names a member of an archive and what is wrong with it."""
    return ArchiveRejected(
        f"the archive's member {member[:100]!r} {problem}",
        field="archive",
        hint=hint or "Nothing was loaded. Export the graph again.",
        metadata={"member": member[:100]},
    )


def dump_line(value: object) -> bytes:
    """One row as canonical JSON, with its line feed.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False)
    return text.encode() + b"\n"


def _plain(value: Any) -> object:
    """Times of the database as text; nothing else needs a form of its own."""
    if hasattr(value, "iso_format"):
        return {_TIME: value.iso_format()}
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    raise TypeError(f"a property of type {type(value).__name__} cannot be written")


def properties(value: object, place: str) -> dict[str, Any]:
    """Properties of a node or a relationship as they are stored, times included.

    Raises:
        ArchiveRejected: a value is none that a property can have.
    """
    if not isinstance(value, dict):
        raise reject(place, "has a row without properties")
    for key in value:
        if not _KEY.fullmatch(key):
            raise reject(place, f"has a property that no release writes: {key!a:.60}")
        if key.endswith("_at") and not (value[key] is None or isinstance(value[key], dict)):
            raise reject(place, f"has a time that is none: {key:.60}")
        if key in _NAMES and value[key] is not None and not _is_name(value[key]):
            raise reject(place, f"has an id that is none: {key:.60}")
    return {str(key): _property(item, f"{place}: {key!s:.60}") for key, item in value.items()}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and not problem_with(value, limit=MAX_UID, empty=True)


def _property(value: object, place: str) -> object:
    if isinstance(value, dict):
        text = value.get(_TIME)
        if len(value) != 1 or not isinstance(text, str):
            raise reject(place, "is an object")
        try:
            return datetime.fromisoformat(text)
        except ValueError as error:
            raise reject(place, f"is no time: {text[:40]!r}") from error
    if isinstance(value, list):
        if any(isinstance(item, (list, dict)) or item is None for item in value):
            raise reject(place, "is a list of lists")
        if len({type(item) for item in value}) > 1:
            raise reject(place, "is a list of values of several types")
        return [_property(item, place) for item in value]
    if isinstance(value, str) and _SURROGATE.search(value):
        raise reject(place, "holds half a character")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise reject(place, "has more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise reject(place, "is not a finite number")
    return value
