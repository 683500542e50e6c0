"""Pools of a bulk run: what distractors are drawn from, and how often.

A distractor is of the answer's type. Within that, entities that are answers more often are drawn more often, so that
an option's popularity says nothing about whether it is right. Where the graph knows too few answers for that, or very
few of them dominate, every entity of the type is as likely as the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from knowledgesmith.graph_schema.closure import BEFORE
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.questions import Question
from knowledgesmith.graph_schema.probes.vector_draw import Indices
from knowledgesmith.graph_schema.store import Transaction

_ENOUGH: Final = 8
"""Different answers that make a pool."""
_FEW: Final = 4
_DOMINANT: Final = 0.8
"""Where the four most frequent answers have this share of all, drawing by frequency would find too little else."""

Asked = tuple[str, bool, int]
"""Relation, whether it is read backward, facts in the chain."""


class Pools:
    """Pools of one graph by the answer's type and by what is asked."""

    def __init__(self, lexicon: Lexicon, answers: Mapping[Asked, Counter[int]]) -> None:
        self._lexicon = lexicon
        self._answers = answers
        self._made: dict[tuple[str, Asked], Indices] = {}

    def of(self, question: Question, *, answer: int) -> tuple[str, Asked]:
        """The name of the pool for a question with this answer (a dense index)."""
        return (self._lexicon.entities[answer].type, asked(question))

    def members(self, name: tuple[str, Asked]) -> Indices:
        """Dense indices in sorted order; an entity that is to be drawn more often stands there more often."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(*name)
        return made

    def _make(self, kind: str, what: Asked) -> Indices:
        relation, reverse, _ = what
        counts = self._answers.get(what) or self._answers.get((relation, reverse, 1)) or Counter()
        known = sorted(counts, key=lambda position: self._lexicon.entities[position].uid)
        base = np.array(
            self._lexicon.pool_of(kind=kind, relation=relation, reverse=reverse, known=known), dtype=np.int64
        )
        weights = np.array([counts[position] for position in base.tolist()], dtype=np.int64)
        if (weights > 0).sum() < _ENOUGH or np.sort(weights)[-_FEW:].sum() > _DOMINANT * weights.sum():
            return base
        return np.repeat(base, weights)


def asked(question: Question) -> Asked:
    """What a question asks for, whatever its anchor."""
    return (question.relation, question.reverse, len(question.path))


def answers_of_facts(tx: Transaction, lexicon: Lexicon, *, block: int) -> dict[Asked, Counter[int]]:
    """How many questions of one fact each entity answers, by relation and direction."""
    names = {relation.rel_type: relation.name for relation in lexicon.relations.values()}
    found: dict[Asked, Counter[int]] = {}
    uids = sorted(entity.uid for entity in lexicon.entities)
    for start in range(0, len(uids), block):
        (answer,) = tx.rows(
            "probes/known",
            graph_id=lexicon.graph_id,
            world=BEFORE,
            types=lexicon.rel_types,
            anchors=uids[start : start + block],
        )
        for uid, as_object, as_subject in answer["known"]:
            position = lexicon.index[uid]
            for reverse, counts in ((False, as_object), (True, as_subject)):
                for rel_type, many in counts:
                    found.setdefault((names[rel_type], reverse, 1), Counter())[position] = many
    return found


def answers_of_chains(questions: Iterable[Question], lexicon: Lexicon) -> dict[Asked, Counter[int]]:
    """The same for chains, as far as some of them show it."""
    found: dict[Asked, Counter[int]] = {}
    for question in questions:
        found.setdefault(asked(question), Counter()).update(lexicon.index[uid] for uid in question.before)
    return found
