"""What the store says where a query or a transaction cannot be carried out."""

from __future__ import annotations

from knowledgesmith.graph_schema.errors import GraphLocked, GraphUnavailable, InvalidInput, ReadOnlyQuery, TooLarge


def busy(uri: str) -> GraphUnavailable:
    """The database has no time, or no connection, for more."""
    return GraphUnavailable(
        "Neo4j is too busy or not ready", field="KSMITH_NEO4J_URI", value=uri, hint="Try again in a moment."
    )


def locked(what: str) -> GraphLocked:
    """Another transaction holds what the query ``what`` writes."""
    return GraphLocked(
        "another transaction holds what is to be written",
        field="query",
        value=what,
        hint="Try again when it has ended; SHOW TRANSACTIONS in any Neo4j tool tells which are open.",
    )


def too_large(what: str) -> TooLarge:
    """The database has not the memory for ``what``."""
    return TooLarge(
        "the transaction needs more memory than Neo4j may use",
        field="memory",
        value=what,
        hint="Give Neo4j a larger heap (dbms.memory.transaction.total.max is a share of it), or ask for less.",
    )


def too_long(text: str, limit_s: float) -> InvalidInput:
    """An operator's query ran into its limit."""
    return InvalidInput(
        f"the query takes longer than {limit_s:.3g} s",
        field="query",
        value=text,
        hint="Start at fewer nodes, bound paths and lists, and write regular expressions without nested repetitions.",
    )


def not_reading(text: str) -> ReadOnlyQuery:
    """An operator's query would change something, or reach outside the graph."""
    return ReadOnlyQuery(
        "only reading queries are allowed here",
        field="query",
        value=text,
        hint="Remove CREATE, MERGE, SET, DELETE, LOAD CSV, CALL … IN TRANSACTIONS and schema commands.",
    )
