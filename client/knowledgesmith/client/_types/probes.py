"""Probes and probe sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from knowledgesmith.v1 import probe_pb2

from .audits import Guess, LeftOut, read_guesses, read_left_out
from .enums import Polarity, ProbeKind, Role, read_kind, read_polarity, read_role


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSet:
    """A seeded, digested collection of probes: counts by kind, questions without a probe by reason.

    ``imported``: taken in from a file, so that its probes were not verified here; ``audit_probes`` judges them.
    ``fair``: whether knowing nothing gets nobody further than chance, ``None`` where nobody has judged it; ``unfair``
    says why not, ``left_out`` what that cost by kind, ``guesses`` how well guessers do (not in lists of sets).
    """

    id: str
    graph_id: str
    graph_digest: str
    seed: int
    digest: str
    counts: Mapping[str, int]
    verified: int
    dropped: Mapping[str, int]
    split: str = "eval"
    imported: bool = False
    fair: bool | None = None
    unfair: tuple[str, ...] = ()
    left_out: Mapping[str, LeftOut] = field(default_factory=dict[str, LeftOut])
    guesses: tuple[Guess, ...] = ()

    @classmethod
    def from_proto(cls, message: probe_pb2.ProbeSet) -> Self:
        """Read the wire's message."""
        return cls(
            id=message.id,
            graph_id=message.graph_id,
            graph_digest=message.graph_digest,
            seed=message.seed,
            digest=message.digest,
            counts=dict(message.counts),
            verified=message.verified,
            dropped=dict(message.dropped),
            split=message.split or "eval",
            imported=message.imported,
            fair=message.fair if message.HasField("fair") else None,
            unfair=tuple(message.unfair),
            left_out=read_left_out(message.left_out),
            guesses=read_guesses(message.guesses),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question with its options.

    Attributes:
        anchor: uid of the entity named in the stem.
        chain_length: facts in the probe.
        answers: indices into ``options``; ``answers_after`` are the same after a planned update.
        hops: graph distance from the nearest target; ``None`` when unreachable or not planned.
        context: why a CONTEXTUAL probe was chosen: same_subject, same_relation or other_domain.
        role: what a planned probe asks about.
        counter_stem: the denial of a CONFLICT probe's statement, asked in the same words.
    """

    id: str
    kind: ProbeKind
    anchor: str
    chain_length: int
    stem: str
    options: tuple[str, ...]
    answers: tuple[int, ...]
    fact_ids: tuple[str, ...]
    answers_after: tuple[int, ...]
    polarity: Polarity
    hops: int | None
    context: str
    role: Role = Role.UNSPECIFIED
    counter_stem: str = ""

    @classmethod
    def from_proto(cls, message: probe_pb2.Probe) -> Self:
        """Read the wire's message."""
        return cls(
            id=message.id,
            kind=read_kind(message.kind),
            anchor=message.anchor,
            chain_length=message.chain_length,
            stem=message.stem,
            options=tuple(message.options),
            answers=tuple(message.answers),
            fact_ids=tuple(message.fact_ids),
            answers_after=tuple(message.answers_after),
            polarity=read_polarity(message.polarity),
            hops=message.hops if message.HasField("hops") else None,
            context=message.context,
            role=read_role(message.role),
            counter_stem=message.counter_stem,
        )
