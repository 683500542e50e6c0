"""Queries as a user pastes them into a Neo4j tool."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from knowledgesmith.client._types.propagation import PastedQuery

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def literal(value: Any) -> str:
    """A JSON value as a Cypher literal."""
    if isinstance(value, Mapping):
        pairs = (f"{_key(str(key))}: {literal(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=True)


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else "`" + name.replace("`", "``") + "`"


def pasteable(query: PastedQuery) -> str:
    """``:param`` line (understood by Neo4j Browser and cypher-shell), then the query with its semicolon."""
    parameters = f":param {literal(query.parameters)};\n" if query.parameters else ""
    return f"{parameters}{query.cypher.strip().rstrip(';')};"
