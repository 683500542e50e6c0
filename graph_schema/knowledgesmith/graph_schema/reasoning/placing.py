"""Puts derived facts into a transaction: those of a round of the closure, and those that held already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from knowledgesmith.graph_schema.graphs.reading import incomplete

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.catalogue.rules import Triple
    from knowledgesmith.graph_schema.storage.store import Transaction

_BATCH: Final = 10_000


class Placement(NamedTuple):
    """A derived fact as it stands in a transaction.

    ``fact_id`` is needed by proofs and ``round`` by rules; questions need neither. A fact without ``world`` holds in
    every world.
    """

    triple: Triple
    fact_id: str | None = None
    round: int | None = None
    world: int | None = None


def place(tx: Transaction, *, graph_id: str, types: Mapping[str, str], facts: Iterable[Placement]) -> None:
    """Write derived facts, sorted, so that two transactions lock entities in the same order.

    Args:
        tx: a transaction that will be rolled back.
        graph_id: the graph.
        types: relationship type by relation.
        facts: what to write; none may be there already.

    Raises:
        GraphIncomplete: an entity of them is no longer there, since the graph is being deleted or imported.
    """
    ordered = sorted(facts)
    for start in range(0, len(ordered), _BATCH):
        part = ordered[start : start + _BATCH]
        uids = sorted({fact.triple[0] for fact in part} | {fact.triple[2] for fact in part})
        placed = tx.rows("reasoning/place", graph_id=graph_id, uids=uids, blocks=_blocks(part, types, uids))
        if placed[0]["placed"] != len(part):
            raise incomplete(graph_id)


def _blocks(facts: Iterable[Placement], types: Mapping[str, str], uids: Iterable[str]) -> list[list[Any]]:
    """Facts by type, round and world: subjects and objects as positions in ``uids``, and fact ids."""
    number = {uid: position for position, uid in enumerate(uids)}
    found: dict[tuple[str, int | None, int | None], tuple[list[int], list[int], list[str | None]]] = {}
    for (subject, relation, obj), name, depth, world in facts:
        subjects, objects, names = found.setdefault((relation, depth, world), ([], [], []))
        subjects.append(number[subject])
        objects.append(number[obj])
        names.append(name)
    return [
        [types[relation], {"derived": True, "round": depth, "world": world}, *columns]
        for (relation, depth, world), columns in found.items()
    ]
