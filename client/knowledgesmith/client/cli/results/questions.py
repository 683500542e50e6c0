"""Subcommands of ``ksmith propagation``: evidence, conflicts, paths, comparisons, metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._types.enums import ProbeKind, Role, Verdict
from knowledgesmith.client._types.questions import (
    ChangedFact,
    Collapse,
    ComparedRow,
    Metrics,
    ProbeEvidence,
    TimePoint,
    Travel,
    TravelPath,
)
from knowledgesmith.client.cli.results.propagation import emit, propagation
from knowledgesmith.client.cli.shared.numbers import POSITIVE, SHARE
from knowledgesmith.client.cli.shared.output import rate, signed, table
from knowledgesmith.client.cli.shared.rates import (
    OLD_SCHEME,
    marks,
    notes,
    quoted,
    rates_line,
    role_name,
    share,
    target_table,
)
from knowledgesmith.client.cli.shared.session import Session, choose_branch, common

F = TypeVar("F", bound=Callable[..., Any])
_VERDICTS = [item.value.lower() for item in Verdict if item is not Verdict.UNSPECIFIED]
_ROLES = [item.value.lower() for item in Role if item is not Role.UNSPECIFIED]
_KINDS = [item.value.lower() for item in ProbeKind if item is not ProbeKind.UNSPECIFIED]
_limit = click.option("--limit", type=POSITIVE, default=20, show_default=True, help="At most so many rows.")
_cypher = click.option("--cypher", "as_cypher", is_flag=True, help="Print the query to paste into any Neo4j tool.")


@propagation.command(help="Probes behind verdicts: what was asked, what the model preferred before and after.")
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option(
    "--verdict",
    "verdicts",
    multiple=True,
    type=click.Choice(_VERDICTS),
    help="Default: collateral, or all where a role is named.",
)
@click.option("--role", "roles", multiple=True, type=click.Choice(_ROLES), help="Only probes that ask about these.")
@_limit
@_cypher
@common
def evidence(
    session: Session,
    *,
    intervention_id: str,
    verdicts: tuple[str, ...],
    roles: tuple[str, ...],
    limit: int,
    as_cypher: bool,
) -> None:
    """One line a probe."""
    about = [Role(name.upper()) for name in roles]
    wanted = [Verdict(name.upper()) for name in verdicts] or ([] if about else [Verdict.COLLATERAL])
    with session.connect() as smith:
        found = smith.propagation.evidence(intervention_id=intervention_id, verdicts=wanted, roles=about, limit=limit)
    emit(session, found.evidence, (found.query,), _evidence_table(found.evidence), as_cypher=as_cypher)


@propagation.command(help="The request's own facts: what the model says before and after, beliefs, verdicts.")
@click.argument("intervention_id", metavar="INTERVENTION")
@_limit
@_cypher
@common
def targets(session: Session, *, intervention_id: str, limit: int, as_cypher: bool) -> None:
    """One line a question."""
    with session.connect() as smith:
        found = smith.propagation.evidence(
            intervention_id=intervention_id, verdicts=(), roles=(Role.TARGET,), limit=limit
        )
    emit(session, found.evidence, (found.query,), target_table(found.evidence), as_cypher=as_cypher)


@propagation.command(
    help="Changed facts that the model asserts both ways, or all with the questions that support them."
)
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option("--all", "every", is_flag=True, help="Every changed fact, in conflict or not.")
@_limit
@_cypher
@common
def conflicts(session: Session, *, intervention_id: str, every: bool, limit: int, as_cypher: bool) -> None:
    """One line a fact."""
    with session.connect() as smith:
        found = smith.propagation.changed_facts(intervention_id=intervention_id, conflicts_only=not every, limit=limit)
    emit(session, found.facts, (found.query,), _fact_table(found.facts), as_cypher=as_cypher)


@propagation.command(help="Paths of facts along which the change travelled, and where it stopped.")
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option("--threshold", type=SHARE, default=0.1, show_default=True)
@_limit
@_cypher
@common
def paths(session: Session, *, intervention_id: str, threshold: float, limit: int, as_cypher: bool) -> None:
    """One line a path, then one a stop."""
    with session.connect() as smith:
        found = smith.propagation.travel(intervention_id=intervention_id, threshold=threshold, limit=limit)
    value = {"paths": found.paths, "stops": found.stops}
    emit(session, value, (found.paths_query, found.stops_query), _travel_table(found), as_cypher=as_cypher)


@propagation.command(help="Two interventions side by side, the largest difference first.")
@click.argument("first_id", metavar="FIRST")
@click.argument("second_id", metavar="SECOND")
@_limit
@_cypher
@common
def compare(session: Session, *, first_id: str, second_id: str, limit: int, as_cypher: bool) -> None:
    """One line a row."""
    with session.connect() as smith:
        found = smith.propagation.compare(first_intervention_id=first_id, second_intervention_id=second_id, limit=limit)
    title = (
        f"{found.overlap.both} rows in both, {found.overlap.only_first} and {found.overlap.only_second} in one only; "
        f"mean difference {signed(found.overlap.mean_difference)}"
    )
    emit(session, found, (found.query,), _compare_table(found.rows, title=title), as_cypher=as_cypher)


@propagation.command("over-time", help="Beliefs over the committed interventions of a branch.")
@click.option("--branch", metavar="ID", help="Branch; default: the only one.")
@click.option("--entity", default="", metavar="UID", help="Rows about this entity only.")
@click.option("--relation", default="", metavar="NAME", help="Rows of this relation only.")
@click.option("--kind", type=click.Choice(_KINDS), help="Rows of this probe kind only.")
@_cypher
@common
def over_time(
    session: Session, *, branch: str | None, entity: str, relation: str, kind: str | None, as_cypher: bool
) -> None:
    """One line an intervention."""
    chosen = ProbeKind(kind.upper()) if kind else ProbeKind.UNSPECIFIED
    with session.connect() as smith:
        found = smith.propagation.over_time(
            branch_id=choose_branch(smith, branch), entity_uid=entity, relation=relation, kind=chosen
        )
    emit(session, found.points, (found.query,), _time_table(found.points), as_cypher=as_cypher)


@propagation.command(
    help="Rates of targets, of what follows and what stays, conflict, consistency, plasticity; interval and chance."
)
@click.argument("intervention_id", metavar="INTERVENTION")
@_cypher
@common
def metrics(session: Session, *, intervention_id: str, as_cypher: bool) -> None:
    """One line a metric and group."""
    with session.connect() as smith:
        found = smith.propagation.metrics(intervention_id=intervention_id)
    more = {
        "placebo_intervention_id": found.placebo_intervention_id,
        "withheld": found.withheld,
        "verdict_scheme": found.verdict_scheme,
    }
    emit(session, found.metrics, found.queries, _metric_table(found), as_cypher=as_cypher, **more)


@propagation.command(help="Accuracy by scale: from which size on do direct answers fail while reverse ones hold?")
@click.argument("intervention_ids", metavar="INTERVENTION...", nargs=-1, required=True)
@_cypher
@common
def collapse(session: Session, *, intervention_ids: tuple[str, ...], as_cypher: bool) -> None:
    """One line a scale."""
    with session.connect() as smith:
        found = smith.propagation.collapse(intervention_ids=intervention_ids)
    value = {"points": found.points, "falls": found.falls, "collapse_k": found.collapse_k}
    emit(session, value, (found.query,), _collapse_table(found), as_cypher=as_cypher)


def _evidence_table(found: Sequence[ProbeEvidence]) -> RenderableType:
    columns = (
        *("seq#", "entity", "role", "verdict", "question", "right before", "right after"),
        *("chose before", "chose after", "p old before#", "p old after#", "says before", "says after", "?note"),
    )
    lines = (
        (
            one.sequence,
            one.entity_name or one.entity_uid,
            role_name(one.role),
            one.verdict.lower().replace("_", " "),
            one.text,
            one.answers_before,
            one.answers_after,
            one.preferred_before,
            one.preferred_after,
            one.p_old_before,
            one.p_old_after,
            quoted(one.text_before),
            quoted(one.text_after),
            marks(one),
        )
        for one in found
    )
    return table(columns, lines)


def _fact_table(found: Sequence[ChangedFact]) -> RenderableType:
    columns = ("subject", "relation", "old", "new", "questions#", "say old#", "say new#", "both true", "follows")
    lines = (
        (
            fact.subject_name or fact.subject_uid,
            fact.relation,
            fact.old_object_name or fact.old_object_uid,
            fact.new_object_name or fact.new_object_uid,
            fact.contexts,
            fact.support.old_after,
            fact.support.new_after,
            fact.conflict_same_context,
            fact.agreement.lower(),
        )
        for fact in found
    )
    return table(columns, lines)


def _travel_table(found: Travel) -> RenderableType:
    lines = ((len(path.steps), signed(path.steps[-1].delta), _line(path)) for path in found.paths)
    stops = (
        (stop.hops, stop.entity_name or stop.entity_uid, f"{stop.moved:.3f}", stop.neighbours, stop.names)
        for stop in found.stops
    )
    return Group(
        table(("facts#", "change#", "path"), lines, title="Travelled"),
        table(("hops#", "entity", "moved#", "neighbours that moved#", "for example"), stops, title="Stopped at"),
    )


def _line(path: TravelPath) -> str:
    steps = (
        f" -{step.relation}→ {step.entity_name or step.entity_uid}"
        if step.forward
        else f" ←{step.relation}- {step.entity_name or step.entity_uid}"
        for step in path.steps
    )
    return (path.target_name or path.target_uid) + "".join(steps)


def _compare_table(found: Sequence[ComparedRow], *, title: str) -> RenderableType:
    columns = (
        "entity",
        "relation",
        "kind",
        "role",
        "first after#",
        "change#",
        "second after#",
        "change#",
        "difference#",
    )
    lines = (
        (
            row.entity_name or row.entity_uid,
            row.relation,
            row.kind.lower(),
            role_name(row.role),
            row.first_after,
            signed(row.first_delta),
            row.second_after,
            signed(row.second_delta),
            signed(row.difference),
        )
        for row in found
    )
    return table(columns, lines, title=title)


def _time_table(found: Sequence[TimePoint]) -> RenderableType:
    columns = ("nr#", "intervention", "goal", "method", "role", "rows#", "before#", "after#", "rates", "?note")
    lines = (
        (
            point.position,
            point.intervention_id,
            point.goal.lower(),
            point.method,
            role_name(point.group.role),
            point.group.rows,
            point.group.mean_before,
            point.group.mean_after,
            rates_line(point.group),
            _noted(point),
        )
        for point in found
    )
    return table(columns, lines)


def _noted(point: TimePoint) -> str:
    if point.withheld:
        return "unhealthy: rates withheld"
    return OLD_SCHEME if point.verdict_scheme == 1 else ""


def _metric_table(found: Metrics) -> RenderableType:
    columns = ("metric", "by", "group", "value", "chance", "placebo", "?asked#", "corrected#")
    lines = (
        (
            one.name,
            one.group_by,
            one.group,
            rate(one.rate),
            share(one.rate.chance),
            share(one.rate.placebo),
            one.asked,
            one.corrected,
        )
        for one in found.metrics
        if one.rate.trials
    )
    about = notes(
        verdict_scheme=found.verdict_scheme, withheld=found.withheld, placebo_id=found.placebo_intervention_id
    )
    return Group(table(columns, lines), *about)


def _collapse_table(found: Collapse) -> RenderableType:
    lines = (
        (
            point.k,
            point.intervention_id,
            rate(point.direct),
            rate(point.reverse),
            f"withheld: {point.withheld}" if point.withheld else "",
        )
        for point in found.points
    )
    reached = "not reached" if found.collapse_k is None else f"k = {found.collapse_k}"
    return table(("facts#", "intervention", "direct", "reverse", "?note"), lines, title=f"Collapse: {reached}")
