"""The small seeded graph that queries are profiled on, and an unrelated one of ten times its size."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

from tests.graph_schema.planning.conftest import atlas_entities, atlas_facts, atlas_relations, write_graph
from tests.graph_schema.propagation.conftest import CHANGES, Run, committed, open_branch, planned
from tests.names import fresh_graph

from knowledgesmith.graph_schema.interventions import ledger
from knowledgesmith.graph_schema.interventions.ledger import Measured
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.plans import LedgerSlot
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind, Role

COPIES = 10


@dataclass(frozen=True, kw_only=True)
class World:
    """Ids that the parameters of the table are made of.

    ``run`` is committed, ``running`` writes its ledger and ``rows`` are its next rows. ``ready`` is about to be
    committed; ``head`` is the revision that another one made on the branch ``decided``. ``facts`` are asserted
    [subject, relation type, object, fact id]. ``elements``, ``nodes`` and ``links`` are element ids of facts, of
    entities and of the hierarchy's links.
    """

    graph: str
    branch: str
    model: str
    run: str
    second: str
    running: str
    ready: str
    decided: str
    head: str
    request: str
    probe_set: str
    types: list[str]
    uids: list[str]
    facts: list[list[str]]
    elements: list[str]
    nodes: list[str]
    links: list[str]
    probes: list[dict[str, Any]]
    rows: list[list[Any]]
    outcomes: list[list[Any]]
    revision: str


def build(store: GraphStore) -> World:
    """The small world with a branch, two committed runs and one that is running."""
    graph = fresh_graph(__name__)
    lexicon = write_graph(store, graph, atlas_entities(), atlas_relations(), atlas_facts())
    store.write_transaction(lambda tx: _levels(tx, graph))
    open_branch(store, graph, graph)
    plan = planned(store, graph, goal=Goal.EDIT, changes=CHANGES)
    first = committed(store, plan, seed=1, order=1)
    second = committed(store, plan, seed=2, order=2)
    running = committed(store, plan, seed=3, order=3)
    store.write(
        "interventions/steps/advance",
        id=running.id,
        fence=0,
        from_states=["SUCCEEDED"],
        properties={"state": "RUNNING", "written_rows": 0},
        finished=False,
    )
    ready, head = _decided(store, graph)
    store.write("probes/sets/save", id=f"{graph}-set", properties={"graph_id": graph, "seed": 1})
    facts = store.read("graphs/facts", graph_id=graph)
    stored = store.read("importing/stored", graph_id=graph, after="", limit=1000)
    names = {relation.rel_type: relation.name for relation in lexicon.relations.values()}
    return World(
        graph=graph,
        branch=graph,
        model=graph,
        run=first.id,
        second=second.id,
        running=running.id,
        ready=ready,
        decided=f"{graph}-decided",
        head=head,
        request=first.id,
        probe_set=f"{graph}-set",
        types=sorted(names),
        uids=sorted(entity.uid for entity in atlas_entities()),
        facts=[[f["subject"], f["rel_type"], f["object"], f["fact_id"]] for f in facts],
        elements=[f["element"] for f in facts],
        nodes=[entity["element"] for entity in stored],
        links=[link for entity in stored for _, link in entity["links"]],
        probes=_probes(first),
        rows=_rows(running),
        outcomes=[list(vars_of(outcome)) for outcome in list(running.shown.values())[:20]],
        revision=f"{graph}.base",
    )


def _decided(store: GraphStore, graph: str) -> tuple[str, str]:
    """An intervention that is about to be committed, and a revision that one on another branch made."""
    made: list[str] = []
    for branch in (f"{graph}-ready", f"{graph}-decided"):
        open_branch(store, branch, graph)
        properties = {"id": branch, "request_id": branch, "goal": "EDIT"}
        store.write("interventions/steps/create", branch_id=branch, properties=properties)
        done = {"state": "COMMITTING"}
        store.write(
            "interventions/steps/advance", id=branch, fence=0, from_states=["QUEUED"], properties=done, finished=False
        )
        made.append(branch)
    head = f"{graph}-head"
    store.write(
        "interventions/steps/commit", id=made[1], fence=0, revision_id=head, artefact_sha256="a", weights_sha256="b"
    )
    store.write("interventions/branches/select", id=graph)
    return made[0], head


def vars_of(outcome: ledger.Outcome) -> tuple[Any, ...]:
    """The members of an outcome in order."""
    return tuple(getattr(outcome, name) for name in outcome.__dataclass_fields__)


def add_unrelated(store: GraphStore) -> None:
    """Ten copies of the graph under another id, with branches, runs, probes and cases: nothing may depend on it."""
    graph = fresh_graph(__name__)
    copies = range(COPIES)
    entities = [replace(e, uid=f"{e.uid}.{n}", name=f"{e.name} {n}") for n in copies for e in atlas_entities()]
    facts = [(f"{s}.{n}", r, f"{o}.{n}") for n in copies for s, r, o in atlas_facts()]
    write_graph(store, graph, entities, atlas_relations(), facts)
    store.write_transaction(lambda tx: _levels(tx, graph))
    cases = [{"id": f"{n:03}", "properties": {"goal": "EDIT", "family": f"{n % 9}", "stamp": "s"}} for n in range(500)]
    store.write("interventions/cases/write", graph_id=graph, rows=cases)
    store.write(
        "interventions/cases/write_probes", graph_id=graph, rows=[[case["id"], [{"position": 0}] * 2] for case in cases]
    )
    for n in copies:
        open_branch(store, f"{graph}-{n}", graph)
        store.write("probes/sets/save", id=f"{graph}-{n}", properties={"graph_id": graph, "seed": n})
        properties = {"id": f"{graph}-{n}", "request_id": f"{graph}-{n}", "goal": "EDIT", "state": "RUNNING"}
        store.write("interventions/steps/create", branch_id=f"{graph}-{n}", properties=properties)
        rows = [
            {
                "id": uuid.uuid4().hex,
                "anchor": entity.uid,
                "probe": {"kind": "DIRECT", "graph_id": graph, "path": ["symbol"], "options": ["a", "b"]},
                "planned": {"position": at, "polarity": "change", "verdict": "MISSED", "before": [0], "after": [1]},
            }
            for at, entity in enumerate(entities)
        ]
        store.write("planning/probes", id=f"{graph}-{n}", graph_id=graph, rows=rows)
        store.write(
            "interventions/steps/advance",
            id=f"{graph}-{n}",
            fence=0,
            from_states=["QUEUED"],
            properties={"state": "RUNNING"},
            finished=False,
        )
        changed = [
            (ledger_slot(entity.uid, at + 1), Measured(before=0.25, after=0.75, new_before=None, new_after=None, n=1))
            for at, entity in enumerate(entities)
        ]
        ledger.append(store, f"{graph}-{n}", 0, changed)
        store.write(
            "interventions/steps/advance",
            id=f"{graph}-{n}",
            fence=0,
            from_states=["RUNNING"],
            properties={"state": "SUCCEEDED", "commit_order": 1},
            finished=False,
        )


def ledger_slot(uid: str, seq: int) -> LedgerSlot:
    """A row about the entity itself."""
    return LedgerSlot(
        seq=seq,
        entity=uid,
        fact_id="f",
        relation="r",
        kind=ProbeKind.DIRECT,
        polarity=Polarity.STAY,
        role=Role.STAYS,
        hops=1,
        nearest_target=uid,
        probe_ids=(),
    )


def _levels(tx: Transaction, graph: str) -> None:
    """A hierarchy over ``located_in``, so that the queries for levels have something to do."""
    tx.rows("graphs/hierarchy_link_up", graph_id=graph, types=["LOCATED_IN"])
    tx.rows("graphs/depth_roots", graph_id=graph)
    tx.rows("graphs/depth_step", graph_id=graph, depth=0)
    tx.rows("graphs/level_labels", graph_id=graph)


def _probes(run: Run) -> list[dict[str, Any]]:
    rows = []
    for planned_probe in run.plan.probes[:20]:
        probe = planned_probe.probe
        rows.append(
            {
                "id": f"{probe.id}-copy",
                "anchor": probe.anchor,
                "probe": {"kind": probe.kind.value, "graph_id": run.graph_id},
                "planned": {"position": 10_000},
            }
        )
    return rows


def _rows(run: Run) -> list[list[Any]]:
    pairs = [(slot, run.rows[slot.seq]) for slot in run.plan.slots[:20]]
    return ledger.by_entity([(replace(slot, seq=slot.seq + 100_000), measured) for slot, measured in pairs])


def fact(world: World, subject: str, relation: str, obj: str) -> list[str]:
    """A new fact as [subject, type, object, id]."""
    return [subject, relation.upper(), obj, fact_id(world.graph, subject, relation, obj)]
