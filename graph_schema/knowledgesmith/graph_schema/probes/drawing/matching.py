"""Wrong options that look as the right one does beside the question, so that looks tell nothing.

Only a question whose right answer shares something with the name in the question (a word, letters, the beginning, the
end) needs them. Each of its wrong options is the nearest by everything that shows: shared words and letters, beginning,
end, length, capitals, digits. Nearest *above* or *below* the right one, by lot, with one chance for the whole question
that is itself drawn evenly: so the right option comes out at every rank equally often where the graph has such
entities at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, streams
from knowledgesmith.graph_schema.probes.drawing.vector_draw import NOBODY, Indices, Keys, Wanted
from knowledgesmith.graph_schema.probes.wording.looks import Look, look, same_end, same_start

_LOOKALIKE: Final = draw_key(0, "lookalike")
_DRAWN: Final = 16
"""Members of the pool that are looked at whatever they look like."""
_SHARING: Final = 96
"""Most members that share letters with the name in the question and are looked at."""
_LETTERS: Final = 0.2
_ENDS: Final = 3
"""Share of letters, and length of a common beginning or end, by which an answer may be guessed."""
_DEEP: Final = 6
"""Signs at the beginning and the end that are compared."""
_FREE: Final = 0.15
"""How much less it costs to be on the side that was drawn."""
_STRENGTH: Final = 2.5
"""Weight of looks against how often an entity is an answer."""
_SCALES: Final = np.array([1.0, 0.34, 0.12, 2.0, 2.0])
"""Differences of shared words, their part, the part of letters, beginning and end that count alike."""
Reals = NDArray[np.float64]


class Matcher:
    """Draws look-alikes among the entities of one graph."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def needed(self, anchors: Indices, answers: Indices, keys: Keys, others: float) -> Indices:
        """Rows whose answer shares something with the name in the question, and a drawn part of the others.

        Without the others a right option that shares nothing would never have a wrong one beside it that does.

        Args:
            anchors: the entities in the questions (dense indices). Shape ``(questions,)``.
            answers: their answers. Shape ``(questions,)``.
            keys: of the questions. Shape ``(questions,)``.
            others: which part of the questions that do not need it.
        """
        lots = streams(keys ^ np.uint64(_LOOKALIKE), 1)[:, 0].astype(np.float64) / 2.0**64
        entities = self._lexicon.entities
        found = [
            row
            for row, (anchor, answer, drawn) in enumerate(
                zip(anchors.tolist(), answers.tolist(), (lots < others).tolist(), strict=True)
            )
            if drawn or _shares(look(entities[anchor].name), look(entities[answer].name))
        ]
        return np.array(found, dtype=np.int64)

    def draw(self, wanted: Wanted, weights: NDArray[np.int64] | None, anchors: Indices, answers: Indices) -> Indices:
        """Look-alikes in drawn order, padded with ``NOBODY``. Shape ``(questions, count)``.

        Args:
            wanted: the questions.
            weights: of the pool's members, ``None`` where all are alike. Shape as the pool.
            anchors: the entities in the questions. Shape ``(questions,)``.
            answers: what the options should look like. Shape ``(questions,)``.
        """
        size = len(self._lexicon.entities)
        forbidden = np.unique(wanted.banned[0] * size + wanted.banned[1])
        found = np.full((len(wanted.keys), wanted.count), NOBODY, dtype=np.int64)
        ends = np.cumsum(np.ones(len(wanted.pool), dtype=np.int64) if weights is None else weights)
        logs = np.zeros(len(wanted.pool)) if weights is None else np.log(weights.astype(np.float64))
        shared = (self._runs[anchors] @ self._runs[wanted.pool].T).tocsr()
        letters = np.zeros(len(wanted.pool))
        for row in range(len(wanted.keys)):
            key = wanted.keys[row : row + 1] ^ np.uint64(_LOOKALIKE)
            anchor, answer = int(anchors[row]), int(answers[row])
            sharing = shared.indices[shared.indptr[row] : shared.indptr[row + 1]].astype(np.int64)
            letters[sharing] = shared.data[shared.indptr[row] : shared.indptr[row + 1]]
            right = self._beside(np.array([answer]), anchor, np.array([self._letters(anchor, answer)]))
            drawn = (streams(key, _DRAWN)[0] % np.uint64(ends[-1])).astype(np.int64)
            places = np.union1d(
                self._closest(wanted.pool, sharing, letters, right), np.searchsorted(ends, drawn, "right")
            )
            here = wanted.pool[places]
            start, stop = np.searchsorted(forbidden, [row * size, (row + 1) * size])
            fits = ~np.isin(here, forbidden[start:stop] - row * size) & ~self._lexicon.ambiguous[here]
            fits &= (here != wanted.shown[row]) & (here != anchor)
            places, here = places[fits], here[fits]
            if len(here):
                beside = self._beside(here, anchor, letters[places])
                chosen = self._nearest(here, logs[places], key, beside - right, answer, wanted.count)
                found[row, : len(chosen)] = chosen
            letters[sharing] = 0.0
        return found

    def _closest(self, pool: Indices, sharing: Indices, letters: Reals, right: Reals) -> Indices:
        """Places of the members whose part of shared letters is nearest to the right option's."""
        if len(sharing) <= _SHARING:
            return sharing
        part = letters[sharing] / self._sizes[pool[sharing], 1]
        order = np.lexsort((sharing, np.round(np.abs(part - right[0, 2]), 6)))
        closest: Indices = sharing[order[:_SHARING]]
        return closest

    def _nearest(self, here: Indices, logs: Reals, key: Keys, apart: Reals, answer: int, count: int) -> list[int]:
        """The look-alikes of one question among its candidates, which are ``apart`` from the right option."""
        lots = streams((key ^ here.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)), 1)[:, 0]
        luck = np.log(-np.log((lots.astype(np.float64) + 1.0) / (2.0**64 + 2.0)))
        apart = apart / _SCALES
        plain = np.abs(self._plain[here] - self._plain[answer]).sum(axis=1)
        low, high = np.maximum(-apart, 0).sum(axis=1), np.maximum(apart, 0).sum(axis=1)
        cost = luck - logs + _STRENGTH * plain
        orders = [
            np.argsort(np.round(cost + _STRENGTH * (one + _FREE * other), 9), kind="stable").tolist()
            for one, other in ((low, high), (high, low))
        ]
        chance, *sides = (streams(key ^ np.uint64(1), count + 1)[0].astype(np.float64) / 2.0**64).tolist()
        taken = set(self._names(answer))
        chosen: list[int] = []
        for side in sides:
            for place in orders[0 if side < chance else 1]:
                candidate = int(here[place])
                if candidate not in chosen and taken.isdisjoint(self._names(candidate)):
                    chosen.append(candidate)
                    taken |= self._names(candidate)
                    break
        return chosen

    def _names(self, place: int) -> frozenset[str]:
        return self._lexicon.keys[place]

    def _letters(self, anchor: int, answer: int) -> float:
        """How many runs of letters two entities share."""
        entities = self._lexicon.entities
        return float(len(look(entities[anchor].name).runs & look(entities[answer].name).runs))

    def _beside(self, here: Indices, anchor: int, letters: Reals) -> Reals:
        """Shared words, their part, the part of ``letters``, beginning and end. Shape ``(entities, 5)``."""
        about = look(self._lexicon.entities[anchor].name).words
        words = np.array([len(about & self._surface_words[place]) for place in here.tolist()], dtype=np.float64)
        sizes = self._sizes[here]
        ends = self._ends[here] == self._ends[anchor]
        return np.stack(
            [
                words,
                words / sizes[:, 0],
                letters / sizes[:, 1],
                np.cumprod(ends[:, :_DEEP], axis=1).sum(axis=1),
                np.cumprod(ends[:, _DEEP:], axis=1).sum(axis=1),
            ],
            axis=1,
        )

    @cached_property
    def _sizes(self) -> Reals:
        """How many words and runs of letters every entity has. Shape ``(entities, 2)``."""
        looks = [look(entity.name) for entity in self._lexicon.entities]
        return np.array([(len(one.words) or 1, len(one.runs) or 1) for one in looks], dtype=np.float64)

    @cached_property
    def _ends(self) -> Indices:
        """The first signs of every name, then the last ones from the end. Shape ``(entities, 2 * _DEEP)``."""
        rows: list[list[int]] = []
        for entity in self._lexicon.entities:
            signs = [ord(sign) for sign in look(entity.name).folded]
            # what one name does not have, another does not share
            missing = [-1 - len(rows)] * _DEEP
            rows.append([*(signs + missing)[:_DEEP], *(signs[::-1] + missing)[:_DEEP]])
        return np.array(rows, dtype=np.int64)

    @cached_property
    def _plain(self) -> Reals:
        """What an entity shows by itself: length, words, capitals, digits. Shape ``(entities, 4)``."""
        looks = [look(entity.name) for entity in self._lexicon.entities]
        return np.array(
            [(2 * np.log1p(one.length), one.count / 2, one.capitals, 2.0 * bool(one.numbers)) for one in looks]
        )

    @cached_property
    def _runs(self) -> csr_array:
        """Which runs of letters every entity has. Shape ``(entities, runs)``."""
        return _table(look(entity.name).runs for entity in self._lexicon.entities)

    @cached_property
    def _surface_words(self) -> list[frozenset[str]]:
        """The words of every entity's name."""
        return [look(entity.name).words for entity in self._lexicon.entities]


def _table(having: Iterable[frozenset[str]]) -> csr_array:
    """A row of ones for what each has."""
    numbers: dict[str, int] = {}
    columns: list[int] = []
    ends = [0]
    for texts in having:
        columns += [numbers.setdefault(text, len(numbers)) for text in sorted(texts)]
        ends.append(len(columns))
    ones = np.ones(len(columns), dtype=np.int32)
    return csr_array((ones, np.array(columns), np.array(ends)), shape=(len(ends) - 1, max(len(numbers), 1)))


def share_alike(lexicon: Lexicon, pairs: Sequence[tuple[int, int]]) -> float:
    """In which part of pairs of entities (dense indices) the two share something."""
    entities = lexicon.entities
    return sum(_shares(look(entities[one].name), look(entities[other].name)) for one, other in pairs) / len(pairs)


def _shares(about: Look, right: Look) -> bool:
    if not about.words.isdisjoint(right.words):
        return True
    if len(about.runs & right.runs) >= _LETTERS * len(right.runs):
        return True
    return max(same_start(about.folded, right.folded), same_end(about.folded, right.folded)) >= _ENDS
