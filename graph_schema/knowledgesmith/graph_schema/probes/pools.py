"""What a bulk run shows: which right answer, and which wrong ones, so that the options alone say nothing.

Of several right answers the rarest is shown: one that is true nearly everywhere could be wrong nowhere, and would give
itself away. Wrong ones are of the answer's type, and each entity is drawn as often as it takes to stand among the
options wrongly three times (in a choice of four) for each time it stands there rightly. A question whose answer is so
common that this cannot be is left out now and then. Where the graph knows too few answers for such counts, every entity
of the type is as likely as the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledgesmith.graph_schema.probes.blocks import RETIRED, Blocks
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.questions import Question
from knowledgesmith.graph_schema.probes.vector_draw import Indices
from knowledgesmith.graph_schema.probes.verbalise import leaks

_ENOUGH: Final = 8
"""Different answers that make a pool."""
_MANY: Final = 100
"""Questions from which on shares of answers mean something."""
_ONLY: Final = 5
"""Questions that are asked where all have the same answer, since nothing else could be right."""
_COMMON: Final = 0.12
"""Largest share of the questions of a kind that one answer may have."""
_SPREAD: Final = 4
"""An answer keeps at least this part of what an average one has."""
_ROUNDS: Final = 64
_FINE: Final = 50_000
"""Places of a weighted pool, at most about."""
_MIX: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, (1 << 64) - 1)

Asked = tuple[str, bool, int]
"""Relation, whether it is read backward, facts in the chain."""
Pool = tuple[str, Asked]
"""The answer's type, and what is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How often entities (dense indices) are right, and how often they are the one that is shown."""

    right: Mapping[Asked, Counter[int]]
    shown: Mapping[Asked, Counter[int]]


class Pools:
    """Pools of one graph by the answer's type and by what is asked."""

    def __init__(self, lexicon: Lexicon, answers: Answers) -> None:
        self._lexicon = lexicon
        self._answers = answers
        self._made: dict[tuple[Pool, int], Indices] = {}
        self._answered: dict[Pool, Counter[int]] = {}
        self._kept: dict[Pool, Mapping[int, float]] = {}

    def of(self, question: Question, *, answer: int) -> Pool:
        """The name of the pool for a question with this answer (a dense index)."""
        return (self._lexicon.entities[answer].type, asked(question))

    def pick(self, question: Question, right: Sequence[int]) -> int:
        """Which of the right answers is shown."""
        if len(right) == 1:
            return right[0]
        anchor = self._lexicon.index[question.anchor]
        told = told_by(self._lexicon, anchor)
        return rarest(self._answers.right.get(asked(question), {}), anchor, [n for n in right if not told(n)] or right)

    def kept(self, question: Question, *, answer: int) -> float:
        """Which part of the questions with this answer is asked, 1 for all but very common answers."""
        return self._shares(self.of(question, answer=answer)).get(answer, 1.0)

    def members(self, name: Pool, *, count: int) -> Indices:
        """Dense indices in sorted order; an entity that is to be drawn more often stands there more often.

        ``count`` is how many are drawn at a time.
        """
        made = self._made.get((name, count))
        if made is None:
            made = self._made[name, count] = self._make(*name, count)
        return made

    def _make(self, kind: str, what: Asked, count: int) -> Indices:
        relation, reverse, _ = what
        counts = self._counts((kind, what))
        known = sorted(counts, key=lambda position: self._lexicon.entities[position].uid)
        base = np.array(
            self._lexicon.pool_of(kind=kind, relation=relation, reverse=reverse, known=known), dtype=np.int64
        )
        kept = self._shares((kind, what))
        asked_for = np.array([counts[position] * kept.get(position, 1.0) for position in base.tolist()])
        # where a count says little, an entity that was never right may well be
        if (asked_for > 0).sum() < (count + 2 if counts.total() >= _MANY else _ENOUGH):
            return base
        share = asked_for / asked_for.sum()
        # in how many of the other questions it must stand, and how likely one draw of several must find it for that
        wanted = np.minimum(count * share / (1.0 - share), 0.95)
        weights = 1.0 - (1.0 - wanted) ** (1.0 / count)
        least = weights[weights > 0].min()
        repeats = np.rint(weights / max(least / 4, weights.sum() / _FINE)).astype(np.int64)
        return np.repeat(base, np.where(weights > 0, np.maximum(repeats, 1), 0))

    def _counts(self, name: Pool) -> Counter[int]:
        """How often each entity of the type is the answer that is shown."""
        known = self._answered.get(name)
        if known is None:
            kind, (relation, reverse, length) = name
            shown = self._answers.shown
            counts = shown.get((relation, reverse, length)) or shown.get((relation, reverse, 1)) or Counter()
            entities = self._lexicon.entities
            known = self._answered[name] = Counter({n: c for n, c in counts.items() if entities[n].type == kind})
        return known

    def _shares(self, name: Pool) -> Mapping[int, float]:
        known = self._kept.get(name)
        if known is None:
            known = self._kept[name] = _kept(self._counts(name))
        return known


def _kept(counts: Counter[int]) -> dict[int, float]:
    """For very common answers, the part of their questions that leaves them a share of :data:`_COMMON`."""
    if counts.total() < _MANY:
        return {}
    if len(counts) == 1:
        return {position: _ONLY / count for position, count in counts.items()}
    largest = max(_COMMON, 1.0 / len(counts))
    # what is left out of one makes the share of the next larger; a rare answer must not leave nothing of the others
    least = counts.total() / (len(counts) * _SPREAD)
    limit = float(counts.total())
    for _ in range(_ROUNDS):
        limit = max(largest * sum(min(count, limit) for count in counts.values()), least)
    return {position: limit / count for position, count in counts.items() if count > limit}


def asked(question: Question) -> Asked:
    """What a question asks for, whatever its anchor."""
    return (question.relation, question.reverse, len(question.path))


def rarest(counts: Mapping[int, int], anchor: int, right: Sequence[int]) -> int:
    """The answer that is right least often; of several, one that depends on the anchor (dense indices)."""
    golden, odd, mask = _MIX
    return min(right, key=lambda n: (counts.get(n, 0), ((anchor * golden ^ n) * odd & mask) >> 20, n))


def told_by(lexicon: Lexicon, anchor: int) -> Callable[[int], bool]:
    """Whether an entity's name stands in the anchor's, which the question says (dense indices)."""
    name = lexicon.entities[anchor].name
    return lambda answer: leaks(name, lexicon.surfaces[answer])


def answers_of_facts(blocks: Blocks, lexicon: Lexicon, *, block: int) -> Answers:
    """The answers of all questions of one fact."""
    right: dict[Asked, Counter[int]] = {}
    shown: dict[Asked, Counter[int]] = {}
    uids = sorted(entity.uid for entity in lexicon.entities)
    parts = [
        (blocks.facts(uids[start : start + block], reverse=reverse), reverse)
        for reverse in (False, True)
        for start in range(0, len(uids), block)
    ]

    def questions() -> Iterator[tuple[Asked, int, list[int]]]:
        for part, reverse in parts:
            start = 0
            for anchor, relation, end in zip(part.anchors, part.relations, part.ends, strict=True):
                yield (blocks.name(relation), reverse, 1), anchor, part.answers[start:end].tolist()
                start = end

    for what, _, answers in questions():
        right.setdefault(what, Counter()).update(n for n in answers if n != RETIRED)
    for what, anchor, answers in questions():
        plain = [n for n in answers if n != RETIRED and not lexicon.ambiguous[n]]
        if RETIRED in answers or lexicon.ambiguous[anchor]:
            continue
        told = told_by(lexicon, anchor)
        if plain := [n for n in plain if not told(n)]:
            shown.setdefault(what, Counter())[rarest(right[what], anchor, plain)] += 1
    return Answers(right=right, shown=shown)


def with_chains(answers: Answers, questions: Iterable[Question], lexicon: Lexicon) -> Answers:
    """The same with the answers of chains, as far as some of them show it."""
    found: dict[Asked, Counter[int]] = {}
    for question in questions:
        anchor = lexicon.index[question.anchor]
        told = told_by(lexicon, anchor)
        right = [lexicon.index[uid] for uid in question.before]
        if not lexicon.ambiguous[anchor]:
            found.setdefault(asked(question), Counter()).update(n for n in right if not told(n))
    return Answers(right={**answers.right, **found}, shown={**answers.shown, **found})
