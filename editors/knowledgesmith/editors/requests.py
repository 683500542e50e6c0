"""What a method is asked to do: pure text values, composed outside from the plan and the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

from knowledgesmith.graph_schema.errors import SubjectNotInPrompt
from knowledgesmith.graph_schema.language.spans import NO_PHRASES, Phrases
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Prompt:
    """A cloze text that names its subject once: ``text[start:end]`` is the subject."""

    text: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= len(self.text):
            raise SubjectNotInPrompt("the subject's span lies outside the prompt", field="prompt", value=self.text)

    @classmethod
    def fill(cls, template: str, subject: str, *, slot: str = "{s}") -> Prompt:
        """Put ``subject`` into the one ``slot`` of ``template``.

        Raises:
            SubjectNotInPrompt: the template does not hold the slot exactly once.
        """
        head, found, tail = template.partition(slot)
        if not found or slot in tail:
            raise SubjectNotInPrompt(f"a template needs {slot} exactly once", field="template", value=template)
        return cls(text=f"{head}{subject}{tail}", start=len(head), end=len(head) + len(subject))

    @property
    def subject(self) -> str:
        """The subject's name as it stands in the text."""
        return self.text[self.start : self.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactUpdate:
    """One fact to edit or unlearn.

    Attributes:
        fact_id: id of the fact that changes (orders the request canonically).
        relation: relation name.
        prompts: training phrasings, at least one; the first is the edit prompt.
        old: object that the world asserts now ("" for an insertion).
        new: object to install ("" for UNLEARN).
        old_aliases: other names of ``old``, which no vague answer may contain.
        candidates: names of the objects that the relation could have (same type; includes ``old`` and ``new``).
        neutral_prompts: the first prompt with other subjects of the same type that have no such fact in common
            with the target (source of NEUTRAL_GRAPH; specs: graph-neutral target).
        subject_type: entity type of the subject, for vague answers.
        derived: whether the fact follows from another update (installed or erased along with it).
    """

    fact_id: str
    relation: str
    prompts: tuple[Prompt, ...]
    old: str
    new: str
    old_aliases: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    neutral_prompts: tuple[Prompt, ...] = ()
    subject_type: str = ""
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RetainRow:
    """A fact that must stay: prompt and the answer to keep. ``scope`` is same_subject, same_relation or other."""

    prompt: Prompt
    answer: str
    scope: str = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """Everything a method may look at. Rows that an evaluation asks are in none of these texts.

    ``statistics_text`` are plain sentences whose keys stand for what the model must keep (key covariance).
    ``forbidden`` are the phrasings of the evaluation: a method that puts words around these texts asks
    :meth:`permits` before it shows the result to the model.
    """

    goal: Goal
    target_distribution: TargetDistribution
    updates: tuple[FactUpdate, ...]
    retain: tuple[RetainRow, ...]
    statistics_text: tuple[str, ...]
    seed: int = 0
    forbidden: Phrases = NO_PHRASES

    def permits(self, text: str) -> bool:
        """Whether a text holds no phrasing of the evaluation."""
        return not self.forbidden.held_by(text)

    def canonical(self) -> UpdateRequest:
        """The same request in canonical order, so that the order of arrival cannot change the result."""
        return replace(
            self,
            updates=tuple(sorted(self.updates, key=lambda u: (u.fact_id, u.prompts[0].text))),
            retain=tuple(sorted(self.retain)),
            statistics_text=tuple(sorted(self.statistics_text)),
        )
