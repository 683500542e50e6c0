"""The composition root: the only place that wires the parts, starts them, and stops them in order."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from google.longrunning import operations_pb2_grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from knowledgesmith.graph_schema.errors import InvalidInput, KnowledgeSmithError
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache
from knowledgesmith.server.database import Database
from knowledgesmith.server.events import Hub
from knowledgesmith.server.front.dependencies import Parts
from knowledgesmith.server.front.executors import long_lane
from knowledgesmith.server.front.interceptors import ServiceInterceptor
from knowledgesmith.server.front.policies import OPERATIONS, services
from knowledgesmith.server.metrics import Metrics, query_observer
from knowledgesmith.server.operations.engine import Operations
from knowledgesmith.server.runners.registry import runners_of
from knowledgesmith.server.servicers.archive import ArchiveServicer
from knowledgesmith.server.servicers.branch import BranchServicer
from knowledgesmith.server.servicers.case import CaseServicer
from knowledgesmith.server.servicers.catalogue import CatalogueServicer
from knowledgesmith.server.servicers.graph import GraphServicer
from knowledgesmith.server.servicers.intervention import InterventionServicer
from knowledgesmith.server.servicers.model import ModelServicer
from knowledgesmith.server.servicers.operation import OperationsServicer
from knowledgesmith.server.servicers.probe import ProbeServicer
from knowledgesmith.server.servicers.propagation import PropagationServicer
from knowledgesmith.server.wire.message_sizes import RECEIVE_BYTES
from knowledgesmith.server.worker.supervisor import WorkerHandle
from knowledgesmith.v1 import (
    archive_pb2_grpc,
    branch_pb2_grpc,
    case_pb2_grpc,
    catalogue_pb2_grpc,
    graph_pb2_grpc,
    intervention_pb2_grpc,
    model_pb2_grpc,
    probe_pb2_grpc,
    propagation_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from knowledgesmith.graph_schema.storage.store import StoreSettings
    from knowledgesmith.server.settings import ServerSettings

_LOG = logging.getLogger(__name__)
_REFRESH_SECONDS = 2.0
_STORE_THREADS = 64
"""Short calls that wait for the database at once; the default follows the cores, which would be too few."""
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", RECEIVE_BYTES),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.so_reuseport", 0),
)


def worker_environment(settings: ServerSettings, store: StoreSettings) -> dict[str, str]:
    """What the worker needs to know; secrets travel in the environment, never in the arguments."""
    return {"KSMITH_WORKER_SETTINGS": settings.model_dump_json(), "KSMITH_WORKER_STORE": json.dumps(asdict(store))}


async def serve(settings: ServerSettings) -> None:
    """Run until SIGTERM or SIGINT, then drain.

    Raises:
        KnowledgeSmithError: a part does not start; everything that was started is stopped again.
    """
    settings.create_directories()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=_STORE_THREADS))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        parts, health_servicer = await _start(settings, stack)
        await health_servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        _LOG.info("serving gRPC on %s, metrics on %s", settings.listen, settings.metrics)
        await stop.wait()
        _LOG.info("draining")
        await health_servicer.enter_graceful_shutdown()
        parts.draining.set()


async def _start(settings: ServerSettings, stack: AsyncExitStack) -> tuple[Parts, health.aio.HealthServicer]:
    """Start database, store, worker, tasks and servers; ``stack`` stops them in the opposite order."""
    metrics = Metrics()
    database = await asyncio.to_thread(Database.open, settings)
    stack.push_async_callback(asyncio.to_thread, database.close)
    store = await asyncio.to_thread(
        lambda: GraphStore.connect(database.store_settings, observe=query_observer(metrics))
    )
    stack.callback(store.close)
    await asyncio.to_thread(migrate, store)
    hub = Hub()
    worker = WorkerHandle(environment=worker_environment(settings, database.store_settings), metrics=metrics, hub=hub)
    draining = asyncio.Event()
    parts = Parts(
        settings=settings,
        store=store,
        worker=worker,
        hub=hub,
        metrics=metrics,
        operations=Operations(
            store=store, directory=settings.operation_dir, threads=settings.long_calls, draining=draining
        ),
        embedded=database.embedded,
        worlds=WorldCache(capacity=settings.worlds_kept),
        draining=draining,
        long=long_lane(threads=settings.long_calls),
    )
    stack.callback(parts.long.close)
    stack.callback(parts.planning.close)
    stack.callback(parts.queries.close)
    patience = settings.drain_seconds / 3
    worker.start()
    stack.push_async_callback(worker.stop, patience)
    await parts.operations.start(runners_of(parts))
    stack.push_async_callback(parts.operations.stop, patience)
    _serve_metrics(settings, metrics, stack)
    _background(_keep_alive(database, parts), stack)
    _background(_refresh_interventions(parts), stack)
    server, health_servicer = await listen(parts)
    stack.push_async_callback(server.stop, patience)
    return parts, health_servicer


async def listen(parts: Parts) -> tuple[aio.Server, health.aio.HealthServicer]:
    """Serve all services on the address of the settings.

    Raises:
        InvalidInput: the address is taken.
    """
    interceptor = ServiceInterceptor(parts.metrics, draining=parts.draining)
    server = aio.server(interceptors=[interceptor], options=CHANNEL_OPTIONS)
    graph_pb2_grpc.add_GraphServiceServicer_to_server(GraphServicer(parts), server)
    probe_pb2_grpc.add_ProbeServiceServicer_to_server(ProbeServicer(parts), server)
    case_pb2_grpc.add_CaseServiceServicer_to_server(CaseServicer(parts), server)
    model_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(parts), server)
    intervention_pb2_grpc.add_InterventionServiceServicer_to_server(InterventionServicer(parts), server)
    propagation_pb2_grpc.add_PropagationServiceServicer_to_server(PropagationServicer(parts), server)
    archive_pb2_grpc.add_ArchiveServiceServicer_to_server(ArchiveServicer(parts), server)
    branch_pb2_grpc.add_BranchServiceServicer_to_server(BranchServicer(parts), server)
    catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server(CatalogueServicer(parts), server)
    operations_pb2_grpc.add_OperationsServicer_to_server(OperationsServicer(parts), server)
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if parts.settings.reflection:
        told = [service.full_name for service in services()]
        reflection.enable_server_reflection((*told, OPERATIONS, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    try:
        bound = server.add_insecure_port(parts.settings.listen)
    except RuntimeError:
        bound = 0
    if bound == 0:
        raise InvalidInput(
            "the address is taken",
            field="--listen",
            value=parts.settings.listen,
            hint="Stop the other server, or choose another port.",
        )
    await server.start()
    return server, health_servicer


def _serve_metrics(settings: ServerSettings, metrics: Metrics, stack: AsyncExitStack) -> None:
    host, _, port = settings.metrics.rpartition(":")
    try:
        http, thread = start_http_server(int(port), addr=host.strip("[]"), registry=metrics.registry)
    except OSError as error:
        raise InvalidInput(
            f"cannot listen for metrics: {error.strerror}", field="--metrics", value=settings.metrics
        ) from error
    stack.callback(thread.join, 5.0)
    stack.callback(http.server_close)
    stack.callback(http.shutdown)


def _background(work: Coroutine[object, object, None], stack: AsyncExitStack) -> None:
    task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
    stack.callback(task.cancel)


async def _keep_alive(database: Database, parts: Parts) -> None:
    await database.keep_alive(
        parts.store,
        lambda up: parts.metrics.set("ksmith_neo4j_up", float(up)),
        lambda: parts.metrics.inc("ksmith_neo4j_restarts"),
    )


async def _refresh_interventions(parts: Parts) -> None:
    counts = steps.InterventionCounts(parts.store)
    while True:
        try:
            parts.metrics.replace_interventions(await asyncio.to_thread(counts.read))
        except KnowledgeSmithError as error:
            _LOG.warning("cannot count interventions: %s", error.message)
        parts.worker.check_beat()
        await asyncio.sleep(_REFRESH_SECONDS)
