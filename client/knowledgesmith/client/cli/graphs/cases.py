"""``ksmith cases``."""

from __future__ import annotations

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._types.cases import Case, CaseChange
from knowledgesmith.client._types.enums import Goal
from knowledgesmith.client.cli.shared.numbers import POSITIVE
from knowledgesmith.client.cli.shared.output import counts, plain_text, short, table
from knowledgesmith.client.cli.shared.session import Session, common

_GOALS = [goal.value.lower() for goal in Goal if goal is not Goal.UNSPECIFIED]


@click.command(help="List the ready interventions of a graph, or show one.")
@click.argument("graph_id", metavar="GRAPH")
@click.argument("case_id", metavar="[ID]", required=False)
@click.option("--goal", type=click.Choice(_GOALS), help="Only this goal.")
@click.option("--family", default="", metavar="NAME", help="Only cases with a probe of this family.")
@click.option("--limit", type=POSITIVE, default=50, show_default=True)
@common
def cases(session: Session, *, graph_id: str, case_id: str | None, goal: str | None, family: str, limit: int) -> None:
    """List cases, or show one."""
    if case_id:
        with session.connect() as smith:
            case = smith.cases.get(graph_id=graph_id, case_id=case_id)
        session.emit(case, lambda: _describe(case, limit))
        return
    wanted = Goal(goal.upper()) if goal else Goal.UNSPECIFIED
    with session.connect() as smith:
        found = smith.cases.list(graph_id=graph_id, goal=wanted, family=family, limit=limit)
    columns = ("case", "goal", "rounds#", "first change", "probes", "missing#")
    rows = (
        (case.id, case.goal.lower(), len(case.rounds), _first(case), counts(case.families), len(case.missing_uids))
        for case in found
    )
    session.emit(found, lambda: table(columns, rows))


def _first(case: Case) -> str:
    if not case.rounds:
        return ""
    more = sum(len(made.changes) for made in case.rounds) - 1
    return f"{_words(case.rounds[0].changes[0])}{f' (and {more:,} more)' if more else ''}"


def _words(change: CaseChange) -> str:
    old, new = (
        name or uid
        for name, uid in (
            (change.old_object_name, change.old_object_uid),
            (change.new_object_name, change.new_object_uid),
        )
    )
    objects = f"{old} → {new}" if old and new else f"→ {new}" if new else f"{old} → nothing"
    return f"{change.subject_name or change.subject_uid} · {change.relation} · {objects}"


def _describe(case: Case, limit: int) -> RenderableType:
    place = f"{case.file}:{case.record}" if case.record else case.file
    head = f"case {case.id} of {case.graph_id}, goal {case.goal.lower()}, from {place}, digest {short(case.digest)}"
    parts: list[RenderableType] = [plain_text(head)]
    if case.missing_uids:
        parts.append(plain_text(f"the graph lacks: {', '.join(case.missing_uids)}"))
    changes = [
        (number, change.subject_uid, _words(change))
        for number, made in enumerate(case.rounds, start=1)
        for change in made.changes
    ]
    parts.append(table(("round#", "subject", "change"), changes[:limit]))
    rows = (
        (probe.family, probe.kind.lower(), probe.polarity.lower(), probe.stem, probe.answers_before, probe.answers)
        for probe in case.probes[:limit]
    )
    parts.append(table(("family", "kind", "should", "stem", "before", "after"), rows))
    hidden = len(changes) + len(case.probes) - len(changes[:limit]) - len(case.probes[:limit])
    if hidden:
        parts.append(f"{hidden:,} more; raise --limit")
    return Group(*parts)
