"""``ksmith edit`` and ``ksmith unlearn``."""

from __future__ import annotations

from typing import Any

import click

from knowledgesmith.client._types.enums import Goal
from knowledgesmith.client.cli._facts import branch_spec, fact_options, read_spec
from knowledgesmith.client.cli._follow import follow
from knowledgesmith.client.cli._session import Session, common
from knowledgesmith.client.cli.interventions import check, summary

_wait = click.option("--wait/--no-wait", default=True, show_default=True, help="Follow it to its end.")
_show = click.option("--show", type=click.IntRange(0), default=12, show_default=True, help="Print so many rows.")
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
        job = smith.create_intervention(spec=spec, request_id=asked["request_id"], expected_revision=asked["expect"])
        if asked["wait"]:
            session.note(f"intervention {job.id}")
            out = session.err if session.as_json else session.out
            try:
                job = follow(smith, job.id, out=out, shown=0 if session.as_json else asked["show"])
            except KeyboardInterrupt:
                session.note(f"it goes on; follow it with: ksmith watch {job.id}")
                raise
    session.emit(job, lambda: summary(job))
    check(job)
