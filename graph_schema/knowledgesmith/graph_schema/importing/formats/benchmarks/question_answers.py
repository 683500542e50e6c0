"""Benchmarks of questions with answers, some of them to be forgotten (TOFU, KnowUnDo, Sanitation).

The question is an entity, the answer is one, and ``answer`` is the relation between them: such sets name no subjects,
so a question is all there is to hold on to. Each question to be forgotten is a case of its own. What must be kept is
asked for in one case more, which forgets the whole file: the sets are meant to be used that way. Where
nothing is to be forgotten there is no case; that options or paraphrases are in none is then told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    SetBuilder,
    Unusable,
    optional_text,
    probe,
    stays,
    texts_in,
)
from knowledgesmith.graph_schema.importing.reading.parsing import Item
from knowledgesmith.graph_schema.importing.reading.records import (
    CaseChange,
    CaseProbe,
    EntityRecord,
    Place,
    Record,
    Rejection,
)
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split, Template
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

RELATION: Final = "answer"
MAX_WHOLE: Final = 20_000
"""Questions of the case that forgets everything; they are held in memory until the last file is read."""
_WORDINGS: Final = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "Question: {s} Answer:"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "Question: {s} Answer: {o}"),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "{s}"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "{s} The answer is:"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "{s} The answer is: {o}"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "Answer: {o} Question:"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "The question that is answered by {o} is:"),
)


class Part(StrEnum):
    """What becomes of a file's questions."""

    FORGET = "forget"
    RETAIN = "retain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question. ``wrong`` are false answers, ``paraphrases`` other wordings of the question."""

    place: Place
    question: str
    answer: str
    wrong: tuple[str, ...] = ()
    paraphrases: tuple[str, ...] = ()
    paraphrased_answers: tuple[str, ...] = ()
    name: str = ""


@dataclass(slots=True)
class QuestionSet:
    """Turns questions into records; ``finish`` gives the case over all of them."""

    domain: str
    builder: SetBuilder = field(default_factory=SetBuilder)
    _changes: list[CaseChange] = field(default_factory=list[CaseChange])
    _probes: list[CaseProbe] = field(default_factory=list[CaseProbe])
    _first: dict[Part, Place] = field(default_factory=dict[Part, Place])
    _dropped: int = 0

    def take(self, asked: Asked, part: Part) -> Iterator[Record]:
        """The records of one question; a rejection when it cannot be stored."""
        try:
            question, answer = self._entity(asked, "question"), self._entity(asked, "answer")
        except Unusable as error:
            yield Rejection(place=asked.place, reason=str(error))
            return
        yield from (question, answer)
        yield from self.builder.relation(
            asked.place, RELATION, _templates(), domain_type="Question", range_type="Answer"
        )
        yield self.builder.fact(asked.place, question, RELATION, answer)
        self._first[part] = min(asked.place, self._first.get(part, asked.place))
        change = CaseChange(subject=question.uid, relation=RELATION, old_object=answer.uid)
        probes = list(_probes(asked, part))
        if part is Part.FORGET:
            yield self.builder.case(asked.place, asked.name, Goal.UNLEARN, ((change,),), probes)
        if len(self._probes) >= MAX_WHOLE:
            self._dropped += 1
            return
        self._probes += probes
        if part is Part.FORGET:
            self._changes.append(change)

    def finish(self) -> Iterator[Record]:
        """The case that forgets all that is to be forgotten and asks for all the rest."""
        if not self._probes:
            return
        place = self._first.get(Part.FORGET) or self._first[Part.RETAIN]
        whole = Place(file=place.file)
        if not self._changes:
            if any(probe.options or probe.family.endswith("paraphrase") for probe in self._probes):
                reason = "nothing is to be forgotten, so no case holds the options and paraphrases of the questions"
                yield Rejection(place=whole, reason=reason)
            return
        yield self.builder.case(whole, "all", Goal.UNLEARN, ((*self._changes,),), self._probes)
        if self._dropped:
            reason = f"the case over all questions holds {MAX_WHOLE} probes; {self._dropped} questions are not in it"
            yield Rejection(place=whole, reason=reason)

    def _entity(self, asked: Asked, role: str) -> EntityRecord:
        text, kind = (asked.question, "Question") if role == "question" else (asked.answer, "Answer")
        return self.builder.entity(asked.place, text, type=kind, domain=self.domain)


def _templates() -> Iterator[Template]:
    for direction, split, form, text in _WORDINGS:
        yield Template(direction=direction, split=split, form=form, text=text)


def _probes(asked: Asked, part: Part) -> Iterator[CaseProbe]:
    answers = (asked.answer, *asked.paraphrased_answers)
    options = (asked.answer, *asked.wrong) if asked.wrong else ()
    for family, stems in (("question", (asked.question,)), ("paraphrase", asked.paraphrases)):
        for stem in stems:
            if part is Part.FORGET:
                yield probe(
                    ProbeKind.DIRECT, Polarity.CHANGE, f"forget_{family}", stem, [], before=answers, options=options
                )
            else:
                kept = stays(f"retain_{family}", stem, answers)
                yield probe(kept.kind, kept.polarity, kept.family, stem, answers, before=answers, options=options)


def asked_in(item: Item, record: dict[str, Any]) -> Asked:
    """A question from a record, under any of the names that the benchmarks use.

    Raises:
        Unusable: it has no question or no answer.
    """
    question = optional_text(record, "question", "text", "prompt")
    answers = texts_in(next((record[k] for k in ("answer", "labels", "ground_truth") if record.get(k)), None))
    if not question or not answers:
        raise Unusable(f"no {'answer' if question else 'question'}")
    return Asked(
        place=item.place,
        question=question,
        answer=answers[0],
        wrong=texts_in(record.get("perturbed_answer")),
        paraphrases=texts_in([record.get("paraphrased_question"), record.get("rephrase_prompt")]),
        paraphrased_answers=(*answers[1:], *texts_in(record.get("paraphrased_answer"))),
    )


def words_of(text: str) -> tuple[str, ...]:
    """Words parted by commas, case aside."""
    return tuple(word for part in text.split(",") if (word := part.strip().casefold()))


def part_of(role: str, name: str, *, forget: Sequence[str], retain: Sequence[str]) -> Part | None:
    """What a file is for: its role where the user gave one, else the first of these words in its name."""
    if role in set(Part):
        return Part(role)
    lowered = name.casefold()
    # "unlearn" contains "learn" and "forget" may stand in a folder's name, so what must stay is asked first.
    if any(word in lowered for word in retain):
        return Part.RETAIN
    return Part.FORGET if any(word in lowered for word in forget) else None
