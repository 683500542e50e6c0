"""What follows from facts, by brute force over Python sets: the judge of the closure in Cypher.

Nothing here knows Neo4j, the closure, the probes or the cuts; it shares only the pure values with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, combinations, count

import networkx as nx

from knowledgesmith.graph_schema.types.facts import Level, Relation

Triple = tuple[str, str, str]
Way = tuple[Triple, tuple[Triple, ...]]
"""A conclusion and the premises it follows from in one step."""


def ways(known: Collection[Triple], relations: Iterable[Relation]) -> set[Way]:
    """Every one-step derivation among known facts; loops neither follow nor lead anywhere."""
    proper = [fact for fact in known if fact[0] != fact[2]]
    found: set[Way] = set()
    for relation in relations:
        traits, name = relation.traits, relation.name
        if traits.symmetric:
            found |= {((o, r, s), ((s, r, o),)) for s, r, o in proper if r == name}
        if traits.inverse_of:
            found |= {((o, traits.inverse_of, s), ((s, r, o),)) for s, r, o in proper if r == name}
            found |= {((o, name, s), ((s, r, o),)) for s, r, o in proper if r == traits.inverse_of}
        found |= {((s, above, o), ((s, r, o),)) for above in traits.sub_of for s, r, o in proper if r == name}
        pairs = [(name, name)] if traits.transitive else []
        pairs += [(pair[0], pair[1]) for pair in (traits.composed_of, *traits.compositions) if pair]
        for first, second in pairs:
            found |= {
                ((a, name, c), ((a, first, b), (b, second, c)))
                for a, r, b in proper
                if r == first
                for b2, r2, c in proper
                if (b2, r2) == (b, second) and a != c
            }
    return found


def heights(facts: Iterable[Triple], relations: Sequence[Relation]) -> dict[Triple, int]:
    """Height of the lowest proof of everything that follows, until nothing new does; 0 for asserted facts."""
    known = dict.fromkeys(facts, 0)
    for height in count(1):
        fresh = {head for head, _ in ways(known, relations)} - known.keys()
        if not fresh:
            break
        known |= dict.fromkeys(fresh, height)
    return known


def closure(facts: Iterable[Triple], relations: Sequence[Relation]) -> frozenset[Triple]:
    """Everything that is true: the asserted facts and what follows."""
    return frozenset(heights(facts, relations))


def cheapest_cut(
    facts: Collection[Triple],
    relations: Sequence[Relation],
    *,
    targets: Collection[Triple],
    protected: Collection[Triple] = (),
    weights: Mapping[Triple, int] | None = None,
) -> tuple[int, list[frozenset[Triple]]] | None:
    """Weight of the cheapest set of facts without which no target follows, and all such sets; by trying every subset.

    ``None`` where the protected facts alone let a target follow.
    """
    wanted = set(targets)
    if wanted & closure(protected, relations):
        return None
    relevant = _behind(facts, relations, wanted)
    free = sorted(relevant - set(protected))
    weights = weights or {}
    best: tuple[int, list[frozenset[Triple]]] | None = None
    for cut in chain.from_iterable(combinations(free, size) for size in range(len(free) + 1)):
        weight = sum(weights.get(fact, 1) for fact in cut)
        if best is not None and weight > best[0]:
            continue
        if wanted & closure(set(facts) - set(cut), relations):
            continue
        if best is None or weight < best[0]:
            best = (weight, [])
        best[1].append(frozenset(cut))
    return best


def _behind(facts: Collection[Triple], relations: Sequence[Relation], targets: set[Triple]) -> set[Triple]:
    """Asserted facts that a chain of derivations connects with a target: no other can matter."""
    follows = ways(closure(facts, relations), relations)
    links: nx.DiGraph[Triple] = nx.DiGraph((premise, head) for head, premises in follows for premise in premises)
    links.add_nodes_from(targets)
    reached = set(targets)
    for target in targets:
        reached |= nx.ancestors(links, target)
    return reached & set(facts)


def hops(facts: Iterable[Triple], sources: Iterable[str]) -> dict[str, int]:
    """Least number of facts, read in either direction, from the nearest source; absent where there is no way."""
    plain: nx.Graph[str] = nx.Graph((s, o) for s, _, o in facts)
    plain.add_nodes_from(sources)
    return {uid: int(n) for uid, n in nx.multi_source_dijkstra_path_length(plain, set(sources)).items()}


def hierarchy(facts: Iterable[Triple], relations: Iterable[Relation]) -> nx.DiGraph[str]:
    """Links from parents to children: facts of hierarchical relations, or of their inverses read backwards."""
    up = {relation.name for relation in relations if relation.traits.hierarchical}
    down = {r.traits.inverse_of for r in relations if r.traits.hierarchical and r.traits.inverse_of}
    links: nx.DiGraph[str] = nx.DiGraph()
    for s, r, o in facts:
        if s != o and r in up:
            links.add_edge(o, s)
        elif s != o and r in down:
            links.add_edge(s, o)
    return links


def levels(uids: Iterable[str], links: nx.DiGraph[str]) -> dict[str, Level]:
    """Root: children and no parent. Leaf: no child. Intermediate: the rest."""
    found: dict[str, Level] = {}
    for uid in uids:
        children = links.out_degree(uid) if uid in links else 0
        parents = links.in_degree(uid) if uid in links else 0
        found[uid] = Level.LEAF if not children else Level.INTERMEDIATE if parents else Level.ROOT
    return found


def depths(links: nx.DiGraph[str]) -> dict[str, int]:
    """Shortest way from a top: the smallest uid of every part that no other part leads into; all tops at once."""
    parts = [set(part) for part in nx.strongly_connected_components(links)]
    tops = {min(part) for part in parts if all(parent in part for uid in part for parent in links.predecessors(uid))}
    return _ways_down(links, tops)


def _ways_down(links: nx.DiGraph[str], sources: set[str]) -> dict[str, int]:
    if not sources:
        return {}
    return {uid: int(n) for uid, n in nx.multi_source_dijkstra_path_length(links, sources).items()}
