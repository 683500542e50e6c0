"""What an update asserts and retracts by itself: the request, what functional relations displace, and twins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.errors import FactNotFound, NothingToChange
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.reasoning.world_index import Held, WorldIndex
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Change
from knowledgesmith.graph_schema.types.plans import Proof, WorldChange, WorldOp

_REQUEST: Final = Proof(rule="request")
SUPPORT: Final = "support"
"""Rule of a retraction whose fact was asked for by nobody: without it a fact that must go would still follow."""
FUNCTIONAL: Final = "functional"
INVERSE_FUNCTIONAL: Final = "inverse_functional"


@dataclass(slots=True, kw_only=True)
class Update:
    """The update while it is worked out. What is ``gone`` must not hold afterwards, asserted or derived."""

    before: WorldIndex
    gone: dict[Triple, Proof] = field(default_factory=dict[Triple, Proof])
    retracts: dict[Triple, Proof] = field(default_factory=dict[Triple, Proof])
    asserts: dict[Triple, Proof] = field(default_factory=dict[Triple, Proof])

    def id_of(self, triple: Triple) -> str:
        """The fact's id."""
        return fact_id(self.before.graph_id, *triple)

    def displace(self, facts: Iterable[tuple[Triple, Triple]]) -> bool:
        """Everything that a functional or inverse-functional relation allows no longer beside new facts.

        Args:
            facts: each new fact with the fact that is named as the cause.

        Returns:
            Whether anything was added.
        """
        size = len(self.gone)
        for (subject, relation, obj), cause in facts:
            traits = self.before.lexicon.relations[relation].traits
            found: list[tuple[str, Held]] = []
            if traits.functional:
                found += [(FUNCTIONAL, held) for held in self.before.objects(subject, relation)]
            if traits.inverse_functional:
                found += [(INVERSE_FUNCTIONAL, held) for held in self.before.subjects(relation, obj)]
            for rule, held in found:
                other = held.triple
                # a transitive relation has one object by assertion and more by derivation
                follows = held.derived and traits.transitive
                if other != (subject, relation, obj) and other not in self.asserts and not follows:
                    self.gone.setdefault(other, Proof(rule=rule, premises=(self.id_of(cause),)))
        return len(self.gone) > size

    def retract_asserted(self) -> None:
        """Retract what must go, and asserted facts that say the same the other way round."""
        wanted = dict(self.gone)
        for triple in self.gone:
            for mirror in self.before.rules.mirrors(triple):
                wanted.setdefault(mirror, Proof(rule=SUPPORT, premises=(self.id_of(triple),)))
        for triple, proof in sorted(wanted.items()):
            held = self.before.find(triple)
            if held and not held.derived:
                self.retracts.setdefault(triple, proof)

    def write(self, tx: Transaction, *, retracts: Iterable[Triple] | None = None) -> None:
        """Separate the worlds of a transaction by the update, or by further retractions only."""
        tx.rows(
            "worlds/update",
            graph_id=self.before.graph_id,
            asserts=[self._row(t) for t in sorted(self.asserts)] if retracts is None else [],
            retracts=[self._row(t) for t in sorted(self.retracts if retracts is None else retracts)],
        )

    def overlay(self) -> tuple[WorldChange, ...]:
        """The update as world changes, retractions first."""
        return tuple(
            world_change(op, self.id_of(triple), triple, proof)
            for op, facts in ((WorldOp.RETRACT, self.retracts), (WorldOp.ASSERT, self.asserts))
            for triple, proof in sorted(facts.items())
        )

    def _row(self, triple: Triple) -> list[str]:
        return [triple[0], self.before.rules.types[triple[1]], triple[2], self.id_of(triple)]


def world_change(op: WorldOp, fact: str, triple: Triple, proof: Proof) -> WorldChange:
    """A triple as a world change."""
    return WorldChange(op=op, fact_id=fact, subject=triple[0], relation=triple[1], object=triple[2], proof=proof)


def update_of(before: WorldIndex, changes: Sequence[Change]) -> Update:
    """What the changes assert and retract in a world.

    Raises:
        FactNotFound: an old fact does not hold there.
        NothingToChange: the world already is as asked for.
    """
    update = Update(before=before)
    for triple in sorted({(c.subject, c.relation, c.old_object) for c in changes if c.old_object}):
        if before.find(triple) is None:
            raise FactNotFound(
                "The branch's world does not hold the fact to change.",
                field="old_object",
                value=triple,
                hint="Leave old_object empty to insert a fact, or query what the world asserts.",
                metadata={"subject": triple[0], "relation": triple[1], "object": triple[2]},
            )
        update.gone[triple] = _REQUEST
    for triple in sorted({(c.subject, c.relation, c.new_object) for c in changes if c.new_object}):
        if before.find(triple) is None:
            update.asserts[triple] = _REQUEST
    mirrors = before.rules.mirrors
    update.displace((fact, triple) for triple in update.asserts for fact in (triple, *sorted(mirrors(triple))))
    if not update.asserts and not update.gone:
        raise NothingToChange(
            "The branch's world already is as asked for.",
            field="changes",
            value=changes[0],
            hint="Ask for a change that differs from the world, or take another branch.",
        )
    update.retract_asserted()
    return update
