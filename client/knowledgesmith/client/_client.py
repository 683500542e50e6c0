"""The typed client."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from grpc_health.v1 import health_pb2

from ._calls.graphs import GraphCalls
from ._calls.imports import ImportCalls
from ._calls.interventions import InterventionCalls
from ._calls.models import ModelCalls
from ._calls.probes import ProbeCalls
from ._calls.propagation import PropagationCalls
from ._transport import ACTOR_KEY, DEFAULT_TARGET, Timeouts, Transport, check_actor
from ._types.status import ServerStatus

_LATEST: Final = 50


class KnowledgeSmith(GraphCalls, ImportCalls, ProbeCalls, ModelCalls, InterventionCalls, PropagationCalls):
    """A connection to a KnowledgeSmith server; close it, or use it in a ``with`` block.

    Example:
        ::

            with KnowledgeSmith() as smith:
                change = FactChange(subject="Japan", relation="has_capital", new_object="Paris")
                job = smith.edit(branch_id="main", changes=[change])
                smith.wait(intervention_id=job.id)
                print(smith.propagation(intervention_id=job.id).groups)

    Args:
        target: ``host:port``.
        actor: recorded by the server as the one who asked.
        timeout_s: deadline of quick calls, in seconds; a watch has none.
        slow_timeout_s: deadline of calls that load, plan, generate, import or measure, in seconds.

    Raises:
        InvalidInput: the actor's name cannot be sent.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        actor: str | None = None,
        timeout_s: float = 30.0,
        slow_timeout_s: float = 900.0,
    ) -> None:
        self._transport = Transport(
            target=target,
            metadata=() if actor is None else ((ACTOR_KEY, check_actor(actor)),),
            timeouts=Timeouts(quick=timeout_s, slow=max(timeout_s, slow_timeout_s)),
        )

    @property
    def target(self) -> str:
        """Address of the server."""
        return self._transport.target

    def health(self) -> str:
        """``SERVING``, ``NOT_SERVING`` or ``UNKNOWN``, as the standard health service says.

        Raises:
            ServerUnreachable: nothing answers at the address.
        """
        check = self._transport.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        answer = self._transport.unary(check, health_pb2.HealthCheckRequest())
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    def status(self) -> ServerStatus:
        """What the server holds, gathered with several calls."""
        latest = self.list_interventions(limit=_LATEST)
        return ServerStatus(
            target=self.target,
            health=self.health(),
            connection=self.connection_info(),
            graphs=tuple(self.list_graphs()),
            models=tuple(self.list_models()),
            branches=tuple(self.list_branches()),
            running=tuple(job for job in latest if not job.state.terminal),
        )

    def close(self) -> None:
        """Close the connection; calls that run end as cancelled."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
