"""Calls of the probe service."""
# Generated from _async by scripts/gen_sync.py; not edited.

from __future__ import annotations

import builtins
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, overload

from knowledgesmith.client._types.enums import Balance, Level, ProbeKind, ProbeSetFormat, Split
from knowledgesmith.client._types.graphs import Deletion
from knowledgesmith.client._types.operations import OnProgress
from knowledgesmith.client._types.probes import Probe, ProbeSet, ProbeSetAudit
from knowledgesmith.client._wire.files import Folder, probe_set_parts, readable
from knowledgesmith.client._wire.fill import message, read
from knowledgesmith.v1 import probe_pb2 as pb

from .base import Namespace, key
from .operation import Operation


class ProbeSets(Namespace):
    """Probe sets generated from a graph."""

    @overload
    def generate(
        self,
        *,
        graph_id: str,
        kinds: Sequence[ProbeKind] = ...,
        seed: int = ...,
        limit_per_kind: int = ...,
        materialise: bool = ...,
        phrasings: int | None = ...,
        levels: Sequence[Level] = ...,
        relations: Sequence[str] = ...,
        subtree_uid: str = ...,
        split: Split = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> ProbeSet: ...
    @overload
    def generate(
        self,
        *,
        graph_id: str,
        kinds: Sequence[ProbeKind] = ...,
        seed: int = ...,
        limit_per_kind: int = ...,
        materialise: bool = ...,
        phrasings: int | None = ...,
        levels: Sequence[Level] = ...,
        relations: Sequence[str] = ...,
        subtree_uid: str = ...,
        split: Split = ...,
        request_id: str = ...,
        wait: Literal[False],
    ) -> Operation[ProbeSet]: ...
    def generate(
        self,
        *,
        graph_id: str,
        kinds: Sequence[ProbeKind] = (),
        seed: int = 0,
        limit_per_kind: int = 0,
        materialise: bool = False,
        phrasings: int | None = None,
        levels: Sequence[Level] = (),
        relations: Sequence[str] = (),
        subtree_uid: str = "",
        split: Split = Split.UNSPECIFIED,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> ProbeSet | Operation[ProbeSet]:
        """Generate and store a seeded, verified probe set.

        Args:
            graph_id: graph to ask about.
            kinds: empty = all six.
            seed: of every draw; the same seed gives the same digest.
            limit_per_kind: at most so many of each kind; 0 = all.
            materialise: also create ``(:Probe)`` nodes, for up to 10,000 probes.
            phrasings: at most so many phrasings of a question; ``None`` = 3, 0 = all.
            levels: only anchors of these levels; empty = all.
            relations: only questions that end with one of these relations; empty = all.
            subtree_uid: only anchors at or below this entity; empty = the whole graph.
            split: EVAL (also where it is not set) or TRAIN; the two never share a phrasing.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far it is, about once a second.

        Raises:
            GraphNotFound: no graph has this id.
            ProbeSetEmpty: the graph gives no probe of these kinds.
        """
        request = message(
            pb.GenerateProbeSetRequest,
            graph_id=graph_id,
            kinds=kinds,
            seed=seed,
            limit_per_kind=limit_per_kind,
            materialise=materialise,
            phrasings=phrasings,
            levels=levels,
            relations=relations,
            subtree_uid=subtree_uid,
            split=split,
            request_id=key(request_id),
        )
        return self._begin(request, ProbeSet, wait=wait, progress=progress)

    def get(self, *, probe_set_id: str) -> ProbeSet:
        """One probe set.

        Raises:
            ProbeSetNotFound: there is no such set.
        """
        request = message(pb.GetProbeSetRequest, probe_set_id=probe_set_id)
        return read(ProbeSet, (self._transport.unary(request, pb.GetProbeSetResponse)).probe_set)

    def list(self, *, graph_id: str, limit: int | None = None) -> builtins.list[ProbeSet]:
        """Probe sets of a graph, newest first, without their guesses."""
        request = message(pb.ListProbeSetsRequest, graph_id=graph_id)
        return self._list(request, pb.ListProbeSetsResponse, "probe_sets", ProbeSet, limit)

    def delete(self, *, probe_set_id: str) -> Deletion:
        """Delete a probe set with its file.

        Raises:
            ProbeSetNotFound: there is no such set.
        """
        request = message(pb.DeleteProbeSetRequest, probe_set_id=probe_set_id)
        return read(Deletion, (self._transport.unary(request, pb.DeleteProbeSetResponse)).deletion)

    def probes(
        self, *, probe_set_id: str, kind: ProbeKind = ProbeKind.UNSPECIFIED, limit: int | None = None
    ) -> builtins.list[Probe]:
        """Probes of a set in their stored order, of one kind or of all.

        Raises:
            ProbeSetNotFound: there is no such set.
        """
        request = message(pb.ListProbesRequest, probe_set_id=probe_set_id, kind=kind)
        return self._list(request, pb.ListProbesResponse, "probes", Probe, limit)

    @overload
    def sample(
        self,
        *,
        probe_set_id: str,
        size: int,
        balance: Sequence[Balance] = ...,
        seed: int = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> ProbeSet: ...
    @overload
    def sample(
        self,
        *,
        probe_set_id: str,
        size: int,
        balance: Sequence[Balance] = ...,
        seed: int = ...,
        request_id: str = ...,
        wait: Literal[False],
    ) -> Operation[ProbeSet]: ...
    def sample(
        self,
        *,
        probe_set_id: str,
        size: int,
        balance: Sequence[Balance] = (Balance.KIND,),
        seed: int = 0,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> ProbeSet | Operation[ProbeSet]:
        """Draw a balanced sample and store it; of one seed, the larger sample holds the smaller.

        Args:
            probe_set_id: the set to draw from.
            size: probes to draw; all where the set has fewer.
            balance: what to balance, crossed; empty = a plain draw.
            seed: of the draw.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far it is, about once a second.

        Raises:
            ProbeSetNotFound: there is no such set.
        """
        request = message(
            pb.SampleProbeSetRequest,
            probe_set_id=probe_set_id,
            size=size,
            balance=balance,
            seed=seed,
            request_id=key(request_id),
        )
        return self._begin(request, ProbeSet, wait=wait, progress=progress)

    @overload
    def audit(
        self,
        *,
        probe_set_id: str,
        seed: int = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> ProbeSetAudit: ...
    @overload
    def audit(
        self, *, probe_set_id: str, seed: int = ..., request_id: str = ..., wait: Literal[False]
    ) -> Operation[ProbeSetAudit]: ...
    def audit(
        self,
        *,
        probe_set_id: str,
        seed: int = 0,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> ProbeSetAudit | Operation[ProbeSetAudit]:
        """Check a set: options without the question, truth, duplicates, letters, grammar.

        Args:
            probe_set_id: the set.
            seed: of the baseline's halves and of the sheet's rows.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far it is, about once a second.

        Raises:
            ProbeSetNotFound: there is no such set.
        """
        request = message(pb.AuditProbeSetRequest, probe_set_id=probe_set_id, seed=seed, request_id=key(request_id))
        return self._begin(request, ProbeSetAudit, wait=wait, progress=progress)

    def export(
        self,
        *,
        probe_set_id: str,
        folder: Path | str,
        format: ProbeSetFormat = ProbeSetFormat.PARQUET,  # noqa: A002 - the word of the wire
    ) -> builtins.list[Path]:
        """Write a set into files for other tools.

        Args:
            probe_set_id: the set.
            folder: where the files go; made where it is missing.
            format: of the files.

        Returns:
            The files, in the order received.

        Raises:
            ProbeSetNotFound: there is no such set.
            ServerFault: the server names a file outside the folder.
        """
        request = message(pb.ExportProbeSetRequest, probe_set_id=probe_set_id, format=format)
        received = Folder(Path(folder))
        with closing(self._transport.stream(request, pb.ExportProbeSetResponse)) as pieces:
            for piece in pieces:
                received.take(piece)
        return received.files

    @overload
    def import_file(
        self,
        *,
        path: Path | str,
        format: ProbeSetFormat = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> ProbeSet: ...
    @overload
    def import_file(
        self, *, path: Path | str, format: ProbeSetFormat = ..., request_id: str = ..., wait: Literal[False]
    ) -> Operation[ProbeSet]: ...
    def import_file(
        self,
        *,
        path: Path | str,
        format: ProbeSetFormat = ProbeSetFormat.UNSPECIFIED,  # noqa: A002 - the word of the wire
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> ProbeSet | Operation[ProbeSet]:
        """Send a set that was exported as Parquet or JSONL; it must match its digest.

        Args:
            path: the file.
            format: PARQUET or JSONL; ``UNSPECIFIED`` = by the file's ending.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far it is, about once a second.

        Raises:
            InvalidInput: the file cannot be read, is no probe set, or was changed.
        """
        file = readable(path, what="The probe set")
        told = ProbeSetFormat.__members__.get(file.suffix.removeprefix(".").upper(), ProbeSetFormat.UNSPECIFIED)
        header = message(
            pb.ImportProbeSetHeader,
            name=file.name,
            format=told if format is ProbeSetFormat.UNSPECIFIED else format,
            request_id=key(request_id),
        )
        return self._begin_upload(
            pb.ImportProbeSetRequest,
            lambda: probe_set_parts(header, file),
            ProbeSet,
            files=[file],
            wait=wait,
            progress=progress,
        )
