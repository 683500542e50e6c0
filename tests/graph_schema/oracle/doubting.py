"""What may be true beside what is certain, by brute force over Python sets: the judge of the doubt closure.

Which names say which is taken from the product, whose tests write it down pair by pair; what comes of it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tests.graph_schema.oracle.reasoning import Triple

from knowledgesmith.graph_schema.doubts.closure import Doubts
from knowledgesmith.graph_schema.doubts.names import End
from knowledgesmith.graph_schema.types.facts import Relation


def doubtful_facts(doubts: Doubts, facts: Iterable[Triple], *, near: bool = False) -> set[Triple]:
    """Everything that is true or may be; what holds of an entity and itself is a step as any other.

    What is suspected to say a relation is built upon where it is asserted. What it leads to by certain rules counts
    too, and what kinds, classes and larger places hand down to all that, once; this but for ``near``.
    """
    catalogue = doubts.relations
    proper = {fact for fact in facts if fact[0] != fact[2]}
    sure = closed(proper, catalogue)
    going_on = {
        name: replace(one, traits=replace(one.traits, transitive=doubts.goes_on(name)))
        for name, one in catalogue.items()
    }
    built = closed(proper | _said(doubts, proper), going_on)
    found = built | _said(doubts, sure)
    for name in catalogue if not near else ():
        for head in ((), *doubts.suspected.heads.get(name, ())):
            for tail in ((), *doubts.suspected.tails.get(name, ())):
                found |= {(s, name, o) for s, o in _along(built, (*head, (name, False), *tail))}
    return found


def _said(doubts: Doubts, facts: Iterable[Triple]) -> set[Triple]:
    """What facts are suspected to say in the words of other relations."""
    heads: dict[str, set[End]] = {}
    for name, ends in doubts.saying.items():
        for other, turned in ends:
            heads.setdefault(other, set()).add((name, turned))
    return {(o, name, s) if turned else (s, name, o) for s, r, o in facts for name, turned in heads.get(r, ())}


def _along(facts: Iterable[Triple], way: Iterable[End]) -> set[tuple[str, str]]:
    known = list(facts)
    pairs: set[tuple[str, str]] | None = None
    for name, turned in way:
        step = {(o, s) if turned else (s, o) for s, r, o in known if r == name}
        pairs = step if pairs is None else {(s, b) for s, o in pairs for a, b in step if a == o}
    return pairs or set()


def closed(facts: Iterable[Triple], catalogue: Mapping[str, Relation]) -> set[Triple]:
    """What follows by the traits, entities that come back to themselves among it."""
    known = set(facts)
    while True:
        fresh: set[Triple] = set()
        for name, relation in catalogue.items():
            traits = relation.traits
            own = {(s, o) for s, r, o in known if r == name}
            fresh |= {(o, name, s) for s, o in own if traits.symmetric}
            fresh |= {(s, above, o) for s, o in own for above in traits.sub_of}
            if traits.inverse_of:
                fresh |= {(o, traits.inverse_of, s) for s, o in own}
                fresh |= {(o, name, s) for s, r, o in known if r == traits.inverse_of}
            for first, second in (*traits.chains, *([(name, name)] if traits.transitive else [])):
                fresh |= {(s, name, o) for s, o in _along(known, ((first, False), (second, False)))}
        if fresh <= known:
            return known
        known |= fresh
