"""Checks everything that must hold of a stored graph: each rule by a named query, page by page in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import networkx as nx

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import KnowledgeSmithError
from knowledgesmith.graph_schema.graphs import paging
from knowledgesmith.graph_schema.graphs.reading import load_catalogue, require_graph
from knowledgesmith.graph_schema.interventions import heads
from knowledgesmith.graph_schema.maintenance.check_cases import broken_cases
from knowledgesmith.graph_schema.probes.sets.probe_set import verify_file
from knowledgesmith.graph_schema.storage.migrations import migrations
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Relation

EXAMPLES: Final = 20
"""Findings that are kept of each check; all are counted."""
_PAGE: Final = 10_000
_REIMPORT: Final = "Import the graph's files again; the importer brings the hierarchy and the facts up to date."
_REPLAY: Final = "Select the branch again (`ksmith branch select`); its ledgers are then replayed."
_BY_HAND: Final = "Somebody wrote to the database by hand; delete the run, or load the graph from an archive."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: which entity, fact, run or set, what stands there, and what should."""

    subject: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One rule: how many things were looked at, how many break it, the first of these, and the way out."""

    name: str
    rule: str
    hint: str
    looked_at: int
    broken: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """All rules for one graph."""

    graph_id: str
    digest: str
    results: tuple[CheckResult, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not any(result.broken for result in self.results)


@dataclass(slots=True)
class _Tally:
    name: str
    rule: str
    hint: str
    looked_at: int = 0
    broken: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, subject: str, found: object, expected: object) -> None:
        self.broken += 1
        if len(self.findings) < EXAMPLES:
            self.findings.append(Finding(subject=subject, found=str(found)[:200], expected=str(expected)[:200]))

    def result(self) -> CheckResult:
        return CheckResult(
            name=self.name,
            rule=self.rule,
            hint=self.hint,
            looked_at=self.looked_at,
            broken=self.broken,
            findings=tuple(self.findings),
        )


def check_graph(store: GraphStore, graph_id: str, *, probe_set_dir: Path | None = None) -> CheckReport:
    """Check one graph.

    Args:
        store: the database.
        graph_id: the graph.
        probe_set_dir: where the files of probe sets lie; without it they are not looked for.

    Raises:
        GraphNotFound: there is no graph of this id.
    """
    digest = store.read_transaction(lambda tx: require_graph(tx, graph_id))
    catalogue = load_catalogue(store, graph_id)
    rules: list[Callable[[], Iterable[_Tally]]] = [
        lambda: [_schema(store)],
        lambda: [_entities(store, graph_id)],
        lambda: _facts(store, graph_id, catalogue, digest),
        lambda: [_hierarchy(store, graph_id, catalogue)],
        lambda: [_levels(store, graph_id)],
        lambda: [_depths(store, graph_id)],
        lambda: [_branches(store, graph_id)],
        lambda: _runs(store, graph_id),
        lambda: [_heads(store, graph_id)],
        lambda: [_probes(store, graph_id)],
        lambda: [_sets(store, graph_id, probe_set_dir)],
        lambda: [_versions(store, graph_id)],
        lambda: [_cases(store, graph_id)],
    ]
    results = tuple(tally.result() for rule in rules for tally in rule())
    return CheckReport(graph_id=graph_id, digest=digest, results=results)


def _pages(store: GraphStore, query: str, **params: object) -> Iterator[Mapping[str, Any]]:
    """Rows of a query over pages of entities."""
    after = ""
    while True:
        row = store.read(query, after=after, limit=_PAGE, **params)[0]
        yield row
        if row["seen"] < _PAGE:
            return
        after = row["last"]


def _paged(store: GraphStore, tally: _Tally, query: str, **params: object) -> _Tally:
    for row in _pages(store, query, **params):
        tally.looked_at += row["seen"]
        for subject, found, expected in row["findings"]:
            tally.add(subject, found, expected)
    return tally


def _schema(store: GraphStore) -> _Tally:
    tally = _Tally("schema", "the constraints that keep ids unique exist", "Restart the server; it migrates again.")
    present = {row["name"] for row in store.read("maintenance/check_names")}
    for migration in migrations():
        for statement in migration.statements:
            words = statement.split()
            if words[:2] == ["CREATE", "CONSTRAINT"]:
                tally.looked_at += 1
                if words[2] not in present:
                    tally.add(words[2], "missing", f"made by migration {migration.name}")
    return tally


def _entities(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("entities", "an entity is complete, and a retired one has no fact", _REIMPORT)
    return _paged(store, tally, "maintenance/check_entities", graph_id=graph_id)


def _facts(store: GraphStore, graph_id: str, catalogue: Mapping[str, Relation], digest: str) -> Iterator[_Tally]:
    """Everything about facts from one pass over them."""
    names = {relation.rel_type: name for name, relation in catalogue.items()}
    dangling = _Tally("dangling facts", "a fact has a type of the catalogue and both ends in its graph", _REIMPORT)
    leftovers = _Tally("leftovers", "derived facts and worlds exist only inside a plan's transaction", _BY_HAND)
    ids = _Tally("fact ids", "the id of a fact is the hash of what it says", _REIMPORT)
    doubles = _Tally("doubled facts", "a fact stands once", _REIMPORT)
    whole = _Tally("digest", "the graph's digest is that of its facts", _REIMPORT)
    running = paging.FactsDigest()
    for group in paging.leaving(store.read, graph_id):
        keys: list[tuple[str, str, str]] = []
        for row in group:
            dangling.looked_at += 1
            if row.leftover:
                leftovers.add(row.label, "derived, or of one world", "asserted")
            elif problem := _dangling(row, graph_id, names):
                dangling.add(row.label, problem, "an asserted fact of this graph")
            else:
                keys.append((row.subject, names[row.rel_type], row.object or ""))
                if not paging.is_fact_id(row, graph_id, names[row.rel_type]):
                    ids.add(row.label, row.fact_id, "the hash of graph, subject, relation and object")
        keys.sort()
        for key in sorted({one for one, other in pairwise(keys) if one == other}):
            doubles.add(f"({key[0]})-[{key[1]}]->({key[2]})", "more than one relationship", "one")
        for key in keys:
            running.add(key)
    leftovers.looked_at = ids.looked_at = doubles.looked_at = dangling.looked_at
    whole.looked_at = 1
    if running.hexdigest() != digest:
        whole.add(graph_id, digest, running.hexdigest())
    yield from (dangling, leftovers, ids, doubles, whole)


def _dangling(row: paging.Leaving, graph_id: str, names: Mapping[str, str]) -> str:
    """What keeps a relationship from being a fact of the graph; empty when nothing does."""
    if row.rel_type not in names:
        return "its type is not in the catalogue"
    if row.fact_id is None:
        return "it has no fact id"
    if row.graph_id != graph_id:
        return f"it names the graph {row.graph_id}"
    if row.object_graph != graph_id:
        return f"its object is of the graph {row.object_graph}"
    return ""


def _hierarchy(store: GraphStore, graph_id: str, catalogue: Mapping[str, Relation]) -> _Tally:
    tally = _Tally("hierarchy", "HAS_CHILD is exactly what the hierarchical facts say", _REIMPORT)
    up = sorted(r.rel_type for r in catalogue.values() if r.traits.hierarchical)
    inverses = (r.traits.inverse_of for r in catalogue.values() if r.traits.hierarchical)
    down = sorted(catalogue[name].rel_type for name in inverses if name is not None)
    return _paged(store, tally, "maintenance/check_hierarchy", graph_id=graph_id, to_parent=up, to_child=down)


def _levels(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("levels", "an entity has one level label, the one of its place in the hierarchy", _REIMPORT)
    return _paged(store, tally, "maintenance/check_levels", graph_id=graph_id)


def _depths(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("depths", "the depth of an entity is the shortest way from a root or a topmost cycle", _REIMPORT)
    seeds: list[str] = []
    for row in _pages(store, "maintenance/check_depths", graph_id=graph_id):
        tally.looked_at += row["seen"]
        seeds += row["seeds"]
        for subject, found, expected in row["findings"]:
            tally.add(subject, found, expected)
    for seed in seeds:
        if not _starts_a_cycle(store, graph_id, seed):
            tally.add(seed, "0", "one more than a parent's; it is not the smallest uid of a topmost cycle")
    return tally


def _starts_a_cycle(store: GraphStore, graph_id: str, seed: str) -> bool:
    """Whether everything above an entity is one cycle of which it is the smallest uid."""
    above: nx.DiGraph[str] = nx.DiGraph()
    frontier = [seed]
    seen = {seed}
    while frontier:
        rows = store.read("graphs/parents_of", graph_id=graph_id, uids=frontier)
        above.add_edges_from((row["parent"], row["child"]) for row in rows)
        frontier = sorted({row["parent"] for row in rows} - seen)
        seen.update(frontier)
    return min(seen) == seed and nx.is_strongly_connected(above)


def _branches(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("branches", "a branch has one head, which leads down to its model's base", _BY_HAND)
    for row in store.read("maintenance/check_branches", graph_id=graph_id):
        tally.looked_at += 1
        if row["problem"]:
            tally.add(row["id"], row["problem"], "one head above the base")
    for row in store.read("maintenance/check_selected", graph_id=graph_id):
        if not row["own"]:
            tally.add(row["branch_id"], "selected, but no branch of this graph", "a branch of the graph")
    return tally


def _runs(store: GraphStore, graph_id: str) -> Iterator[_Tally]:
    place = _Tally("runs", "an intervention is on one branch of the graph and whole", "Delete it again.")
    ledger = _Tally(
        "ledger", "ledger rows are numbered 1, 2, 3, … without gaps and doubles, and hold numbers", _BY_HAND
    )
    slots = _Tally("slots", "a finished run has one ledger row for every slot of its plan", _BY_HAND)
    for run in store.read("maintenance/check_interventions", graph_id=graph_id):
        place.looked_at += 1
        if run["problem"]:
            place.add(run["id"], run["problem"], "one branch, one revision when committed")
        row = store.read("maintenance/check_ledger", id=run["id"])[0]
        ledger.looked_at += row["rows"]
        if problem := _sequence_problem(row):
            ledger.add(run["id"], problem, f"1 to {row['written_rows']}")
        if run["state"] == "SUCCEEDED":
            slots.looked_at += row["planned_rows"]
            if row["planned_rows"] != row["written_rows"]:
                slots.add(run["id"], f"{row['written_rows']} rows", f"{row['planned_rows']} slots")
            for slot in store.read("maintenance/check_slots", id=run["id"], limit=EXAMPLES):
                slots.add(f"{run['id']} #{slot['seq']}", slot["found"], slot["expected"])
    yield from (place, ledger, slots)


def _sequence_problem(row: Mapping[str, Any]) -> str:
    if row["misfiled"]:
        return f"{row['misfiled']} rows name another intervention"
    if row["foreign_rows"]:
        return f"{row['foreign_rows']} rows about entities of another graph"
    if row["damaged"]:
        return f"{row['damaged']} rows hold what is no number, first #{row['first_damaged']}"
    if row["rows"] != row["numbers"]:
        return f"{row['rows']} rows with {row['numbers']} numbers"
    if row["rows"] and (row["first"] != 1 or row["last"] != row["rows"]):
        return f"{row['rows']} rows from {row['first']} to {row['last']}"
    if row["rows"] != row["written_rows"]:
        return f"{row['rows']} rows"
    return ""


def _heads(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("heads", "head beliefs are the replay of the selected branch's ledgers", _REPLAY)
    runs = [row["id"] for row in store.read("interventions/ledger/replay_order", graph_id=graph_id)]
    for page in _pages(store, "maintenance/check_heads", graph_id=graph_id, runs=runs):
        for uid, stored, ledger in page["rows"]:
            tally.looked_at += 1
            rows = (
                heads.Row(run=run, seq=seq, kind=kind, before=before, after=after, n=n)
                for run, seq, kind, before, after, n in ledger
            )
            try:
                expected = heads.replay(rows, runs)
            except (TypeError, ValueError, OverflowError, AttributeError):  # the check of the ledgers says which rows
                tally.add(uid, "they cannot be told: a row of a ledger is damaged", "numbers in every row")
                continue
            if names := heads.differences(stored, expected):
                shown = {name: stored.get(name) for name in names}
                tally.add(uid, shown, {name: expected.get(name) for name in names})
    return tally


def _probes(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("probes", "a probe is planned or member of a probe set", "Delete the probe, or make its set again.")
    return _paged(store, tally, "maintenance/check_probes", graph_id=graph_id)


def _sets(store: GraphStore, graph_id: str, directory: Path | None) -> _Tally:
    hint = "Generate the set again with its seed; or delete it."
    tally = _Tally("probe sets", "the file of a probe set lies under the digest of its content", hint)
    for row in store.read("maintenance/check_sets", graph_id=graph_id):
        tally.looked_at += 1
        cancellation.check()
        if directory is not None and (problem := _file_problem(directory, row["digest"])):
            tally.add(row["id"], problem, f"{row['digest']}.parquet")
    return tally


def _file_problem(directory: Path, digest: str) -> str:
    try:
        verify_file(directory, digest)
    except KnowledgeSmithError as error:
        return error.message
    return ""


def _cases(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("cases", "a case has the links and probes that its record says", _REIMPORT)
    for problem in broken_cases(store, graph_id):
        tally.looked_at += 1
        if problem is not None:
            tally.add(*problem)
    return tally


def _versions(store: GraphStore, graph_id: str) -> _Tally:
    tally = _Tally("versions", "versions follow each other up to the graph as it is", _REIMPORT)
    rows: Sequence[Mapping[str, Any]] = store.read("maintenance/check_versions", graph_id=graph_id)
    tally.looked_at = len(rows)
    for row, previous in zip(rows, [None, *rows], strict=False):
        if previous is None:
            continue
        if row["number"] != previous["number"] + 1:
            tally.add(f"version {row['number']}", f"follows {previous['number']}", previous["number"] + 1)
        if (row["parent_digest"] or "") != previous["digest"]:
            tally.add(f"version {row['number']}", row["parent_digest"], previous["digest"])
    if rows and rows[-1]["digest"] != rows[-1]["graph_digest"]:
        tally.add(f"version {rows[-1]['number']}", rows[-1]["digest"], rows[-1]["graph_digest"])
    return tally
