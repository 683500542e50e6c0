"""The parts that servicers share; wired once in ``app``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.worlds.world_cache import WorldCache
from knowledgesmith.server.front.executors import Lane, long_lane, planning_lane, query_lane

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.events import Hub
    from knowledgesmith.server.metrics import Metrics
    from knowledgesmith.server.operations.engine import Operations
    from knowledgesmith.server.settings import ServerSettings
    from knowledgesmith.server.worker.supervisor import WorkerHandle


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a servicer may need.

    Store calls block, so servicers run them with ``asyncio.to_thread``, and what may last for minutes in the lane
    ``long``. ``queries`` bounds the queries that operators type. ``planning`` bounds the what-if transactions: they
    hold write locks until they are rolled back. ``worlds`` keeps closed worlds between plans. What takes longer still
    is begun with ``operations``.
    """

    settings: ServerSettings
    store: GraphStore
    worker: WorkerHandle
    hub: Hub
    metrics: Metrics
    operations: Operations
    embedded: bool
    worlds: WorldCache = field(default_factory=WorldCache)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    long: Lane = field(default_factory=long_lane)
    planning: Lane = field(default_factory=planning_lane)
    queries: Lane = field(default_factory=query_lane)
