"""What the store says where a query or a transaction cannot be carried out."""

from __future__ import annotations

from knowledgesmith.graph_schema.errors import GraphLocked, GraphUnavailable, InvalidInput, ReadOnlyQuery, TooLarge

_NO_MEMORY = ("MemoryPoolOutOfMemoryError", "General.OutOfMemoryError")
_LOCKED = "Transaction.LockAcquisitionTimeout"


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


def unreadable(text: str, why: str) -> InvalidInput:
    """A row of an operator's query holds what Python has no value for."""
    return InvalidInput(
        f"a value cannot be answered ({why}): dates and times are answered from year 1 to 9999",
        field="query",
        value=text,
        hint="Return toString(…) of it.",
    )


def check_scheme(uri: str) -> None:
    """Refuse an address that is not one of Bolt.

    The driver would also take http, which has no transactions over several requests.

    Raises:
        InvalidInput: it is not.
    """
    if not uri.startswith(("bolt", "neo4j")):
        raise InvalidInput(
            "this is not a Bolt address", field="KSMITH_NEO4J_URI", value=uri, hint="Use bolt://host:port."
        )


def for_now(code: object, what: str) -> TooLarge | GraphLocked | None:
    """Why ``what`` cannot be done now, where Neo4j's code says it: no memory, or somebody's locks."""
    told = str(code)
    return too_large(what) if told.endswith(_NO_MEMORY) else locked(what) if told.endswith(_LOCKED) else None
