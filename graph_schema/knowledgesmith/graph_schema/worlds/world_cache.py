"""Closed worlds of branches, kept by what they depend on: the graph's import and the branch's overlay."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final, TypeVar

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon, read_lexicon
from knowledgesmith.graph_schema.graphs.reading import stamp_of as stamp_of
from knowledgesmith.graph_schema.reasoning.closure import asserted_in, rules_of
from knowledgesmith.graph_schema.reasoning.forward_chaining import derive
from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.plans import WorldChange
from knowledgesmith.graph_schema.worlds.overlays import apply_overlay

_WORLDS: Final = 4
_K = TypeVar("_K")
_V = TypeVar("_V")


class WorldMoved(Exception):
    """The graph was imported again since its world was read."""


class WorldCache:
    """The last worlds that plans were made in. Thread-safe.

    A world is found by the stamp of the graph's last import and the net effect of the overlay, so a new import, a
    commit or a rollback leads to another world, never to a stale one.

    Args:
        capacity: how many closed worlds are kept; one takes about 30 bytes a fact and a lexicon.
    """

    def __init__(self, *, capacity: int = _WORLDS) -> None:
        self._capacity = capacity
        self._worlds: OrderedDict[tuple[str, str, str], WorldIndex] = OrderedDict()
        self._lexicons: OrderedDict[tuple[str, str], Lexicon] = OrderedDict()
        self._stamps: dict[str, str] = {}
        self._lock = Lock()

    def world(
        self,
        store: GraphStore,
        *,
        graph_id: str,
        overlay: Sequence[WorldChange],
        check: bool = True,
    ) -> WorldIndex:
        """The closed world of a branch, from the cache or derived now in a transaction that is rolled back.

        Args:
            store: the database.
            graph_id: the graph.
            overlay: the branch's committed changes, in order.
            check: ask whether the graph was imported again; a plan asks that itself, in its transaction.

        Raises:
            GraphNotFound: there is no such graph.
            GraphUnavailable: the database does not answer.
        """
        over = _overlay_key(overlay)
        with self._lock:
            stamp = None if check else self._stamps.get(graph_id)
        if stamp is None:
            stamp = store.read_transaction(lambda tx: stamp_of(tx, graph_id))
        key = (graph_id, stamp, over)
        with self._lock:
            self._stamps[graph_id] = stamp
            if (found := self._worlds.get(key)) is not None:
                self._worlds.move_to_end(key)
                return found
            known = self._lexicons.get(key[:2])
        names = (stamp, known) if known is not None else None
        made = store.try_out(lambda tx: read_world(tx, graph_id=graph_id, overlay=overlay, names=names))
        with self._lock:
            # an import may have come in between, or long ago where nobody asked: what was read counts
            self._stamps[graph_id] = made.stamp
            _keep(self._worlds, (graph_id, made.stamp, over), made, self._capacity)
            _keep(self._lexicons, (graph_id, made.stamp), made.lexicon, self._capacity)
        return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._worlds.clear()
            self._stamps.clear()
            self._lexicons.clear()


def read_world(
    tx: Transaction, *, graph_id: str, overlay: Sequence[WorldChange], names: tuple[str, Lexicon] | None = None
) -> WorldIndex:
    """Derive the closure of a branch's world; the transaction must be rolled back afterwards.

    Args:
        tx: the transaction.
        graph_id: the graph.
        overlay: the branch's committed changes, in order.
        names: the graph's names where they are known, and the stamp that they were read under; of another stamp than
            the facts they are read again.
    """
    stamp = stamp_of(tx, graph_id)
    lexicon = names[1] if names is not None and names[0] == stamp else read_lexicon(tx, graph_id=graph_id)
    rules = rules_of(lexicon.relations.values())
    apply_overlay(tx, graph_id=graph_id, rules=rules, overlay=overlay)
    asserted = asserted_in(tx, graph_id=graph_id, rules=rules)
    derived = derive(asserted, graph_id=graph_id, rules=rules)
    return WorldIndex(lexicon=lexicon, rules=rules, asserted=asserted, derived=derived, stamp=stamp)


def branch_digest(overlay: Sequence[WorldChange], entities: Sequence[Entity]) -> str:
    """SHA-256 of what makes a branch's world differ from its graph: net changes of facts, and inserted entities.

    Two plans of one request, of one stamp and one such digest are the same.
    """
    content = [_overlay_key(overlay), sorted([e.uid, e.name, e.type, e.domain, *e.aliases] for e in entities)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _overlay_key(overlay: Sequence[WorldChange]) -> str:
    net = {change.fact_id: change.op.value for change in overlay}
    digest = hashlib.sha256()
    for fact, op in sorted(net.items()):
        digest.update(f"{fact} {op}\n".encode())
    return digest.hexdigest() if net else ""


def _keep(kept: OrderedDict[_K, _V], key: _K, value: _V, capacity: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > capacity:
        kept.popitem(last=False)
