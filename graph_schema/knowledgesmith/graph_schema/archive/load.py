"""Loads a checked archive, once and as a whole.

Every batch is written together with the position it leaves, so a load that was cut off goes on where it stopped and
nothing is written twice. Until everything is there and every digest is equal, the graph has no digest, and no listing
shows it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from knowledgesmith.graph_schema.archive.format import (
    GRAPH_TABLES,
    MANIFEST,
    NOT_CARRIED,
    TABLES,
    properties,
    reject,
)
from knowledgesmith.graph_schema.archive.ids import Ids, check_free, check_revisions, read_ids
from knowledgesmith.graph_schema.archive.ledger_digest import ledger_digest
from knowledgesmith.graph_schema.archive.levels import ArchiveLevels
from knowledgesmith.graph_schema.archive.read import Archive, Sized
from knowledgesmith.graph_schema.archive.rows import Rows, link_row
from knowledgesmith.graph_schema.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    GraphUnavailable,
    IllegalState,
    InvalidInput,
    KnowledgeSmithError,
)
from knowledgesmith.graph_schema.graphs import paging
from knowledgesmith.graph_schema.interventions.head_replays import renew_heads, with_heads
from knowledgesmith.graph_schema.language.text_checks import GRAPH_ID
from knowledgesmith.graph_schema.maintenance.deletion import Folders, delete_graph, delete_loose
from knowledgesmith.graph_schema.planning.plan_store import load_plan
from knowledgesmith.graph_schema.probes.sets.probe_set import verify_file
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction

BATCH: Final = 5_000
_RUNS: Final = 50
_BATCH_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load wrote; ``already_there`` says that an earlier load had written everything."""

    graph_id: str
    graph_digest: str
    archive_sha256: str
    rows: Mapping[str, int]
    files: int
    already_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """How rows of one member are written; ``convert`` gives None for a row that needs nothing."""

    member: str
    query: str
    size: int
    rows: Callable[[], Iterator[Sized]]
    convert: Callable[[Any], object]
    with_graph: bool = True


def load_archive(
    store: GraphStore, path: Path, *, folders: Folders, graph_id: str = "", graph_only: bool = False
) -> LoadReport:
    """Load an archive into a database that has neither its graph nor its ids.

    Args:
        store: the database, migrated.
        path: the archive.
        folders: where files of probe sets and artefacts go.
        graph_id: another id for the graph; only with ``graph_only``, since probes, plans and runs name facts by ids
            that depend on it.
        graph_only: load the graph with its catalogue, versions and cases, and leave probe sets and runs out.

    Raises:
        ArchiveRejected: the archive is damaged, hostile or of a newer release; the member is named, nothing is kept.
        AlreadyExists: the graph, or something else of the same id, is there and is not from this archive.
        InvalidInput: ``graph_id`` is malformed, or given without ``graph_only``.
        Aborted: another load of it runs at the same time.
    """
    with Archive.open(path) as archive:
        wanted = _target(archive, graph_id, graph_only=graph_only)
        archive.verify()
        load = _Load(store, archive, wanted, folders, graph_only)
        return load.run()


def _target(archive: Archive, graph_id: str, *, graph_only: bool) -> str:
    wanted = graph_id or archive.manifest.graph_id
    if not GRAPH_ID.fullmatch(wanted):
        raise InvalidInput("this is not an id of a graph", field="graph_id", value=wanted, hint="Use a-z, 0-9, _, -.")
    if wanted != archive.manifest.graph_id and not graph_only:
        raise InvalidInput(
            "probes and runs name facts by ids that depend on the graph's id",
            field="graph_id",
            value=wanted,
            hint=f"Load it as {archive.manifest.graph_id}, or load the graph alone (--graph-only).",
        )
    return wanted


@dataclass(frozen=True, slots=True)
class _Load:
    store: GraphStore
    archive: Archive
    graph_id: str
    folders: Folders
    graph_only: bool

    def run(self) -> LoadReport:
        tables = GRAPH_TABLES if self.graph_only else TABLES
        mark = f"{self.archive.sha256}{' graph only' if self.graph_only else ''}"
        state = self._state(mark)
        files = 0
        if state is None or not state["digest"]:
            ids = Ids() if self.graph_only else read_ids(self.archive, Rows(self.archive, self.graph_id))
            if state is None:
                check_free(self.store, ids)
            check_revisions(self.store, ids)
            files = self._write(ids, mark)
        return LoadReport(
            graph_id=self.graph_id,
            graph_digest=self.archive.manifest.graph_digest,
            archive_sha256=self.archive.sha256,
            rows={name: self.archive.manifest.rows(name) for name in tables},
            files=files,
            already_there=state is not None and bool(state["digest"]),
        )

    def _write(self, ids: Ids, mark: str) -> int:
        begun = self.store.write("archive/load_begin", graph_id=self.graph_id, archive=mark)[0]
        if begun["archive"] != mark:  # somebody made a graph of this id since we looked; it is theirs
            raise self._there()
        try:
            with ArchiveLevels(self.archive) as levels:
                self._load(self._steps(levels), mark)
            files = self._unpack()
            self._finish(ids, mark)
        except (GraphUnavailable, Aborted, Cancelled, OSError, sqlite3.Error):
            raise  # the same load again goes on from here
        except KnowledgeSmithError:
            self._take_back(ids)
            raise
        except Exception as error:
            self._take_back(ids)
            raise reject(MANIFEST, "stands beside a value that the database does not take") from error
        return files

    def _take_back(self, ids: Ids) -> None:
        """What only the database could find out: delete what is there already."""
        delete_graph(self.store, self.graph_id, with_branches=True, folders=self.folders)
        delete_loose(self.store, models=ids.new_models, revisions=sorted(ids.revisions), folders=self.folders)

    def _state(self, mark: str) -> Row | None:
        """Where an earlier load of this archive stands; None where there is no graph of this id."""
        rows = self.store.read("archive/load_state", graph_id=self.graph_id)
        if not rows:
            return None
        row = rows[0]
        if row["deleting"]:
            raise IllegalState("the graph is being deleted", field="graph_id", value=self.graph_id, hint="Finish that.")
        if row["archive"] != mark or (row["digest"] and row["digest"] != self.archive.manifest.graph_digest):
            raise self._there()
        return row

    def _there(self) -> AlreadyExists:
        return AlreadyExists(
            "this graph is there already, and not as in the archive",
            field="graph_id",
            value=self.graph_id,
            hint="Compare them (`ksmith graph diff`); delete it, or load under another id with --graph-only.",
        )

    def _unpack(self) -> int:
        count = 0
        places = {"probe_sets": self.folders.probe_sets, "artefacts": self.folders.artefacts}
        for folder, place in places.items():
            if place is None or self.graph_only:
                continue
            place.mkdir(parents=True, exist_ok=True)
            for name in self.archive.files(folder):
                target = place / name.rpartition("/")[2]
                if not target.exists():
                    self._place(folder, name, target)
                    count += 1
        return count

    def _place(self, folder: str, name: str, target: Path) -> None:
        """Unpack a file; it stands in its place when it is known to be what its name says."""
        if folder == "artefacts":
            self._check_artefact(name, target.stem)
            self.archive.unpack(name, target)
            return
        with TemporaryDirectory(prefix=".loading-", dir=target.parent) as scratch:
            found = Path(scratch) / target.name
            self.archive.unpack(name, found)
            _check_set_file(found)
            found.replace(target)

    def _check_artefact(self, name: str, digest: str) -> None:
        """The manifest's digest of the member, which unpacking checks, must be the one in its name."""
        if all(member.sha256 != digest for member in self.archive.manifest.members if member.name == name):
            raise reject(name, "does not hold the artefact of its digest")

    def _load(self, steps: Sequence[_Step], mark: str) -> None:
        position = self.store.read("archive/load_state", graph_id=self.graph_id)[0]
        first, done = int(position["member"]), int(position["rows"])
        for number, step in enumerate(steps):
            if number < first:
                continue
            for batch in batches(islice(step.rows(), done, None), step.size):
                rows = [row for row in map(step.convert, batch) if row is not None]
                self._advance(mark, (number, done), (number, done + len(batch)), rows, step)
                done += len(batch)
            self._advance(mark, (number, done), (number + 1, 0), [], step)
            done = 0

    def _advance(
        self, mark: str, place: tuple[int, int], following: tuple[int, int], batch: list[object], step: _Step
    ) -> None:
        """Write a batch and move the position (step, rows of it) on, in one transaction."""

        def work(tx: Transaction) -> None:
            moved = tx.rows(
                "archive/load_step",
                graph_id=self.graph_id,
                archive=mark,
                member=place[0],
                rows=place[1],
                next_member=following[0],
                next_rows=following[1],
            )
            if not moved:
                raise Aborted("another load of this archive runs", field="graph_id", value=self.graph_id)
            if batch:
                params: dict[str, object] = {"graph_id": self.graph_id} if step.with_graph else {}
                if int(tx.rows(step.query, rows=batch, **params)[0]["written"]) != len(batch):
                    raise reject(step.member, "names something that the archive lacks, or that is there and differs")

        self.store.write_transaction(work)

    def _finish(self, ids: Ids, mark: str) -> None:
        """Digests, heads; then the graph becomes visible."""
        manifest = self.archive.manifest
        names = {relation.rel_type: name for name, relation in self.archive.catalogue().items()}
        digest = paging.FactsDigest()
        for fact in paging.facts(self.store.read, self.graph_id, names):
            digest.add(fact.key)
        if digest.hexdigest() != manifest.graph_digest:
            raise reject("facts.jsonl", "was not stored as it is")
        if not self.graph_only:
            self._check_runs()
        head = properties(next(self.archive.rows("graph.jsonl"), {}), "graph.jsonl")
        branch = head.get("head_branch")
        own = {key: value for key, value in head.items() if key not in NOT_CARRIED}
        final = {**own, "state": "ready", "graph_id": self.graph_id, "digest": manifest.graph_digest, "archive": mark}
        final["head_branch"] = branch if branch in ids.branches else None

        def work(tx: Transaction, start: bool) -> tuple[None, str]:  # noqa: FBT001
            tx.rows("archive/load_end", graph_id=self.graph_id, archive=mark, properties=final)
            return None, renew_heads(tx, self.graph_id, start=start)

        with_heads(self.store, work)

    def _check_runs(self) -> None:
        manifest = self.archive.manifest
        for run, digest in manifest.ledgers.items():
            if ledger_digest(self.store, run) != digest:
                raise reject("ledger.jsonl", f"does not give the ledger digest of {run[:60]}")
        for run, digest in manifest.plans.items():
            if load_plan(self.store, run).digest != digest:
                raise reject("planned.jsonl", f"does not give the plan digest of {run[:60]}")

    def _steps(self, levels: ArchiveLevels) -> Sequence[_Step]:
        """The steps in order; a position that is stored is a number in it."""
        rows = Rows(self.archive, self.graph_id)
        graph = [
            self._step("relations", rows.relation, with_graph=False),
            self._step("entities", _as_it_is, source=levels.entities),
            self._step("facts", rows.fact()),
            self._step("facts", _as_it_is, query="links", source=levels.links),
            self._step("versions", rows.version),
            self._step("cases", rows.case, size=500),
        ]
        if self.graph_only:
            return graph
        return [
            *graph,
            self._step("probe_sets", rows.probe_set, query="sets", with_graph=False),
            self._step("models", rows.model, with_graph=False),
            self._step("revisions", rows.revision, with_graph=False),
            self._step("revisions", rows.parent, query="parents", with_graph=False),
            self._step("branches", rows.branch, with_graph=False),
            self._step("interventions", rows.run, query="runs", size=_RUNS),
            self._step("probes", rows.probe, size=2_000),
            self._step("planned", link_row("planned.jsonl")),
            self._step("ledger", link_row("ledger.jsonl")),
        ]

    def _step(
        self,
        name: str,
        convert: Callable[[Any], object],
        *,
        query: str = "",
        size: int = 0,
        with_graph: bool = True,
        source: Callable[[], Iterator[Sized]] | None = None,
    ) -> _Step:
        member = f"{name}.jsonl"
        return _Step(
            member=member,
            query=f"archive/load_{query or name}",
            size=size or BATCH,
            rows=source or partial(self.archive.sized, member),
            convert=convert,
            with_graph=with_graph,
        )


def _as_it_is(row: Any) -> object:
    return row


def batches(rows: Iterator[Sized], size: int) -> Iterator[list[Any]]:
    """Batches of at most ``size`` rows, and of few megabytes however long a row is."""
    batch: list[Any] = []
    held = 0
    for length, row in rows:
        batch.append(row)
        held += length
        if len(batch) >= size or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _check_set_file(path: Path) -> None:
    """A file under a set's digest must hold that set: nothing else may ever be taken for it."""
    try:
        verify_file(path.parent, path.stem)
    except KnowledgeSmithError as error:
        raise reject(f"probe_sets/{path.name}", "does not hold the probe set of its digest") from error
