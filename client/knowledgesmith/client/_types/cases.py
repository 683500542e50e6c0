"""Ready interventions of benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Unpack

from knowledgesmith.client._errors import InvalidInput

from .enums import Goal, Polarity, ProbeKind
from .facts import FactChange
from .interventions import InterventionSpec, SpecOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """One change by uids; the names are empty where the graph lacks the entity."""

    subject_uid: str
    relation: str
    old_object_uid: str
    new_object_uid: str
    subject_name: str
    old_object_name: str
    new_object_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRound:
    """The changes that a case asks for at once."""

    changes: tuple[CaseChange, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A ready intervention with its own probes.

    Attributes:
        rounds: requests that follow one another; none for a case that only asks.
        families: number of probes by family.
        missing_uids: uids of its changes that the graph lacks.
        file: where it comes from, and ``record`` its line or number there.
        probes: only filled by ``cases.get``.
    """

    graph_id: str
    id: str
    goal: Goal
    rounds: tuple[CaseRound, ...]
    families: Mapping[str, int]
    missing_uids: tuple[str, ...]
    file: str
    record: int
    digest: str
    probes: tuple[CaseProbe, ...]

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
                subject=change.subject_uid,
                relation=change.relation,
                old_object=change.old_object_uid,
                new_object=change.new_object_uid,
            )
            for change in self.rounds[round - 1].changes
        )

    def spec(
        self,
        *,
        branch_id: str,
        round: int = 1,  # noqa: A002 - the case's own word
        **options: Unpack[SpecOptions],
    ) -> InterventionSpec:
        """What to ask for to make this case true on a branch.

        Args:
            branch_id: branch of the case's graph.
            round: which of its rounds, from 1.
            **options: further members of ``InterventionSpec``.

        Raises:
            InvalidInput: the case has no such round.
        """
        return InterventionSpec.of(goal=self.goal, branch_id=branch_id, changes=self.changes(round=round), **options)
