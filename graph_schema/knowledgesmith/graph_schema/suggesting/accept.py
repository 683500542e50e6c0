"""Accepts suggested traits: catalogue and facts are checked as a whole first, then catalogue and levels change.

Facts and digest stay as they are, so probe sets and plans of the same facts stay comparable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from knowledgesmith.graph_schema.catalogue import build_catalogue, to_properties
from knowledgesmith.graph_schema.errors import InvalidCatalogue, InvalidInput, RelationNotFound
from knowledgesmith.graph_schema.facts import Relation, Traits
from knowledgesmith.graph_schema.graphs import load_catalogue
from knowledgesmith.graph_schema.levels import rebuild_levels
from knowledgesmith.graph_schema.store import GraphStore, Transaction
from knowledgesmith.graph_schema.suggesting.suggest import TraitKind

_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One trait to be declared, as a suggestion names it."""

    kind: TraitKind
    relation: str
    others: tuple[str, ...] = ()


def accept(store: GraphStore, graph_id: str, accepted: Sequence[Acceptance]) -> dict[str, Relation]:
    """Declare traits and return the catalogue as it is now; what is declared already is no mistake.

    Raises:
        GraphNotFound: there is no graph of this id.
        RelationNotFound: a trait is for a relation that the catalogue lacks.
        InvalidInput: nothing is accepted, or a trait lacks what it needs.
        InvalidCatalogue: the traits contradict each other or the present ones, or facts break them; the metadata
            lists the facts.
    """
    if not accepted:
        raise InvalidInput("nothing is accepted", field="accepted", hint="Name at least one suggestion.")
    before = load_catalogue(store, graph_id)
    given = dict(before)
    for item in accepted:
        given[item.relation] = _with(given, item)
    after = build_catalogue(given.values())

    def work(tx: Transaction) -> None:
        tx.rows("suggest/lock", graph_id=graph_id)
        for relation in after.values():
            if relation.traits != before[relation.name].traits:
                _check_facts(tx, graph_id, relation, after)
        tx.rows("graph/relations_replace", graph_id=graph_id, rows=[to_properties(r) for r in after.values()])
        rebuild_levels(tx, graph_id=graph_id, relations=after)

    store.write_transaction(work)
    return after


def _with(catalogue: Mapping[str, Relation], item: Acceptance) -> Relation:
    relation = catalogue.get(item.relation)
    unknown = [name for name in _relations_of(item) if name not in catalogue]
    if relation is None or unknown:
        missing = item.relation if relation is None else unknown[0]
        raise RelationNotFound(
            "the catalogue has no such relation", field="accepted", value=missing, hint="See `ksmith relations GRAPH`."
        )
    wanted = {TraitKind.INVERSE: 1, TraitKind.COMPOSITION: 2, TraitKind.DOMAIN: 1, TraitKind.RANGE: 1}
    if len(item.others) != wanted.get(item.kind, 0):
        raise InvalidInput(
            f"{item.kind} needs {wanted.get(item.kind, 0)} names beside the relation",
            field="accepted",
            value=" ".join(item.others),
            hint="Write it as the suggestion does.",
        )
    if item.kind is TraitKind.DOMAIN:
        return replace(relation, domain_type=item.others[0])
    if item.kind is TraitKind.RANGE:
        return replace(relation, range_type=item.others[0])
    return replace(relation, traits=_traits(relation.traits, item))


def _relations_of(item: Acceptance) -> tuple[str, ...]:
    return item.others if item.kind in {TraitKind.INVERSE, TraitKind.COMPOSITION} else ()


def _traits(traits: Traits, item: Acceptance) -> Traits:
    if item.kind is TraitKind.INVERSE:
        return replace(traits, inverse_of=item.others[0])
    if item.kind is TraitKind.COMPOSITION:
        return replace(traits, composed_of=item.others)
    return Traits(
        functional=traits.functional or item.kind is TraitKind.FUNCTIONAL,
        inverse_functional=traits.inverse_functional or item.kind is TraitKind.INVERSE_FUNCTIONAL,
        symmetric=traits.symmetric or item.kind is TraitKind.SYMMETRIC,
        transitive=traits.transitive or item.kind is TraitKind.TRANSITIVE,
        hierarchical=traits.hierarchical,
        inverse_of=traits.inverse_of,
        composed_of=traits.composed_of,
    )


def _check_facts(tx: Transaction, graph_id: str, relation: Relation, catalogue: Mapping[str, Relation]) -> None:
    """Refuse a trait that facts, in whichever way they are written, break."""
    traits = relation.traits
    ahead = [relation.rel_type]
    back = [relation.rel_type] if traits.symmetric else []
    back += [catalogue[traits.inverse_of].rel_type] if traits.inverse_of is not None else []
    if traits.functional:
        _refuse(tx, graph_id, relation, "functional", ahead, back)
    if traits.inverse_functional:
        _refuse(tx, graph_id, relation, "inverse functional", back, ahead)


def _refuse(
    tx: Transaction, graph_id: str, relation: Relation, trait: str, outgoing: list[str], incoming: list[str]
) -> None:
    rows = tx.rows("suggest/several", graph_id=graph_id, outgoing=outgoing, incoming=incoming, limit=_EXAMPLES)
    if rows:
        facts = [f"{row['uid']}: {', '.join(row['ends'])}" for row in rows]
        raise InvalidCatalogue(
            f"{relation.name} cannot be {trait}: entities have several others",
            field="accepted",
            value=facts[0],
            hint="Correct the facts and import them again, or leave the trait out.",
            metadata={f"row_{number}": fact[:300] for number, fact in enumerate(facts)},
        )
