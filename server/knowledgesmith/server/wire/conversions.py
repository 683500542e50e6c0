"""Wire types to domain values and back; nowhere else does one side know the other."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from knowledgesmith.editors.intervals import wilson
from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.interventions.records import Gate, Job
from knowledgesmith.graph_schema.types.interventions import Change, Goal, NamedChange, TargetDistribution
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, Probe, ProbeKind, Role
from knowledgesmith.v1 import common_pb2, intervention_pb2, model_pb2, probe_pb2, propagation_pb2
from knowledgesmith.server.wire.health import health_to
from knowledgesmith.server.wire.message_sizes import SHORT_BYTES, fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from knowledgesmith.graph_schema.interventions.branches import BranchInfo, ModelInfo, RevisionInfo
    from knowledgesmith.graph_schema.interventions.ledger import LedgerRow
    from knowledgesmith.graph_schema.propagation import Edge, Node

E = TypeVar("E")

MAX_CHANGES = 10_000
MAX_TEXT = 500
MAX_GATES = 100
MAX_CONFIG = 100_000
"""Characters of a method's configuration."""
SHOWN_CHANGES = 100
"""Changes of a specification in an answer."""
GATE_METRICS = ("installed", "erased", "propagated", "residual", "collateral", "perplexity_ratio")

_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_DEFAULT_TARGET = {Goal.EDIT: TargetDistribution.NEW_OBJECT, Goal.UNLEARN: TargetDistribution.NEUTRAL_GRAPH}


def check_id(text: str, field: str) -> str:
    """An id for a new graph or branch.

    Raises:
        InvalidInput: not 1 to 63 of ``[a-z0-9_-]`` with a letter first.
    """
    if not _ID.fullmatch(text):
        raise InvalidInput(
            "not a valid id", field=field, value=text, hint="Use 1 to 63 of a-z, 0-9, _ and -; a letter first."
        )
    return text


def check_model_id(text: str, field: str) -> str:
    """An id for a model or a folder name: as :func:`check_id`, dots allowed, a digit may come first."""
    if not _MODEL_ID.fullmatch(text):
        raise InvalidInput(
            "not a valid id", field=field, value=text, hint="Use 1 to 63 of a-z, 0-9, _, . and -; no dot first."
        )
    return text


def check_text(text: str, field: str, *, limit: int = MAX_TEXT) -> str:
    """A text that a user typed: no NUL, not too long; everything else is data.

    Raises:
        InvalidInput: holds a NUL character.
        TooLarge: more than ``limit`` characters.
    """
    if "\x00" in text:
        raise InvalidInput("the text holds a NUL character", field=field, value=text, hint="Remove it.")
    if len(text) > limit:
        raise TooLarge(f"more than {limit} characters", field=field, value=text, hint="Shorten it.")
    return text


def check_request_id(text: str) -> str:
    """A client's idempotence key, or a fresh one when it gave none.

    Raises:
        InvalidInput: not a UUID.
    """
    if not text:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InvalidInput(
            "not a UUID", field="request_id", value=text, hint="Send a random UUID (version 4)."
        ) from None


def _enum_name(names: Callable[[Any], str], number: int, prefix: str, field: str) -> str:
    """Name without its prefix; empty when not set."""
    try:
        name = names(number)
    except ValueError:
        raise InvalidInput(
            "unknown enum value", field=field, value=number, hint="Update the client or the server."
        ) from None
    name = name.removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name


def goal_from(number: int) -> Goal:
    """The goal of a request.

    Raises:
        InvalidInput: not set.
    """
    name = _enum_name(common_pb2.Goal.Name, number, "GOAL_", "goal")
    if not name:
        raise InvalidInput("a goal is required", field="goal", hint="Use GOAL_EDIT or GOAL_UNLEARN.")
    return Goal(name)


def target_from(number: int, goal: Goal) -> TargetDistribution:
    """The target distribution, by default NEW_OBJECT for an edit and NEUTRAL_GRAPH for an unlearning."""
    name = _enum_name(common_pb2.TargetDistribution.Name, number, "TARGET_DISTRIBUTION_", "target_distribution")
    return TargetDistribution(name) if name else _DEFAULT_TARGET[goal]


def kind_from(number: int) -> ProbeKind | None:
    """A probe kind; None when not set."""
    name = _enum_name(common_pb2.ProbeKind.Name, number, "PROBE_KIND_", "kind")
    return ProbeKind(name) if name else None


def kind_to(kind: ProbeKind | str) -> common_pb2.ProbeKind.ValueType:
    """Wire value of a kind."""
    return common_pb2.ProbeKind.Value(f"PROBE_KIND_{ProbeKind(kind).value}")


def polarity_to(polarity: Polarity | str) -> common_pb2.Polarity.ValueType:
    """Wire value of a polarity."""
    return common_pb2.Polarity.Value(f"POLARITY_{Polarity(polarity).name}")


def role_to(role: Role | str | None) -> common_pb2.Role.ValueType:
    """Wire value of a role; not set where the verdicts' first scheme told none."""
    return common_pb2.Role.Value(f"ROLE_{Role(role).name}") if role else common_pb2.ROLE_UNSPECIFIED


def roles_from(numbers: Iterable[int]) -> list[Role]:
    """Roles of a request; none stands for all.

    Raises:
        InvalidInput: an unknown number.
    """
    names = [_enum_name(common_pb2.Role.Name, n, "ROLE_", f"roles[{place}]") for place, n in enumerate(numbers)]
    return [Role[name] for name in names if name]


def changes_from(items: Sequence[intervention_pb2.FactChange], *, empty: bool = False) -> list[NamedChange]:
    """The changes of a request, texts checked; there may be none (``empty``) where something structural changes.

    Raises:
        InvalidInput: none, an empty subject or relation, or a NUL.
        TooLarge: more than 10,000, or a text over 500 characters.
    """
    if not items and not empty:
        raise InvalidInput("at least one change is required", field="changes", hint="Name a subject and a relation.")
    if len(items) > MAX_CHANGES:
        raise TooLarge(f"more than {MAX_CHANGES} changes", field="changes", value=len(items), hint="Split the batch.")
    return [change_from(item, f"changes[{index}]") for index, item in enumerate(items)]


def change_from(item: intervention_pb2.FactChange, where: str) -> NamedChange:
    """One change of a fact, texts checked; ``where`` names it in messages."""
    texts = {
        name: check_text(getattr(item, name), f"{where}.{name}")
        for name in ("subject", "relation", "old_object", "new_object")
    }
    for name in ("subject", "relation"):
        if not texts[name].strip():
            raise InvalidInput(
                "must not be empty", field=f"{where}.{name}", hint="Name an entity and a relation of the graph."
            )
    return NamedChange(**texts)


def gates_from(items: Sequence[intervention_pb2.Gate]) -> tuple[Gate, ...]:
    """The gates of a request.

    Raises:
        InvalidInput: unknown metric, or no bound.
        TooLarge: more than 100.
    """
    gates: list[Gate] = []
    if len(items) > MAX_GATES:
        raise TooLarge(f"more than {MAX_GATES} gates", field="gates", value=len(items), hint="One a metric is enough.")
    for index, item in enumerate(items):
        if item.metric not in GATE_METRICS:
            raise InvalidInput(
                "unknown metric",
                field=f"gates[{index}].metric",
                value=item.metric,
                hint=f"Use one of {', '.join(GATE_METRICS)}.",
            )
        high = item.max if item.HasField("max") else None
        low = item.min if item.HasField("min") else None
        if high is None and low is None:
            raise InvalidInput(
                "a gate needs a bound", field=f"gates[{index}]", value=item.metric, hint="Set max or min."
            )
        gates.append(Gate(metric=item.metric, max=high, min=low))
    return tuple(gates)


def json_object(text: str, field: str) -> dict[str, Any]:
    """A JSON object typed by a user; empty text is an empty object.

    Raises:
        InvalidInput: not a JSON object.
    """
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"not valid JSON: {error}", field=field, value=text) from None
    if not isinstance(value, dict):
        raise InvalidInput("must be a JSON object", field=field, value=text, hint='For example {"steps": 20}.')
    return {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]


def timestamp(milliseconds: int | None) -> Timestamp | None:
    """Milliseconds since the epoch as a timestamp."""
    if milliseconds is None:
        return None
    stamp = Timestamp()
    stamp.FromMilliseconds(milliseconds)
    return stamp


def model_to(model: ModelInfo) -> model_pb2.Model:
    """A model on the wire."""
    return model_pb2.Model(
        id=model.id,
        path=model.path,
        weights_sha256=model.weights_sha256,
        architecture=model.architecture,
        parameters=model.parameters,
        dtype=model.dtype,
    )


def branch_to(branch: BranchInfo) -> model_pb2.Branch:
    """A branch on the wire."""
    return model_pb2.Branch(
        id=branch.id,
        model_id=branch.model_id,
        graph_id=branch.graph_id,
        head_revision=branch.head_revision,
        interventions=branch.interventions,
        busy_with=branch.busy_with,
    )


def revision_to(revision: RevisionInfo) -> model_pb2.Revision:
    """A revision on the wire."""
    return model_pb2.Revision(
        id=revision.id,
        parent=revision.parent,
        artefact_sha256=revision.artefact_sha256,
        weights_sha256=revision.weights_sha256,
        intervention_id=revision.intervention_id,
        create_time=timestamp(revision.created_ms),
    )


def method_to(method: dict[str, Any]) -> model_pb2.Method:
    """A method on the wire, from the worker's description."""
    return model_pb2.Method(**method)


def fact_changes_to(changes: Iterable[Change], *, limit: int) -> list[intervention_pb2.FactChange]:
    """The first resolved changes that take at most ``limit`` bytes, on the wire."""
    made = (
        intervention_pb2.FactChange(
            subject=c.subject, relation=c.relation, old_object=c.old_object, new_object=c.new_object
        )
        for c in changes
    )
    return fitting(made, limit=limit)


def spec_to(job: Job) -> intervention_pb2.InterventionSpec:
    """What was asked, on the wire, with resolved uids; of many changes the first ones."""
    spec = job.spec
    return intervention_pb2.InterventionSpec(
        branch_id=spec.branch_id,
        goal=common_pb2.Goal.Value(f"GOAL_{spec.goal.value}"),
        changes=fact_changes_to(spec.changes[:SHOWN_CHANGES], limit=SHORT_BYTES),
        total_changes=len(spec.changes),
        method=spec.method,
        method_config_json=json.dumps(dict(spec.method_config), sort_keys=True) if spec.method_config else "",
        target_distribution=common_pb2.TargetDistribution.Value(
            f"TARGET_DISTRIBUTION_{spec.target_distribution.value}"
        ),
        scorer=spec.scorer,
        seed=spec.seed,
        hold=spec.hold,
        gates=[intervention_pb2.Gate(metric=g.metric, max=g.max, min=g.min) for g in spec.gates],
        max_probes=spec.max_probes,
        install_derived=spec.install_derived,
    )


def job_to(job: Job) -> intervention_pb2.Intervention:
    """An intervention on the wire."""
    return intervention_pb2.Intervention(
        id=job.id,
        spec=spec_to(job),
        graph_id=job.graph_id,
        state=intervention_pb2.InterventionState.Value(f"INTERVENTION_STATE_{job.state.value}"),
        phase=job.phase,
        attempt=job.attempt,
        actor=job.actor,
        request_id=job.request_id,
        base_revision=job.base_revision,
        revision_id=job.revision_id,
        planned_rows=job.planned_rows,
        written_rows=job.written_rows,
        planned_probes=job.planned_probes,
        error_reason=job.error_reason,
        error_message=job.error_message,
        create_time=timestamp(job.created_ms),
        finish_time=timestamp(job.finished_ms),
        failed_gates=job.failed_gates,
        rollback_time=timestamp(job.rolled_back_ms),
        graph_digest=job.graph_digest,
        health=health_to(job.health),
        verdict_scheme=job.verdict_scheme,
        notes=job.notes,
    )


def probe_to(probe: Probe, planned: PlannedProbe | None = None) -> probe_pb2.Probe:
    """A probe on the wire; a planned one carries what it expects."""
    message = probe_pb2.Probe(
        id=probe.id,
        kind=kind_to(probe.kind),
        anchor=probe.anchor,
        chain_length=probe.chain_length,
        stem=probe.text,
        options=probe.options,
        answers=probe.answers,
        fact_ids=probe.fact_ids,
        context="" if probe.context.value == "none" else probe.context.value,
        counter_stem=probe.counter_stem,
    )
    if planned is not None:
        message.answers[:] = planned.before
        message.answers_after[:] = planned.after
        message.polarity = polarity_to(planned.polarity)
        message.role = role_to(planned.role)
        if planned.hops is not None:
            message.hops = planned.hops
    return message


def row_to(row: LedgerRow) -> intervention_pb2.BeliefChange:
    """A ledger row on the wire."""
    m = row.measured
    return intervention_pb2.BeliefChange(
        seq=row.seq,
        entity=row.entity,
        name=row.name,
        level=row.level,
        kind=kind_to(row.kind),
        polarity=polarity_to(Polarity(row.polarity)),
        fact_id=row.fact_id,
        relation=row.relation,
        before=m.before,
        after=m.after,
        new_before=m.new_before,
        new_after=m.new_after,
        delta=m.delta,
        hops=row.hops,
        nearest_target=row.nearest_target,
        n_propagated=m.n_propagated,
        n_missed=m.n_missed,
        n_drifted=m.n_drifted,
        n_preserved=m.n_preserved,
        n_collateral=m.n_collateral,
        n_ineligible=m.n_ineligible,
        role=role_to(row.role),
        n_forgotten=m.n_forgotten,
        n_installed=m.n_installed,
        n_not_installed=m.n_not_installed,
        n_erased=m.n_erased,
        n_not_erased=m.n_not_erased,
    )


def rate_to(
    successes: int, trials: int, *, chance: float | None = None, placebo: float | None = None
) -> common_pb2.Rate:
    """A rate with its Wilson 95 % interval on the wire, beside chance and noise; no value when there was no trial."""
    rate = common_pb2.Rate(successes=successes, trials=trials, chance=chance, placebo=placebo)
    if trials:
        estimate = wilson(successes, trials)
        rate.value, rate.low, rate.high = estimate.value, estimate.low, estimate.high
    return rate


def node_to(node: Node) -> propagation_pb2.SubgraphNode:
    """An entity of a subgraph on the wire."""
    return propagation_pb2.SubgraphNode(
        uid=node.uid,
        name=node.name,
        level=node.level or "",
        type=node.type or "",
        domain=node.domain or "",
        hops=node.hops,
        before=node.before,
        after=node.after,
        target=bool(node.target),
    )


def edge_to(edge: Edge, relation: str, status: str) -> propagation_pb2.SubgraphEdge:
    """A fact of a subgraph on the wire."""
    return propagation_pb2.SubgraphEdge(source=edge.source, relation=relation, target=edge.target, status=status)
