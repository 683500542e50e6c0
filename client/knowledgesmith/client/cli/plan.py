"""``ksmith plan``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from knowledgesmith.client._types.enums import Goal
from knowledgesmith.client._types.plans import Plan, WorldChange
from knowledgesmith.client.cli._facts import branch_spec, fact_options, read_spec
from knowledgesmith.client.cli._output import counts, plain_text, short
from knowledgesmith.client.cli._session import Session, common
from knowledgesmith.client.cli.probes import probe_table


@click.command(help="Show what a change would do, without doing it.")
@fact_options
@click.option("--unlearn", is_flag=True, help="Plan an unlearning; default: an edit.")
@click.option("--of", "intervention_id", metavar="INTERVENTION", help="Show the stored plan of an intervention.")
@click.option("--probes", "shown", type=click.IntRange(0), default=0, help="Also show so many probes.")
@common
def plan(session: Session, *, unlearn: bool, intervention_id: str | None, shown: int, **asked: Any) -> None:
    """World changes with their proofs, and the probes that will see them."""
    goal = Goal.UNLEARN if unlearn else Goal.EDIT
    if intervention_id and (asked["words"] or asked["batch"] or asked["case_id"]):
        raise click.UsageError("--of shows a stored plan; leave out the facts.")
    if not intervention_id:
        read_spec(goal, asked, "")
    with session.connect() as smith:
        if intervention_id:
            found = smith.get_plan(intervention_id=intervention_id)
        else:
            found = smith.plan(spec=branch_spec(smith, goal, asked)).plan
    session.emit(found, lambda: show_plan(found, probes=shown))


def show_plan(found: Plan, *, probes: int = 0, most: int | None = None) -> RenderableType:
    """Changes as a tree of proofs (at most ``most`` asked and derived ones), counts, and the first probes."""
    parts: list[RenderableType] = [proof_tree(found.changes, most=most)]
    parts.append(f"{found.total_probes:,} probes: {counts(found.probe_counts)}")
    parts.append(f"by hops: {counts(found.hop_counts)}")
    parts.append(f"{found.rows:,} ledger rows planned, digest {short(found.digest)}")
    if probes:
        parts.append(probe_table(found.probes[:probes]))
    return Group(*parts)


def proof_tree(changes: Sequence[WorldChange], *, most: int | None = None) -> Tree:
    """Asked changes first; below each derived one the facts that its rule was applied to."""
    known = {change.fact_id: change for change in changes}
    asked = [change for change in changes if not change.derived]
    derived = [change for change in changes if change.derived]
    tree = Tree(f"changes of the world: {len(asked)} asked for, {len(derived)} follow", guide_style="dim")
    for change in [*asked[:most], *derived[:most]]:
        below = tree.add(_line(change))
        for premise in change.premises:
            below.add(_premise(premise, known))
    return tree


def _line(change: WorldChange) -> Text:
    sign, style = ("+", "green") if change.op == "assert" else ("-", "red")
    why = "asked for" if change.rule == "request" else f"by {change.rule}"
    text = plain_text(f"{sign} {change.subject} {change.relation} {change.object}")
    return Text(text, style=style).append(f"   {plain_text(why)}", style="dim")


def _premise(fact_id: str, known: Mapping[str, WorldChange]) -> Text:
    change = known.get(fact_id)
    if change is None:
        return Text(f"fact {plain_text(short(fact_id))}", style="dim")
    return Text(plain_text(f"{change.op} {change.subject} {change.relation} {change.object}"), style="dim")
