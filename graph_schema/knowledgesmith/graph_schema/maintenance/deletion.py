"""Deletes runs, probe sets, branches and graphs, in bounded transactions, resumable, and without leaving anything.

Every deletion marks its object first, in one transaction that also checks that nothing runs on it. A deletion that is
cut off leaves a marked object, which no listing of graphs shows and nothing can be started on; deleting it again
finishes the work. Files go last, and only when nothing in the graph names their digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from knowledgesmith.graph_schema.operations.tally import Taken, Tally
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction

BATCH: Final = 10_000
"""Relationships a transaction: well below the heap of a small server."""
_ENTITIES: Final = 2_000
_REVISION: Final = "revision"
_ARTEFACT: Final = "artefact"
_SET: Final = "set"
_SHARED: Final = "shared set"
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
    """One deletion under way; with a tally it remembers what earlier attempts at it deleted."""

    store: GraphStore
    folders: Folders
    tally: Tally | None = None
    taken: Taken = field(default_factory=Taken)
    files_removed: list[str] = field(default_factory=list[str])
    files_kept: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        if self.tally is not None:
            self.taken = self.tally.read(self.store)

    def report(self, name: str) -> DeleteReport:
        """Take away what nothing needs any more now that the rest is gone, files last, and tell everything."""
        self._revisions()
        self._leftover_files()
        return DeleteReport(
            id=name,
            removed={key: count for key, count in sorted(self.taken.counts.items()) if count},
            files_removed=tuple(self.files_removed),
            files_kept=tuple(self.files_kept),
        )

    def take(
        self,
        query: str,
        kinds: Mapping[str, str],
        left: Callable[[Row], Mapping[str, str]] | None = None,
        /,
        **params: object,
    ) -> list[Row]:
        """Run a query that deletes, and note in its transaction what it took and what it leaves to be looked at.

        Args:
            query: its name.
            kinds: what its columns count; the column ``""`` counts rows.
            left: by name, what may have lost its last user with a row, and what sort of thing that is.
            params: of the query.
        """

        def work(tx: Transaction) -> tuple[list[Row], Taken]:
            rows = tx.rows(query, **params)
            taken = Taken()
            for row in rows:
                for column, kind in kinds.items():
                    taken.counts[kind] += int(row[column]) if column else 1
                taken.left.update({name: sort for name, sort in (left(row) if left else {}).items() if name})
            if self.tally is not None and rows:
                self.tally.add(tx, taken)
            return rows, taken

        rows, taken = self.store.write_transaction(work)
        self.taken.add(taken)
        return rows

    def batches(self, query: str, kinds: Mapping[str, str], **params: object) -> None:
        """Repeat a query until it deletes nothing."""
        while (rows := self.take(query, kinds, None, **params)) and rows[0]["deleted"]:
            pass

    def run(self, intervention_id: str) -> None:
        """Everything of a marked intervention."""
        uses = self.store.read("maintenance/intervention_uses", id=intervention_id)[0]
        self.batches(
            "maintenance/intervention_rows_delete", {"deleted": "ledger rows"}, id=intervention_id, limit=BATCH
        )
        plan = {"deleted": "planned probes", "probes": "probes"}
        self.batches("maintenance/intervention_plan_delete", plan, id=intervention_id, limit=BATCH)
        inserted = sorted(entity.uid for entity in parse_entities(uses["inserted"]))
        self.take(
            "maintenance/intervention_delete",
            {"targets": "targets", "entities": "inserted entities", "": "interventions"},
            lambda _: {uses["revision_id"]: _REVISION, uses["artefact_sha256"]: _ARTEFACT},
            id=intervention_id,
            inserted=inserted,
        )
        self._settle()

    def probe_set(self, probe_set_id: str) -> None:
        """Everything of a marked probe set."""
        members = {"deleted": "members", "probes": "probes"}
        self.batches("maintenance/set_members_delete", members, id=probe_set_id, limit=BATCH)
        self.take(
            "maintenance/set_delete",
            {"": "probe sets"},
            lambda row: {row["digest"]: _SHARED if row["shared"] else _SET},
            id=probe_set_id,
        )
        self._settle()

    def branch(self, branch_id: str) -> None:
        """Everything of a closed branch."""
        for run in self.store.read("maintenance/branch_uses", id=branch_id, live=_LIVE)[0]["runs"]:
            self.store.write("maintenance/intervention_mark", id=run, live=_LIVE, release=True)
            self.run(run)
        self.take(
            "maintenance/branch_delete",
            {"": "branches"},
            lambda row: {row["last_head"]: _REVISION},
            id=branch_id,
        )
        self._settle()

    def revision(self, revision_id: str) -> None:
        """A revision that nothing needs any more, and its ancestors of which the same is true."""
        while revision_id:
            rows = self.take(
                "maintenance/revision_delete",
                {"": "revisions"},
                lambda row: {row["artefact_sha256"]: _ARTEFACT, row["parent"]: _REVISION},
                id=revision_id,
            )
            revision_id = rows[0]["parent"] if rows else ""

    def _settle(self) -> None:
        """Take away at once what nothing needs any more; files wait for the end where a tally remembers them."""
        self._revisions()
        if self.tally is None:
            self._leftover_files()

    def _revisions(self) -> None:
        for name in self._left(_REVISION):
            self.revision(name)

    def _leftover_files(self) -> None:
        for digest in self._left(_ARTEFACT):
            used = self.store.read("maintenance/artefact_uses", sha256=digest)[0]["uses"] > 0
            self._files(self.folders.artefacts, digest, keep=used)
        for sort in (_SET, _SHARED):
            for digest in self._left(sort):
                self._files(self.folders.probe_sets, digest, keep=sort == _SHARED)

    def _left(self, sort: str) -> list[str]:
        found = [name for name, known in self.taken.left.items() if known == sort]
        for name in found:
            del self.taken.left[name]
        return found

    def _files(self, folder: Path | None, digest: str, *, keep: bool) -> None:
        if folder is None or not DIGEST.fullmatch(digest):
            return  # they are left alone, or it is the name of no file of ours
        for path in sorted(folder.glob(f"{digest}.*")):
            if keep:
                self.files_kept.append(path.name)
            else:
                path.unlink(missing_ok=True)
                self.files_removed.append(path.name)


def delete_intervention(
    store: GraphStore, intervention_id: str, *, folders: Folders | None = None, tally: Tally | None = None
) -> DeleteReport:
    """Delete an intervention that is not committed: its ledger, plan, targets, own revision and artefact.

    Args:
        store: the database.
        intervention_id: the intervention.
        folders: where files lie.
        tally: what earlier attempts at this deletion deleted, and this one adds to.

    Raises:
        InterventionNotFound: there is none of this id.
        IllegalState: it still runs or awaits a decision.
        StillReferenced: it is committed; the message says which runs must be rolled back first.
    """
    rows = store.read("maintenance/intervention_uses", id=intervention_id)
    if not rows:
        raise InterventionNotFound(
            "no such intervention", field="intervention_id", value=intervention_id, hint="See `ksmith interventions`."
        )
    _check_run(intervention_id, rows[0])
    if not store.write("maintenance/intervention_mark", id=intervention_id, live=_LIVE, release=False):
        _check_run(intervention_id, store.read("maintenance/intervention_uses", id=intervention_id)[0])
    deletion = _Deletion(store, folders or Folders(), tally)
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
            field="intervention_id",
            value=intervention_id,
            hint=f"It is {uses['state']}: cancel or discard it first.",
            metadata={"state": uses["state"]},
        )
    if uses["committed"]:
        later: list[str] = uses["later"]
        first = f"Roll back {', '.join(later)} and then this one" if later else "Roll it back"
        raise StillReferenced(
            f"branch {uses['branch_id']} is built on this intervention",
            field="intervention_id",
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
            "no such probe set", field="probe_set_id", value=probe_set_id, hint="See `ksmith probes list GRAPH`."
        )
    deletion = _Deletion(store, folders or Folders())
    deletion.probe_set(probe_set_id)
    return deletion.report(probe_set_id)


def delete_branch(
    store: GraphStore,
    branch_id: str,
    *,
    with_interventions: bool = False,
    folders: Folders | None = None,
    tally: Tally | None = None,
) -> DeleteReport:
    """Delete a branch; the model and its base revision stay.

    Args:
        store: the database.
        branch_id: the branch.
        with_interventions: delete its interventions too, committed ones included; without it a branch with any is kept.
        folders: where files lie.
        tally: what earlier attempts at this deletion deleted, and this one adds to.

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
    if uses["runs"] and not with_interventions:
        raise StillReferenced(
            f"the branch has {len(uses['runs'])} interventions",
            field="branch_id",
            value=branch_id,
            hint="Ask to delete them too (--force), or export the graph first.",
            metadata={"interventions": str(len(uses["runs"]))},
        )
    deletion = _Deletion(store, folders or Folders(), tally)
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
    store: GraphStore,
    graph_id: str,
    *,
    with_branches: bool = False,
    folders: Folders | None = None,
    tally: Tally | None = None,
) -> DeleteReport:
    """Delete a graph with its catalogue, entities, facts, versions, cases and what else stands on it.

    Args:
        store: the database.
        graph_id: the graph.
        with_branches: delete its branches with their interventions, and its probe sets, too; without it a graph that
            has any is kept.
        folders: where files lie.
        tally: what earlier attempts at this deletion deleted, and this one adds to.

    Raises:
        GraphNotFound: there is none of this id.
        IllegalState: an intervention runs, waits or awaits a decision on one of its branches.
        ImportRunning: it is being imported.
        StillReferenced: it has branches or probe sets, and they were not to be deleted.
    """
    uses = _graph_uses(store, graph_id)
    _check_graph(uses, graph_id, with_branches=with_branches)
    if uses["blocked"]:  # its deletion, or the loading of its archive, was cut off: no import can begin
        return _delete_graph(store, uses, graph_id, folders=folders, tally=tally)
    lock = take_lock(store, graph_id, with_traits=False)  # not before: readers wait for whoever holds it
    try:
        uses = _graph_uses(store, graph_id)  # as it is now that nothing new can come
        _check_graph(uses, graph_id, with_branches=with_branches)
        return _delete_graph(store, uses, graph_id, folders=folders, tally=tally)
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
    store: GraphStore, uses: Mapping[str, Any], graph_id: str, *, folders: Folders | None, tally: Tally | None
) -> DeleteReport:
    deletion = _Deletion(store, folders or Folders(), tally)
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
    deletion.batches("maintenance/graph_cases_delete", {"deleted": "cases"}, graph_id=graph_id, limit=_ENTITIES)
    while True:
        facts = {"facts": "facts"}
        deletion.batches("maintenance/graph_facts_delete", facts, graph_id=graph_id, entities=_ENTITIES, limit=BATCH)
        entities = {"deleted": "entities"}
        rows = deletion.take("maintenance/graph_entities_delete", entities, graph_id=graph_id, entities=_ENTITIES)
        if not rows or not rows[0]["deleted"]:
            break
    kinds = {"relations": "relations", "versions": "versions", "": "graphs"}
    deletion.take("maintenance/graph_delete", kinds, graph_id=graph_id)
    _check_gone(deletion, "graphs", "graph_id", graph_id)


def deleted_before(store: GraphStore, name: str, *, tally: Tally, folders: Folders | None = None) -> DeleteReport:
    """What an attempt had deleted that was cut off after the last of it was gone; its files go now.

    Args:
        store: the database.
        name: what was deleted.
        tally: of that attempt.
        folders: where files lie.
    """
    return _Deletion(store, folders or Folders(), tally).report(name)


def delete_loose(store: GraphStore, *, models: Sequence[str], revisions: Sequence[str], folders: Folders) -> None:
    """Delete those of these models that have no branch, and those of these revisions that nothing needs."""
    deletion = _Deletion(store, folders)
    for model in models:
        store.write("maintenance/model_delete", id=model)
    for revision in (*revisions, *(f"{model}.base" for model in models)):
        deletion.revision(revision)
    deletion.report("")


def _check_gone(deletion: _Deletion, kind: str, field_name: str, value: str) -> None:
    if not deletion.taken.counts[kind]:
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
