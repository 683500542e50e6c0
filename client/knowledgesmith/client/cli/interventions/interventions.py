"""``ksmith interventions``, ``watch``, ``commit``, ``discard``, ``cancel`` and ``delete``."""

from __future__ import annotations

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._errors import InterventionFailed
from knowledgesmith.client._types.enums import Goal, InterventionState
from knowledgesmith.client._types.interventions import Intervention
from knowledgesmith.client.cli.shared.deletions import deleted
from knowledgesmith.client.cli.shared.follow import follow
from knowledgesmith.client.cli.shared.health import figures, warning
from knowledgesmith.client.cli.shared.numbers import COUNT, POSITIVE, SEQUENCE
from knowledgesmith.client.cli.shared.operations import finish, waiting
from knowledgesmith.client.cli.shared.output import plain_text, short, spaced, table
from knowledgesmith.client.cli.shared.session import Session, common

_STATES = [
    item.value.lower().replace("_", "-") for item in InterventionState if item is not InterventionState.UNSPECIFIED
]
_GOALS = [item.value.lower() for item in Goal if item is not Goal.UNSPECIFIED]
_intervention = click.argument("intervention_id", metavar="INTERVENTION")


@click.command(help="List the interventions, newest first.")
@click.option("--branch", default="", metavar="ID", help="Only of this branch.")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only in this state; repeatable.")
@click.option("--goal", type=click.Choice(_GOALS), help="Only of this goal.")
@click.option("--limit", type=POSITIVE, default=20, show_default=True)
@common
def interventions(session: Session, *, branch: str, states: tuple[str, ...], goal: str | None, limit: int) -> None:
    """List interventions."""
    with session.connect() as smith:
        found = smith.interventions.list(
            branch_id=branch,
            states=[InterventionState(name.replace("-", "_").upper()) for name in states],
            goal=Goal(goal.upper()) if goal else Goal.UNSPECIFIED,
            limit=limit,
        )
    columns = ("intervention", "branch", "goal", "facts#", "method", "state", "health", "rows#", "by", "made")
    rows = (
        (
            intervention.id,
            intervention.spec.branch_id,
            intervention.spec.goal.lower(),
            intervention.spec.total_changes,
            intervention.spec.method,
            "rolled back" if intervention.rollback_time else spaced(intervention.state),
            intervention.health.verdict.lower() if intervention.health else "",
            intervention.written_rows,
            intervention.actor,
            intervention.create_time,
        )
        for intervention in found
    )
    session.emit(found, lambda: table(columns, rows))


@click.command(help="Follow an intervention: states, progress, belief changes.")
@_intervention
@click.option("--after", type=SEQUENCE, default=0, metavar="SEQ", help="Only rows after this one.")
@click.option("--show", "shown", type=COUNT, default=1_000_000, help="Print at most so many rows.")
@common
def watch(session: Session, *, intervention_id: str, after: int, shown: int) -> None:
    """Follow until it has ended or awaits a decision; with --json one event a line."""
    with session.connect() as smith:
        ended = follow(
            smith,
            intervention_id,
            out=session.err if session.as_json else session.out,
            as_json=session.as_json,
            after_sequence=after,
            shown=shown,
        )
    if not session.as_json:
        session.out.print(summary(ended))
    check(ended)


@click.command(help="Commit an intervention that awaits a decision.")
@_intervention
@common
def commit(session: Session, *, intervention_id: str) -> None:
    """Move the branch's head to the intervention's revision."""
    with session.connect() as smith:
        done = smith.interventions.commit(intervention_id=intervention_id)
    session.emit(done, lambda: summary(done))


@click.command(help="Discard an intervention that awaits a decision.")
@_intervention
@common
def discard(session: Session, *, intervention_id: str) -> None:
    """Leave the branch's head where it is."""
    with session.connect() as smith:
        done = smith.interventions.discard(intervention_id=intervention_id)
    session.emit(done, lambda: summary(done))


@click.command(help="Stop an intervention at its next safe point.")
@_intervention
@common
def cancel(session: Session, *, intervention_id: str) -> None:
    """Ask a running intervention to stop."""
    with session.connect() as smith:
        done = smith.interventions.cancel(intervention_id=intervention_id)
    session.emit(done, lambda: summary(done))


@click.command(help="Delete an intervention with its ledger, plan and artefact.")
@_intervention
@waiting
@common
def delete(session: Session, *, intervention_id: str, wait: bool) -> None:
    """Delete an intervention that has ended and that no branch is built on."""
    with session.connect() as smith:
        done = finish(
            session, lambda: smith.interventions.delete(intervention_id=intervention_id, wait=False), wait=wait
        )
    session.emit(done, lambda: deleted("intervention", done))


def summary(intervention: Intervention) -> RenderableType:
    """Where an intervention stands, and what can be done next."""
    state = spaced(intervention.state)
    lines = [*warning(intervention.health)]
    lines.append(
        f"intervention {intervention.id}: {state}, "
        f"{intervention.written_rows:,} of {intervention.planned_rows:,} ledger rows"
    )
    if intervention.health is not None:
        lines.append(figures(intervention.health))
    lines += [f"note: {plain_text(note)}" for note in intervention.notes]
    if intervention.revision_id:
        lines.append(f"revision {short(intervention.revision_id)} on branch {intervention.spec.branch_id}")
    gates = [gate for gate in intervention.failed_gates if not gate.startswith("wrecked: ")]
    if gates:
        lines.append(f"failed gates: {', '.join(gates)}")
    if intervention.state is InterventionState.AWAITING_DECISION:
        wreck = intervention.health is not None and not intervention.health.ok
        how = "discard it, or commit the wreck all the same" if wreck else "decide"
        lines.append(f"{how}: ksmith commit {intervention.id}  or  ksmith discard {intervention.id}")
    if intervention.state is InterventionState.SUCCEEDED:
        lines.append(f"see: ksmith propagation {intervention.id}")
    return Group(*lines)


def check(intervention: Intervention) -> None:
    """Turn an intervention that FAILED or was CANCELLED into exit code 1.

    Raises:
        InterventionFailed: with the server's reason.
    """
    if intervention.state in (InterventionState.FAILED, InterventionState.CANCELLED):
        raise InterventionFailed(
            intervention.error_message or f"The intervention was {intervention.state.lower()}.",
            reason=intervention.error_reason or intervention.state.value,
            field="intervention",
            value=intervention.id,
        )
