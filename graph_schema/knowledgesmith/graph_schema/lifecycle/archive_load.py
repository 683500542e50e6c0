"""Loads a checked archive, once and as a whole.

Every batch is written together with the position it leaves, so a load that was cut off goes on where it stopped and
nothing is written twice. Until everything is there and every digest is equal, the graph has no digest, and no listing
shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from knowledgesmith.graph_schema.errors import (
    Aborted,
    AlreadyExists,
    ArchiveRejected,
    IllegalState,
    InvalidInput,
    KnowledgeSmithError,
)
from knowledgesmith.graph_schema.facts import fact_id
from knowledgesmith.graph_schema.interventions import TERMINAL_STATES
from knowledgesmith.graph_schema.ledger import replay_heads
from knowledgesmith.graph_schema.levels import rebuild_levels
from knowledgesmith.graph_schema.lifecycle import streams
from knowledgesmith.graph_schema.lifecycle.archive_format import GRAPH_TABLES, NOT_CARRIED, TABLES, properties, reject
from knowledgesmith.graph_schema.lifecycle.archive_read import Archive
from knowledgesmith.graph_schema.lifecycle.deletion import Folders, delete_graph
from knowledgesmith.graph_schema.lifecycle.ledger_digest import ledger_digest
from knowledgesmith.graph_schema.plan_store import load_plan
from knowledgesmith.graph_schema.probes.probe_set import verify_file
from knowledgesmith.graph_schema.store import GraphStore, Row, Transaction
from knowledgesmith.graph_schema.text_checks import GRAPH_ID

BATCH: Final = 5_000
_RUNS: Final = 50
_ENDED: Final = frozenset(state.value for state in TERMINAL_STATES)


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
    """How the rows of one member are written."""

    query: str
    size: int
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
            self._check_free(state)
            files = self._unpack()
            self._write(tables, mark)
        return LoadReport(
            graph_id=self.graph_id,
            graph_digest=self.archive.manifest.graph_digest,
            archive_sha256=self.archive.sha256,
            rows={name: self.archive.manifest.rows(name) for name in tables},
            files=files,
            already_there=state is not None and bool(state["digest"]),
        )

    def _write(self, tables: tuple[str, ...], mark: str) -> None:
        try:
            self._load(tables, mark)
            self._finish(mark)
        except ArchiveRejected:
            # What only the database could find out: take back what is there already.
            delete_graph(self.store, self.graph_id, with_branches=True, folders=self.folders)
            raise

    def _state(self, mark: str) -> Row | None:
        """Where an earlier load of this archive stands; None where there is no graph of this id."""
        rows = self.store.read("lifecycle/load_state", graph_id=self.graph_id)
        if not rows:
            return None
        row = rows[0]
        if row["deleting"]:
            raise IllegalState("the graph is being deleted", field="graph_id", value=self.graph_id, hint="Finish that.")
        if row["archive"] != mark or (row["digest"] and row["digest"] != self.archive.manifest.graph_digest):
            raise AlreadyExists(
                "this graph is there already, and not as in the archive",
                field="graph_id",
                value=self.graph_id,
                hint="Compare them (`ksmith graph diff`); delete it, or load under another id with --graph-only.",
            )
        return row

    def _check_free(self, state: Row | None) -> None:
        """Refuse ids that stand for something else, before anything is written."""
        runs = [] if self.graph_only else [self._run_row(row) for row in self.archive.rows("interventions.jsonl")]
        models = {} if self.graph_only else {m["properties"]["id"]: m for m in self._objects("models.jsonl")}
        if state is not None:
            return
        sets = (
            [] if self.graph_only else [row["id"] for row in map(self._set_row, self.archive.rows("probe_sets.jsonl"))]
        )
        branches = [] if self.graph_only else [row["properties"]["id"] for row in self._objects("branches.jsonl")]
        taken = self.store.read(
            "lifecycle/load_taken",
            models=sorted(models),
            branches=branches,
            runs=[row["properties"]["id"] for row in runs],
            requests=[row["properties"].get("request_id") or "" for row in runs],
            sets=sets,
        )
        for row in taken:
            same = row["kind"] == "model" and row["weights_sha256"] == models[row["id"]]["properties"]["weights_sha256"]
            if not same:
                raise AlreadyExists(
                    f"the {row['kind']} id is taken", field=row["kind"], value=row["id"], hint="Use an empty database."
                )

    def _objects(self, name: str) -> Iterator[dict[str, Any]]:
        for row in self.archive.rows(name):
            if not isinstance(row, dict) or not isinstance(row.get("properties"), dict):
                raise reject(name, "has a row of another shape")
            if not isinstance(row["properties"].get("id"), str):
                raise reject(name, "has a row without an id")
            yield row

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
                    self.archive.unpack(name, target)
                    if folder == "probe_sets":
                        _check_set_file(target)
                    count += 1
        return count

    def _load(self, tables: tuple[str, ...], mark: str) -> None:
        self.store.write("lifecycle/load_begin", graph_id=self.graph_id, archive=mark)
        for number, name in enumerate(tables):
            step = self._steps().get(name)
            position = self.store.read("lifecycle/load_state", graph_id=self.graph_id)[0]
            if position["member"] > number or step is None:
                if position["member"] == number:
                    self._advance(mark, number, position["rows"], None, [], step)
                continue
            done = int(position["rows"])
            rows = islice(self.archive.rows(name), done, None)
            while batch := [step.convert(row) for row in islice(rows, step.size)]:
                self._advance(mark, number, done, done + len(batch), batch, step)
                done += len(batch)
            self._advance(mark, number, done, None, [], step)

    def _advance(
        self, mark: str, member: int, rows: int, next_rows: int | None, batch: list[object], step: _Step | None
    ) -> None:
        """Write a batch and move the position, in one transaction; ``next_rows`` None = on to the next member."""
        place = (
            {"next_member": member + 1, "next_rows": 0}
            if next_rows is None
            else {
                "next_member": member,
                "next_rows": next_rows,
            }
        )

        def work(tx: Transaction) -> int:
            moved = tx.rows(
                "lifecycle/load_step", graph_id=self.graph_id, archive=mark, member=member, rows=rows, **place
            )
            if not moved:
                raise Aborted("another load of this archive runs", field="graph_id", value=self.graph_id)
            if step is None or not batch:
                return len(batch)
            params: dict[str, object] = {"graph_id": self.graph_id} if step.with_graph else {}
            written = int(tx.rows(step.query, rows=batch, **params)[0]["written"])
            if written != len(batch):
                raise reject(TABLES[member], "names something that the archive lacks")
            return written

        self.store.write_transaction(work)

    def _finish(self, mark: str) -> None:
        """Levels, digests, heads; then the graph becomes visible."""
        manifest = self.archive.manifest
        catalogue = self.archive.catalogue()
        self.store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=self.graph_id, relations=catalogue))
        names = {relation.rel_type: name for name, relation in catalogue.items()}
        digest = streams.FactsDigest()
        for fact in streams.facts(self.store.read, self.graph_id, names):
            digest.add(fact.key)
        if digest.hexdigest() != manifest.graph_digest:
            raise reject("facts.jsonl", "was not stored as it is")
        if not self.graph_only:
            self._check_runs()
        head = properties(next(self.archive.rows("graph.jsonl"), {}), "graph.jsonl")
        branch = None if self.graph_only else head.get("head_branch") or None
        known = {row["properties"]["id"] for row in self._objects("branches.jsonl")}
        own = {key: value for key, value in head.items() if key not in NOT_CARRIED}
        final = {**own, "state": "ready", "graph_id": self.graph_id, "digest": manifest.graph_digest, "archive": mark}
        final["head_branch"] = branch if branch in known else None

        def work(tx: Transaction) -> None:
            tx.rows("lifecycle/load_end", graph_id=self.graph_id, archive=mark, properties=final)
            replay_heads(tx, self.graph_id)

        self.store.write_transaction(work)

    def _check_runs(self) -> None:
        manifest = self.archive.manifest
        for run, digest in manifest.ledgers.items():
            if ledger_digest(self.store, run) != digest:
                raise reject("ledger.jsonl", f"does not give the ledger digest of {run[:60]}")
        for run, digest in manifest.plans.items():
            if load_plan(self.store, run).digest != digest:
                raise reject("planned.jsonl", f"does not give the plan digest of {run[:60]}")

    def _steps(self) -> Mapping[str, _Step]:
        return {
            "relations.jsonl": _Step(
                query="lifecycle/load_relations", size=BATCH, convert=self._owned("relations.jsonl"), with_graph=False
            ),
            "entities.jsonl": _Step(query="lifecycle/load_entities", size=BATCH, convert=lambda row: row),
            "facts.jsonl": _Step(query="lifecycle/load_facts", size=BATCH, convert=self._fact_row()),
            "versions.jsonl": _Step(query="lifecycle/load_versions", size=BATCH, convert=self._owned("versions.jsonl")),
            "cases.jsonl": _Step(query="lifecycle/load_cases", size=500, convert=self._case_row),
            "probe_sets.jsonl": _Step(query="lifecycle/load_sets", size=BATCH, convert=self._set_row, with_graph=False),
            "models.jsonl": _Step(
                query="lifecycle/load_models", size=BATCH, convert=_node_row("models.jsonl"), with_graph=False
            ),
            "revisions.jsonl": _Step(
                query="lifecycle/load_revisions", size=BATCH, convert=_node_row("revisions.jsonl"), with_graph=False
            ),
            "branches.jsonl": _Step(
                query="lifecycle/load_branches", size=BATCH, convert=self._branch_row, with_graph=False
            ),
            "interventions.jsonl": _Step(query="lifecycle/load_runs", size=_RUNS, convert=self._run_row),
            "probes.jsonl": _Step(query="lifecycle/load_probes", size=2_000, convert=self._probe_row),
            "planned.jsonl": _Step(query="lifecycle/load_planned", size=BATCH, convert=_link_row("planned.jsonl")),
            "ledger.jsonl": _Step(query="lifecycle/load_ledger", size=BATCH, convert=_link_row("ledger.jsonl")),
        }

    def _fact_row(self) -> Callable[[Any], object]:
        types = {name: relation.rel_type for name, relation in self.archive.catalogue().items()}

        def convert(row: Any) -> object:
            subject, relation, obj, source = row
            return [subject, obj, types[relation], fact_id(self.graph_id, subject, relation, obj), source]

        return convert

    def _owned(self, name: str) -> Callable[[Any], object]:
        """Properties of nodes that belong to the graph under whatever id it is loaded."""
        return lambda row: {**properties(row, name), "graph_id": self.graph_id}

    def _case_row(self, row: Any) -> dict[str, Any]:
        values = _node_row("cases.jsonl")(row)
        values["properties"]["graph_id"] = self.graph_id
        for key in ("changes", "probes"):
            if not isinstance(values.get(key), list):
                raise reject("cases.jsonl", f"has a case without {key}")
        values["changes"] = [self._case_link(link) for link in values["changes"]]
        values["probes"] = [properties(probe, "cases.jsonl") for probe in values["probes"]]
        return values

    def _case_link(self, row: Any) -> list[object]:
        """The link of a case to a subject; its fact id depends on the graph's id, which may be another one here."""
        uid, link = _link(row, "cases.jsonl")
        named = [link.get(key) for key in ("relation", "old_object", "new_object")]
        if not all(isinstance(name, str) for name in named):
            raise reject("cases.jsonl", "has a change that names no fact")
        relation, old, new = map(str, named)
        return [uid, {**link, "fact_id": fact_id(self.graph_id, uid, relation, old or new)}]

    def _own(self, values: dict[str, Any], name: str) -> dict[str, Any]:
        if values.get("graph_id") != self.graph_id:
            raise reject(name, f"has a row of another graph: {values.get('graph_id')!r:.60}")
        return values

    def _set_row(self, row: Any) -> dict[str, Any]:
        values = self._own(properties(row, "probe_sets.jsonl"), "probe_sets.jsonl")
        if self.archive.manifest.probe_sets.get(values.get("id", "")) != values.get("digest"):
            raise reject("probe_sets.jsonl", f"has a set that the manifest does not know: {values.get('id')!r:.60}")
        return values

    def _branch_row(self, row: Any) -> dict[str, Any]:
        values = _node_row("branches.jsonl")(row)
        self._own(values["properties"], "branches.jsonl")
        return values

    def _run_row(self, row: Any) -> dict[str, Any]:
        values = _node_row("interventions.jsonl")(row)
        self._own(values["properties"], "interventions.jsonl")
        if values["properties"].get("state") not in _ENDED:
            raise reject("interventions.jsonl", "has an intervention that has not ended")
        targets = values.get("targets")
        if not isinstance(targets, list):
            raise reject("interventions.jsonl", "has an intervention without targets")
        values["targets"] = [_link(target, "interventions.jsonl") for target in targets]
        values["produced"] = values.get("produced")
        return values

    def _probe_row(self, row: Any) -> list[object]:
        if not (isinstance(row, list) and len(row) == 3 and isinstance(row[2], list)):
            raise reject("probes.jsonl", "has a row of another shape")
        values = self._own(properties(row[1], "probes.jsonl"), "probes.jsonl")
        if values.get("anchor") != row[0]:
            raise reject("probes.jsonl", "has a probe about another entity than its anchor")
        return [row[0], values, row[2]]


def _node_row(name: str) -> Callable[[Any], dict[str, Any]]:
    def convert(row: Any) -> dict[str, Any]:
        if not isinstance(row, dict):
            raise reject(name, "has a row of another shape")
        return {**row, "properties": properties(row.get("properties"), name)}

    return convert


def _check_set_file(path: Path) -> None:
    """A file under a set's digest must hold that set: nothing else may ever be taken for it."""
    try:
        verify_file(path.parent, path.stem)
    except KnowledgeSmithError as error:
        path.unlink(missing_ok=True)
        raise reject(f"probe_sets/{path.name}", "does not hold the probe set of its digest") from error


def _link(row: Any, name: str) -> tuple[str, dict[str, Any]]:
    """An entity's uid and the properties of a link to it."""
    if not isinstance(row, list) or len(row) != 2 or not isinstance(row[0], str):
        raise reject(name, "has a link of another shape")
    return row[0], properties(row[1], name)


def _link_row(name: str) -> Callable[[Any], list[object]]:
    def convert(row: Any) -> list[object]:
        if not (isinstance(row, list) and len(row) == 3 and all(isinstance(part, str) for part in row[:2])):
            raise reject(name, "has a row of another shape")
        return [row[0], row[1], properties(row[2], name)]

    return convert
