"""Facts that follow from an update and cannot hold beside others, since a relation is (inverse-)functional."""

from __future__ import annotations

from collections.abc import Iterator

from knowledgesmith.graph_schema.errors import ConflictingChanges
from knowledgesmith.graph_schema.reasoning.after_world import AfterWorld
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.worlds.update import Update


def settle_conflicts(update: Update, after: AfterWorld) -> bool:
    """Mark as gone what held before and cannot hold beside a fact that is new in the world after.

    Args:
        update: grows by what must go.
        after: the world after as it stands.

    Returns:
        Whether anything must go that did not have to before.

    Raises:
        ConflictingChanges: both facts are new, and rest on different assertions of the request.
    """
    catalogue = update.before.lexicon.relations
    strict = {
        name
        for name, relation in catalogue.items()
        if (relation.traits.functional or relation.traits.inverse_functional) and not relation.traits.transitive
    }
    fresh = sorted(triple for triple in update.asserts if triple[1] in strict)
    fresh += sorted(t for t in after.derived if t[1] in strict and update.before.find(t) is None)
    displacing: list[tuple[Triple, Triple]] = []
    for fact in fresh:
        for other in _excluded(update, after, fact):
            if update.before.find(other) is not None:
                displacing.append((fact, other))
                continue
            first, second = _origins(update, after, fact), _origins(update, after, other)
            if first != second and first and second:
                raise _contradiction(fact, other, first, second)
    return update.displace((fact, fact) for fact, _ in displacing) if displacing else False


def _excluded(update: Update, after: AfterWorld, fact: Triple) -> Iterator[Triple]:
    """Facts of the world after that exclude a fact of it."""
    subject, relation, obj = fact
    traits = update.before.lexicon.relations[relation].traits
    if traits.functional:
        yield from (held.triple for held in after.objects(subject, relation) if held.triple[2] != obj)
    if traits.inverse_functional:
        yield from (held.triple for held in after.subjects(relation, obj) if held.triple[0] != subject)


def _contradiction(one: Triple, other: Triple, first: set[Triple], second: set[Triple]) -> ConflictingChanges:
    pair = [" ".join(min(first - second or first)), " ".join(min(second - first or second))]
    says = f"{' '.join(one)} and {' '.join(other)}"
    return ConflictingChanges(
        f"two facts of the request exclude each other, {pair[0]} and {pair[1]}: they lead to {says}",
        field="changes",
        value=pair[1],
        hint="Keep one of the two, or ask for them in two requests.",
        metadata={"first": pair[0], "second": pair[1], "leads_to": says},
    )


def _origins(update: Update, after: AfterWorld, fact: Triple) -> set[Triple]:
    """The request's assertions at the bottom of a fact's proof."""
    facts, todo = {fact}, {fact}
    while todo:
        todo = {premise for known in todo for premise in after.premises(known)} - facts
        facts |= todo
    return facts & update.asserts.keys()
