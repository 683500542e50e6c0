"""The server's database: the user's own Neo4j, or the embedded one, kept alive."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, RunningDatabase, start
from knowledgesmith.graph_schema.errors import KnowledgeSmithError
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledgesmith.server.settings import ServerSettings

_LOG = logging.getLogger(__name__)
_CHECK_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_DEAF_SECONDS = 300.0


class Database:
    """Where the graph lives. An embedded database belongs to this process and never outlives it."""

    def __init__(
        self, store_settings: StoreSettings, embedded: tuple[EmbeddedSettings, RunningDatabase] | None
    ) -> None:
        self.store_settings = store_settings
        self._embedded = embedded
        self._closing = threading.Event()

    @classmethod
    def open(cls, settings: ServerSettings) -> Self:
        """Start the embedded database unless the settings name one."""
        if settings.neo4j_uri:
            own = StoreSettings(
                uri=settings.neo4j_uri,
                user=settings.neo4j_user,
                password=settings.neo4j_password,
                database=settings.neo4j_database,
            )
            return cls(own, None)
        embedded = EmbeddedSettings(
            data_dir=settings.data_dir / "neo4j",
            heap=settings.neo4j_heap,
            start_timeout_s=settings.neo4j_start_timeout,
            login=True,
        )
        running = start(embedded, owned=True)
        # The chosen port is kept, so that a restart keeps the address.
        own = StoreSettings(uri=running.uri, user=running.user, password=running.password)
        return cls(own, (replace(embedded, port=running.port), running))

    @property
    def embedded(self) -> bool:
        """Whether this process runs the database."""
        return self._embedded is not None

    @property
    def closing(self) -> bool:
        """Whether the server ends: a start that is under way is given up."""
        return self._closing.is_set()

    async def keep_alive(
        self, store: GraphStore, report: Callable[[bool], None], restarted: Callable[[], None]
    ) -> None:
        """Watch the database until cancelled; start an embedded one again, at the same address, when it dies.

        A start is waited for as long as its process lives, since what ends it throws its recovery away. One that
        failed is tried again after a pause, which grows. One that lives and has not answered for minutes, as after it
        ran out of memory, is ended and started again.
        """
        pause, answered = _CHECK_SECONDS, time.monotonic()
        while True:
            if self._embedded is not None and self._embedded[1].is_alive():
                silent = time.monotonic() - answered
                if silent > _DEAF_SECONDS:
                    _LOG.error("the embedded database has not answered for %.0f s; ending it", silent)
                    await asyncio.to_thread(self._embedded[1].stop)
            if self._embedded is not None and not self._embedded[1].is_alive():
                _LOG.error("the embedded database is gone; starting it again")
                report(False)
                restarted()
                started = await asyncio.to_thread(self._start_again)
                pause = _CHECK_SECONDS if started else min(2 * pause, _LONGEST_PAUSE_SECONDS)
                answered = time.monotonic()
            up = await asyncio.to_thread(_answers, store)
            if up:
                answered = time.monotonic()
            report(up)
            await asyncio.sleep(pause)

    def _start_again(self) -> bool:
        if self._embedded is None:
            return True
        settings, _ = self._embedded
        patient = replace(settings, start_timeout_s=math.inf)
        try:
            running = start(patient, owned=True, given_up=lambda: self.closing)
        except KnowledgeSmithError as error:
            _LOG.error("the embedded database does not start: %s", error)
            return False
        self._embedded = (settings, running)
        return True

    def close(self) -> None:
        """Stop an embedded database, also one that is starting again."""
        self._closing.set()
        if self._embedded is not None:
            self._embedded[1].stop()


def _answers(store: GraphStore) -> bool:
    try:
        store.ping()
    except KnowledgeSmithError:
        return False
    return True
