"""Between the wire's messages of probes and probe sets and the graph's types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.probes.guessing.guessers import ALL
from knowledgesmith.graph_schema.types.facts import Level, Split
from knowledgesmith.graph_schema.types.probes import Context, PlannedProbe, Probe, ProbeKind
from knowledgesmith.server.wire.enums import all_from_wire, from_wire, to_wire
from knowledgesmith.v1 import common_pb2, probe_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.graph_schema.probes.generation.request import LeftOut
    from knowledgesmith.graph_schema.probes.guessing.guessers import Guess
    from knowledgesmith.graph_schema.probes.sets.audit import Audit
    from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo

_PHRASINGS = 3


def probe_to(probe: Probe, planned: PlannedProbe | None = None) -> probe_pb2.Probe:
    """A probe on the wire; a planned one carries what it expects."""
    message = probe_pb2.Probe(
        id=probe.id,
        kind=to_wire(common_pb2.ProbeKind, probe.kind),
        anchor_uid=probe.anchor,
        chain_length=probe.chain_length,
        stem=probe.text,
        options=probe.options,
        answers=probe.answers,
        fact_ids=probe.fact_ids,
        context=to_wire(probe_pb2.ProbeContext, None if probe.context is Context.NONE else probe.context),
        counter_stem=probe.counter_stem,
    )
    if planned is not None:
        message.answers[:] = planned.before
        message.answers_after[:] = planned.after
        message.polarity = to_wire(common_pb2.Polarity, planned.polarity)
        message.role = to_wire(common_pb2.Role, planned.role)
        if planned.hops is not None:
            message.hops = planned.hops
    return message


def bulk_request_from(request: probe_pb2.GenerateProbeSetRequest) -> BulkRequest:
    """What to generate.

    Raises:
        InvalidInput: a limit is negative, or a name is unknown.
    """
    if request.limit_per_kind < 0:
        raise InvalidInput(
            "must not be negative", field="limit_per_kind", value=request.limit_per_kind, hint="Use 0 for all."
        )
    asked = all_from_wire(common_pb2.ProbeKind, request.kinds, ProbeKind, "kinds")
    return BulkRequest(
        graph_id=request.graph_id,
        kinds=tuple(kind for kind in ProbeKind if not asked or kind in asked),
        seed=request.seed,
        limit_per_kind=request.limit_per_kind or None,
        phrasings=request.phrasings if request.HasField("phrasings") else _PHRASINGS,
        levels=tuple(all_from_wire(common_pb2.Level, request.levels, Level, "levels")),
        relations=tuple(request.relations),
        subtree=request.subtree_uid,
        split=from_wire(probe_pb2.Split, request.split, Split, "split") or Split.EVAL,
    )


def set_to(info: ProbeSetInfo, *, whole: bool = True) -> probe_pb2.ProbeSet:
    """A stored set; ``whole`` with its guesses."""
    return probe_pb2.ProbeSet(
        id=info.id,
        graph_id=info.graph_id,
        graph_digest=info.graph_digest,
        seed=info.seed,
        digest=info.digest,
        counts=_counts_to(info.counts),
        verified=info.verified,
        dropped=info.dropped,
        split=to_wire(probe_pb2.Split, info.split),
        imported=info.imported,
        fair=info.fair,
        unfair=info.unfair,
        left_out=_left_out_to(info.left_out),
        guesses=_guesses_to(info.guesses) if whole else [],
    )


def _counts_to(counts: Mapping[str, int]) -> list[common_pb2.KindCount]:
    return [
        common_pb2.KindCount(kind=to_wire(common_pb2.ProbeKind, kind), count=counts[kind])
        for kind in ProbeKind
        if kind in counts
    ]


def _left_out_to(shares: Mapping[str, LeftOut]) -> list[probe_pb2.LeftOut]:
    return [
        probe_pb2.LeftOut(
            kind=to_wire(common_pb2.ProbeKind, kind), askable=shares[kind].askable, left_out=shares[kind].left_out
        )
        for kind in ProbeKind
        if kind in shares
    ]


def _kind_or_all(kind: str) -> common_pb2.ProbeKind.ValueType:
    """Wire value of a kind; not set for what was counted over all of them."""
    return to_wire(common_pb2.ProbeKind, "" if kind == ALL else kind)


def _guesses_to(guesses: Sequence[Guess]) -> list[probe_pb2.Guess]:
    return [
        probe_pb2.Guess(
            kind=_kind_or_all(guess.kind),
            guesser=to_wire(probe_pb2.Guesser, guess.guesser),
            tested=guess.tested,
            right=guess.right,
            accuracy=guess.accuracy,
            low=guess.low,
            high=guess.high,
            chance=guess.chance,
            fair=guess.fair,
        )
        for guess in guesses
    ]


def audit_to(audit: Audit) -> probe_pb2.AuditProbeSetResponse:
    """What an audit found."""
    return probe_pb2.AuditProbeSetResponse(
        probe_set_id=audit.probe_set_id,
        probes=audit.probes,
        verified=audit.verified,
        passed=audit.passed,
        findings=[
            probe_pb2.AuditFinding(check=found.check, count=found.count, examples=found.examples)
            for found in audit.findings
        ],
        letters=[
            probe_pb2.LetterBalance(
                options=found.options, counts=found.counts, chi_square=found.chi_square, p_value=found.p_value
            )
            for found in audit.letters
        ],
        baselines=[
            probe_pb2.OptionsBaseline(
                kind=_kind_or_all(found.kind),
                tested=found.tested,
                right=round(found.right),
                accuracy=found.accuracy,
                low=found.low,
                high=found.high,
                chance=found.chance,
            )
            for found in audit.baselines
        ],
        sheet=audit.sheet,
        guesses=_guesses_to(audit.guesses),
        unfair=audit.unfair,
        left_out=_left_out_to(audit.left_out),
    )
