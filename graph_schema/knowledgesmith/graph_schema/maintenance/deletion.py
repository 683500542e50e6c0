"""Deletes runs, probe sets, branches and graphs, in bounded transactions, resumable, and without leaving anything.

Every deletion marks its object first, in one transaction that also checks that nothing runs on it. A deletion that is
cut off leaves a marked object, which no listing of graphs shows and nothing can be started on; deleting it again
finishes the work. Files go last, and only when nothing in the graph names their digest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from knowledgesmith.graph_schema.errors import (
    BranchNotFound,
    GraphNotFound,
    IllegalState,
    InterventionNotFound,
    ProbeSetNotFound,
    StillReferenced,
    TooLarge,
)
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.interventions.branches import parse_entities
from knowledgesmith.graph_schema.interventions.head_replays import renew_heads, settle, settle_later, with_heads
from knowledgesmith.graph_schema.interventions.steps import LIVE
from knowledgesmith.graph_schema.language.text_checks import DIGEST
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction

BATCH: Final = 10_000
"""Relationships a transaction: well below the heap of a small server."""
_ENTITIES: Final = 2_000
_LIVE: Final = [state.value for state in LIVE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where files lie that are named by digest; None = they are left alone."""

    probe_sets: Path | None = None
    artefacts: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteReport:
    """What was deleted, by kind of thing; and files that stay, since something else names them."""

    id: str
    removed: Mapping[str, int]
    files_removed: tuple[str, ...] = ()
    files_kept: tuple[str, ...] = ()


@dataclass(slots=True)
class _Deletion:
    """One deletion under way."""

    store: GraphStore
    folders: Folders
    removed: Counter[str] = field(default_factory=Counter[str])
    files_removed: list[str] = field(default_factory=list[str])
    files_kept: list[str] = field(default_factory=list[str])

    def report(self, name: str) -> DeleteReport:
        return DeleteReport(
            id=name,
            removed={key: count for key, count in sorted(self.removed.items()) if count},
            files_removed=tuple(self.files_removed),
            files_kept=tuple(self.files_kept),
        )

    def batches(self, query: str, **params: object) -> Mapping[str, int]:
        """Repeat a query until it deletes nothing; the sums of its columns."""
        total: Counter[str] = Counter()
        while True:
            rows = self.store.write(query, **params)
            total.update({key: int(value) for key, value in (rows[0] if rows else {}).items()})
            if not rows or not rows[0]["deleted"]:
                return total

    def run(self, intervention_id: str) -> None:
        """Everything of a marked intervention."""
        uses = self.store.read("maintenance/run_uses", id=intervention_id)[0]
        self.removed["ledger rows"] += self.batches("maintenance/run_rows_delete", id=intervention_id, limit=BATCH)[
            "deleted"
        ]
        plan = self.batches("maintenance/run_plan_delete", id=intervention_id, limit=BATCH)
        self.removed["planned probes"] += plan["deleted"]
        self.removed["probes"] += plan.get("probes", 0)
        inserted = sorted(entity.uid for entity in parse_entities(uses["inserted"]))
        for row in self.store.write("maintenance/run_delete", id=intervention_id, inserted=inserted):
            self.removed["targets"] += row["targets"]
            self.removed["inserted entities"] += row["entities"]
            self.removed["interventions"] += 1
        self.revisions(uses["revision_id"])
        self.artefact(uses["artefact_sha256"])

    def revisions(self, revision_id: str) -> None:
        """A revision that nothing needs any more, and its ancestors of which the same is true."""
        while revision_id:
            rows = self.store.write("maintenance/revision_delete", id=revision_id)
            if not rows:
                return
            self.removed["revisions"] += 1
            self.artefact(rows[0]["artefact_sha256"])
            revision_id = rows[0]["parent"]

    def artefact(self, sha256: str) -> None:
        """The file of an artefact, when nothing names it."""
        if self.folders.artefacts is None or not sha256:
            return
        used = self.store.read("maintenance/artefact_uses", sha256=sha256)[0]["uses"] > 0
        self._files(self.folders.artefacts, sha256, keep=used)

    def probe_set(self, probe_set_id: str) -> None:
        """Everything of a marked probe set."""
        members = self.batches("maintenance/set_members_delete", id=probe_set_id, limit=BATCH)
        self.removed["members"] += members["deleted"]
        self.removed["probes"] += members.get("probes", 0)
        for row in self.store.write("maintenance/set_delete", id=probe_set_id):
            self.removed["probe sets"] += 1
            if self.folders.probe_sets is not None:
                self._files(self.folders.probe_sets, row["digest"], keep=row["shared"])

    def branch(self, branch_id: str) -> None:
        """Everything of a closed branch."""
        for run in self.store.read("maintenance/branch_uses", id=branch_id, live=_LIVE)[0]["runs"]:
            self.store.write("maintenance/run_mark", id=run, live=_LIVE, release=True)
            self.run(run)
        for row in self.store.write("maintenance/branch_delete", id=branch_id):
            self.removed["branches"] += 1
            self.revisions(row["last_head"])

    def _files(self, folder: Path, digest: str, *, keep: bool) -> None:
        if not DIGEST.fullmatch(digest):
            return  # the name of no file of ours
        for path in sorted(folder.glob(f"{digest}.*")):
            if keep:
                self.files_kept.append(path.name)
            else:
                path.unlink(missing_ok=True)
                self.files_removed.append(path.name)


def delete_run(store: GraphStore, intervention_id: str, *, folders: Folders | None = None) -> DeleteReport:
    """Delete an intervention that is not committed: its ledger, plan, targets, own revision and artefact.

    Raises:
        InterventionNotFound: there is none of this id.
        IllegalState: it still runs or awaits a decision.
        StillReferenced: it is committed; the message says which runs must be rolled back first.
    """
    rows = store.read("maintenance/run_uses", id=intervention_id)
    if not rows:
        raise InterventionNotFound(
            "no such intervention", field="id", value=intervention_id, hint="See `ksmith interventions`."
        )
    _check_run(intervention_id, rows[0])
    if not store.write("maintenance/run_mark", id=intervention_id, live=_LIVE, release=False):
        _check_run(intervention_id, store.read("maintenance/run_uses", id=intervention_id)[0])
    deletion = _Deletion(store, folders or Folders())
    left = _unless_whole(store, rows[0]["graph_id"])
    deletion.run(intervention_id)
    _check_gone(deletion, "interventions", "id", intervention_id)
    settle_later(store, left)
    return deletion.report(intervention_id)


def _unless_whole(store: GraphStore, graph_id: str) -> str:
    """The graph, where heads of an ended run stand that cannot be restored while its ledger is there; else empty.

    Only committed and running ledgers make heads, and it takes the rows of the run to find those that it made: once
    they are gone, all are to be restored. This is said before, so that a deletion that is cut off does not forget it.
    """
    with suppress(TooLarge):
        if settle(store, graph_id):
            return ""
    return store.write_transaction(lambda tx: renew_heads(tx, graph_id, start=False))


def _check_run(intervention_id: str, uses: Mapping[str, Any]) -> None:
    if uses["state"] in _LIVE:
        raise IllegalState(
            "the intervention has not ended",
            field="id",
            value=intervention_id,
            hint=f"It is {uses['state']}: cancel or discard it first.",
            metadata={"state": uses["state"]},
        )
    if uses["committed"]:
        later: list[str] = uses["later"]
        first = f"Roll back {', '.join(later)} and then this one" if later else "Roll it back"
        raise StillReferenced(
            f"branch {uses['branch_id']} is built on this intervention",
            field="id",
            value=intervention_id,
            hint=f"{first} (`ksmith rollback {uses['branch_id']}`, {len(later) + 1} times), or delete the branch.",
            metadata={"branch_id": uses["branch_id"], "later": " ".join(later)[:500]},
        )


def delete_probe_set(store: GraphStore, probe_set_id: str, *, folders: Folders | None = None) -> DeleteReport:
    """Delete a probe set, its materialised probes and its file.

    Raises:
        ProbeSetNotFound: there is none of this id.
    """
    if not store.write("maintenance/set_mark", id=probe_set_id):
        raise ProbeSetNotFound(
            "no such probe set", field="id", value=probe_set_id, hint="See `ksmith probes list GRAPH`."
        )
    deletion = _Deletion(store, folders or Folders())
    deletion.probe_set(probe_set_id)
    return deletion.report(probe_set_id)


def delete_branch(
    store: GraphStore, branch_id: str, *, with_runs: bool = False, folders: Folders | None = None
) -> DeleteReport:
    """Delete a branch; the model and its base revision stay.

    Args:
        store: the database.
        branch_id: the branch.
        with_runs: delete its interventions too, committed ones included; without it a branch with any is kept.
        folders: where files lie.

    Raises:
        BranchNotFound: there is none of this id.
        IllegalState: an intervention runs, waits or awaits a decision on it.
        StillReferenced: it has interventions, and they were not to be deleted.
    """
    rows = store.read("maintenance/branch_uses", id=branch_id, live=_LIVE)
    if not rows:
        raise BranchNotFound("no such branch", field="branch_id", value=branch_id, hint="See `ksmith branch list`.")
    uses = rows[0]
    _refuse_while_running("branch_id", branch_id, uses["running"])
    if uses["runs"] and not with_runs:
        raise StillReferenced(
            f"the branch has {len(uses['runs'])} interventions",
            field="branch_id",
            value=branch_id,
            hint="Ask to delete them too (--force), or export the graph first.",
            metadata={"interventions": str(len(uses["runs"]))},
        )
    deletion = _Deletion(store, folders or Folders())
    _close_branch(store, branch_id)
    deletion.branch(branch_id)
    _check_gone(deletion, "branches", "branch_id", branch_id)
    return deletion.report(branch_id)


def _close_branch(store: GraphStore, branch_id: str) -> None:
    def work(tx: Transaction, start: bool) -> tuple[bool, str]:  # noqa: FBT001
        rows = tx.rows("maintenance/branch_mark", id=branch_id, live=_LIVE)
        selected = rows and rows[0]["selected"]
        return bool(rows), renew_heads(tx, rows[0]["graph_id"], start=start) if selected else ""

    if not with_heads(store, work):
        uses = store.read("maintenance/branch_uses", id=branch_id, live=_LIVE)
        _refuse_while_running("branch_id", branch_id, uses[0]["running"] if uses else [])


def delete_graph(
    store: GraphStore, graph_id: str, *, with_branches: bool = False, folders: Folders | None = None
) -> DeleteReport:
    """Delete a graph with its catalogue, entities, facts, versions, cases and what else stands on it.

    Args:
        store: the database.
        graph_id: the graph.
        with_branches: delete its branches with their interventions, and its probe sets, too; without it a graph that
            has any is kept.
        folders: where files lie.

    Raises:
        GraphNotFound: there is none of this id.
        IllegalState: an intervention runs, waits or awaits a decision on one of its branches.
        ImportRunning: it is being imported.
        StillReferenced: it has branches or probe sets, and they were not to be deleted.
    """
    uses = _graph_uses(store, graph_id)
    _check_graph(uses, graph_id, with_branches=with_branches)
    if uses["blocked"]:  # its deletion, or the loading of its archive, was cut off: no import can begin
        return _delete_graph(store, uses, graph_id, folders=folders)
    lock = take_lock(store, graph_id, with_traits=False)  # not before: readers wait for whoever holds it
    try:
        uses = _graph_uses(store, graph_id)  # as it is now that nothing new can come
        _check_graph(uses, graph_id, with_branches=with_branches)
        return _delete_graph(store, uses, graph_id, folders=folders)
    finally:  # where the deletion began, the lock is gone and this does nothing
        lock.release(store, untouched=True)


def _graph_uses(store: GraphStore, graph_id: str) -> Mapping[str, Any]:
    rows = store.read("maintenance/graph_uses", graph_id=graph_id, live=_LIVE)
    if not rows:
        raise GraphNotFound("no such graph", field="graph_id", value=graph_id, hint="See `ksmith graphs`.")
    return rows[0]


def _check_graph(uses: Mapping[str, Any], graph_id: str, *, with_branches: bool) -> None:
    """Refuse what may not be deleted."""
    _refuse_while_running("graph_id", graph_id, uses["running"])
    if (uses["branches"] or uses["sets"]) and not with_branches and not uses["deleting"]:
        raise StillReferenced(
            f"the graph has {len(uses['branches'])} branches with {uses['runs']} interventions, "
            f"and {len(uses['sets'])} probe sets",
            field="graph_id",
            value=graph_id,
            hint="Ask to delete them too (--force), or export the graph first (`ksmith graph export`).",
            metadata={"branches": str(len(uses["branches"])), "probe_sets": str(len(uses["sets"]))},
        )


def _delete_graph(
    store: GraphStore, uses: Mapping[str, Any], graph_id: str, *, folders: Folders | None
) -> DeleteReport:
    deletion = _Deletion(store, folders or Folders())
    for branch in uses["branches"]:
        _close_branch(store, branch)
    store.write("maintenance/graph_mark", graph_id=graph_id)
    for branch in uses["branches"]:
        deletion.branch(branch)
    for probe_set in uses["sets"]:
        store.write("maintenance/set_mark", id=probe_set)
        deletion.probe_set(probe_set)
    _delete_content(deletion, graph_id)
    return deletion.report(graph_id)


def _delete_content(deletion: _Deletion, graph_id: str) -> None:
    removed = deletion.removed
    removed["cases"] += deletion.batches("maintenance/graph_cases_delete", graph_id=graph_id, limit=_ENTITIES)[
        "deleted"
    ]
    while True:
        facts = deletion.batches("maintenance/graph_facts_delete", graph_id=graph_id, entities=_ENTITIES, limit=BATCH)
        removed["facts"] += facts.get("facts", 0)
        rows = deletion.store.write("maintenance/graph_entities_delete", graph_id=graph_id, entities=_ENTITIES)
        if not rows or not rows[0]["deleted"]:
            break
        removed["entities"] += rows[0]["deleted"]
    for row in deletion.store.write("maintenance/graph_delete", graph_id=graph_id):
        removed["relations"] += row["relations"]
        removed["versions"] += row["versions"]
        removed["graphs"] += 1
    _check_gone(deletion, "graphs", "graph_id", graph_id)


def delete_loose(store: GraphStore, *, models: Sequence[str], revisions: Sequence[str], folders: Folders) -> None:
    """Delete those of these models that have no branch, and those of these revisions that nothing needs."""
    deletion = _Deletion(store, folders)
    for model in models:
        store.write("maintenance/model_delete", id=model)
    for revision in (*revisions, *(f"{model}.base" for model in models)):
        deletion.revisions(revision)


def _check_gone(deletion: _Deletion, kind: str, field_name: str, value: str) -> None:
    if not deletion.removed[kind]:
        raise IllegalState(
            "somebody changed it while it was deleted", field=field_name, value=value, hint="Look at it, and try again."
        )


def _refuse_while_running(field_name: str, value: str, running: list[str]) -> None:
    if running:
        raise IllegalState(
            f"{len(running)} interventions have not ended",
            field=field_name,
            value=value,
            hint=f"Cancel, commit or discard them first: {', '.join(running[:5])}.",
            metadata={"interventions": " ".join(running)[:500]},
        )
