"""Between the wire's messages of probe sets and the graph's types."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.types.facts import Level, Split
from knowledgesmith.graph_schema.types.probes import ProbeKind
from knowledgesmith.v1 import probe_pb2
from knowledgesmith.server.wire.conversions import kind_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.graph_schema.probes.generation.request import LeftOut
    from knowledgesmith.graph_schema.probes.guessing.guessers import Guess
    from knowledgesmith.graph_schema.probes.sets.audit import Audit
    from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo

_PHRASINGS = 3
Named = TypeVar("Named", bound=StrEnum)


def one_of(kind: type[Named], name: str, field: str) -> Named:
    """The member of this value.

    Raises:
        InvalidInput: there is none.
    """
    try:
        return kind(name)
    except ValueError as error:
        known = ", ".join(member.value for member in kind)
        raise InvalidInput("is not one of the known names", field=field, value=name, hint=f"Known: {known}.") from error


def bulk_request_from(request: probe_pb2.GenerateProbeSetRequest) -> BulkRequest:
    """What to generate.

    Raises:
        InvalidInput: a limit is negative, or a name is unknown.
    """
    if request.limit_per_kind < 0:
        raise InvalidInput(
            "must not be negative", field="limit_per_kind", value=request.limit_per_kind, hint="Use 0 for all."
        )
    asked = {kind for number in request.kinds if (kind := kind_from(number)) is not None}
    return BulkRequest(
        graph_id=request.graph_id,
        kinds=tuple(kind for kind in ProbeKind if not asked or kind in asked),
        seed=request.seed,
        limit_per_kind=request.limit_per_kind or None,
        phrasings=request.phrasings if request.HasField("phrasings") else _PHRASINGS,
        levels=tuple(one_of(Level, name, "levels") for name in request.levels),
        relations=tuple(request.relations),
        subtree=request.subtree_uid,
        split=one_of(Split, request.split or Split.EVAL.value, "split"),
    )


def set_to(info: ProbeSetInfo, *, whole: bool = True) -> probe_pb2.ProbeSet:
    """A stored set; ``whole`` with its guesses."""
    return probe_pb2.ProbeSet(
        id=info.id,
        graph_id=info.graph_id,
        graph_digest=info.graph_digest,
        seed=info.seed,
        digest=info.digest,
        counts=info.counts,
        verified=info.verified,
        dropped=info.dropped,
        split=info.split,
        imported=info.imported,
        fair=info.fair,
        unfair=info.unfair,
        left_out=_left_out_to(info.left_out),
        guesses=_guesses_to(info.guesses) if whole else [],
    )


def _left_out_to(shares: Mapping[str, LeftOut]) -> dict[str, probe_pb2.LeftOut]:
    return {kind: probe_pb2.LeftOut(askable=share.askable, left_out=share.left_out) for kind, share in shares.items()}


def _guesses_to(guesses: Sequence[Guess]) -> list[probe_pb2.Guess]:
    return [
        probe_pb2.Guess(
            kind=guess.kind,
            guesser=guess.guesser,
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
                kind=found.kind,
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
