"""An intervention as it is stored: what was asked, how it stands, and both ways between these values and a node."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema.errors import IllegalState
from knowledgesmith.graph_schema.interventions.branches import dump_entities, parse_entities
from knowledgesmith.graph_schema.types.health import Health
from knowledgesmith.graph_schema.types.interventions import Change, Goal, State, TargetDistribution
from knowledgesmith.graph_schema.types.plans import SCHEME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knowledgesmith.graph_schema.storage.store import Row
    from knowledgesmith.graph_schema.types.facts import Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A condition on a metric of the finished run."""

    metric: str
    max: float | None = None
    min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionSpec:
    """What was asked, resolved to uids."""

    branch_id: str
    goal: Goal
    changes: tuple[Change, ...]
    method: str
    method_config: Mapping[str, Any]
    target_distribution: TargetDistribution
    scorer: str = "cloze-exact"
    seed: int = 0
    hold: bool = False
    gates: tuple[Gate, ...] = ()
    max_probes: int = 2000
    install_derived: bool = False
    entities: tuple[Entity, ...] = ()
    expected_revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """An intervention as it stands in the graph."""

    id: str
    spec: InterventionSpec
    graph_id: str
    state: State
    phase: str
    attempt: int
    fence: int
    actor: str
    request_id: str
    base_revision: str
    revision_id: str = ""
    artefact_sha256: str = ""
    weights_sha256: str = ""
    graph_digest: str = ""
    plan_digest: str = ""
    planned_rows: int = 0
    planned_probes: int = 0
    written_rows: int = 0
    error_reason: str = ""
    error_message: str = ""
    failed_gates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cancel_requested: bool = False
    created_ms: int = 0
    finished_ms: int | None = None
    rolled_back_ms: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    metrics_withheld: str = ""
    verdict_scheme: int = SCHEME
    health: Health | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Where an intervention stands; small, whatever was asked and planned."""

    state: State
    phase: str
    attempt: int
    planned_rows: int
    written_rows: int
    rolled_back_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to write for one attempt."""

    id: str
    fence: int
    attempt: int


def spec_properties(spec: InterventionSpec) -> dict[str, object]:
    """What was asked as properties of a node; :func:`stored_intervention` is the inverse."""
    return {
        "goal": spec.goal.value,
        "method": spec.method,
        "method_config": json.dumps(dict(spec.method_config), sort_keys=True),
        "target_distribution": spec.target_distribution.value,
        "scorer": spec.scorer,
        "seed": spec.seed,
        "hold": spec.hold,
        "gates": json.dumps([[g.metric, g.max, g.min] for g in spec.gates]),
        "max_probes": spec.max_probes,
        "install_derived": spec.install_derived,
        "entities": dump_entities(spec.entities),
        **({"expected_revision": spec.expected_revision} if spec.expected_revision else {}),
        "changes": json.dumps(
            [[c.subject, c.relation, c.old_object, c.new_object] for c in spec.changes], ensure_ascii=False
        ),
    }


def whole(row: Row) -> bool:
    """Whether the properties of a node are those of an intervention, and say of its state what belongs to it."""
    try:
        intervention = _parse(row)
    except (KeyError, TypeError, ValueError):
        return False
    if intervention.state.terminal and intervention.finished_ms is None:
        return False
    return not (intervention.state is State.SUCCEEDED and not intervention.revision_id)


def stored_intervention(row: Row) -> Intervention:
    """The intervention of a node.

    Raises:
        IllegalState: its properties are not those of an intervention.
    """
    try:
        return _parse(row)
    except (KeyError, TypeError, ValueError) as error:
        raise IllegalState(
            "the stored intervention is damaged",
            field="intervention_id",
            value=row["properties"].get("id"),
            hint="Somebody wrote to the database by hand; delete the node.",
        ) from error


def _parse(row: Row) -> Intervention:
    p = row["properties"]
    spec = InterventionSpec(
        branch_id=p["branch_id"],
        goal=Goal(p["goal"]),
        changes=tuple(
            Change(subject=s, relation=r, old_object=old, new_object=new) for s, r, old, new in json.loads(p["changes"])
        ),
        method=p["method"],
        method_config=json.loads(p["method_config"]),
        target_distribution=TargetDistribution(p["target_distribution"]),
        scorer=p["scorer"],
        seed=p["seed"],
        hold=p["hold"],
        gates=tuple(Gate(metric=m, max=high, min=low) for m, high, low in json.loads(p["gates"])),
        max_probes=p["max_probes"],
        install_derived=p["install_derived"],
        entities=parse_entities(p.get("entities")),
        expected_revision=p.get("expected_revision") or "",
    )
    text: Row = {
        name: p.get(name) or ""
        for name in (
            "revision_id",
            "artefact_sha256",
            "weights_sha256",
            "graph_digest",
            "plan_digest",
            "error_reason",
            "error_message",
            "metrics_withheld",
        )
    }
    numbers: Row = {name: int(p.get(name) or 0) for name in ("planned_rows", "planned_probes", "written_rows")}
    return Intervention(
        id=p["id"],
        spec=spec,
        graph_id=p["graph_id"],
        state=State(p["state"]),
        phase=p["phase"],
        attempt=p["attempt"],
        fence=p["fence"],
        actor=p["actor"],
        request_id=p["request_id"],
        base_revision=p["base_revision"],
        failed_gates=tuple(p.get("failed_gates") or ()),
        notes=tuple(p.get("notes") or ()),
        cancel_requested=bool(p.get("cancel_requested")),
        created_ms=row["created_ms"],
        finished_ms=row["finished_ms"],
        rolled_back_ms=row["rolled_back_ms"],
        metrics=json.loads(p.get("metrics") or "{}"),
        verdict_scheme=int(p.get("verdict_scheme") or (1 if p.get("plan_digest") else SCHEME)),
        health=Health.read(p),
        **text,
        **numbers,
    )
