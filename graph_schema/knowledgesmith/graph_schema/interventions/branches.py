"""Models, branches and revisions in the graph (design: graph model)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import (
    AlreadyExists,
    BranchBusy,
    BranchNotFound,
    FailedPrecondition,
    GraphNotFound,
    IllegalState,
    ModelNotFound,
    RevisionMismatch,
    RevisionNotFound,
)
from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.interventions.head_replays import mend_heads, renew_heads, with_heads
from knowledgesmith.graph_schema.storage.settled import settled
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction
from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.plans import Proof, WorldChange, WorldOp

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A registered base model: weights and the dtype they are kept in; neither ever changes."""

    id: str
    path: str
    weights_sha256: str
    architecture: str
    parameters: int
    dtype: str = "float32"

    @property
    def base_revision(self) -> str:
        """Id of the revision without artefacts."""
        return f"{self.id}.base"


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchInfo:
    """A line of model states for one graph."""

    id: str
    model_id: str
    graph_id: str
    head_revision: str
    interventions: tuple[str, ...]
    busy_with: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionInfo:
    """One state of a branch; ``depth`` counts from the asked revision down to the base."""

    id: str
    artefact_sha256: str
    weights_sha256: str
    depth: int = 0
    parent: str = ""
    intervention_id: str = ""
    created_ms: int = 0


def revision_id(parent: str, artefact_sha256: str) -> str:
    """Id of a revision: parent and artefact by content, so that equal histories have equal ids."""
    return "rev_" + hashlib.sha256(f"{parent}\n{artefact_sha256}".encode()).hexdigest()[:24]


def register_model(store: GraphStore, model: ModelInfo) -> ModelInfo:
    """Register a model, or find it registered with the same weights.

    Raises:
        AlreadyExists: the id stands for other weights.
    """
    rows = store.write(
        "interventions/branches/register",
        id=model.id,
        path=model.path,
        weights_sha256=model.weights_sha256,
        architecture=model.architecture,
        parameters=model.parameters,
        dtype=model.dtype,
        base_revision=model.base_revision,
    )
    if rows[0]["weights_sha256"] != model.weights_sha256:
        known = rows[0]["dtype"]
        raise AlreadyExists(
            "this model id stands for other weights"
            if known == model.dtype
            else f"this model id stands for weights in {known}, not {model.dtype}",
            field="model_id",
            value=model.id,
            hint="Choose another id." if known == model.dtype else f"Choose another id, or register it in {known}.",
        )
    return model


def get_model(store: GraphStore, model_id: str) -> ModelInfo:
    """One model.

    Raises:
        ModelNotFound: not registered.
    """
    rows = store.read("interventions/branches/get", id=model_id)
    if not rows:
        raise ModelNotFound("no such model", field="model_id", value=model_id, hint="See `ksmith models`.")
    return ModelInfo(**rows[0])


def list_models(store: GraphStore, *, after: str = "", limit: int = 50) -> list[ModelInfo]:
    """Models by id, after a given id."""
    return [ModelInfo(**row) for row in store.read("interventions/branches/list", after=after, limit=limit)]


def create_branch(store: GraphStore, *, branch_id: str, model_id: str, graph_id: str, select: bool) -> BranchInfo:
    """Open a branch on the model's base weights; where it is the selected one, no belief stands on an entity any more.

    Raises:
        AlreadyExists: the id is taken.
        ModelNotFound: no such model.
        GraphNotFound: no such graph.
        GraphIncomplete: the graph is being imported.
    """

    def work(tx: Transaction, start: bool) -> tuple[None, str]:  # noqa: FBT001
        if _branch_rows(tx, branch_id):
            raise AlreadyExists("this branch exists", field="branch_id", value=branch_id, hint="Choose another id.")
        params = {"id": branch_id, "model_id": model_id, "graph_id": graph_id, "select": select}
        made = tx.rows("interventions/branches/create", **params)
        if not made:
            if not tx.rows("interventions/branches/get", id=model_id):
                raise ModelNotFound("no such model", field="model_id", value=model_id, hint="See `ksmith models`.")
            raise GraphNotFound("no such graph", field="graph_id", value=graph_id, hint="See `ksmith graphs`.")
        require_graph(tx, graph_id)
        return None, renew_heads(tx, graph_id, start=start) if made[0]["selected"] else ""

    with_heads(store, work)
    return get_branch(store, branch_id)


def _branch_rows(tx: Transaction, branch_id: str) -> list[Row]:
    return tx.rows("interventions/branches/branches", graph_id="", only=branch_id, after="", limit=1)


def get_branch(store: GraphStore, branch_id: str) -> BranchInfo:
    """One branch.

    Raises:
        BranchNotFound: no such branch.
    """

    def read() -> list[Row]:
        return store.read_transaction(lambda tx: _branch_rows(tx, branch_id))

    rows = settled(read, _on_a_head) if branch_id else []
    if not _on_a_head(rows):
        raise _no_branch(branch_id)
    return _branch(rows[0])


def _no_branch(branch_id: str) -> BranchNotFound:
    return BranchNotFound("no such branch", field="branch_id", value=branch_id, hint="See `ksmith branch list`.")


def _on_a_head(rows: list[Row]) -> bool:
    return len(rows) == 1 and bool(rows[0]["head_revision"])


def _branch(row: Row) -> BranchInfo:
    fields: Row = {**row, "interventions": tuple(row["interventions"])}
    return BranchInfo(**fields)


def list_branches(store: GraphStore, *, graph_id: str = "", after: str = "", limit: int = 50) -> list[BranchInfo]:
    """Branches by id, after a given id."""
    asked = {"graph_id": graph_id, "only": "", "after": after, "limit": limit}
    rows = settled(
        lambda: store.read("interventions/branches/branches", **asked),
        lambda found: all(row["head_revision"] for row in found),
    )
    return [_branch(row) for row in rows if row["head_revision"]]


def select_branch(store: GraphStore, branch_id: str) -> None:
    """Make a branch the one whose beliefs stand on the entities, and replay its ledgers onto them.

    Raises:
        BranchNotFound: no such branch, or it is being deleted.
    """

    def work(tx: Transaction, start: bool) -> tuple[None, str]:  # noqa: FBT001
        rows = tx.rows("interventions/branches/select", id=branch_id)
        if not rows:
            raise _no_branch(branch_id)
        return None, renew_heads(tx, rows[0]["graph_id"], start=start)

    with_heads(store, work)


def revisions(store: GraphStore, branch_id: str) -> list[RevisionInfo]:
    """Revisions from the head of a branch down to the base."""
    get_branch(store, branch_id)
    return [
        RevisionInfo(**row)
        for row in settled(lambda: store.read("interventions/branches/chain", branch_id=branch_id), bool)
    ]


def lineage(store: GraphStore, branch_id: str, revision: str) -> list[RevisionInfo]:
    """A revision of the branch's model ("" = head, "base" = base) and its ancestors, that revision first.

    Raises:
        BranchNotFound: no such branch.
        RevisionNotFound: the model of the branch has no such revision.
    """
    branch = get_branch(store, branch_id)
    wanted = {"": branch.head_revision, "base": f"{branch.model_id}.base"}.get(revision, revision)
    rows = store.read("interventions/branches/revision_chain", branch_id=branch_id, revision_id=wanted)
    if not rows:
        raise RevisionNotFound(
            "the branch's model has no such revision",
            field="revision_id",
            value=revision,
            hint="Use a revision of `ksmith branch show`, `base`, or nothing for the head.",
        )
    return [RevisionInfo(**row) for row in rows]


def artefact_chain(line: Sequence[RevisionInfo]) -> tuple[str, ...]:
    """Digests of the artefacts of a lineage in the order in which they are attached (base first)."""
    return tuple(step.artefact_sha256 for step in reversed(line) if step.artefact_sha256)


def overlay(store: GraphStore, branch_id: str) -> tuple[WorldChange, ...]:
    """What the committed interventions of a branch assert and retract, in commit order."""
    rows = store.read("interventions/branches/overlay", branch_id=branch_id)
    return tuple(change for row in rows for change in parse_changes(row["overlay"]))


def dump_changes(changes: Sequence[WorldChange]) -> str:
    """World changes as JSON, to be stored as one property."""
    return json.dumps(
        [
            [c.op.value, c.fact_id, c.subject, c.relation, c.object, c.proof.rule, list(c.proof.premises)]
            for c in changes
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def parse_changes(text: str | None) -> tuple[WorldChange, ...]:
    """The inverse of :func:`dump_changes`."""
    return tuple(
        WorldChange(
            op=WorldOp(op),
            fact_id=fact,
            subject=subject,
            relation=relation,
            object=obj,
            proof=Proof(rule=rule, premises=tuple(premises)),
        )
        for op, fact, subject, relation, obj, rule, premises in json.loads(text or "[]")
    )


def inserted(store: GraphStore, branch_id: str) -> tuple[Entity, ...]:
    """Entities that the committed interventions of a branch inserted, by uid."""
    rows = store.read("interventions/branches/inserted", branch_id=branch_id)
    found = {entity.uid: entity for row in rows for entity in parse_entities(row["inserted"])}
    return tuple(entity for _, entity in sorted(found.items()))


def dump_entities(entities: Sequence[Entity]) -> str:
    """Entities as JSON, to be stored as one property."""
    rows = [[e.uid, e.name, e.type, e.domain, list(e.aliases)] for e in entities]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def parse_entities(text: str | None) -> tuple[Entity, ...]:
    """The inverse of :func:`dump_entities`."""
    return tuple(
        Entity(uid=uid, name=name, type=kind, domain=domain, aliases=tuple(aliases))
        for uid, name, kind, domain, aliases in json.loads(text or "[]")
    )


def check_rollback(store: GraphStore, branch_id: str, expected_revision: str) -> tuple[RevisionInfo, RevisionInfo]:
    """The head of a branch and the parent that a rollback would return to.

    Raises:
        RevisionMismatch: the head is not the expected one.
        BranchBusy: an intervention holds the branch.
        FailedPrecondition: the head is the base.
    """
    branch = get_branch(store, branch_id)
    if expected_revision and branch.head_revision != expected_revision:
        raise RevisionMismatch(
            "the branch head is another revision",
            field="expected_revision_id",
            value=expected_revision,
            hint=f"The head is {branch.head_revision}; read the branch again and decide anew.",
        )
    if branch.busy_with:
        raise BranchBusy(
            "an intervention holds the branch",
            field="branch_id",
            value=branch_id,
            hint=f"Wait for {branch.busy_with}, or cancel it.",
        )
    line = lineage(store, branch_id, "")
    if len(line) < 2:
        raise FailedPrecondition(
            "the branch is at its base; there is nothing to roll back", field="branch_id", value=branch_id
        )
    return line[0], line[1]


def rolled_back(store: GraphStore, branch_id: str, request_id: str) -> RevisionInfo | None:
    """The revision that an earlier rollback under this request id returned to."""
    rows = store.read("interventions/steps/rolled_back", branch_id=branch_id, request_id=request_id)
    return lineage(store, branch_id, rows[0]["revision_id"])[0] if rows else None


def rollback(store: GraphStore, branch_id: str, head_revision: str, *, request_id: str) -> str:
    """Move the head back to its parent, mark the intervention and restore the head beliefs that it made.

    Returns:
        The id of the intervention that was rolled back.

    Raises:
        IllegalState: the head moved, an intervention took the branch, or this request was served, in the meantime.
    """

    def work(tx: Transaction, start: bool) -> tuple[str, str]:  # noqa: FBT001
        rows = tx.rows(
            "interventions/steps/rollback", branch_id=branch_id, head_revision=head_revision, request_id=request_id
        )
        if not rows:
            raise IllegalState(
                "the head moved, or an intervention took the branch, in the meantime",
                field="branch_id",
                value=branch_id,
                hint="Try again.",
            )
        undone = str(rows[0]["intervention_id"])
        return undone, mend_heads(tx, undone, start=start)

    return with_heads(store, work)
