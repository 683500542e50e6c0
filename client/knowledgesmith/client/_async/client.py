"""The typed client."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from grpc_health.v1 import health_pb2

from knowledgesmith.client._own_settings import DEFAULT_TARGET
from knowledgesmith.client._types.enums import View
from knowledgesmith.client._types.status import ServerStatus
from knowledgesmith.client._wire.policies import ACTOR_KEY, check_actor

from .archives import AsyncArchives
from .branches import AsyncBranches
from .cases import AsyncCases
from .catalogue import AsyncCatalogue
from .graphs import AsyncGraphs
from .interventions import AsyncInterventions
from .models import AsyncModels
from .operations import AsyncOperations
from .probe_sets import AsyncProbeSets
from .propagation import AsyncLedgerQuestions
from .transport import AsyncTransport

_LATEST: Final = 50


class AsyncKnowledgeSmith:
    """A connection to a KnowledgeSmith server; close it, or use it in an ``async with`` block.

    The calls stand in namespaces, one a service. A call that begins an operation waits for its result, unless
    ``wait=False`` asks for a handle. The server keeps operations, so a result outlives both a restart of the server and
    this client.

    Example:
        ::

            async with AsyncKnowledgeSmith() as smith:
                change = FactChange(subject="Japan", relation="has_capital", new_object="Paris")
                intervention = await smith.interventions.edit(branch_id="main", changes=[change])
                await smith.interventions.wait(intervention_id=intervention.id)
                found = await smith.propagation.rates(intervention_id=intervention.id)
                print(found.groups)

    Args:
        target: ``host:port``.
        actor: recorded by the server as the one who asked.
        timeout_s: deadline of quick calls, in seconds; uploads, downloads and watches have none.
        long_timeout_s: deadline of calls that plan, suggest or measure, in seconds.

    Attributes:
        target: address of the server.
        graphs: knowledge graphs, their imports and Cypher.
        archives: graphs as files, with all that stands on them.
        catalogue: the relations of a graph.
        cases: ready interventions of benchmarks.
        models: models and methods.
        branches: branches, their revisions, and questions to them.
        probe_sets: sets of probes.
        interventions: requests to change a model, and their life.
        propagation: questions about what an intervention did.
        operations: long work of the server.

    Raises:
        InvalidInput: the actor's name cannot be sent.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        actor: str | None = None,
        timeout_s: float = 30.0,
        long_timeout_s: float = 900.0,
    ) -> None:
        metadata = () if actor is None else ((ACTOR_KEY, check_actor(actor)),)
        self._transport = AsyncTransport.to(
            target, metadata=metadata, timeout_s=timeout_s, long_timeout_s=long_timeout_s
        )
        self.target = target
        self.graphs = AsyncGraphs(self._transport)
        self.archives = AsyncArchives(self._transport)
        self.catalogue = AsyncCatalogue(self._transport)
        self.cases = AsyncCases(self._transport)
        self.models = AsyncModels(self._transport)
        self.branches = AsyncBranches(self._transport)
        self.probe_sets = AsyncProbeSets(self._transport)
        self.interventions = AsyncInterventions(self._transport)
        self.propagation = AsyncLedgerQuestions(self._transport)
        self.operations = AsyncOperations(self._transport)

    async def health(self) -> str:
        """``SERVING``, ``NOT_SERVING`` or ``UNKNOWN``, as the standard health service says.

        Raises:
            ServerUnreachable: nothing answers at the address.
        """
        answer = await self._transport.unary(health_pb2.HealthCheckRequest(), health_pb2.HealthCheckResponse)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    async def status(self) -> ServerStatus:
        """What the server holds, gathered with several calls."""
        latest = await self.interventions.list(view=View.BASIC, limit=_LATEST)
        return ServerStatus(
            target=self.target,
            health=await self.health(),
            connection=await self.graphs.connection(),
            graphs=tuple(await self.graphs.list()),
            models=tuple(await self.models.list()),
            branches=tuple(await self.branches.list()),
            running=tuple(intervention for intervention in latest if not intervention.state.terminal),
        )

    async def close(self) -> None:
        """Close the connection; calls that run, and later ones, also of handles, raise ``ClientClosed``."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
