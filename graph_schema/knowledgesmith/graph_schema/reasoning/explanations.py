"""What the proofs of a plan rest on, down to asserted facts or the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from knowledgesmith.graph_schema.reasoning.after_world import ClosedWorld
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.types.plans import Cited, Proof, WorldChange, WorldOp

ASSERTED: Final = "asserted"
BOTH: Final = "both"
_ASSERTED: Final = Proof(rule=ASSERTED)
_SIDES: Final = {WorldOp.RETRACT: "before", WorldOp.ASSERT: "after"}


def cited(*, before: ClosedWorld, after: ClosedWorld, changed: Sequence[WorldChange]) -> tuple[Cited, ...]:
    """Facts that the proofs of changes rest on and that are no changes themselves, sorted.

    Args:
        before: the world that retracted facts follow in.
        after: the world that new facts follow in.
        changed: overlay and derived changes of a plan.
    """
    ours = {(change.subject, change.relation, change.object) for change in changed}
    found: dict[tuple[str, str], Cited] = {}
    for op, world in ((WorldOp.RETRACT, before), (WorldOp.ASSERT, after)):
        todo = {(c.subject, c.relation, c.object) for c in changed if c.op is op}
        seen: set[Triple] = set()
        while todo:
            todo = world.all_premises(todo) - seen
            fresh = _cite(world, sorted(todo - ours), _SIDES[op])
            found.update({(one.fact_id, one.worlds): one for one in fresh})
            seen |= todo
    return tuple(_merged(found))


def _cite(world: ClosedWorld, triples: Sequence[Triple], side: str) -> Iterator[Cited]:
    for name, triple, fact in zip(world.ids(triples), triples, world.derivations(triples), strict=True):
        yield Cited(
            fact_id=name,
            subject=triple[0],
            relation=triple[1],
            object=triple[2],
            proof=Proof(rule=fact.rule, premises=fact.premises) if fact else _ASSERTED,
            worlds=side,
        )


def _merged(found: Mapping[tuple[str, str], Cited]) -> Iterator[Cited]:
    """One entry for a fact that is proven alike in both worlds."""
    for (fact, side), one in sorted(found.items()):
        other = found.get((fact, "before" if side == "after" else "after"))
        if other is None or other.proof != one.proof:
            yield one
        elif side == "before":
            yield Cited(
                fact_id=fact,
                subject=one.subject,
                relation=one.relation,
                object=one.object,
                proof=one.proof,
                worlds=BOTH,
            )
