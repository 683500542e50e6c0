"""What a bulk run shows: which right answer, and which wrong ones, so that the options alone say nothing.

Of several right answers the rarest is shown: one that is true nearly everywhere could be wrong nowhere, and would give
itself away. Wrong ones are other answers to what is asked, of the same type, drawn so that each stands among the
options as often rightly as chance has it (:mod:`fairness`). A question whose answer is so common that this cannot be
is left out now and then; where only two or three answers are known, there are only so many options. Where no more than
a handful of questions ask for the same, all are asked, and other entities of the type fill the options up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.blocks import RETIRED, Blocks
from knowledgesmith.graph_schema.probes.asking.chain_blocks import Chains
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, Question
from knowledgesmith.graph_schema.probes.drawing.fairness import Fair, fair_parts, weights_for
from knowledgesmith.graph_schema.probes.drawing.matching import share_alike
from knowledgesmith.graph_schema.probes.drawing.vector_draw import Indices
from knowledgesmith.graph_schema.probes.wording.answer_leak import Telling

FEWEST: Final = 60
"""Fewer questions of a sort are all kept: nothing could be proven of them, and a small graph has no more."""
_HANDFUL: Final = 8
"""Fewer questions that ask for the same say too little about the shares of their answers."""
_FEW: Final = 3
"""Fewer entities that can be stated are those of any choice of two."""
_NOBODY: Final[Counter[int]] = Counter()
_WHOLE: Final = float(1 << 40)
_PAIRS: Final = 512
"""Anchors with an answer that tell how alike the two are."""
_MIX: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, (1 << 64) - 1)

Asked = tuple[str, bool, int]
"""Relation, whether it is read backward, facts in the chain."""
Pool = tuple[str, Asked]
"""The answer's type, and what is asked."""
_AS_THEY_ARE: Final = Fair(options=0, parts={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Who may be wrong in a question: dense indices, and how likely each is drawn (``None``: all alike).

    ``count`` is how many are drawn for a question, of ``others`` where the pool does not hold so many. Shapes
    ``(members,)``.
    """

    pool: Indices
    weights: NDArray[np.int64] | None
    count: int
    others: Indices | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How often entities (dense indices) are right, and how often they are the one that is shown.

    ``anchors`` counts who is asked about, ``pairs`` are some anchors with an answer each.
    """

    right: Mapping[Asked, Counter[int]]
    shown: Mapping[Asked, Counter[int]]
    anchors: Mapping[Asked, int] = field(default_factory=dict[Asked, int])
    pairs: Mapping[Asked, Sequence[tuple[int, int]]] = field(default_factory=dict[Asked, Sequence[tuple[int, int]]])


class Pools:
    """Pools of one graph by the answer's type and by what is asked."""

    def __init__(self, lexicon: Lexicon, answers: Answers, telling: Telling) -> None:
        self._lexicon = lexicon
        self._answers = answers
        self._telling = telling
        self._by_type: dict[Asked, dict[str, Counter[int]]] = {}
        self._fair: dict[tuple[Pool, int], Fair] = {}
        self._members: dict[tuple[Pool, int], Members] = {}
        self._stated: dict[Pool, Members] = {}
        self._alike: dict[Asked, float] = {}

    def of(self, question: Question, *, answer: int) -> Pool:
        """The name of the pool for a question with this answer (a dense index)."""
        return (self._lexicon.entities[answer].type, asked(question))

    def pick(self, question: Question, right: Sequence[int]) -> int:
        """Which of the right answers is shown."""
        if len(right) == 1:
            return right[0]
        anchor = self._lexicon.index[question.anchor]
        plain = [n for n in right if not self._telling.told(anchor, question.path, n)]
        return rarest(self._answers.right.get(asked(question), {}), anchor, plain or right)

    def part(self, question: Question, *, answer: int, arity: int) -> float:
        """Which part of the questions with this answer is asked, 1 for all but common answers."""
        return self._balanced(self.of(question, answer=answer), arity).parts.get(answer, 1.0)

    def stated_part(self, question: Question, *, answer: int) -> float:
        """Which part of the true statements with this object is asked: few false ones can be had of a common one."""
        what = asked(question)
        if self._is_small(what):
            return 1.0
        held = self._held(what, answer)
        return min(1.0, (1.0 - held) / held)

    def stated(self, name: Pool) -> Members:
        """What the objects of false statements are drawn from, so that each is stated falsely as often as truly."""
        made = self._stated.get(name)
        if made is None:
            made = self._stated[name] = self._make_stated(name)
        return made

    def alike(self, what: Asked) -> float:
        """In which part of the questions the answer shares something with the name in the question."""
        known = self._alike.get(what)
        if known is None:
            pairs = self._answers.pairs.get(what, ())
            known = self._alike[what] = share_alike(self._lexicon, pairs) if pairs else 0.0
        return known

    def _is_small(self, what: Asked) -> bool:
        """Whether so few are asked that shares say nothing, and whoever asks needs each."""
        return self._answers.anchors.get(what, 0) < FEWEST

    def _held(self, what: Asked, answer: int) -> float:
        """In which part of the questions an entity is right."""
        anchors = max(self._answers.anchors.get(what, 0), 1)
        return min(max(self._answers.right.get(what, _NOBODY).get(answer, 1) / anchors, 1e-9), 1.0 - 0.5 / anchors)

    def _make_stated(self, name: Pool) -> Members:
        kind, what = name
        entities = self._lexicon.entities
        often = self._answers.right.get(what, _NOBODY)
        right = {place: count for place, count in often.items() if entities[place].type == kind}
        if self._is_small(what) or len(right) < _FEW or sum(right.values()) < _HANDFUL:
            return self.members(name, arity=2)
        known = sorted(right, key=lambda n: entities[n].uid)
        held = np.array([self._held(what, place) for place in known])
        asked_for = np.array([right[place] for place in known]) * np.minimum(1.0, (1.0 - held) / held) / (1.0 - held)
        weights = np.maximum(np.rint(asked_for / asked_for.sum() * _WHOLE), 1).astype(np.int64)
        return Members(pool=np.array(known, dtype=np.int64), weights=weights, count=1)

    def members(self, name: Pool, *, arity: int) -> Members:
        """What the wrong options of questions with at most ``arity`` options are drawn from."""
        made = self._members.get((name, arity))
        if made is None:
            made = self._members[name, arity] = self._make(name, arity)
        return made

    def _make(self, name: Pool, arity: int) -> Members:
        kind, (relation, reverse, _) = name
        counts, fair = self._counts(name), self._balanced(name, arity)
        known = sorted(counts, key=lambda position: self._lexicon.entities[position].uid)
        pool = np.array(known, dtype=np.int64)
        few = counts.total() < _HANDFUL
        if few or len(known) < 2:
            found = self._lexicon.pool_of(kind=kind, relation=relation, reverse=reverse, known=known)
            everyone = np.array(found, dtype=np.int64)
            own = len(known) >= arity
            return Members(pool=pool if own else everyone, weights=None, count=arity - 1, others=everyone)
        asked_for = np.array([counts[position] * fair.parts.get(position, 1.0) for position in known])
        kept = asked_for > 0
        return Members(
            pool=pool[kept],
            weights=weights_for(asked_for[kept] / asked_for.sum(), options=fair.options),
            count=fair.options - 1,
        )

    def _counts(self, name: Pool) -> Counter[int]:
        """How often each entity of the type is the answer that is shown."""
        kind, what = name
        if what not in self._by_type:
            types = self._by_type[what] = {}
            for position, count in self._answers.shown.get(what, {}).items():
                types.setdefault(self._lexicon.entities[position].type, Counter())[position] = count
        return self._by_type[what].get(kind, Counter())

    def _balanced(self, name: Pool, arity: int) -> Fair:
        known = self._fair.get((name, arity))
        if known is None:
            counts = self._counts(name)
            enough = counts.total() >= _HANDFUL
            known = self._fair[name, arity] = fair_parts(counts, arity=arity) if enough else _AS_THEY_ARE
        return known


def asked(question: Question) -> Asked:
    """What a question asks for, whatever its anchor."""
    return (question.relation, question.reverse, len(question.path))


def rarest(counts: Mapping[int, int], anchor: int, right: Sequence[int]) -> int:
    """The answer that is right least often; of several, one that depends on the anchor (dense indices)."""
    golden, odd, mask = _MIX
    return min(right, key=lambda n: (counts.get(n, 0), ((anchor * golden ^ n) * odd & mask) >> 20, n))


def answers_of_facts(
    blocks: Blocks, lexicon: Lexicon, anchors: Sequence[str], *, telling: Telling, block: int
) -> Answers:
    """The answers of all questions of one fact about the anchors, which are read ``block`` at a time."""
    right: dict[Asked, Counter[int]] = {}
    shown: dict[Asked, Counter[int]] = {}
    parts = [
        (blocks.facts(anchors[start : start + block], reverse=reverse), reverse)
        for reverse in (False, True)
        for start in range(0, len(anchors), block)
    ]

    def questions() -> Iterator[tuple[Asked, int, list[int]]]:
        for part, reverse in parts:
            start = 0
            for anchor, relation, end in zip(part.anchors, part.relations, part.ends, strict=True):
                yield (blocks.name(relation), reverse, 1), anchor, part.answers[start:end].tolist()
                start = end

    anchored: Counter[Asked] = Counter()
    pairs: dict[Asked, list[tuple[int, int]]] = {}
    for what, anchor, answers in questions():
        right.setdefault(what, Counter()).update(n for n in answers if n != RETIRED)
        anchored[what] += 1
        if answers and RETIRED not in answers:
            _note(pairs.setdefault(what, []), anchored[what], (anchor, answers[-1]))
    for what, anchor, answers in questions():
        plain = [n for n in answers if n != RETIRED and not lexicon.ambiguous[n]]
        if RETIRED in answers or lexicon.ambiguous[anchor]:
            continue
        path = (BACKWARD + what[0] if what[1] else what[0],)
        if plain := [n for n in plain if not telling.told(anchor, path, n)]:
            shown.setdefault(what, Counter())[rarest(right[what], anchor, plain)] += 1
    return Answers(right=right, shown=shown, anchors=anchored, pairs=pairs)


def _note(pairs: list[tuple[int, int]], count: int, pair: tuple[int, int]) -> None:
    """Keep some of the pairs that come by, each with the same chance."""
    golden, odd, mask = _MIX
    place = (((pair[0] * golden ^ pair[1]) * odd & mask) >> 20) % count
    if len(pairs) < _PAIRS:
        pairs.append(pair)
    elif place < _PAIRS:
        pairs[place] = pair


def answers_of_chains(chains: Chains, lexicon: Lexicon, *, telling: Telling) -> Answers:
    """The answers of chains; each has one."""
    found: dict[Asked, Counter[int]] = {}
    anchored: Counter[Asked] = Counter()
    pairs: dict[Asked, list[tuple[int, int]]] = {}
    for path, anchor, answer in chains.answers():
        if not (lexicon.ambiguous[anchor] or lexicon.ambiguous[answer] or telling.told(anchor, path, answer)):
            what = (path[-1].removeprefix(BACKWARD), path[-1].startswith(BACKWARD), len(path))
            found.setdefault(what, Counter())[answer] += 1
            anchored[what] += 1
            _note(pairs.setdefault(what, []), anchored[what], (anchor, answer))
    return Answers(right=found, shown=found, anchors=anchored, pairs=pairs)
