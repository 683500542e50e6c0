"""True sentences and known answers taken from questions, for prefixes and for distractors without a type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, sample
from knowledgesmith.graph_schema.probes.wording.verbalise import statement
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_SENTENCES: Final = 200


def answers_by_relation(questions: Iterable[Question]) -> dict[tuple[str, bool], list[str]]:
    """Answers of all questions of a relation and direction: distractors for entities without a type."""
    found: dict[tuple[str, bool], set[str]] = {}
    for question in questions:
        if question.kind is not ProbeKind.CONFLICT:
            found.setdefault((question.relation, question.reverse), set()).update(question.before, question.after)
    return {key: sorted(uids) for key, uids in found.items()}


def irrelevant_sentences(questions: Iterable[Question], *, lexicon: Lexicon, seed: int) -> list[tuple[str, str]]:
    """True statements that no update touches, to stand before a probe."""
    stay = {
        repr(q.key): q
        for q in questions
        if q.kind in {ProbeKind.DIRECT, ProbeKind.CONTEXTUAL} and q.polarity is Polarity.STAY and len(q.before) == 1
    }
    rows: list[tuple[str, str]] = []
    for chosen in sample(sorted(stay), _SENTENCES, key=draw_key(seed, "sentences")):
        question = stay[chosen]
        subject, obj = lexicon.entity(question.anchor), lexicon.entity(question.before[0])
        text = statement(lexicon.relation(question.relation), subject=subject.name, obj=obj.name)
        if text:
            rows.append((text, subject.domain))
    return rows
