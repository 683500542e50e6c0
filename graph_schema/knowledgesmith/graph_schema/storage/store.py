"""The only module that talks to the Neo4j driver: sessions, retries, error mapping, metrics hook."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, Self, TypeVar

import neo4j
from neo4j import exceptions as driver_errors
from neo4j import graph, spatial
from neo4j import time as time_types
from neo4j._codec.hydration import BrokenHydrationObject

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.cancellation import Caller
from knowledgesmith.graph_schema.errors import (
    AlreadyExists,
    GraphLocked,
    GraphUnavailable,
    InvalidInput,
    KnowledgeSmithError,
    TooLarge,
)
from knowledgesmith.graph_schema.overrun import Guard, Overrun
from knowledgesmith.graph_schema.storage.queries import Query, load, load_all
from knowledgesmith.graph_schema.storage.store_errors import (
    busy,
    check_scheme,
    for_now,
    not_reading,
    too_long,
    unreadable,
)
from knowledgesmith.graph_schema.types import cypher

T = TypeVar("T")
_TRY_OUTS = 6
_ENDED_BY_DATABASE = tuple(
    f"Neo.ClientError.Transaction.{name}" for name in ("TransactionTimedOut", "Terminated", "LockClientStopped")
)
_DATABASE_LIMIT_S = 120.0
"""What a transaction may last without a word from us (``db.transaction.timeout``); a deadline only shortens it."""
_GRACE_S = 0.1
"""A transaction outlives its deadline by this, so that it is clear which of the two ended."""
_USER_FETCH = 20
"""Rows of an operator's query that arrive at once: each may be large, and what is too much is noticed between them."""
USER_BYTES = 16 * 2**20
"""What the rows of an operator's query may take."""
_USER_QUERIES = 4
"""Queries of operators that the database works on at once, those that ran into their limit and run on included."""
_USER_OVERRUN = 2
"""Of these, how many may run on before new ones are refused: each takes a core."""
_USER_GRACE_S = 5.0
"""Neo4j looks every two seconds for transactions whose time is up."""
_OUTSIDE = frozenset({"LoadCSV", "TerminateTransactions"})
Row = dict[str, Any]
"""One result row: column name to driver value (the driver's values are untyped)."""

QueryObserver = Callable[[str, float, str], None]
"""Called with (query name, seconds, outcome) after every query; outcome is ``ok`` or an error class name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """How to reach Neo4j. ``user`` empty means authentication is off (loopback only)."""

    uri: str
    user: str = ""
    password: str = ""
    database: str = "neo4j"
    fetch_size: int = 1000
    timeout_s: float = 60.0


class Transaction(Protocol):
    """What the body of a unit of work may do."""

    def rows(self, name: str, /, **params: object) -> list[Row]:
        """Run the named query and return all rows."""
        ...


class _Transaction:
    def __init__(
        self,
        tx: neo4j.Transaction | neo4j.ManagedTransaction,
        observe: QueryObserver,
        caller: Caller | None = None,
    ) -> None:
        self._tx = tx
        self._observe = observe
        self._caller = caller  # kept here, since the body may run its queries in a thread of its own

    def rows(self, name: str, /, **params: object) -> list[Row]:
        if self._caller is not None:
            self._caller.check()
        query = load(name)
        _check_params(query, params)
        # the driver keeps every result with its parameters until the transaction ends, which may be minutes away
        batches = {name: list[object](value) for name, value in params.items() if isinstance(value, list)}  # pyright: ignore[reportUnknownArgumentType]
        with _observed(query.name, self._observe):
            try:
                result = self._tx.run(query.text, {**params, **batches})
                columns = result.keys()
                # packaged queries return plain values; walking through them for nodes would cost more than reading them
                return [dict(zip(columns, record.values(), strict=True)) for record in result]
            except driver_errors.TransientError as error:
                # The driver would try again: with the same need, until the server is out of memory as a whole, or for
                # locks that somebody may hold for minutes, when only the caller knows how long to wait.
                known = for_now(error.code, query.name)
                if known is None:
                    raise
                raise known from error
            finally:
                for batch in batches.values():
                    batch.clear()


class GraphStore:
    """A connection to one Neo4j database.

    Thread-safe: the driver pools connections and every call opens its own session. ``timeout_s`` bounds the
    connection attempts and retries of one unit of work.

    Raises (all methods):
        GraphUnavailable: the database does not answer, refuses the credentials, or is too busy to finish.
        AlreadyExists: another transaction wrote the same unique id first.
        TooLarge: the unit of work needs more memory than the database gives to transactions.
        Cancelled: reads and what-if transactions only: nobody waits for them any more (:mod:`.cancellation`).
    """

    def __init__(self, settings: StoreSettings, *, observe: QueryObserver | None = None) -> None:
        self._settings = settings
        self._observe = observe or _ignore
        self._user_queries = Guard(running=_USER_QUERIES, abandoned=_USER_OVERRUN, grace_s=_USER_GRACE_S)
        auth = (settings.user, settings.password) if settings.user else None
        check_scheme(settings.uri)
        with _mapped_errors(settings.uri):
            self._driver = neo4j.GraphDatabase.driver(
                settings.uri,
                auth=auth,
                max_transaction_retry_time=settings.timeout_s / 2,
                connection_acquisition_timeout=settings.timeout_s,
                connection_timeout=10.0,
                notifications_min_severity="OFF",
                user_agent="knowledgesmith",
            )

    @classmethod
    def connect(cls, settings: StoreSettings, *, observe: QueryObserver | None = None) -> Self:
        """Open a store, with all queries: an upgrade may replace them. Verify that the database answers."""
        load_all()
        store = cls(settings, observe=observe)
        try:
            store.ping()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def uri(self) -> str:
        """The Bolt address."""
        return self._settings.uri

    @property
    def user(self) -> str:
        """The login name; empty where the database asks for none."""
        return self._settings.user

    def ping(self) -> None:
        """Verify that the database answers."""
        with _mapped_errors(self.uri):
            self._driver.verify_connectivity()

    def read(self, name: str, /, **params: object) -> list[Row]:
        """Run one named read query in a managed transaction."""
        return self.read_transaction(lambda tx: tx.rows(name, **params))

    def write(self, name: str, /, **params: object) -> list[Row]:
        """Run one named write query in a managed transaction; it may run twice, so it must be idempotent."""
        return self.write_transaction(lambda tx: tx.rows(name, **params))

    def read_transaction(self, work: Callable[[Transaction], T]) -> T:
        """Run several reads in one transaction, which ends with the caller's deadline."""
        caller = cancellation.current()
        caller.check()

        @neo4j.unit_of_work(timeout=_at_most(caller))
        def unit(tx: neo4j.ManagedTransaction) -> T:
            return work(_Transaction(tx, self._observe, caller))

        with _mapped_errors(self.uri), self._session(neo4j.READ_ACCESS) as session:
            return session.execute_read(unit)

    def write_transaction(self, work: Callable[[Transaction], T]) -> T:
        """Run reads and writes in one transaction, retried on transient errors: ``work`` must be idempotent.

        Locks of another transaction are waited for as long as the caller will (``Caller.wait_for_locks``).

        Raises:
            GraphLocked: another transaction still holds them.
        """
        caller, began = cancellation.current(), time.monotonic()
        while True:
            try:
                with _mapped_errors(self.uri), self._session(neo4j.WRITE_ACCESS) as session:
                    return session.execute_write(lambda tx: work(_Transaction(tx, self._observe)))
            except GraphLocked:
                if not caller.wait_for_locks(time.monotonic() - began):
                    raise

    def try_write(self, name: str, /, *, within_s: float, **params: object) -> bool:
        """Run one named write query that may be left out; whether it was carried out.

        It is left out whatever the reason: somebody holds what it writes for longer than ``within_s`` (Neo4j ends
        transactions every two seconds), the database only reads, or is gone.
        """
        try:
            with (
                _mapped_errors(self.uri),
                self._session(neo4j.WRITE_ACCESS) as session,
                session.begin_transaction(timeout=within_s) as tx,  # not a managed one, which would try again
            ):
                _Transaction(tx, self._observe).rows(name, **params)
                tx.commit()
        except (KnowledgeSmithError, driver_errors.Neo4jError, driver_errors.DriverError):
            return False
        return True

    @contextmanager
    def what_if(self, *, timeout_s: float | None = None) -> Generator[Transaction]:
        """A transaction that is always rolled back: writes are visible inside it and nowhere else.

        ``timeout_s`` replaces the database's own limit of a transaction; the caller's deadline shortens it.
        """
        caller = cancellation.current()
        caller.check()
        with _mapped_errors(self.uri), self._session(neo4j.WRITE_ACCESS) as session:
            tx = session.begin_transaction(timeout=_at_most(caller, timeout_s))
            try:
                yield _Transaction(tx, self._observe, caller)
            finally:
                if not tx.closed():
                    tx.rollback()

    def try_out(self, work: Callable[[Transaction], T], *, timeout_s: float | None = None) -> T:
        """Run ``work`` in a transaction that is rolled back, again where other writers made it fail (deadlocks).

        ``timeout_s`` replaces the database's own limit of a transaction, for work that takes minutes.

        Raises:
            GraphUnavailable: it still failed after several attempts.
            GraphLocked: another transaction still holds what it writes.
        """
        failure: Exception | None = None
        caller, began = cancellation.current(), time.monotonic()
        attempt = 0
        while attempt < _TRY_OUTS:
            try:
                with self.what_if(timeout_s=timeout_s) as tx:
                    return work(tx)
            except GraphLocked:
                if not caller.wait_for_locks(time.monotonic() - began):
                    raise
            except GraphUnavailable as error:
                if not isinstance(error.__cause__, driver_errors.TransientError):
                    raise
                failure = error
                time.sleep(0.05 * 2**attempt)
                attempt += 1
        raise GraphUnavailable(
            "Neo4j was too busy with other writers",
            field="KSMITH_NEO4J_URI",
            value=self.uri,
            hint="Try again in a moment.",
        ) from failure

    def run_script(self, statements: Sequence[str]) -> None:
        """Run the schema statements of a migration that ships with the package, each in its own transaction."""
        with _mapped_errors(self.uri), self._session(neo4j.WRITE_ACCESS) as session:
            for statement in statements:
                session.run(neo4j.Query(statement)).consume()  # pyright: ignore[reportArgumentType]  # text of a packaged file

    def run_user_query(
        self, text: str, params: Mapping[str, object], *, limit: int, timeout_s: float
    ) -> tuple[list[str], list[Row]]:
        """Run a Cypher text typed by the operator, read-only, at most ``limit`` rows, as values of ``types.cypher``.

        Read-only is enforced twice: the session is opened for reading, and the plan must be of type ``r`` without a
        step that reaches outside the graph.

        Raises:
            ReadOnlyQuery: the text would write, read files or addresses, or end other transactions.
            InvalidInput: the text is not valid Cypher, fails on its own values, or takes too long. It may run on where
                Neo4j cannot end it (:mod:`.overrun`).
            ServerBusy: too many queries that Neo4j cannot end still run.
            TooLarge: its rows take more than ``USER_BYTES``, or the database has not the memory for it.
            Cancelled: nobody waits for it any more.
        """
        limit_s = _at_most(cancellation.current(), timeout_s) or timeout_s
        try:
            return self._user_queries.run(lambda: self._user_rows(text, params, limit, limit_s), limit_s=limit_s)
        except Overrun as error:
            cancellation.check()
            raise too_long(text, limit_s) from error

    def _user_rows(
        self, text: str, params: Mapping[str, object], limit: int, limit_s: float
    ) -> tuple[list[str], list[Row]]:
        with _mapped_errors(self.uri), self._session(neo4j.READ_ACCESS, fetch_size=_USER_FETCH) as session:
            try:
                plan = session.run(neo4j.Query("EXPLAIN " + text, timeout=limit_s), dict(params)).consume()  # pyright: ignore[reportArgumentType]
                if plan.query_type != "r" or _OUTSIDE & _operators(plan.plan):
                    raise not_reading(text)
                with session.begin_transaction(timeout=limit_s) as tx:
                    result = tx.run(text, dict(params))  # pyright: ignore[reportArgumentType]
                    columns = list(result.keys())
                    rows = _within(USER_BYTES, columns, islice(result, limit))
                    tx.rollback()
                return columns, rows
            except driver_errors.AuthError:
                raise
            except driver_errors.ClientError as error:
                if str(error.code).startswith(_ENDED_BY_DATABASE):
                    cancellation.check()
                    raise too_long(text, limit_s) from error
                raise InvalidInput(error.message or "the query fails", field="query", value=text) from error
            except driver_errors.DatabaseError as error:  # as when a text outgrows what Java can hold
                raise InvalidInput(
                    f"Neo4j fails on the query: {error.message}", field="query", value=text, hint="Ask for less."
                ) from error
            except driver_errors.BrokenRecordError as error:
                raise unreadable(text, str(error)) from error
            except OverflowError as error:
                raise InvalidInput("a number has more than 64 bits", field="parameters", value=dict(params)) from error

    def close(self) -> None:
        """Close all connections."""
        self._driver.close()

    def _session(self, access: str, *, fetch_size: int | None = None) -> neo4j.Session:
        return self._driver.session(
            database=self._settings.database,
            default_access_mode=access,
            fetch_size=fetch_size or self._settings.fetch_size,
        )


def _within(limit: int, columns: Sequence[str], records: Iterable[neo4j.Record]) -> list[Row]:
    """Rows as values of ours, as long as they take at most ``limit`` bytes.

    Raises:
        TooLarge: they would take more.
    """
    rows: list[Row] = []
    left = limit
    for record in records:
        row = dict(zip(columns, map(_value, record.values()), strict=True))
        left -= cypher.size_of(row)
        if left < 0:
            raise TooLarge(
                f"the rows take more than {limit // 2**20} MiB",
                field="query",
                value=f"{len(rows) + 1} rows",
                hint="Return fewer rows or single properties instead of whole nodes, or collect less in one row.",
            )
        rows.append(row)
    return rows


def _operators(plan: Mapping[str, Any] | None) -> set[str]:
    """Names of the steps of an explained query, without the runtime's suffix."""
    found: set[str] = set()
    waiting: list[Mapping[str, Any]] = [plan] if plan else []
    while waiting:
        step = waiting.pop()
        found.add(str(step.get("operatorType", "")).partition("@")[0])
        waiting += step.get("children", [])
    return found


def _value(value: Any) -> Any:
    """A value of the driver as one of ours; see ``types.cypher``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, spatial.Point):  # before tuples, which points are too
        return cypher.Point(srid=value.srid or 0, coordinates=tuple(map(float, value)))
    if isinstance(value, graph.Path):
        return cypher.Path(nodes=tuple(map(_node, value.nodes)), relationships=tuple(map(_link, value.relationships)))
    if isinstance(value, graph.Node):  # before mappings, which nodes and relationships are too
        return _node(value)
    if isinstance(value, graph.Relationship):
        return _link(value)
    if isinstance(value, Mapping):
        return {str(key): _value(item) for key, item in value.items()}
    if isinstance(value, time_types.Duration | time_types.Date | time_types.Time | time_types.DateTime):
        return cypher.Temporal(value.iso_format())
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, BrokenHydrationObject):  # the driver itself only notices those that stand in no list or map
        raise driver_errors.BrokenRecordError(str(value.error))
    return str(value)


def _node(node: graph.Node) -> cypher.Node:
    properties = {key: _value(item) for key, item in node.items()}
    return cypher.Node(id=node.element_id, labels=tuple(sorted(node.labels)), properties=properties)


def _link(link: graph.Relationship) -> cypher.Relationship:
    start, end = (node.element_id if node else "" for node in link.nodes)
    properties = {key: _value(item) for key, item in link.items()}
    return cypher.Relationship(id=link.element_id, type=link.type, start_id=start, end_id=end, properties=properties)


def _at_most(caller: Caller, limit_s: float | None = None) -> float | None:
    """Seconds for a transaction: ``limit_s``, or less where the caller waits less; ``None`` = the database's limit."""
    left = caller.seconds_left()
    return left + _GRACE_S if left is not None and left < (limit_s or _DATABASE_LIMIT_S) else limit_s


def _ignore(_name: str, _seconds: float, _outcome: str) -> None:
    """Default observer."""


def _check_params(query: Query, params: Mapping[str, object]) -> None:
    if query.params != frozenset(params):
        raise TypeError(f"query {query.name} takes {sorted(query.params)}, got {sorted(params)}")


@contextmanager
def _observed(name: str, observe: QueryObserver) -> Generator[None]:
    start = time.perf_counter()
    outcome = "ok"
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        observe(name, time.perf_counter() - start, outcome)


@contextmanager
def _mapped_errors(uri: str) -> Generator[None]:
    try:
        yield
    except (driver_errors.ServiceUnavailable, driver_errors.SessionExpired) as error:  # whatever a socket says
        raise GraphUnavailable(
            "Neo4j does not answer",
            field="KSMITH_NEO4J_URI",
            value=uri,
            hint="Start it (`ksmith neo4j start`) or correct the address.",
        ) from error
    except driver_errors.AuthError as error:
        raise GraphUnavailable(
            "Neo4j refused the credentials",
            field="KSMITH_NEO4J_USER",
            value=uri,
            hint="Set KSMITH_NEO4J_USER and KSMITH_NEO4J_PASSWORD.",
        ) from error
    except driver_errors.ConstraintError as error:
        raise AlreadyExists(
            "another request wrote the same id at the same time", hint="Read it again before you retry."
        ) from error
    except driver_errors.ClientError as error:
        if not str(error.code).startswith(_ENDED_BY_DATABASE):
            raise
        cancellation.check()
        raise GraphUnavailable(
            "the query took longer than Neo4j allows a transaction",
            field="KSMITH_NEO4J_URI",
            value=uri,
            hint="Ask for less, or raise db.transaction.timeout.",
        ) from error
    except driver_errors.TransientError as error:
        raise (for_now(error.code, uri) or busy(uri)) from error
    except driver_errors.ConnectionAcquisitionTimeoutError as error:
        raise busy(uri) from error
    except driver_errors.ConfigurationError as error:
        raise InvalidInput(
            str(error), field="KSMITH_NEO4J_URI", value=uri, hint="Use bolt://host:port or neo4j://host:port."
        ) from error
