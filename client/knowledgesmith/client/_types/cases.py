"""Ready interventions of benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.v1 import case_pb2, common_pb2

from .enums import Goal, Polarity, ProbeKind, read_enum, read_kind, read_polarity
from .facts import FactChange
from .interventions import InterventionSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """One change by uids; the names are empty where the graph lacks the entity."""

    subject: str
    relation: str
    old_object: str
    new_object: str
    subject_name: str
    old_object_name: str
    new_object_name: str

    @classmethod
    def from_proto(cls, message: case_pb2.CaseChange) -> Self:
        """Read the wire's message."""
        return cls(
            subject=message.subject,
            relation=message.relation,
            old_object=message.old_object,
            new_object=message.new_object,
            subject_name=message.subject_name,
            old_object_name=message.old_object_name,
            new_object_name=message.new_object_name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseProbe:
    """A question of the benchmark itself; nobody verified it.

    Attributes:
        family: the source's own word, such as rephrase or locality.
        options: empty for free answers.
        answers: accepted after the change; ``answers_before`` before it.
    """

    kind: ProbeKind
    polarity: Polarity
    family: str
    stem: str
    options: tuple[str, ...]
    answers: tuple[str, ...]
    answers_before: tuple[str, ...]

    @classmethod
    def from_proto(cls, message: case_pb2.CaseProbe) -> Self:
        """Read the wire's message."""
        return cls(
            kind=read_kind(message.kind),
            polarity=read_polarity(message.polarity),
            family=message.family,
            stem=message.stem,
            options=tuple(message.options),
            answers=tuple(message.answers),
            answers_before=tuple(message.answers_before),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A ready intervention with its own probes.

    Attributes:
        rounds: requests that follow one another; none for a case that only asks.
        families: number of probes by family.
        missing: uids of its changes that the graph lacks.
        file: where it comes from, and ``record`` its line or number there.
        probes: only filled by ``get_case``.
    """

    graph_id: str
    id: str
    goal: Goal
    rounds: tuple[tuple[CaseChange, ...], ...]
    families: Mapping[str, int]
    missing: tuple[str, ...]
    file: str
    record: int
    digest: str
    probes: tuple[CaseProbe, ...]

    @classmethod
    def from_proto(cls, message: case_pb2.Case) -> Self:
        """Read the wire's message."""
        return cls(
            graph_id=message.graph_id,
            id=message.id,
            goal=read_enum(Goal, common_pb2.Goal.DESCRIPTOR, message.goal),
            rounds=tuple(tuple(map(CaseChange.from_proto, made.changes)) for made in message.rounds),
            families=dict(message.families),
            missing=tuple(message.missing),
            file=message.file,
            record=message.record,
            digest=message.digest,
            probes=tuple(map(CaseProbe.from_proto, message.probes)),
        )

    def changes(self, *, round: int = 1) -> tuple[FactChange, ...]:  # noqa: A002 - the case's own word
        """The changes of one round, from 1, as an intervention takes them.

        Raises:
            InvalidInput: the case has no such round.
        """
        if not 1 <= round <= len(self.rounds):
            hint = f"Its rounds: 1 to {len(self.rounds)}." if self.rounds else "It only asks, it changes nothing."
            raise InvalidInput("The case has no such round.", field="round", value=str(round), hint=hint)
        return tuple(
            FactChange(
                subject=change.subject,
                relation=change.relation,
                old_object=change.old_object,
                new_object=change.new_object,
            )
            for change in self.rounds[round - 1]
        )

    def spec(self, *, branch_id: str, method: str, round: int = 1, **more: Any) -> InterventionSpec:  # noqa: A002
        """What to ask for to make this case true on a branch.

        Args:
            branch_id: branch of the case's graph.
            method: name of the method.
            round: which of its rounds, from 1.
            **more: other members of ``InterventionSpec``.

        Raises:
            InvalidInput: the case has no such round.
        """
        changes = self.changes(round=round)
        return InterventionSpec(branch_id=branch_id, goal=self.goal, changes=changes, method=method, **more)
