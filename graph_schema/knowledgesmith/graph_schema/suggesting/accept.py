"""Accepts suggested traits in one transaction: catalogue and facts are checked as a whole, then everything changes.

Where a fact is stored both ways of a relation that is symmetric or has an inverse from now on, one way stays, the one
that an import of the same facts would keep; the graph then has a new digest and a new version. The traits are noted on
the graph, and every later import declares them again, so its digest is the same as after the acceptance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, declare, noted_with, parse_accepted
from knowledgesmith.graph_schema.catalogue.counted_wordings import as_counted
from knowledgesmith.graph_schema.catalogue.derived_wordings import truth_templates
from knowledgesmith.graph_schema.catalogue.fact_sources import SourceFinder
from knowledgesmith.graph_schema.catalogue.relations import build_catalogue, from_properties, rank, to_properties
from knowledgesmith.graph_schema.catalogue.wording_clashes import separate
from knowledgesmith.graph_schema.errors import GraphNotFound, InvalidCatalogue, InvalidInput, TooLarge
from knowledgesmith.graph_schema.graphs.levels import follow_catalogue
from knowledgesmith.graph_schema.graphs.paging import FactsDigest, facts
from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Origin, Relation, Template, Traits

MAX_SECOND_WAYS: Final = 100_000
"""Facts that one acceptance may take away: what one transaction of a small server holds."""
_EXAMPLES: Final = 10


def accept(store: GraphStore, graph_id: str, accepted: Sequence[Acceptance]) -> dict[str, Relation]:
    """Declare traits and return the catalogue as it is now; what is declared already is no mistake.

    Raises:
        GraphNotFound: there is no graph of this id.
        GraphIncomplete: it is being imported, or its import was cut off.
        RelationNotFound: a trait is for a relation that the catalogue lacks.
        InvalidInput: nothing is accepted, or a trait lacks what it needs.
        InvalidCatalogue: the traits contradict each other or the present ones, or facts break them; the metadata
            lists the facts.
        TooLarge: more than :data:`MAX_SECOND_WAYS` facts are stored both ways, or a large hierarchy would change.
    """
    if not accepted:
        raise InvalidInput("nothing is accepted", field="accepted", hint="Name at least one suggestion.")
    return store.write_transaction(lambda tx: _accept(tx, graph_id, accepted))


def _accept(tx: Transaction, graph_id: str, accepted: Sequence[Acceptance]) -> dict[str, Relation]:
    """Everything under the graph's lock, so that neither an import nor another acceptance comes in between."""
    rows = tx.rows("suggesting/lock", graph_id=graph_id)
    require_graph(tx, graph_id)
    if not rows:
        raise GraphNotFound("there is no graph of this id", field="graph_id", value=graph_id, hint="List the graphs.")
    before = {row["name"]: from_properties(row) for row in tx.rows("graphs/relations", graph_id=graph_id)}
    after = _worded(tx, graph_id, before, build_catalogue(declare(before, accepted).values()))
    changed = [relation for relation in after.values() if relation.traits != before[relation.name].traits]
    for relation in changed:
        _check_facts(tx, graph_id, relation, after)
    _check_loops(tx, graph_id, after)
    noted = noted_with(parse_accepted(rows[0]["accepted"]), accepted)
    stored = [item.dump() for item in noted]
    if after == before and stored == rows[0]["accepted"]:
        return after
    tx.rows("graphs/relations_replace", graph_id=graph_id, rows=[to_properties(r) for r in after.values()])
    removed = sum(_drop_second_ways(tx, graph_id, relation, after) for relation in changed)
    follow_catalogue(tx, graph_id=graph_id, before=before, after=after)
    digest = _digest(tx, graph_id, after) if removed else rows[0]["digest"]
    tx.rows("suggesting/accepted", graph_id=graph_id, accepted=stored, digest=digest, removed=removed)
    return after


def _worded(
    tx: Transaction, graph_id: str, before: Mapping[str, Relation], after: Mapping[str, Relation]
) -> dict[str, Relation]:
    """The catalogue with the derived wordings that an import of the same facts would give it.

    Only what the new traits touch is counted: these relations, their inverses, and the relations above.
    """
    changed = {name for name, relation in after.items() if relation.traits != before[name].traits}
    if not changed:
        return separate(after)
    sources = SourceFinder(after)
    single = [name for name in sorted(changed) if _more_single(before[name].traits, after[name].traits)]
    anew = _derived_anew(after) if single else {}
    found = dict(after)
    for name in single:
        # "one currency" was said while a rule might give a second one
        if set(truth_templates(name)).isdisjoint(after[name].templates):
            found[name] = replace(after[name], templates=anew[name].templates)

    def several(name: str, *, backward: bool) -> bool:
        told = sources.of(name, backward=backward)
        if not told.sure:
            return True
        outgoing, incoming = ([after[one].rel_type for one in sorted(side)] for side in (told.forward, told.backward))
        return bool(tx.rows("suggesting/several", graph_id=graph_id, outgoing=outgoing, incoming=incoming, limit=1))

    for name in after:
        told = sources.of(name)
        if not changed.isdisjoint(told.forward | told.backward):
            found[name] = as_counted(found[name], partial(several, name))
    return separate(found)


def _more_single(before: Traits, after: Traits) -> bool:
    return (before.functional, before.inverse_functional) != (after.functional, after.inverse_functional)


def _derived_anew(catalogue: Mapping[str, Relation]) -> dict[str, Relation]:
    """The same catalogue, its derived wordings made from the names again; corrections stay in front."""

    def of(relation: Relation, origin: Origin) -> tuple[Template, ...]:
        return tuple(template for template in relation.templates if template.origin is origin)

    given = (replace(relation, templates=of(relation, Origin.GIVEN)) for relation in catalogue.values())
    return {
        name: replace(relation, templates=(*of(catalogue[name], Origin.CORRECTED), *relation.templates))
        for name, relation in build_catalogue(given).items()
    }


def _drop_second_ways(tx: Transaction, graph_id: str, relation: Relation, catalogue: Mapping[str, Relation]) -> int:
    """Take away facts that stand both ways, the one that an import would not keep (``stage_facts``)."""
    if relation.traits.symmetric:
        kept = relation
    elif relation.traits.inverse_of is None or rank(catalogue[relation.traits.inverse_of]) > rank(relation):
        return 0  # no other way, or this one is kept
    else:
        kept = catalogue[relation.traits.inverse_of]
    removed = tx.rows(
        "suggesting/second_ways_delete",
        graph_id=graph_id,
        dropped=[relation.rel_type],
        kept=[kept.rel_type],
        symmetric=relation.traits.symmetric,
        limit=MAX_SECOND_WAYS + 1,
    )[0]["removed"]
    if removed > MAX_SECOND_WAYS:
        raise TooLarge(
            f"more than {MAX_SECOND_WAYS} facts of {relation.name} are stored both ways",
            field="accepted",
            value=relation.name,
            hint="Declare the trait in the graph's files and import them again.",
        )
    return int(removed)


def _digest(tx: Transaction, graph_id: str, catalogue: Mapping[str, Relation]) -> str:
    digest = FactsDigest()
    for key in _keys(tx, graph_id, catalogue):
        digest.add(key)
    return digest.hexdigest()


def _keys(tx: Transaction, graph_id: str, catalogue: Mapping[str, Relation]) -> Iterator[tuple[str, str, str]]:
    names = {relation.rel_type: name for name, relation in catalogue.items()}
    return (fact.key for fact in facts(tx.rows, graph_id, names))


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


def _check_loops(tx: Transaction, graph_id: str, catalogue: Mapping[str, Relation]) -> None:
    """Refuse what makes an entity its own parent: the next import would leave such a fact out, with another digest."""
    hierarchical = {name for name, relation in catalogue.items() if relation.traits.hierarchical}
    both = {
        name
        for name, relation in catalogue.items()
        if name in hierarchical or relation.traits.inverse_of in hierarchical
    }
    types = {catalogue[name].rel_type: name for name in both}
    for row in tx.rows("suggesting/loops", graph_id=graph_id, rel_types=sorted(types), limit=1):
        raise InvalidCatalogue(
            f"{row['uid']} would be its own parent by {types[row['rel_type']]}",
            field="accepted",
            value=types[row["rel_type"]],
            hint="Correct the facts and import them again, or leave the trait out.",
        )


def _refuse(
    tx: Transaction, graph_id: str, relation: Relation, trait: str, outgoing: list[str], incoming: list[str]
) -> None:
    rows = tx.rows("suggesting/several", graph_id=graph_id, outgoing=outgoing, incoming=incoming, limit=_EXAMPLES)
    if rows:
        facts_shown = [f"{row['uid']}: {', '.join(row['ends'])}" for row in rows]
        raise InvalidCatalogue(
            f"{relation.name} cannot be {trait}: entities have several others",
            field="accepted",
            value=facts_shown[0],
            hint="Correct the facts and import them again, or leave the trait out.",
            metadata={f"row_{number}": fact[:300] for number, fact in enumerate(facts_shown)},
        )
