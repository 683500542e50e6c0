"""A synthetic run for the speed of the ledger and of its questions: a graph, a branch, an intervention, its plan.

Everything follows from the seed; beliefs are drawn, not measured, since only the database is timed here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.interventions.ledger import Measured, Outcome
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.plans import LedgerSlot
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind, Role, role_of

KINDS: Final = (ProbeKind.DIRECT, ProbeKind.REVERSE, ProbeKind.CONTEXTUAL, ProbeKind.CONFLICT)
FANOUT: Final = 4
_BATCH: Final = 10_000
Batch = list[tuple[LedgerSlot, Measured]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWorld:
    """One graph and one branch; ``entities`` are uids in order of their distance from the first one."""

    graph_id: str
    branch_id: str
    entities: tuple[str, ...]
    rel_types: tuple[str, ...] = ("BELONGS_TO", "NEXT_TO")


def build_world(store: GraphStore, *, graph_id: str, entities: int) -> RunWorld:
    """A tree of fan-out four with a ring through all entities: every entity has about four facts."""
    uids = [f"n{number:07d}" for number in range(entities)]
    tree = [(uids[n], uids[(n - 1) // FANOUT], "BELONGS_TO") for n in range(1, entities)]
    ring = [(uids[n], uids[(n + 1) % entities], "NEXT_TO") for n in range(entities)]
    facts = sorted([s, o, t, fact_id(graph_id, s, t.lower(), o), ""] for s, o, t in [*tree, *ring])
    rows = [[uid, f"Node {uid}", "Thing", f"domain{n % 4}", list[str](), False] for n, uid in enumerate(uids)]
    relations = [
        {"name": name.lower(), "rel_type": name, "functional": name == "BELONGS_TO", "templates": list[str]()}
        for name in ("BELONGS_TO", "NEXT_TO")
    ]

    def head(tx: Transaction) -> None:
        tx.rows("archive/load_begin", graph_id=graph_id, archive="")
        properties = {"digest": "0" * 64, "source": "synthetic"}
        tx.rows("archive/load_end", graph_id=graph_id, archive="", properties=properties)
        tx.rows("graphs/relations_replace", graph_id=graph_id, rows=relations)

    store.write_transaction(head)
    for batch in _parts(rows):
        store.write("archive/load_entities", graph_id=graph_id, rows=batch)
    for batch in _parts(facts):
        store.write("archive/load_facts", graph_id=graph_id, rows=batch)
    return RunWorld(graph_id=graph_id, branch_id=f"{graph_id}-branch", entities=tuple(uids))


def open_branch(store: GraphStore, world: RunWorld, *, branch_id: str = "", select: bool = True) -> str:
    """A model of the graph's name with a branch."""
    branch = branch_id or world.branch_id
    model = f"{world.graph_id}-model"
    store.write(
        "interventions/branches/register",
        id=model,
        path="",
        weights_sha256="0",
        architecture="",
        parameters=0,
        dtype="float32",
        base_revision=f"{model}.base",
    )
    store.write("interventions/branches/create", id=branch, model_id=model, graph_id=world.graph_id, select=select)
    return branch


def open_run(store: GraphStore, world: RunWorld, run: str, *, branch_id: str = "", targets: int = 1) -> str:
    """A running intervention with ``targets`` targets."""
    properties = {"id": run, "request_id": run, "goal": "EDIT", "method": "placebo"}
    store.write("interventions/steps/create", branch_id=branch_id or world.branch_id, properties=properties)
    asked = [target(world, n) for n in range(targets)]
    plan = {"plan_graph": world.graph_id, "plan_digest": "0"}
    store.write("planning/begin", id=run, fence=0, properties=plan, targets=asked)
    store.write(
        "interventions/steps/advance",
        id=run,
        fence=0,
        from_states=["QUEUED"],
        properties={"state": "RUNNING"},
        finished=False,
    )
    return run


def target(world: RunWorld, number: int) -> list[str]:
    """Entity ``number + 1`` moves below another parent: subject, relation, fact id, old and new object."""
    uid = world.entities[number + 1]
    old, new = _objects(world, uid)
    ids = [fact_id(world.graph_id, uid, "belongs_to", obj) for obj in (old, new)]
    return [uid, "belongs_to", ids[0], old, new, ids[1]]


def _objects(world: RunWorld, uid: str) -> list[str]:
    """Where an entity belongs before and after it moves; the topmost one stays."""
    number = max(0, int(uid.removeprefix("n")) - 1)
    return [world.entities[number // FANOUT], world.entities[-1 - number]]


def _polarity(n: int) -> Polarity:
    return Polarity.CHANGE if n // len(KINDS) < 1000 and n % len(KINDS) != 2 else Polarity.STAY


def _role(n: int) -> Role:
    return role_of(KINDS[n % len(KINDS)], _polarity(n), asks_target=n // len(KINDS) < 100)


def slots(world: RunWorld, rows: int) -> list[LedgerSlot]:
    """Rows that keep an entity together, nearest first, as a plan would number them."""
    return [
        LedgerSlot(
            seq=n + 1,
            entity=world.entities[n // len(KINDS)],
            fact_id=fact_id(world.graph_id, world.entities[n // len(KINDS)], "belongs_to", str(n)),
            relation="belongs_to",
            kind=KINDS[n % len(KINDS)],
            polarity=_polarity(n),
            role=_role(n),
            hops=_depth(n // len(KINDS)),
            nearest_target=world.entities[0],
            probe_ids=(f"{world.graph_id}-{n}",),
        )
        for n in range(rows)
    ]


def measured(chosen: Sequence[LedgerSlot], *, seed: int, outcomes: bool) -> Batch:
    """Drawn beliefs; an entity moves less the farther it is."""
    return [(slot, _measured(slot, random.Random(f"{seed}/{slot.seq}"), outcomes=outcomes)) for slot in chosen]  # noqa: S311


def write_plan(store: GraphStore, world: RunWorld, run: str, chosen: Sequence[LedgerSlot]) -> None:
    """One planned probe a row."""
    rows = [_probe(world, slot) for slot in chosen]
    for batch in _parts(rows):
        store.write("planning/probes", id=run, graph_id=world.graph_id, rows=batch)


def _probe(world: RunWorld, slot: LedgerSlot) -> dict[str, object]:
    change = slot.polarity is Polarity.CHANGE
    options = ["true", "false"] if slot.kind is ProbeKind.CONFLICT else ["a", "b", "c", "d"]
    path = ["~belongs_to"] if slot.kind is ProbeKind.REVERSE else ["belongs_to"]
    probe = {
        "id": slot.probe_ids[0],
        "graph_id": world.graph_id,
        "kind": slot.kind.value,
        "anchor": slot.entity,
        "path": path,
        "stem": f"{slot.entity} belongs to",
        "prefix": "",
        "options": options,
        "option_uids": options if slot.kind is ProbeKind.CONFLICT else [*_objects(world, slot.entity), "c", "d"],
    }
    planned = {
        "position": slot.seq - 1,
        "before": [0],
        "after": [1] if change else [0],
        "polarity": slot.polarity.value,
        "role": slot.role.value if slot.role else None,
        "hops": slot.hops,
        "asked_fact_id": slot.fact_id,
        "relation": slot.relation,
        "row_seq": slot.seq,
    }
    return {"id": slot.probe_ids[0], "anchor": slot.entity, "probe": probe, "planned": planned}


def _measured(slot: LedgerSlot, draw: random.Random, *, outcomes: bool) -> Measured:
    before = 0.4 + 0.6 * draw.random()
    after = before * (1 - draw.random() / (1 + (slot.hops or 0)))
    change = slot.polarity is Polarity.CHANGE
    kept = after > 0.4
    verdict = ("MISSED" if kept else "PROPAGATED") if change else ("PRESERVED" if kept else "COLLATERAL")
    outcome = Outcome(
        probe_id=slot.probe_ids[0],
        pred_before=0,
        pred_after=0 if kept else 1,
        p_old_before=before,
        p_old_after=after,
        p_new_before=1 - before,
        p_new_after=1 - after,
        verdict=verdict,
    )
    return Measured(
        before=before,
        after=after,
        new_before=1 - before,
        new_after=1 - after,
        n=1,
        outcomes=(outcome,) if outcomes else (),
        **{f"n_{verdict.lower()}": 1},
    )


def _depth(number: int) -> int:
    """Level of a node of the tree, counted from the root."""
    depth = 0
    while number:
        number, depth = (number - 1) // FANOUT, depth + 1
    return depth


def _parts(rows: Sequence[object]) -> Iterator[Sequence[object]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
