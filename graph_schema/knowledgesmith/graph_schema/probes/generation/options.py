"""Options of a block of questions, drawn together: what :class:`build.Builder` draws one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import FALSE, TRUE, Question
from knowledgesmith.graph_schema.probes.drawing.balanced_draw import draw_sets
from knowledgesmith.graph_schema.probes.drawing.build import AMBIGUOUS_ANCHOR, AMBIGUOUS_OPTION, NO_DISTRACTOR
from knowledgesmith.graph_schema.probes.drawing.draw import ANSWER, OPTIONS, STATEMENT, draw_key, streams
from knowledgesmith.graph_schema.probes.drawing.matching import Matcher
from knowledgesmith.graph_schema.probes.drawing.pools import Asked, Members, Pools
from knowledgesmith.graph_schema.probes.drawing.vector_draw import (
    NOBODY,
    Indices,
    Keys,
    Wanted,
    draw_many,
    shuffle,
)
from knowledgesmith.graph_schema.probes.generation.assemble import Drawn
from knowledgesmith.graph_schema.types.probes import ProbeKind

_TRUTH: Final = (TRUE, FALSE)
_AT_A_TIME: Final = 4
_STATED: Final = draw_key(0, "stated")
PREDICTABLE_ANSWER: Final = "predictable_answer"
"""A question whose answer is so common, or whose statement so seldom false, that it tells itself."""


class OptionDrawer:
    """Draws the options of one graph's questions; ``dropped`` counts the questions that have none."""

    def __init__(self, lexicon: Lexicon, *, seed: int, pools: Pools, dropped: Counter[str]) -> None:
        self._lexicon = lexicon
        self._seed = seed
        self._pools = pools
        self._dropped = dropped
        self._matcher = Matcher(lexicon)

    def draw(self, kind: ProbeKind, questions: Sequence[Question]) -> Drawn:
        """The askable questions of one kind with their options; of statements, false ones beside the true ones."""
        return (
            self._statements(self.balanced_statements(questions))
            if kind is ProbeKind.CONFLICT
            else self._choices(kind, questions)
        )

    def balanced_statements(self, true: Sequence[Question]) -> list[Question]:
        """As many false as true statements of each subject and relation, sorted by key.

        Where the graph offers fewer false ones, a part of the true ones is drawn. Ambiguous names stay as they are.
        """
        plain: dict[tuple[str, tuple[str, ...]], list[Question]] = {}
        kept: list[Question] = []
        right: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        lots = (streams(self._keys(true) ^ np.uint64(_STATED), 1)[:, 0].astype(np.float64) / 2.0**64).tolist()
        for question, lot in zip(true, lots, strict=True):
            right.setdefault((question.anchor, question.path), []).append(question.object)
            if self._is_plain(question):
                if lot >= self._pools.stated_part(question, answer=self._lexicon.index[question.object]):
                    self._drop(PREDICTABLE_ANSWER, 1)
                    continue
                plain.setdefault((question.anchor, question.path), []).append(question)
            else:
                kept.append(question)
        false: dict[tuple[str, tuple[str, ...]], set[str]] = {}
        for anchor, path, obj in self._false_ones(plain, right):
            false.setdefault((anchor, path), set()).add(obj)
        for about, questions in plain.items():
            found = false.get(about, set())
            kept += self._drawn(questions, len(found))
            kept += [
                Question(
                    kind=ProbeKind.CONFLICT, anchor=about[0], path=about[1], before=(FALSE,), after=(FALSE,), object=obj
                )
                for obj in found
            ]
        return sorted(kept, key=lambda question: question.key)

    def _is_plain(self, question: Question) -> bool:
        index, ambiguous = self._lexicon.index, self._lexicon.ambiguous
        return not (ambiguous[index[question.anchor]] or ambiguous[index[question.object]])

    def _drawn(self, questions: list[Question], count: int) -> list[Question]:
        """So many of the questions; a draw of its own decides which."""
        if count >= len(questions):
            return questions
        self._drop(PREDICTABLE_ANSWER, len(questions) - count)
        lots = self._keys(questions) ^ np.uint64(ANSWER)
        return [questions[n] for n in np.argsort(lots, kind="stable")[:count].tolist()]

    def _false_ones(
        self,
        plain: Mapping[tuple[str, tuple[str, ...]], Sequence[Question]],
        right: Mapping[tuple[str, tuple[str, ...]], Sequence[str]],
    ) -> Iterator[tuple[str, tuple[str, ...], str]]:
        """Subject, path and object of false statements, a few at a time about objects of one type."""
        sizes: dict[int, list[tuple[Question, str]]] = {}
        for (anchor, path), questions in plain.items():
            answers = tuple(right[anchor, path])
            row = Question(kind=ProbeKind.CONFLICT, anchor=anchor, path=path, before=answers, after=answers)
            row = replace(row, doubtful=questions[0].doubtful)
            types: dict[str, list[str]] = {}
            for question in questions:
                types.setdefault(self._lexicon.entity(question.object).type, []).append(question.object)
            # a draw of very many would have to look at everything
            for objects in types.values():
                for first in range(0, len(objects), _AT_A_TIME):
                    part = objects[first : first + _AT_A_TIME]
                    sizes.setdefault(len(part), []).append((row, part[0]))
        for count, rows in sizes.items():
            yield from self._false(rows, count=count)

    def _false(self, rows: Sequence[tuple[Question, str]], *, count: int) -> Iterator[tuple[str, tuple[str, ...], str]]:
        """Subject, path and object of ``count`` false statements for each row and the answer it is about."""
        questions = [row for row, _ in rows]
        about = [replace(row, object="" if first == row.before[0] else first) for row, first in rows]
        keys = self._keys(about) ^ np.uint64(STATEMENT)
        shown = np.full(len(rows), NOBODY, dtype=np.int64)
        sample = [self._lexicon.index[first] for _, first in rows]
        drawn = self._distractors(questions, keys=keys, shown=shown, sample=sample, arity=2, count=count)
        entities = self._lexicon.entities
        for row, places in zip(questions, drawn.tolist(), strict=True):
            for place in places:
                if place != NOBODY:
                    yield row.anchor, row.path, entities[place].uid

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
        picked = [self._pools.pick(q, right[row]) for q, row in zip(named, askable, strict=True)]
        keys = self._keys(named)
        kept = self._kept(named, picked, keys, arity=kind.arity)
        self._drop(PREDICTABLE_ANSWER, len(named) - len(kept))
        named, keys = [named[row] for row in kept], keys[kept]
        shown = np.array([picked[row] for row in kept], dtype=np.int64)
        key = keys ^ np.uint64(OPTIONS)
        drawn = self._distractors(named, keys=key, shown=shown, sample=shown.tolist(), arity=kind.arity)
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
        self,
        questions: Sequence[Question],
        *,
        keys: Keys,
        shown: Indices,
        sample: Sequence[int],
        arity: int,
        count: int = 0,
    ) -> Indices:
        """Distractors by pool, as many as the pool has for ``arity`` options, or ``count`` of them.

        ``sample`` are answers whose type says which pool. Shape ``(questions, count or arity - 1)``.
        """
        drawn = np.full((len(questions), count or arity - 1), NOBODY, dtype=np.int64)
        groups: dict[tuple[str, Asked], list[int]] = {}
        for row, (question, answer) in enumerate(zip(questions, sample, strict=True)):
            groups.setdefault(self._pools.of(question, answer=answer), []).append(row)
        for name, group in groups.items():
            members = self._pools.stated(name) if count else self._pools.members(name, arity=arity)
            if not len(members.pool):
                continue
            rows = np.array(group, dtype=np.int64)
            wanted = Wanted(
                pool=members.pool,
                shown=shown[rows],
                banned=_banned([questions[row] for row in group], self._lexicon.index),
                keys=keys[rows],
                count=count or members.count,
            )
            made = self._from_pool(members, wanted)
            anchors = np.array([self._lexicon.index[questions[row].anchor] for row in group], dtype=np.int64)
            answers = np.array([sample[row] for row in group], dtype=np.int64)
            others = self._pools.alike(name[1])
            self._match(members, wanted, made, anchors=anchors, answers=answers, others=others)
            drawn[rows, : wanted.count] = made
        return drawn

    def _match(
        self,
        members: Members,
        wanted: Wanted,
        made: Indices,
        *,
        anchors: Indices,
        answers: Indices,
        others: float,
    ) -> None:
        """Put look-alikes in the place of what was drawn, where looks could tell the answer."""
        rows = self._matcher.needed(anchors, answers, wanted.keys, others)
        if not len(rows):
            return
        found = self._matcher.draw(wanted.only(rows), members.weights, anchors[rows], answers[rows])
        whole = found[:, -1] != NOBODY
        made[rows[whole]] = found[whole]

    def _from_pool(self, members: Members, wanted: Wanted) -> Indices:
        if members.weights is not None:
            return draw_sets(self._lexicon, wanted, members.weights)
        found = draw_many(self._lexicon, wanted)
        if members.others is not None and len(short := np.flatnonzero(found[:, -1] == NOBODY)):
            found[short] = draw_many(self._lexicon, replace(wanted.only(short), pool=members.others))
        return found

    def _kept(self, questions: Sequence[Question], answers: Sequence[int], keys: Keys, *, arity: int) -> list[int]:
        """Rows of the questions that are asked: all but a drawn part of those with a common answer."""
        parts = np.array([self._pools.part(q, answer=n, arity=arity) for q, n in zip(questions, answers, strict=True)])
        drawn = streams(keys ^ np.uint64(ANSWER), 1)[:, 0].astype(np.float64) / 2.0**64
        rows: list[int] = np.flatnonzero(drawn < parts).tolist()
        return rows

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
        found = (
            question.anchor,
            *question.before,
            *question.nodes_before,
            *(u for u in question.doubtful if u in index),
        )
        rows += [row] * len(found)
        members += [index[uid] for uid in found]
    return np.array(rows, dtype=np.int64), np.array(members, dtype=np.int64)
