"""Keeps plans in the graph: what is asked as (:Probe) nodes, the rest on the intervention."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from knowledgesmith.graph_schema.errors import FenceRejected, IllegalState, InterventionNotFound
from knowledgesmith.graph_schema.graphs.own_uids import check_own, insert_entities
from knowledgesmith.graph_schema.graphs.reading import require_entities, stamp_of
from knowledgesmith.graph_schema.interventions.branches import (
    dump_changes,
    dump_entities,
    parse_changes,
    parse_entities,
)
from knowledgesmith.graph_schema.planning.planner import digest_of
from knowledgesmith.graph_schema.probes.nodes import probe_from, probe_properties
from knowledgesmith.graph_schema.storage.settled import settled
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plan_slots import slots_of
from knowledgesmith.graph_schema.types.plans import Cited, Cut, Plan, PlanWarning, Proof, WarningKind
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, Role
from knowledgesmith.graph_schema.worlds.world_cache import WorldMoved

_BATCH: Final = 5_000


class Fenced(Protocol):
    """The right of one attempt to write to one intervention."""

    @property
    def id(self) -> str:
        """Intervention."""
        ...

    @property
    def fence(self) -> int:
        """The attempt's fence."""
        ...


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An intervention that no worker has taken up yet: until one does, whoever made it may write its plan."""

    id: str
    fence: int = 0


def store_plan(store: GraphStore, held: Fenced, plan: Plan) -> None:
    """Store a plan whole or not at all; one that is there already is replaced, with the probes that nobody else asks.

    Raises:
        FenceRejected: a newer attempt owns the intervention, or it does not exist.
        AlreadyExists: another request inserted another entity under the uid of one of this plan's.
        WorldMoved: an import or an acceptance changed the graph after the plan was made on it.
        GraphIncomplete: the graph is being imported.
        EntityNotFound: a target or a probe is about an entity that the graph does not have.
    """
    rows = [_row(position, planned, plan.graph_id) for position, planned in enumerate(plan.probes)]

    def work(tx: Transaction) -> None:
        if plan.stamp and stamp_of(tx, plan.graph_id) != plan.stamp:
            raise WorldMoved
        if others := insert_entities(tx, graph_id=plan.graph_id, entities=plan.inserted):
            committed = tx.rows("interventions/branches/inserted", branch_id=plan.branch_id)
            check_own(others, earlier=[entity for row in committed for entity in parse_entities(row["inserted"])])
        begun = tx.rows("planning/begin", id=held.id, fence=held.fence, properties=_head(plan), targets=_targets(plan))
        if not begun:
            raise FenceRejected("another attempt took over", field="intervention", value=held.id)
        if begun[0]["targeted"] != len(plan.targets):
            require_entities(tx, plan.graph_id, (target.subject for target in plan.targets), field="changes")
        for start in range(0, len(rows), _BATCH):
            batch = sorted(rows[start : start + _BATCH], key=lambda row: str(row["anchor"]))
            written = tx.rows("planning/probes", id=held.id, graph_id=plan.graph_id, rows=batch)
            if written[0]["planned"] != len(batch):
                require_entities(tx, plan.graph_id, (str(row["anchor"]) for row in batch), field="probes")
        unasked = sorted(set(begun[0]["former"]) - {str(row["id"]) for row in rows})
        for start in range(0, len(unasked), _BATCH):
            tx.rows("planning/unheld", ids=unasked[start : start + _BATCH])

    store.write_transaction(work)


def load_plan(store: GraphStore, intervention_id: str) -> Plan:
    """The plan exactly as it was stored.

    Raises:
        InterventionNotFound: there is no such intervention.
        IllegalState: it has no plan yet, or the stored parts do not add up to the plan's digest.
    """
    # another attempt may be replacing it, and head and probes are read by several queries
    plan = settled(lambda: _assembled(store, intervention_id), lambda found: digest_of(found) == found.digest)
    if digest_of(plan) == plan.digest:
        return plan
    raise IllegalState(
        "The stored plan is damaged: its parts do not add up to its digest.",
        field="intervention",
        value=intervention_id,
        hint="Ask for the intervention again.",
    )


def _assembled(store: GraphStore, intervention_id: str) -> Plan:
    head, rows = store.read_transaction(lambda tx: _read(tx, intervention_id))
    probes = tuple(_planned(row) for row in rows)
    return Plan(
        graph_id=head["graph_id"],
        graph_digest=head["graph_digest"],
        branch_id=head["branch_id"],
        goal=Goal(head["goal"]),
        seed=head["seed"],
        targets=tuple(
            Change(subject=subject, relation=relation, old_object=old, new_object=new)
            for subject, relation, old, new in head["targets"]
        ),
        overlay=parse_changes(head["overlay"]),
        derived=parse_changes(head["derived"]),
        probes=probes,
        slots=slots_of(probes),
        digest=head["digest"],
        cited=_cited_from(head["cited"]),
        cut=_cut_from(head["cut"]),
        inserted=parse_entities(head["inserted"]),
        names=tuple((uid, name) for uid, name in json.loads(head["names"] or "[]")),
        verdict_scheme=head["verdict_scheme"],
        warnings=_warnings_from(head["warnings"]),
        stamp=head["stamp"] or "",
        world=head["world"] or "",
    )


def _read(tx: Transaction, intervention_id: str) -> tuple[Row, list[Row]]:
    heads = tx.rows("planning/head", id=intervention_id)
    if not heads:
        raise InterventionNotFound(
            "There is no such intervention.", field="intervention", value=intervention_id, hint="List them."
        )
    if not heads[0]["digest"]:
        raise IllegalState(
            "The intervention has no plan yet.", field="intervention", value=intervention_id, hint="Wait until it runs."
        )
    rows: list[Row] = []
    while batch := tx.rows("planning/read", id=intervention_id, after=len(rows) - 1, limit=_BATCH):
        rows += batch
        if len(batch) < _BATCH:
            break
    return heads[0], rows


def _head(plan: Plan) -> dict[str, object]:
    return {
        "plan_graph": plan.graph_id,
        "plan_graph_digest": plan.graph_digest,
        "plan_stamp": plan.stamp,
        "plan_world": plan.world,
        "plan_branch": plan.branch_id,
        "plan_goal": plan.goal.value,
        "plan_seed": plan.seed,
        "plan_digest": plan.digest,
        "verdict_scheme": plan.verdict_scheme,
        "planned_rows": len(plan.slots),
        "planned_probes": len(plan.probes),
        "overlay": dump_changes(plan.overlay),
        "derived": dump_changes(plan.derived),
        "cited": json.dumps([_cited_row(one) for one in plan.cited], ensure_ascii=False, separators=(",", ":")),
        "inserted": dump_entities(plan.inserted),
        "plan_names": json.dumps([list(pair) for pair in plan.names], ensure_ascii=False, separators=(",", ":")),
        "plan_warnings": json.dumps(
            [[w.kind.value, w.fact_id, w.message, w.hint, w.probes] for w in plan.warnings], ensure_ascii=False
        ),
        "cut": json.dumps([list(plan.cut.facts), plan.cut.weight, plan.cut.lower_bound]),
    }


def _cited_row(one: Cited) -> list[object]:
    proof = one.proof
    return [one.fact_id, one.subject, one.relation, one.object, proof.rule, list(proof.premises), one.worlds]


def _cited_from(text: str | None) -> tuple[Cited, ...]:
    return tuple(
        Cited(
            fact_id=fact,
            subject=subject,
            relation=relation,
            object=obj,
            proof=Proof(rule=rule, premises=tuple(premises)),
            worlds=worlds,
        )
        for fact, subject, relation, obj, rule, premises, worlds in json.loads(text or "[]")
    )


def _warnings_from(text: str | None) -> tuple[PlanWarning, ...]:
    return tuple(
        PlanWarning(kind=WarningKind(kind), fact_id=fact, message=message, hint=hint, probes=probes)
        for kind, fact, message, hint, probes in json.loads(text or "[]")
    )


def _cut_from(text: str | None) -> Cut:
    facts, weight, lower_bound = json.loads(text or "[[], 0, 0]")
    return Cut(facts=tuple(facts), weight=weight, lower_bound=lower_bound)


def _targets(plan: Plan) -> list[list[str]]:
    return [
        [
            target.subject,
            target.relation,
            fact_id(plan.graph_id, target.subject, target.relation, target.old_object or target.new_object),
            target.old_object,
            target.new_object,
            fact_id(plan.graph_id, target.subject, target.relation, target.new_object or target.old_object),
        ]
        for target in plan.targets
    ]


def _row(position: int, planned: PlannedProbe, graph_id: str) -> dict[str, object]:
    return {
        "id": planned.probe.id,
        "anchor": planned.probe.anchor,
        "probe": probe_properties(planned.probe, graph_id=graph_id),
        "planned": {
            "position": position,
            # which answers hold depends on the branch's world, so the shared node cannot keep them
            "answers": list(planned.probe.answers),
            "fact_ids": list(planned.probe.fact_ids),
            "before": list(planned.before),
            "after": list(planned.after),
            "polarity": planned.polarity.value,
            "role": planned.role.value if planned.role else None,
            "hops": planned.hops,
            "nearest_target": planned.nearest_target,
            "asked_fact_id": planned.asked_fact_id,
            "relation": planned.relation,
            "row_seq": planned.row_seq,
        },
    }


def _planned(row: Mapping[str, Any]) -> PlannedProbe:
    place = row["planned"]
    probe = {**row["probe"], "answers": place["answers"], "fact_ids": place["fact_ids"]}
    return PlannedProbe(
        probe=probe_from(probe),
        before=tuple(place["before"]),
        after=tuple(place["after"]),
        polarity=Polarity(place["polarity"]),
        role=Role(place["role"]) if place.get("role") else None,
        hops=place.get("hops"),
        nearest_target=place["nearest_target"],
        asked_fact_id=place["asked_fact_id"],
        relation=place["relation"],
        row_seq=place["row_seq"],
    )
