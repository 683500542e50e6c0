"""A query as it was run, ready for another Neo4j tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from knowledgesmith.graph_schema.storage.queries import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasteable:
    """A query with its parameters, ready for another Neo4j client."""

    cypher: str
    parameters: Mapping[str, object]


def pasteable(name: str, /, **params: object) -> Pasteable:
    """The named query with the parameters it was run with."""
    return Pasteable(cypher=load(name).text, parameters=params)
