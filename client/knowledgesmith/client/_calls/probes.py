"""Calls of the probe service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.enums import ProbeKind
from knowledgesmith.client._types.probes import Probe, ProbeSet
from knowledgesmith.proto.v1 import probe_pb2 as pb
from knowledgesmith.proto.v1.probe_pb2_grpc import ProbeServiceStub

from .base import Calls


class ProbeCalls(Calls):
    """Probe sets generated from a graph."""

    @cached_property
    def _probe_stub(self) -> ProbeServiceStub:
        return ProbeServiceStub(self._transport.channel)

    def generate_probes(
        self,
        *,
        graph_id: str,
        kinds: Sequence[ProbeKind] = (),
        seed: int = 0,
        limit_per_kind: int = 0,
        materialise: bool = False,
    ) -> ProbeSet:
        """Generate and store a seeded, verified probe set.

        Args:
            graph_id: graph to ask about.
            kinds: empty = all six.
            seed: of every draw; the same seed gives the same digest.
            limit_per_kind: at most so many of each kind; 0 = all.
            materialise: also create ``(:Probe)`` nodes, for up to 10,000 probes.

        Raises:
            GraphNotFound: no graph has this id.
            ProbeSetEmpty: the graph gives no probe of these kinds.
        """
        request = pb.GenerateProbeSetRequest(
            graph_id=graph_id,
            kinds=[kind.to_proto() for kind in kinds],
            seed=seed,
            limit_per_kind=limit_per_kind,
            materialise=materialise,
        )
        answer = self._transport.unary(self._probe_stub.GenerateProbeSet, request, slow=True)
        return ProbeSet.from_proto(answer.probe_set)

    def get_probe_set(self, *, probe_set_id: str) -> ProbeSet:
        """One probe set."""
        request = pb.GetProbeSetRequest(id=probe_set_id)
        return ProbeSet.from_proto(self._transport.unary(self._probe_stub.GetProbeSet, request).probe_set)

    def list_probe_sets(self, *, graph_id: str, limit: int | None = None) -> Iterator[ProbeSet]:
        """Probe sets of a graph, newest first."""

        def fetch(token: str) -> tuple[Sequence[pb.ProbeSet], str]:
            request = pb.ListProbeSetsRequest(graph_id=graph_id, page_size=page_size(limit), page_token=token)
            page = self._transport.unary(self._probe_stub.ListProbeSets, request)
            return page.probe_sets, page.next_page_token

        return map(ProbeSet.from_proto, iterate(fetch, limit=limit))

    def list_probes(
        self, *, probe_set_id: str, kind: ProbeKind = ProbeKind.UNSPECIFIED, limit: int | None = None
    ) -> Iterator[Probe]:
        """Probes of a set in their stored order, of one kind or of all."""

        def fetch(token: str) -> tuple[Sequence[pb.Probe], str]:
            request = pb.ListProbesRequest(
                probe_set_id=probe_set_id, kind=kind.to_proto(), page_size=page_size(limit), page_token=token
            )
            page = self._transport.unary(self._probe_stub.ListProbes, request)
            return page.probes, page.next_page_token

        return map(Probe.from_proto, iterate(fetch, limit=limit))
