"""A networkx graph as the tables of an import."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._errors import InvalidInput

if TYPE_CHECKING:
    import networkx as nx

_EDGE = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Names of the attributes that hold what; a node without a name is named by its uid."""

    name: str = "name"
    type: str = "type"
    domain: str = "domain"
    aliases: str = "aliases"
    relation: str = "relation"


def write_tables(
    graph: nx.Graph[Any],
    folder: Path,
    *,
    attributes: Attributes,
    relation: str,
    traits: Mapping[str, Mapping[str, Any]],
) -> list[Path]:
    """Write ``entities``, ``relations`` and ``facts`` as JSONL files into ``folder``.

    Raises:
        InvalidInput: two nodes read the same, or an edge names no relation.
    """
    uids = _uids(graph)
    facts = sorted(set(_facts(graph, uids, attributes.relation, relation)))
    used = sorted({name for _, name, _ in facts} | set(traits))
    symmetric = {} if graph.is_directed() else {"symmetric": True}
    tables: dict[str, Iterable[Mapping[str, Any]]] = {
        "entities": (_entity(uid, graph.nodes[node], attributes) for node, uid in uids.items()),
        "relations": ({"name": name, **symmetric, **traits.get(name, {})} for name in used),
        "facts": ({"subject": s, "relation": r, "object": o} for s, r, o in facts),
    }
    paths: list[Path] = []
    for role, rows in tables.items():
        path = folder / f"{role}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
        paths.append(path)
    return paths


def _uids(graph: nx.Graph[Any]) -> dict[Hashable, str]:
    uids = {node: str(node) for node in graph.nodes}
    seen: dict[str, Hashable] = {}
    for node, uid in uids.items():
        if uid in seen:
            raise InvalidInput(
                "Two nodes read the same.", field="graph", value=uid, hint="Relabel them with distinct texts."
            )
        seen[uid] = node
    return uids


def _entity(uid: str, values: Mapping[str, Any], attributes: Attributes) -> dict[str, Any]:
    aliases = values.get(attributes.aliases) or ()
    return {
        "uid": uid,
        "name": str(values.get(attributes.name) or uid),
        "type": str(values.get(attributes.type) or ""),
        "domain": str(values.get(attributes.domain) or ""),
        "aliases": [aliases] if isinstance(aliases, str) else [str(alias) for alias in aliases],
    }


def _facts(graph: nx.Graph[Any], uids: Mapping[Hashable, str], attribute: str, default: str) -> Iterator[_EDGE]:
    for subject, obj, values in graph.edges(data=True):
        name = values.get(attribute) or default
        if not isinstance(name, str) or not name:
            raise InvalidInput(
                "An edge names no relation.",
                field="graph",
                value=f"{subject!s} to {obj!s}",
                hint=f"Set its attribute {attribute!r}, or give a relation for all such edges.",
            )
        ends = (uids[subject], uids[obj]) if graph.is_directed() else tuple(sorted((uids[subject], uids[obj])))
        yield ends[0], name, ends[1]
