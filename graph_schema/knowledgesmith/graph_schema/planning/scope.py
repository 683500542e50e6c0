"""Where to look: the entities whose questions a plan asks, near the change and far from it on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, sample
from knowledgesmith.graph_schema.types.interventions import Change
from knowledgesmith.graph_schema.types.plans import WorldChange

NEAR_HOPS: Final = 2
_NEAR: Final = 4
_SIBLINGS: Final = 4
_FAR: Final = 5
_FLOOR: Final = 8
_CANDIDATES: Final = 20_000

Distances = Mapping[str, tuple[int, str]]
"""Hops and nearest target by uid; absent when unreachable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """Entities to ask about, in groups; an entity is in the first group that wants it."""

    endpoints: tuple[str, ...]
    changed: tuple[str, ...]
    near: tuple[str, ...]
    siblings: tuple[str, ...]
    far: tuple[str, ...]

    @property
    def anchors(self) -> list[str]:
        """All of them, sorted."""
        return sorted({*self.endpoints, *self.changed, *self.near, *self.siblings, *self.far})


def endpoints_of(changes: Iterable[Change]) -> list[str]:
    """Subjects, old and new objects, sorted."""
    return sorted({uid for c in changes for uid in (c.subject, c.old_object, c.new_object) if uid})


def neighbourhood(
    lexicon: Lexicon,
    *,
    changes: Sequence[Change],
    changed: Sequence[WorldChange],
    distances: Distances,
    seed: int,
    limit: int,
) -> Neighbourhood:
    """Endpoints, what changes, a drawn part of what is within two hops, siblings of the subjects, and other domains.

    Args:
        lexicon: the graph's names and types.
        changes: the targets.
        changed: all facts that are true in one world only.
        distances: hops from the targets.
        seed: for the draws.
        limit: most entities of a group.
    """
    endpoints = [uid for uid in endpoints_of(changes) if uid in lexicon]
    seen = set(endpoints)

    def take(name: str, candidates: Iterable[str], count: int) -> tuple[str, ...]:
        fresh = sorted((set(candidates) & lexicon.index.keys()) - seen)
        taken = sample(fresh, min(count, limit), key=draw_key(seed, "scope", name))
        seen.update(taken)
        return tuple(sorted(taken))

    count = len(changes)
    moved = {change.subject for change in changed} | {change.object for change in changed}
    moved = (moved & lexicon.index.keys()) - seen
    by_hops = sorted(moved, key=lambda uid: (*_rank(distances, uid), uid))[:limit]
    seen.update(by_hops)
    rings = [[uid for uid, (hops, _) in distances.items() if hops == ring] for ring in range(1, NEAR_HOPS + 1)]
    near = [uid for n, ring in enumerate(rings) for uid in take(f"near{n}", ring, max(_FLOOR, _NEAR * count))]
    return Neighbourhood(
        endpoints=tuple(endpoints),
        changed=tuple(by_hops),
        near=tuple(sorted(near)),
        siblings=take("siblings", _siblings(lexicon, changes, seed), max(_FLOOR, _SIBLINGS * count)),
        far=take("far", _far(lexicon, changes, distances, seed), max(_FLOOR, _FAR * count)),
    )


def _rank(distances: Distances, uid: str) -> tuple[int, int]:
    return (0, distances[uid][0]) if uid in distances else (1, 0)


def _siblings(lexicon: Lexicon, changes: Sequence[Change], seed: int) -> Iterable[str]:
    """Other entities of the subjects' types, drawn where there are very many."""
    for kind in sorted({lexicon.entity(change.subject).type for change in changes}):
        yield from _thinned(lexicon, lexicon.ranges[kind], draw_key(seed, "kind", kind))


def _far(lexicon: Lexicon, changes: Sequence[Change], distances: Distances, seed: int) -> Iterable[str]:
    """Entities of other domains; where the graph has one domain only, those beyond the neighbourhood."""
    own = {lexicon.entity(uid).domain for uid in endpoints_of(changes)}
    others = [domain for domain in lexicon.domains if domain not in own]
    for domain in others:
        yield from _thinned(lexicon, lexicon.domains[domain], draw_key(seed, "domain", domain))
    if not others:
        everywhere = _thinned(lexicon, range(len(lexicon.entities)), draw_key(seed, "everywhere"))
        yield from (uid for uid in everywhere if uid not in distances or distances[uid][0] > NEAR_HOPS)


def _thinned(lexicon: Lexicon, positions: Sequence[int], key: int) -> Iterable[str]:
    step = max(1, len(positions) // _CANDIDATES)
    return (lexicon.entities[position].uid for position in positions[key % step :: step])
