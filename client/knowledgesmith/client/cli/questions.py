"""Subcommands of ``ksmith propagation``: evidence, conflicts, paths, comparisons, metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._types.enums import ProbeKind, Verdict
from knowledgesmith.client._types.questions import (
    ChangedFact,
    Collapse,
    ComparedRow,
    Metric,
    ProbeEvidence,
    TimePoint,
    Travel,
    TravelPath,
)
from knowledgesmith.client.cli._output import rate, signed, table
from knowledgesmith.client.cli._session import Session, choose_branch, common
from knowledgesmith.client.cli.propagation import emit, propagation

F = TypeVar("F", bound=Callable[..., Any])
_VERDICTS = [item.value.lower() for item in Verdict if item is not Verdict.UNSPECIFIED]
_KINDS = [item.value.lower() for item in ProbeKind if item is not ProbeKind.UNSPECIFIED]
_limit = click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many rows.")
_cypher = click.option("--cypher", "as_cypher", is_flag=True, help="Print the query to paste into any Neo4j tool.")


@propagation.command(help="Probes behind verdicts: what was asked, what the model preferred before and after.")
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option("--verdict", "verdicts", multiple=True, type=click.Choice(_VERDICTS), help="Default: collateral.")
@_limit
@_cypher
@common
def evidence(session: Session, *, intervention_id: str, verdicts: tuple[str, ...], limit: int, as_cypher: bool) -> None:
    """One line a probe."""
    wanted = [Verdict(name.upper()) for name in verdicts] or [Verdict.COLLATERAL]
    with session.connect() as smith:
        found = smith.evidence(intervention_id=intervention_id, verdicts=wanted, limit=limit)
    emit(session, found.evidence, (found.query,), _evidence_table(found.evidence), as_cypher=as_cypher)


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
        found = smith.changed_facts(intervention_id=intervention_id, conflicts_only=not every, limit=limit)
    emit(session, found.facts, (found.query,), _fact_table(found.facts), as_cypher=as_cypher)


@propagation.command(help="Paths of facts along which the change travelled, and where it stopped.")
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option("--threshold", type=click.FloatRange(0, 1, min_open=True), default=0.1, show_default=True)
@_limit
@_cypher
@common
def paths(session: Session, *, intervention_id: str, threshold: float, limit: int, as_cypher: bool) -> None:
    """One line a path, then one a stop."""
    with session.connect() as smith:
        found = smith.travel(intervention_id=intervention_id, threshold=threshold, limit=limit)
    value = {"paths": found.paths, "stops": found.stops}
    emit(session, value, (found.query, found.stops_query), _travel_table(found), as_cypher=as_cypher)


@propagation.command(help="Two interventions side by side, the largest difference first.")
@click.argument("first_id", metavar="FIRST")
@click.argument("second_id", metavar="SECOND")
@_limit
@_cypher
@common
def compare(session: Session, *, first_id: str, second_id: str, limit: int, as_cypher: bool) -> None:
    """One line a row."""
    with session.connect() as smith:
        found = smith.compare(first_id=first_id, second_id=second_id, limit=limit)
    title = (
        f"{found.both} rows in both, {found.only_first} and {found.only_second} in one only; "
        f"mean difference {signed(found.mean_difference)}"
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
        found = smith.over_time(branch_id=choose_branch(smith, branch), entity=entity, relation=relation, kind=chosen)
    emit(session, found.points, (found.query,), _time_table(found.points), as_cypher=as_cypher)


@propagation.command(help="Collateral change, residual retention, conflict, consistency, plasticity with intervals.")
@click.argument("intervention_id", metavar="INTERVENTION")
@_cypher
@common
def metrics(session: Session, *, intervention_id: str, as_cypher: bool) -> None:
    """One line a metric and group."""
    with session.connect() as smith:
        found = smith.metrics(intervention_id=intervention_id)
    emit(session, found.metrics, found.queries, _metric_table(found.metrics), as_cypher=as_cypher)


@propagation.command(help="Accuracy by scale: from which size on do direct answers fail while reverse ones hold?")
@click.argument("intervention_ids", metavar="INTERVENTION...", nargs=-1, required=True)
@_cypher
@common
def collapse(session: Session, *, intervention_ids: tuple[str, ...], as_cypher: bool) -> None:
    """One line a scale."""
    with session.connect() as smith:
        found = smith.collapse(intervention_ids=intervention_ids)
    value = {"points": found.points, "falls": found.falls, "collapse_k": found.collapse_k}
    emit(session, value, (found.query,), _collapse_table(found), as_cypher=as_cypher)


def _evidence_table(found: Sequence[ProbeEvidence]) -> RenderableType:
    columns = ("seq#", "entity", "verdict", "question", "right", "said before", "said after", "p before#", "p after#")
    lines = (
        (
            one.seq,
            one.name or one.entity,
            one.verdict.lower(),
            one.text,
            one.answers_before,
            one.preferred_before,
            one.preferred_after,
            one.p_old_before,
            one.p_old_after,
        )
        for one in found
    )
    return table(columns, lines)


def _fact_table(found: Sequence[ChangedFact]) -> RenderableType:
    columns = ("subject", "relation", "old", "new", "questions#", "say old#", "say new#", "both true", "follows")
    lines = (
        (
            fact.subject_name or fact.subject,
            fact.relation,
            fact.old_name or fact.old_object,
            fact.new_name or fact.new_object,
            fact.contexts,
            fact.support.old_after,
            fact.support.new_after,
            fact.conflict_same_context,
            fact.agreement,
        )
        for fact in found
    )
    return table(columns, lines)


def _travel_table(found: Travel) -> RenderableType:
    lines = ((len(path.steps), signed(path.steps[-1].delta), _line(path)) for path in found.paths)
    stops = (
        (stop.hops, stop.name or stop.entity, f"{stop.moved:.3f}", stop.neighbours, stop.names) for stop in found.stops
    )
    return Group(
        table(("facts#", "change#", "path"), lines, title="Travelled"),
        table(("hops#", "entity", "moved#", "neighbours that moved#", "for example"), stops, title="Stopped at"),
    )


def _line(path: TravelPath) -> str:
    steps = (
        f" -{step.relation}→ {step.name or step.entity}"
        if step.forward
        else f" ←{step.relation}- {step.name or step.entity}"
        for step in path.steps
    )
    return (path.target_name or path.target) + "".join(steps)


def _compare_table(found: Sequence[ComparedRow], *, title: str) -> RenderableType:
    columns = (
        "entity",
        "relation",
        "kind",
        "should",
        "first after#",
        "change#",
        "second after#",
        "change#",
        "difference#",
    )
    lines = (
        (
            row.name or row.entity,
            row.relation,
            row.kind.lower(),
            row.polarity.lower(),
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
    columns = (
        "nr#",
        "intervention",
        "goal",
        "method",
        "rows#",
        "before#",
        "after#",
        "propagated",
        "residual",
        "collateral",
    )
    lines = (
        (
            point.position,
            point.intervention_id,
            point.goal.lower(),
            point.method,
            point.group.rows,
            point.group.mean_before,
            point.group.mean_after,
            rate(point.group.propagated),
            rate(point.group.residual),
            rate(point.group.collateral),
        )
        for point in found
    )
    return table(columns, lines)


def _metric_table(found: Sequence[Metric]) -> RenderableType:
    columns = ("metric", "by", "group", "value", "chance#", "?asked#", "corrected#")
    lines = (
        (one.name, one.group_by, one.group, rate(one.rate), one.rate.chance, one.asked, one.corrected)
        for one in found
        if one.rate.trials
    )
    return table(columns, lines)


def _collapse_table(found: Collapse) -> RenderableType:
    lines = ((point.k, point.intervention_id, rate(point.direct), rate(point.reverse)) for point in found.points)
    reached = "not reached" if found.collapse_k is None else f"k = {found.collapse_k}"
    return table(("facts#", "intervention", "direct", "reverse"), lines, title=f"Collapse: {reached}")
