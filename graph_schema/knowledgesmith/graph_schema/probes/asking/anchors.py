"""Which entities a bulk run asks about: all, those of some levels, or those of a subtree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.storage.store import Row, Transaction
from knowledgesmith.graph_schema.types.facts import Level

_BATCH: Final = 5_000


def anchors_of(tx: Transaction, *, lexicon: Lexicon, levels: Sequence[Level] = (), subtree: str = "") -> list[str]:
    """Uids in sorted order.

    Raises:
        EntityNotFound: the graph has no entity ``subtree``.
    """
    uids = descendants(tx, lexicon=lexicon, top=subtree) if subtree else {e.uid for e in lexicon.entities}
    if levels:
        of = levels_of(tx, graph_id=lexicon.graph_id, uids=sorted(uids))
        uids = {uid for uid in uids if of.get(uid) in levels}
    return sorted(uids)


def descendants(tx: Transaction, *, lexicon: Lexicon, top: str) -> set[str]:
    """An entity and all that is below it in the hierarchy, round by round; cycles end.

    Raises:
        EntityNotFound: the graph has no such entity.
    """
    lexicon.entity(top)
    found = {top}
    edge = [top]
    while edge:
        children = {uid for row in _rows(tx, lexicon.graph_id, edge) for uid in row["children"]}
        edge = sorted(uid for uid in children - found if uid in lexicon)
        found.update(edge)
    return found


def levels_of(tx: Transaction, *, graph_id: str, uids: Sequence[str]) -> dict[str, Level]:
    """Levels by uid."""
    return {row["uid"]: Level(row["level"]) for row in _rows(tx, graph_id, uids)}


def _rows(tx: Transaction, graph_id: str, uids: Sequence[str]) -> Iterator[Row]:
    for start in range(0, len(uids), _BATCH):
        yield from tx.rows("probes/scope", graph_id=graph_id, uids=list(uids[start : start + _BATCH]))


def tops_of(tx: Transaction, *, lexicon: Lexicon) -> dict[str, str]:
    """The topmost ancestor of every entity in the hierarchy, the nearest where there are several (ties: smallest uid).

    An entity outside the hierarchy, and one of a cycle without a top, is its own.
    """
    uids = sorted(entity.uid for entity in lexicon.entities)
    children = {row["uid"]: row["children"] for row in _rows(tx, lexicon.graph_id, uids)}
    below = {child for found in children.values() for child in found}
    found = {uid: uid for uid in uids if uid not in below}
    edge = sorted(found)
    while edge:
        reached: dict[str, str] = {}
        for uid in edge:
            for child in children.get(uid, ()):
                if child not in found:
                    reached[child] = min(found[uid], reached.get(child, found[uid]))
        found.update(reached)
        edge = sorted(reached)
    return {uid: found.get(uid, uid) for uid in uids}
