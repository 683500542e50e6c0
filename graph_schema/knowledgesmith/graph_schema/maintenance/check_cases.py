"""The rule for cases: each has exactly the links and probes that its own record says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import fact_id

_PAGE: Final = 500
"""Cases a page; each comes with the positions of its probes."""


def broken_cases(store: GraphStore, graph_id: str) -> Iterator[tuple[str, str, str] | None]:
    """For every case by id: what is wrong as (id, found, expected), or None."""
    after = ""
    while True:
        rows = store.read("maintenance/check_cases", graph_id=graph_id, after=after, limit=_PAGE)
        for row in rows:
            problem = _problem(graph_id, row)
            yield (row["id"], *problem) if problem else None
        if len(rows) < _PAGE:
            return
        after = rows[-1]["id"]


def _problem(graph_id: str, row: Mapping[str, Any]) -> tuple[str, str] | None:
    try:
        return _difference(graph_id, row)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return "its record cannot be read", "changes, missing and family_counts as an import writes them"


def _difference(graph_id: str, row: Mapping[str, Any]) -> tuple[str, str] | None:
    properties = row["properties"]
    missing = set(properties["missing"])
    changes = [change for changes in json.loads(properties["changes"]) for change in changes]
    expected = sorted(
        [graph_id, subject, fact_id(graph_id, subject, relation, old or new)]
        for subject, relation, old, new in changes
        if subject not in missing
    )
    found = sorted(row["subjects"])
    if found != expected:
        return (
            f"linked to {', '.join(link[1] for link in found) or 'nothing'}",
            ", ".join(link[1] for link in expected),
        )
    probes = sum(json.loads(properties["family_counts"]).values())
    if sorted(row["positions"]) != list(range(probes)):
        return f"{len(row['positions'])} probes", f"{probes}, numbered from 0"
    return None
