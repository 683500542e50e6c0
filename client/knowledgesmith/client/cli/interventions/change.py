"""``ksmith edit`` and ``ksmith unlearn``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
from rich.console import Group

from knowledgesmith.client._sync.client import KnowledgeSmith
from knowledgesmith.client._types.enums import Goal, Role
from knowledgesmith.client._types.interventions import Intervention
from knowledgesmith.client._types.questions import ProbeEvidence
from knowledgesmith.client.cli.interventions.facts import branch_spec, fact_options, read_spec
from knowledgesmith.client.cli.interventions.interventions import check, summary
from knowledgesmith.client.cli.interventions.plan import warning_lines
from knowledgesmith.client.cli.shared.follow import follow
from knowledgesmith.client.cli.shared.numbers import COUNT
from knowledgesmith.client.cli.shared.rates import target_table
from knowledgesmith.client.cli.shared.session import Session, common

_TARGETS: Final = 40
"""Questions about targets that are shown after a run: a fact is asked in several phrasings."""
_wait = click.option("--wait/--no-wait", default=True, show_default=True, help="Follow it to its end.")
_show = click.option("--show", type=COUNT, default=12, show_default=True, help="Print so many rows.")
_expect = click.option("--expect", default="", metavar="REVISION", help="Refuse unless this is the head.")
_request = click.option("--request-id", metavar="UUID", help="Idempotence key; drawn when not given.")


@click.command(help="Insert or modify facts in a branch's model.")
@fact_options
@_expect
@_request
@_show
@_wait
@common
def edit(session: Session, **asked: Any) -> None:
    """SUBJECT RELATION [OLD] NEW, --batch FILE.jsonl, or --case ID."""
    run(session, Goal.EDIT, asked)


@click.command(help="Erase facts from a branch's model.")
@fact_options
@_expect
@_request
@_show
@_wait
@common
def unlearn(session: Session, **asked: Any) -> None:
    """SUBJECT RELATION [OLD], --batch FILE.jsonl, or --case ID."""
    run(session, Goal.UNLEARN, asked)


def run(session: Session, goal: Goal, asked: dict[str, Any]) -> None:
    """Queue the intervention and, unless told otherwise, follow it to its end."""
    read_spec(goal, asked, "")  # usage errors come before a server is started
    with session.connect() as smith:
        spec = branch_spec(smith, goal, asked)
        made = smith.interventions.create(
            spec=spec, request_id=asked["request_id"] or "", expected_revision_id=asked["expect"]
        )
        intervention = made.intervention
        for line in warning_lines(made.plan):
            session.err.print(line)
        if asked["wait"]:
            session.note(f"intervention {intervention.id}")
            out = session.err if session.as_json else session.out
            try:
                intervention = follow(smith, intervention.id, out=out, shown=0 if session.as_json else asked["show"])
            except KeyboardInterrupt:
                session.note(f"it goes on; follow it with: ksmith watch {intervention.id}")
                raise
        said = measured_targets(smith, intervention) if asked["wait"] and not session.as_json else ()
    session.emit(
        intervention, lambda: Group(target_table(said), summary(intervention)) if said else summary(intervention)
    )
    check(intervention)


def measured_targets(smith: KnowledgeSmith, intervention: Intervention) -> Sequence[ProbeEvidence]:
    """What the model says of the targets by itself, before and after; nothing where that was not measured."""
    if not intervention.written_rows or intervention.verdict_scheme == 1:
        return ()
    found = smith.propagation.evidence(
        intervention_id=intervention.id, verdicts=(), roles=(Role.TARGET,), limit=_TARGETS
    )
    return [one for one in found.evidence if one.text_after is not None]
