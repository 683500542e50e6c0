"""Levels of the staged entities: the links of the hierarchy, depths by breadth, Root, Intermediate or Leaf.

Root = children and no parent; Leaf = no child, or outside the hierarchy; Intermediate = the rest. ``depth`` is the
shortest way from a top, 0 for the top itself, and absent outside the hierarchy. Tops are the roots, and of every cycle
that nothing leads into the smallest uid (it has a parent, so its label stays Intermediate). So every other depth is one
more than the smallest of a parent, also below such a cycle in a part that a root reaches by a longer way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

LEVELS: Final = ("Leaf", "Intermediate", "Root")
"""Labels by the number that the table ``entity`` holds."""
_LINKS: Final = """
INSERT OR IGNORE INTO link
SELECT CASE WHEN r.to_parent THEN f.object ELSE f.subject END, CASE WHEN r.to_parent THEN f.subject ELSE f.object END
FROM fact f JOIN relation r ON r.id = f.relation
WHERE (r.to_parent OR r.to_child) AND f.subject <> f.object
ORDER BY 1, 2
"""
_LEVELS: Final = """
UPDATE entity SET level = CASE WHEN EXISTS (SELECT 1 FROM link WHERE child = entity.id) THEN 1 ELSE 2 END
WHERE id IN (SELECT parent FROM link)
"""


def settle_levels(database: sqlite3.Connection) -> None:
    """Fill the table ``link`` (parent, child) and the columns ``level`` and ``depth`` of ``entity``."""
    if not database.execute("SELECT 1 FROM relation WHERE to_parent OR to_child LIMIT 1").fetchone():
        return
    database.execute(_LINKS)
    database.execute("CREATE INDEX link_child ON link (child)")
    database.execute(_LEVELS)
    database.execute("CREATE TEMP TABLE reached (id INTEGER PRIMARY KEY, depth INTEGER NOT NULL)")
    database.execute("CREATE INDEX temp.reached_depth ON reached (depth)")
    _spread_from(database, seeds=())
    seeds = _cycle_seeds(database)
    if seeds:  # from the beginning: below a cycle there may be entities that the roots reach by a longer way
        database.execute("DELETE FROM reached")
        _spread_from(database, seeds=seeds)
    database.execute("UPDATE entity SET depth = reached.depth FROM reached WHERE reached.id = entity.id")
    database.execute("DROP TABLE reached")


def _spread_from(database: sqlite3.Connection, *, seeds: Sequence[int]) -> None:
    """Depths by breadth from the roots and the seeds at once."""
    database.execute("INSERT INTO reached SELECT id, 0 FROM entity WHERE level = 2")
    database.executemany("INSERT INTO reached VALUES (?, 0)", ((seed,) for seed in seeds))
    depth = 0
    step = (
        "INSERT OR IGNORE INTO reached SELECT l.child, ? FROM reached r JOIN link l ON l.parent = r.id "
        "WHERE r.depth = ?"
    )
    while database.execute(step, (depth + 1, depth)).rowcount:
        depth += 1


def _cycle_seeds(database: sqlite3.Connection) -> list[int]:
    """The smallest member of every topmost cycle that no root reaches: 8 bytes a link of such parts in memory."""
    rows = database.execute(
        "SELECT parent, child FROM link WHERE parent NOT IN (SELECT id FROM reached) "
        "AND child NOT IN (SELECT id FROM reached)"
    )
    links = np.fromiter(rows, dtype=np.dtype((np.int64, 2)))
    if not len(links):
        return []
    ids, compact = np.unique(links, return_inverse=True)
    edges = compact.reshape(-1, 2)
    size = len(ids)
    matrix = csr_array((np.ones(len(edges), dtype=np.int8), (edges[:, 0], edges[:, 1])), shape=(size, size))
    count, parts = cast("tuple[int, Any]", connected_components(matrix, directed=True, connection="strong"))
    parents, children = parts[edges[:, 0]], parts[edges[:, 1]]
    fed = np.zeros(count, dtype=bool)
    fed[children[parents != children]] = True
    smallest = np.full(count, size)
    np.minimum.at(smallest, parts, np.arange(size))
    return [int(ids[i]) for i in sorted(smallest[~fed])]
