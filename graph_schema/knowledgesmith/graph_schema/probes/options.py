"""Options of a block of questions, drawn together: what :class:`build.Builder` draws one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from knowledgesmith.graph_schema.probes.assemble import Drawn
from knowledgesmith.graph_schema.probes.build import AMBIGUOUS_ANCHOR, AMBIGUOUS_OPTION, NO_DISTRACTOR
from knowledgesmith.graph_schema.probes.draw import ANSWER, OPTIONS, STATEMENT, draw_key, streams
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.pools import Asked, Pools
from knowledgesmith.graph_schema.probes.questions import FALSE, TRUE, Question
from knowledgesmith.graph_schema.probes.types import ProbeKind
from knowledgesmith.graph_schema.probes.vector_draw import (
    NOBODY,
    Indices,
    Keys,
    Wanted,
    draw_many,
    first_of,
    shuffle,
)

_TRUTH: Final = (TRUE, FALSE)


class OptionDrawer:
    """Draws the options of one graph's questions; ``dropped`` counts the questions that have none."""

    def __init__(self, lexicon: Lexicon, *, seed: int, pools: Pools, dropped: Counter[str]) -> None:
        self._lexicon = lexicon
        self._seed = seed
        self._pools = pools
        self._dropped = dropped

    def draw(self, kind: ProbeKind, questions: Sequence[Question]) -> Drawn:
        """The askable questions of one kind with their options."""
        return self._statements(questions) if kind is ProbeKind.CONFLICT else self._choices(kind, questions)

    def false_statements(self, true: Iterable[Question]) -> list[Question]:
        """One false statement for each subject and relation of true ones."""
        groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for question in true:
            groups.setdefault((question.anchor, question.path), []).append(question.object)
        rows = [
            Question(kind=ProbeKind.CONFLICT, anchor=anchor, path=path, before=right, after=right)
            for (anchor, path), objects in sorted(groups.items())
            if (right := tuple(sorted(objects)))
        ]
        keys = self._keys(rows) ^ np.uint64(STATEMENT)
        shown = np.full(len(rows), NOBODY, dtype=np.int64)
        first = [self._lexicon.index[row.before[0]] for row in rows]
        drawn = self._distractors(rows, keys=keys, shown=shown, sample=first, count=1)[:, 0]
        entities = self._lexicon.entities
        return [
            Question(
                kind=ProbeKind.CONFLICT,
                anchor=row.anchor,
                path=row.path,
                before=(FALSE,),
                after=(FALSE,),
                object=entities[position].uid,
            )
            for row, position in zip(rows, drawn.tolist(), strict=True)
            if position != NOBODY
        ]

    def _statements(self, questions: Sequence[Question]) -> Drawn:
        index, ambiguous = self._lexicon.index, self._lexicon.ambiguous
        named = [q for q in questions if not (ambiguous[index[q.anchor]] or ambiguous[index[q.object]])]
        self._drop(AMBIGUOUS_ANCHOR, len(questions) - len(named))
        keys = self._keys(named)
        order = np.argsort(streams(keys ^ np.uint64(OPTIONS), 2), axis=1, kind="stable").tolist()
        options = [(_TRUTH[one], _TRUTH[other]) for one, other in order]
        answers = [pair.index(question.before[0]) for question, pair in zip(named, options, strict=True)]
        places = np.full((len(named), 2), NOBODY, dtype=np.int64)
        return Drawn(questions=named, options=options, places=places, answers=answers, keys=keys)

    def _choices(self, kind: ProbeKind, questions: Sequence[Question]) -> Drawn:
        index, ambiguous = self._lexicon.index, self._lexicon.ambiguous
        named = [q for q in questions if not ambiguous[index[q.anchor]]]
        self._drop(AMBIGUOUS_ANCHOR, len(questions) - len(named))
        right = [[n for uid in q.before if not ambiguous[n := index[uid]]] for q in named]
        askable = [row for row, found in enumerate(right) if found]
        self._drop(AMBIGUOUS_OPTION, len(named) - len(askable))
        named = [named[row] for row in askable]
        keys = self._keys(named)
        sizes = np.array([len(right[row]) for row in askable], dtype=np.int64)
        picked = first_of(sizes, keys ^ np.uint64(ANSWER)).tolist()
        shown = np.array([right[row][n] for row, n in zip(askable, picked, strict=True)], dtype=np.int64)
        key = keys ^ np.uint64(OPTIONS)
        drawn = self._distractors(named, keys=key, shown=shown, sample=shown.tolist(), count=kind.arity - 1)
        options = shuffle(np.concatenate([shown[:, None], drawn], axis=1), key)
        enough = options[:, 1] != NOBODY
        self._drop(NO_DISTRACTOR, int((~enough).sum()))
        rows = np.flatnonzero(enough)
        uids = [entity.uid for entity in self._lexicon.entities]
        return Drawn(
            questions=[named[row] for row in rows.tolist()],
            options=[tuple(uids[n] for n in row if n != NOBODY) for row in options[rows].tolist()],
            places=options[rows],
            answers=(options[rows] == shown[rows, None]).argmax(axis=1).tolist(),
            keys=keys[rows],
        )

    def _distractors(
        self, questions: Sequence[Question], *, keys: Keys, shown: Indices, sample: Sequence[int], count: int
    ) -> Indices:
        """Distractors by pool; ``sample`` are answers whose type says which pool. Shape ``(questions, count)``."""
        drawn = np.full((len(questions), count), NOBODY, dtype=np.int64)
        groups: dict[tuple[str, Asked], list[int]] = {}
        for row, (question, answer) in enumerate(zip(questions, sample, strict=True)):
            groups.setdefault(self._pools.of(question, answer=answer), []).append(row)
        for name, members in groups.items():
            pool = self._pools.members(name)
            if not len(pool):
                continue
            rows = np.array(members, dtype=np.int64)
            banned = _banned([questions[row] for row in members], self._lexicon.index)
            wanted = Wanted(pool=pool, shown=shown[rows], banned=banned, keys=keys[rows], count=count)
            drawn[rows] = draw_many(self._lexicon, wanted)
        return drawn

    def _keys(self, questions: Sequence[Question]) -> Keys:
        return np.array([draw_key(self._seed, *question.parts) for question in questions], dtype=np.uint64)

    def _drop(self, reason: str, count: int) -> None:
        if count:
            self._dropped[reason] += count


def _banned(questions: Sequence[Question], index: Mapping[str, int]) -> tuple[Indices, Indices]:
    """What must not be drawn: right answers, entities along the chain, the anchor. Two arrays of shape ``(pairs,)``."""
    rows: list[int] = []
    members: list[int] = []
    for row, question in enumerate(questions):
        found = (question.anchor, *question.before, *question.nodes_before)
        rows += [row] * len(found)
        members += [index[uid] for uid in found]
    return np.array(rows, dtype=np.int64), np.array(members, dtype=np.int64)
