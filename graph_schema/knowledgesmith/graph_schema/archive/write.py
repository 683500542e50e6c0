"""Writes a graph and everything that stands on it into one archive, page by page: memory holds one page."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from knowledgesmith.graph_schema.archive.format import (
    FORMAT,
    MANIFEST,
    NOT_CARRIED,
    TABLES,
    VERSION,
    ArchiveInfo,
    Manifest,
    Member,
    dump_line,
)
from knowledgesmith.graph_schema.archive.ledger_digest import ledger_rows
from knowledgesmith.graph_schema.catalogue.relations import from_properties
from knowledgesmith.graph_schema.errors import Aborted, FailedPrecondition, GraphNotFound, IllegalState
from knowledgesmith.graph_schema.graphs import paging
from knowledgesmith.graph_schema.graphs.reading import require_graph, stamp_of
from knowledgesmith.graph_schema.interventions.steps import LIVE
from knowledgesmith.graph_schema.language.text_checks import DIGEST
from knowledgesmith.graph_schema.maintenance.deletion import Folders
from knowledgesmith.graph_schema.storage.migrations import migrations
from knowledgesmith.graph_schema.storage.store import GraphStore

_PAGE: Final = 2_000
_RUNS: Final = 100
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK: Final = 1 << 20
_LIVE: Final = [state.value for state in LIVE]


@dataclass(slots=True)
class _Writer:
    """The zip under way, and what its manifest will say."""

    file: zipfile.ZipFile
    members: list[Member] = field(default_factory=list[Member])

    def lines(self, name: str, rows: Iterable[object]) -> None:
        """A member of rows."""
        digest, size, count = hashlib.sha256(), 0, 0
        with self._open(name, zipfile.ZIP_DEFLATED) as out:
            for row in rows:
                line = dump_line(row)
                digest.update(line)
                size += len(line)
                count += 1
                out.write(line)
        self.members.append(Member(name=name, sha256=digest.hexdigest(), size=size, rows=count))

    def copy(self, name: str, path: Path) -> None:
        """A member that is a file; it is packed already."""
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, self._open(name, zipfile.ZIP_STORED) as out:
            while block := source.read(_CHUNK):
                digest.update(block)
                size += len(block)
                out.write(block)
        self.members.append(Member(name=name, sha256=digest.hexdigest(), size=size, rows=0))

    def manifest(self, manifest: Manifest) -> None:
        """The last member."""
        with self._open(MANIFEST, zipfile.ZIP_DEFLATED) as out:
            out.write(manifest.dump())

    def _open(self, name: str, method: int) -> IO[bytes]:
        info = zipfile.ZipInfo(name, date_time=_TIME)
        info.compress_type = method
        return self.file.open(info, "w", force_zip64=True)


def export_graph(
    store: GraphStore, graph_id: str, target: Path, *, folders: Folders, with_artefacts: bool = False
) -> ArchiveInfo:
    """Write the archive of a graph; ``target`` appears when it is complete.

    Args:
        store: the database.
        graph_id: the graph.
        target: the file to write.
        folders: where the files of probe sets and artefacts lie.
        with_artefacts: put the weights that its revisions need into it too.

    Raises:
        GraphNotFound: there is no graph of this id.
        IllegalState: an intervention runs, waits or awaits a decision on it.
        FailedPrecondition: a file that the graph names is missing.
        Aborted: somebody changed the graph in the meantime.
        OSError: the file cannot be written.
    """
    before = _fingerprint(store, graph_id)
    scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(scratch, "w", compresslevel=6) as packed:
            manifest = _write(_Writer(packed), store, graph_id, folders=folders, with_artefacts=with_artefacts)
        if _fingerprint(store, graph_id) != before or manifest.graph_digest != before[0]:
            raise Aborted(
                "the graph changed while it was exported", field="graph_id", value=graph_id, hint="Export it again."
            )
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    return ArchiveInfo(
        graph_id=graph_id,
        graph_digest=manifest.graph_digest,
        sha256=hashlib.sha256(manifest.dump()).hexdigest(),
        size=target.stat().st_size,
        rows={member.name: member.rows for member in manifest.members},
    )


def _fingerprint(store: GraphStore, graph_id: str) -> tuple[str, list[str], list[str]]:
    """What an import, a run or a deletion in the meantime would change."""
    digest, stamp = store.read_transaction(lambda tx: (require_graph(tx, graph_id), stamp_of(tx, graph_id)))
    uses = store.read("maintenance/graph_uses", graph_id=graph_id, live=_LIVE)
    if not uses:
        raise GraphNotFound("no such graph", field="graph_id", value=graph_id, hint="See `ksmith graphs`.")
    if uses[0]["running"]:
        raise IllegalState(
            "interventions have not ended on this graph",
            field="graph_id",
            value=graph_id,
            hint=f"Wait for them, or cancel or discard them first: {', '.join(uses[0]['running'][:5])}.",
        )
    runs = [row["id"] for row in store.read("maintenance/intervention_ids", graph_id=graph_id)]
    states = store.read("maintenance/branch_states", graph_id=graph_id)
    branches = [f"{row['id']} {row['commits']} {row['head']} {row['selected']}" for row in states]
    return digest, [stamp, *runs], [*branches, *uses[0]["sets"]]


def _write(writer: _Writer, store: GraphStore, graph_id: str, *, folders: Folders, with_artefacts: bool) -> Manifest:
    head = store.read("archive/write_graph", graph_id=graph_id)[0]
    relations = [from_properties(row) for row in head["relations"]]
    names = {relation.rel_type: relation.name for relation in relations}
    runs = [row["id"] for row in store.read("maintenance/intervention_ids", graph_id=graph_id)]
    digest = paging.FactsDigest()
    ledgers: dict[str, str] = {}
    sets = store.read("archive/write_sets", graph_id=graph_id)
    branches = store.read("archive/write_branches", graph_id=graph_id)
    revisions = store.read("archive/write_revisions", graph_id=graph_id)
    graph = {key: value for key, value in head["graph"].items() if key not in NOT_CARRIED}
    tables: dict[str, Iterable[object]] = {
        "graph.jsonl": [{**graph, "head_branch": head["graph"].get("head_branch") or ""}],
        "relations.jsonl": head["relations"],
        "entities.jsonl": (
            [e.uid, e.name, e.type, e.domain, list(e.aliases), e.retired] for e in paging.entities(store, graph_id)
        ),
        "facts.jsonl": _facts(store, graph_id, names, digest),
        "versions.jsonl": head["versions"],
        "cases.jsonl": _keyset(store, "archive/write_cases", _PAGE, graph_id=graph_id),
        "probe_sets.jsonl": [row["properties"] for row in sets],
        "models.jsonl": _models(branches),
        "revisions.jsonl": revisions,
        "branches.jsonl": [
            {"properties": row["properties"], "head": row["head"], "model": row["model"]["id"]} for row in branches
        ],
        "interventions.jsonl": _keyset(store, "archive/write_runs", _RUNS, graph_id=graph_id),
        "probes.jsonl": _probes(store, graph_id),
        "planned.jsonl": _planned(store, runs),
        "ledger.jsonl": _ledgers(store, runs, ledgers),
    }
    for name in TABLES:
        writer.lines(name, tables[name])
    for row in sets:
        _add_file(writer, "probe_sets", folders.probe_sets, row["properties"]["digest"])
    if with_artefacts:
        for sha256 in sorted({row["properties"].get("artefact_sha256") or "" for row in revisions} - {""}):
            _add_file(writer, "artefacts", folders.artefacts, sha256)
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        schema_version=migrations()[-1].version,
        graph_id=graph_id,
        graph_digest=digest.hexdigest(),
        members=tuple(writer.members),
        probe_sets={row["properties"]["id"]: row["properties"]["digest"] for row in sets},
        plans=_plans(store, runs),
        ledgers=ledgers,
    )
    writer.manifest(manifest)
    return manifest


def _facts(store: GraphStore, graph_id: str, names: dict[str, str], digest: paging.FactsDigest) -> Iterator[list[str]]:
    for fact in paging.facts(store.read, graph_id, names):
        digest.add(fact.key)
        yield [fact.subject, fact.relation, fact.object, fact.source]


def _keyset(store: GraphStore, query: str, size: int, **params: object) -> Iterator[dict[str, Any]]:
    """Rows of a query that pages by the id of what it returns."""
    after = ""
    while True:
        rows = store.read(query, after=after, limit=size, **params)
        yield from rows
        if len(rows) < size:
            return
        after = rows[-1]["properties"]["id"]


def _models(branches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    models = {row["model"]["id"]: {"properties": row["model"], "base": row["base"]} for row in branches}
    return [models[key] for key in sorted(models)]


def _probes(store: GraphStore, graph_id: str) -> Iterator[object]:
    after = ""
    while True:
        page = store.read("archive/write_probes", graph_id=graph_id, after=after, limit=_PAGE)[0]
        for group in page["rows"]:
            yield from group
        if page["seen"] < _PAGE:
            return
        after = page["last"]


def _planned(store: GraphStore, runs: list[str]) -> Iterator[list[object]]:
    for run in runs:
        after = -1
        while True:
            rows = store.read("archive/write_planned", id=run, after=after, limit=_PAGE)
            for row in rows:
                yield [run, row["probe"], row["properties"]]
            if len(rows) < _PAGE:
                break
            after = rows[-1]["properties"]["position"]


def _ledgers(store: GraphStore, runs: list[str], digests: dict[str, str]) -> Iterator[list[object]]:
    """Ledger rows run by run; the digest of each ledger is put into ``digests`` on the way."""
    for run in runs:
        digest = hashlib.sha256()
        for entity, values in ledger_rows(store, run):
            digest.update(dump_line([entity, values]))
            yield [run, entity, values]
        digests[run] = digest.hexdigest()


def _plans(store: GraphStore, runs: list[str]) -> dict[str, str]:
    heads = ((run, store.read("planning/head", id=run)) for run in runs)
    return {run: rows[0]["digest"] for run, rows in heads if rows and rows[0]["digest"]}


def _add_file(writer: _Writer, folder_name: str, folder: Path | None, digest: str) -> None:
    found = sorted(folder.glob(f"{digest}.*")) if folder is not None and DIGEST.fullmatch(digest) else []
    if not found:
        raise FailedPrecondition(
            f"a file of {folder_name} is missing",
            field=folder_name,
            value=digest,
            hint="Run `ksmith graph check`; delete what names it, or export without artefacts.",
        )
    for path in found:
        writer.copy(f"{folder_name}/{path.name}", path)
