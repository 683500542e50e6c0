"""``ksmith plan``."""

from __future__ import annotations

from typing import Any, Final

import click
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from knowledgesmith.client._types.enums import Goal, Rule, WorldOp, Worlds
from knowledgesmith.client._types.plans import CitedFact, CutSet, Plan, WorldChange
from knowledgesmith.client.cli.graphs.probes import probe_table
from knowledgesmith.client.cli.interventions.facts import branch_spec, fact_options, read_spec
from knowledgesmith.client.cli.shared.numbers import COUNT
from knowledgesmith.client.cli.shared.output import plain_text, short, tally
from knowledgesmith.client.cli.shared.session import Session, common

_OPS: Final = {
    Worlds.BEFORE: (WorldOp.RETRACT,),
    Worlds.AFTER: (WorldOp.ASSERT,),
    Worlds.BOTH: (WorldOp.RETRACT, WorldOp.ASSERT),
    Worlds.UNSPECIFIED: (),
}
_WHY: Final = {
    Rule.REQUEST: "asked for",
    Rule.ASSERTED: "asserted",
    Rule.UNSPECIFIED: "for a reason of another release",
}


@click.command(help="Show what a change would do, without doing it.")
@fact_options
@click.option("--unlearn", is_flag=True, help="Plan an unlearning; default: an edit.")
@click.option("--of", "intervention_id", metavar="INTERVENTION", help="Show the stored plan of an intervention.")
@click.option("--probes", "shown", type=COUNT, default=0, help="Also show so many probes.")
@common
def plan(session: Session, *, unlearn: bool, intervention_id: str | None, shown: int, **asked: Any) -> None:
    """World changes with their proofs, and the probes that will see them."""
    goal = Goal.UNLEARN if unlearn else Goal.EDIT
    named = ("words", "batch", "case_id", "move", "insert_entity", "delete_node")
    if intervention_id and any(asked[name] for name in named):
        raise click.UsageError("--of shows a stored plan; leave out the facts.")
    if not intervention_id:
        read_spec(goal, asked, "")
    with session.connect() as smith:
        if intervention_id:
            found = smith.interventions.get_plan(intervention_id=intervention_id)
        else:
            found = smith.interventions.plan(spec=branch_spec(smith, goal, asked)).plan
    session.emit(found, lambda: show_plan(found, probes=shown))


def show_plan(found: Plan, *, probes: int = 0, most: int | None = None) -> RenderableType:
    """Changes as a tree of proofs (at most ``most`` asked and derived ones), counts, and the first probes."""
    parts: list[RenderableType] = [*warning_lines(found), proof_tree(found, most=most)]
    if found.cut is not None and found.cut.fact_ids:
        parts.append(_cut_line(found.cut))
    parts.append(f"{found.total_probes:,} probes: {_probes(found)}")
    if found.role_counts:
        parts.append(f"by role: {tally((item.role.lower(), item.count) for item in found.role_counts)}")
    parts.append(f"by hops: {_hops(found)}")
    parts.append(f"{found.rows:,} ledger rows planned, digest {short(found.digest)}")
    if probes:
        parts.append(probe_table(found.probes[:probes]))
    return Group(*parts)


def warning_lines(found: Plan) -> list[Text]:
    """What the author should know before the model is changed."""
    return [Text(plain_text(f"warning: {one.message} {one.hint}"), style="yellow") for one in found.warnings]


def proof_tree(found: Plan, *, most: int | None = None) -> Tree:
    """Asked changes first; below each the proof of it, down to asserted facts or the request."""
    proofs = _Proofs(found)
    asked = [change for change in found.changes if not change.derived]
    derived = [change for change in found.changes if change.derived]
    here = len(found.changes)
    part = f" (the first {here:,} of {found.total_changes:,})" if here < found.total_changes else ""
    title = f"changes of the world: {len(asked)} asked for, {len(derived)} follow{part}"
    tree = Tree(title, guide_style="dim")
    for change in [*asked[:most], *derived[:most]]:
        proofs.grow(tree.add(proofs.line(change)), change, change.op, (change.fact_id,))
    return tree


class _Proofs:
    """Facts of a plan by id, the unchanged ones by the world in which they are proven."""

    def __init__(self, found: Plan) -> None:
        self._names = found.names
        self._changes = {change.fact_id: change for change in found.changes}
        self._cited = {(fact.fact_id, op): fact for fact in found.cited for op in _OPS[fact.worlds]}

    def grow(self, below: Tree, fact: WorldChange | CitedFact, op: WorldOp, above: tuple[str, ...]) -> None:
        """Hang the premises of a fact below it, and theirs below them."""
        for name in fact.premises:
            premise = self._changes.get(name) or self._cited.get((name, op))
            if premise is None:
                below.add(Text(f"fact {plain_text(short(name))}", style="dim"))
            elif name not in above:
                side = premise.op if isinstance(premise, WorldChange) else op
                self.grow(below.add(self.line(premise)), premise, side, (*above, name))

    def line(self, fact: WorldChange | CitedFact) -> Text:
        """A fact by its names, and the rule that it is there by."""
        said = f"{self._name(fact.subject_uid)} {fact.relation} {self._name(fact.object_uid)}"
        why = _WHY.get(fact.rule, f"by {fact.rule.lower()}")
        if isinstance(fact, CitedFact):
            return Text(plain_text(said), style="dim").append(f"   {plain_text(why)}", style="dim")
        sign, style = ("+", "green") if fact.op is WorldOp.ASSERT else ("-", "red")
        return Text(plain_text(f"{sign} {said}"), style=style).append(f"   {plain_text(why)}", style="dim")

    def _name(self, uid: str) -> str:
        return self._names.get(uid, uid)


def _probes(found: Plan) -> str:
    return tally((f"{item.kind}/{item.polarity.lower()}", item.count) for item in found.probe_counts)


def _hops(found: Plan) -> str:
    return tally(("unreachable" if item.hops is None else item.hops, item.count) for item in found.hop_counts)


def _cut_line(cut: CutSet) -> str:
    """How good the choice of the retracted supports is."""
    how = "no cheaper choice exists" if cut.optimal else f"at most {cut.gap:.0%} of its cost could be saved"
    facts = "fact" if cut.total_facts == 1 else "facts"
    return f"cut: {cut.total_facts} {facts} retracted so that nothing that must go still follows; {how}"
