"""Levels: HAS_CHILD from the hierarchical relations, depth by breadth, and one label an entity (design: graph model).

Root = children and no parent; Leaf = no child, or outside the hierarchy; Intermediate = the rest. ``depth`` is the
shortest way from a top, 0 for the top itself, and absent outside the hierarchy. Tops are the roots, and of every cycle
that nothing leads into the smallest uid (it has a parent, so its label stays Intermediate). So every other depth is one
more than the smallest of a parent, also below such a cycle in a part that a root reaches by a longer way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import networkx as nx

from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.facts import Relation

MAX_LINKS: Final = 100_000
"""Links of a hierarchy that one transaction rebuilds: a third of what a server with 512 MB of heap could not."""


def rebuild_levels(tx: Transaction, *, graph_id: str, relations: Mapping[str, Relation]) -> bool:
    """Bring HAS_CHILD, depth and level labels of one graph up to date inside a transaction.

    Returns:
        Whether the hierarchy had changed; when not, depths and labels were left alone.
    """
    up, down = _link_types(relations)
    changed = tx.rows("graphs/hierarchy_unlink", graph_id=graph_id, to_parent=up, to_child=down)[0]["removed"]
    changed += tx.rows("graphs/hierarchy_link_up", graph_id=graph_id, types=up)[0]["added"]
    changed += tx.rows("graphs/hierarchy_link_down", graph_id=graph_id, types=down)[0]["added"]
    if not changed:
        return False
    tx.rows("graphs/depth_clear", graph_id=graph_id)
    tx.rows("graphs/depth_roots", graph_id=graph_id)
    _spread(tx, graph_id)
    unreached = tx.rows("graphs/depth_unreached", graph_id=graph_id)
    if unreached:
        seeds = cycle_seeds((row["parent"], row["child"]) for row in unreached)
        # from the beginning: below a cycle there may be entities that the roots reach by a longer way
        tx.rows("graphs/depth_clear", graph_id=graph_id)
        tx.rows("graphs/depth_roots", graph_id=graph_id)
        tx.rows("graphs/depth_seed", graph_id=graph_id, uids=seeds)
        _spread(tx, graph_id)
    tx.rows("graphs/level_labels", graph_id=graph_id)
    return True


def follow_catalogue(
    tx: Transaction, *, graph_id: str, before: Mapping[str, Relation], after: Mapping[str, Relation]
) -> None:
    """Rebuild the levels where a changed catalogue makes other facts links of the hierarchy.

    Raises:
        TooLarge: the hierarchy would have more than :data:`MAX_LINKS` links.
    """
    if _link_types(before) == _link_types(after):
        return
    types = sorted({*_link_types(before)[0], *_link_types(before)[1], *_link_types(after)[0], *_link_types(after)[1]})
    if tx.rows("graphs/hierarchy_size", graph_id=graph_id, types=types, limit=MAX_LINKS + 1)[0]["links"] > MAX_LINKS:
        raise TooLarge(
            f"the hierarchy has more than {MAX_LINKS} links",
            field="accepted",
            value=" ".join(types)[:200],
            hint="Declare the trait in the graph's files and import them again: an import writes levels in batches.",
        )
    rebuild_levels(tx, graph_id=graph_id, relations=after)


def _link_types(relations: Mapping[str, Relation]) -> tuple[list[str], list[str]]:
    """Relationship types that point to the parent, and those that point to the child."""
    hierarchical = [relation for relation in relations.values() if relation.traits.hierarchical]
    inverses = [relation.traits.inverse_of for relation in hierarchical if relation.traits.inverse_of is not None]
    return sorted(r.rel_type for r in hierarchical), sorted(relations[name].rel_type for name in inverses)


def cycle_seeds(links: Iterable[tuple[str, str]]) -> list[str]:
    """The smallest uid of every topmost cycle among (parent, child) links that no root reaches, sorted.

    Topmost: no other cycle leads into it; every entity of the links is below one of the seeds.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from(links)
    parts = [frozenset(part) for part in nx.strongly_connected_components(graph)]
    part_of = {uid: part for part in parts for uid in part}
    fed = {part_of[child] for parent, child in graph.edges if part_of[parent] is not part_of[child]}
    return sorted(min(part) for part in parts if part not in fed)


def _spread(tx: Transaction, graph_id: str) -> None:
    depth = 0
    while tx.rows("graphs/depth_step", graph_id=graph_id, depth=depth)[0]["reached"]:
        depth += 1
