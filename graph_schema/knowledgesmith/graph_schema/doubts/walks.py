"""Looks for ways over asserted facts: where an automaton (:mod:`doubts`) leads from many entities at once.

Facts lie in sorted integer columns, by relation and by end. A walk goes from all entities that are asked about at once,
one step of all ways after the other, and comes to no place twice: whatever the facts are (rings, chains of thousands),
it takes the time of the facts that it goes over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.catalogue.rules import Triple
from knowledgesmith.graph_schema.doubts.closure import Automaton, Doubts
from knowledgesmith.graph_schema.doubts.names import End

Ints = NDArray[np.int64]
_PLACES: Final = 1 << 24
"""Places (start, state, entity) that a walk keeps apart at a time: 16 MB, and half a gigabyte if it comes to all."""
_NOTHING: Final[Ints] = np.empty(0, dtype=np.int64)
_PAIRS: Final = 1 << 20
"""Facts that are looked up in one go."""


class DoubtWalks:
    """The asserted facts of one world, or of two together, and where the doubts of its catalogue lead.

    Args:
        doubts: of the catalogue.
        uids: entities by number.
        names: relations by number.
        columns: subject, relation and object of every fact. Shapes ``(facts,)``.
    """

    def __init__(
        self,
        doubts: Doubts,
        *,
        uids: Sequence[str],
        names: Sequence[str],
        columns: tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]],
    ) -> None:
        self.doubts = doubts
        self.uids: Sequence[str] = uids
        self.number: Mapping[str, int] = {uid: n for n, uid in enumerate(uids)}
        order = np.argsort(columns[1], kind="stable")
        relation = columns[1][order]
        proper = columns[0] != columns[2]
        self._facts: dict[str, tuple[Ints, Ints]] = {}
        named: dict[int, str] = dict(enumerate(names))
        for number in np.unique(relation).tolist():
            rows = order[slice(*relation.searchsorted((number, number + 1)).tolist())]
            rows = rows[proper[rows]]
            self._facts[named[number]] = (columns[0][rows].astype(np.int64), columns[2][rows].astype(np.int64))
        self._sorted: dict[End, tuple[Ints, Ints]] = {}

    @classmethod
    def of(cls, doubts: Doubts, facts: Iterable[Triple]) -> DoubtWalks:
        """Of facts as they come; those of other catalogues' relations are passed over."""
        uids: dict[str, int] = {}
        names = {name: n for n, name in enumerate(sorted(doubts.relations))}
        rows = [
            (uids.setdefault(s, len(uids)), names[r], uids.setdefault(o, len(uids))) for s, r, o in facts if r in names
        ]
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        return cls(doubts, uids=list(uids), names=list(names), columns=(table[:, 0], table[:, 1], table[:, 2]))

    def with_facts(self, facts: Iterable[Triple]) -> DoubtWalks:
        """The same with further facts; these columns stay as they are."""
        more: dict[str, list[tuple[int, int]]] = {}
        made = object.__new__(DoubtWalks)
        made.doubts, made.uids, made.number = self.doubts, self.uids, self.number
        fresh: dict[str, int] = {}

        def number(uid: str) -> int:
            known = self.number.get(uid)
            return fresh.setdefault(uid, len(self.uids) + len(fresh)) if known is None else known

        for subject, relation, obj in facts:
            if subject != obj and relation in self.doubts.relations:
                more.setdefault(relation, []).append((number(subject), number(obj)))
        if fresh:
            made.uids, made.number = [*self.uids, *fresh], {**self.number, **fresh}
        made._facts = dict(self._facts)
        for relation, pairs in more.items():
            new = np.array(pairs, dtype=np.int64)
            old = self._facts.get(relation, (new[:0, 0], new[:0, 1]))
            made._facts[relation] = (np.concatenate([old[0], new[:, 0]]), np.concatenate([old[1], new[:, 1]]))
        made._sorted = {end: columns for end, columns in self._sorted.items() if end[0] not in more}
        return made

    def says_alike(self, subject: str, relation: str, obj: str) -> bool:
        """Whether a relation that is spelt like this one is asserted of both entities."""
        ends = self.number.get(subject), self.number.get(obj)
        for other in self.doubts.spelt_alike.get(relation, ()):
            subjects, objects = self._facts.get(other, (_NOTHING, _NOTHING))
            if None not in ends and bool(((subjects == ends[0]) & (objects == ends[1])).any()):
                return True
        return False

    def ends(
        self, relation: str, starts: Iterable[int], *, turned: bool, near: bool = False, most: int = 0
    ) -> dict[int, NDArray[np.int32] | None]:
        """What may be an object of a relation and of each of the subjects ``starts``, or (``turned``) a subject.

        Entities are numbers, places in ``uids``; those of each start rise. What follows for certain is among them.
        Starts without any are left out, as is every start among its own; those with more than ``most`` have ``None``
        instead, and are not gone along any further.
        """
        automaton = self.doubts.automaton(relation, turned=turned, near=near)
        numbers = np.array(sorted(set(starts)), dtype=np.int64)
        begun = np.zeros(len(numbers), dtype=np.bool_)
        for label, _ in automaton.moves[0]:
            begun |= self._counts(label, numbers)[1] > 0
        numbers = numbers[begun]
        size = max(1, len(self.uids)) * len(automaton.moves)
        many = max(1, _PLACES // size)
        found: dict[int, NDArray[np.int32] | None] = {}
        for first in range(0, len(numbers), many):
            part = numbers[first : first + many]
            rows, nodes, lost = self._walk(automaton, part, most)
            found |= dict.fromkeys(part[lost].tolist())
            bounds = rows.searchsorted(np.arange(len(part) + 1)).tolist()
            for row, start in enumerate(part.tolist()):
                ends = nodes[bounds[row] : bounds[row + 1]]
                if len(ends := ends[ends != start]):
                    found[start] = ends.astype(np.int32)
        return found

    def _walk(self, automaton: Automaton, starts: Ints, most: int) -> tuple[Ints, Ints, Ints]:
        """Rows of ``starts`` and the entities where their ways may end, sorted by row, and rows with too many.

        Shapes ``(pairs,)``, ``(pairs,)``, ``(lost,)``.
        """
        wide, states = len(self.uids), len(automaton.moves)
        seen = np.zeros(len(starts) * states * wide, dtype=np.bool_)
        ended = np.zeros(len(starts) * wide, dtype=np.bool_)
        counts = np.zeros(len(starts), dtype=np.int64)
        here: list[tuple[Ints, Ints]] = [(_NOTHING, _NOTHING) for _ in range(states)]
        here[0] = (np.arange(len(starts), dtype=np.int64), starts)
        found: list[Ints] = []
        while any(len(rows) for rows, _ in here):
            beyond: list[list[Ints]] = [[] for _ in range(states)]
            for state, (rows, nodes) in enumerate(here):
                for label, target in automaton.moves[state] if len(rows) else ():
                    for row, node in self._steps(label, rows, nodes):
                        place = np.unique((row * states + target) * wide + node)
                        place = place[~seen[place]]
                        seen[place] = True
                        beyond[target].append(place)
            for state, places in enumerate(beyond):
                place = np.concatenate(places) if places else _NOTHING
                rest, nodes = np.divmod(place, wide)
                here[state] = (rest // states, nodes)
                if state in automaton.ends:
                    end = np.unique(here[state][0] * wide + nodes)
                    end = end[~ended[end]]
                    ended[end] = True
                    counts += np.bincount(end // wide, minlength=len(starts))
                    found.append(end)
            if most and (counts > most).any():
                going = [counts[rows] <= most for rows, _ in here]
                here = [(rows[kept], nodes[kept]) for (rows, nodes), kept in zip(here, going, strict=True)]
        rows, nodes = np.divmod(np.sort(np.concatenate(found)) if found else _NOTHING, wide)
        lost = counts > most if most else np.zeros(len(starts), dtype=np.bool_)
        kept = ~lost[rows]
        return rows[kept], nodes[kept], np.flatnonzero(lost)

    def _steps(self, label: End, rows: Ints, nodes: Ints) -> Iterable[tuple[Ints, Ints]]:
        """Rows and next entities of one step, some at a time."""
        ends = self._columns(label)[1]
        starts, counts = self._counts(label, nodes)
        kept = np.flatnonzero(counts)
        starts, counts, rows = starts[kept], counts[kept], rows[kept]
        total = np.cumsum(counts)
        first = 0
        while first < len(rows):
            done = int(total[first - 1]) if first else 0
            last = max(first + 1, int(total.searchsorted(done + _PAIRS, side="right")))
            many = counts[first:last]
            offsets = np.repeat(starts[first:last] - np.cumsum(many) + many, many)
            yield np.repeat(rows[first:last], many), ends[offsets + np.arange(int(many.sum()))]
            first = last

    def _counts(self, label: End, nodes: Ints) -> tuple[Ints, Ints]:
        """Where the facts of entities begin in the sorted columns, and how many there are."""
        keys = self._columns(label)[0]
        first = keys.searchsorted(nodes)
        return first, keys.searchsorted(nodes, side="right") - first

    def _columns(self, label: End) -> tuple[Ints, Ints]:
        """Near and far ends of a relation's facts, sorted by the near one."""
        made = self._sorted.get(label)
        if made is None:
            name, turned = label
            subjects, objects = self._facts.get(name, (_NOTHING, _NOTHING))
            near, far = (objects, subjects) if turned else (subjects, objects)
            order = np.argsort(near, kind="stable")
            made = self._sorted[label] = (near[order], far[order])
        return made
