"""Calls of the probe service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._probe_files import receive, sent
from knowledgesmith.client._types.audits import ProbeSetAudit
from knowledgesmith.client._types.enums import ProbeKind
from knowledgesmith.client._types.probes import Probe, ProbeSet
from knowledgesmith.v1 import probe_pb2 as pb
from knowledgesmith.v1.probe_pb2_grpc import ProbeServiceStub

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
        phrasings: int = 3,
        levels: Sequence[str] = (),
        relations: Sequence[str] = (),
        subtree_uid: str = "",
        split: str = "eval",
    ) -> ProbeSet:
        """Generate and store a seeded, verified probe set.

        Args:
            graph_id: graph to ask about.
            kinds: empty = all six.
            seed: of every draw; the same seed gives the same digest.
            limit_per_kind: at most so many of each kind; 0 = all.
            materialise: also create ``(:Probe)`` nodes, for up to 10,000 probes.
            phrasings: at most so many phrasings of a question; 0 = all.
            levels: only anchors of these levels (``Root``, ``Intermediate``, ``Leaf``); empty = all.
            relations: only questions that end with one of these relations; empty = all.
            subtree_uid: only anchors at or below this entity; empty = the whole graph.
            split: ``eval`` or ``train``; the two never share a phrasing.

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
            phrasings=phrasings,
            levels=levels,
            relations=relations,
            subtree_uid=subtree_uid,
            split=split,
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

    def sample_probes(
        self, *, probe_set_id: str, size: int, balance: Sequence[str] = ("kind",), seed: int = 0
    ) -> ProbeSet:
        """Draw a balanced sample and store it; of one seed, the larger sample holds the smaller.

        Args:
            probe_set_id: the set to draw from.
            size: probes to draw; all where the set has fewer.
            balance: of ``kind``, ``level``, ``relation``, ``subtree``, ``chain_length``, ``position``, crossed.
            seed: of the draw.

        Raises:
            ProbeSetNotFound: there is no such set.
        """
        request = pb.SampleProbeSetRequest(probe_set_id=probe_set_id, size=size, balance=balance, seed=seed)
        return ProbeSet.from_proto(self._transport.unary(self._probe_stub.SampleProbeSet, request, slow=True).probe_set)

    def audit_probes(self, *, probe_set_id: str, seed: int = 0) -> ProbeSetAudit:
        """Check a set: can it be guessed, truth, duplicates, letters, grammar.

        Raises:
            ProbeSetNotFound: there is no such set.
        """
        request = pb.AuditProbeSetRequest(probe_set_id=probe_set_id, seed=seed)
        answer = self._transport.unary(self._probe_stub.AuditProbeSet, request, slow=True)
        return ProbeSetAudit.from_proto(answer)

    def export_probes(self, *, probe_set_id: str, form: str, folder: Path) -> list[Path]:
        """Receive a set as files.

        Args:
            probe_set_id: the set.
            form: ``parquet``, ``jsonl``, ``lm-eval`` or ``dataset``.
            folder: where the files go; made where it is missing.

        Returns:
            The files, in the order received.

        Raises:
            ProbeSetNotFound: there is no such set.
            ServerFault: the server names a file outside the folder.
        """
        request = pb.ExportProbeSetRequest(probe_set_id=probe_set_id, format=form)
        return receive(self._transport.download(self._probe_stub.ExportProbeSet, request), folder=folder)

    def import_probes(self, *, path: Path, form: str = "") -> ProbeSet:
        """Send a set that was exported as Parquet or JSONL; it must match its digest.

        Args:
            path: the file.
            form: ``parquet`` or ``jsonl``; empty = by the file's ending.

        Raises:
            InvalidInput: the file is no probe set, or was changed.
        """
        header = pb.ImportProbeSetHeader(name=path.name, format=form or path.suffix.removeprefix("."))
        return ProbeSet.from_proto(
            self._transport.upload(self._probe_stub.ImportProbeSet, sent(path, header=header)).probe_set
        )
