"""The chains of a bulk run, kept as numbers between counting their answers and asking: about 24 bytes a chain."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.types.probes import ProbeKind


class Chains:
    """Questions of kind MULTI_HOP, added in order of their keys."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._anchors: list[str] = []
        self._starts = array("i")
        self._paths: dict[tuple[str, ...], int] = {}
        self._path = array("i")
        self._ends = array("i")
        self._nodes = array("i")

    def add(self, questions: Iterable[Question]) -> None:
        """Keep chains whose anchors follow those that are kept already."""
        index = self._lexicon.index
        for question in questions:
            if not self._anchors or self._anchors[-1] != question.anchor:
                # the lexicon's own text, so that the database's need not stay
                self._anchors.append(self._lexicon.entities[index[question.anchor]].uid)
                self._starts.append(len(self._path))
            self._path.append(self._paths.setdefault(question.path, len(self._paths)))
            self._nodes.extend([index[uid] for uid in question.nodes_before])
            self._ends.append(len(self._nodes))

    def questions(self, anchors: Sequence[str]) -> list[Question]:
        """The chains of some anchors (sorted, none left out between first and last)."""
        if not anchors:
            return []
        paths, entities = list(self._paths), self._lexicon.entities
        found: list[Question] = []
        for place in range(bisect_left(self._anchors, anchors[0]), bisect_right(self._anchors, anchors[-1])):
            for row in self._rows(place):
                nodes = tuple([entities[node].uid for node in self._nodes[self._first_node(row) : self._ends[row]]])
                found.append(
                    Question(
                        kind=ProbeKind.MULTI_HOP,
                        anchor=self._anchors[place],
                        path=paths[self._path[row]],
                        before=nodes[-1:],
                        after=nodes[-1:],
                        nodes_before=nodes,
                        nodes_after=nodes,
                    )
                )
        return found

    def answers(self) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Path, anchor and answer (dense indices) of every chain."""
        paths, index = list(self._paths), self._lexicon.index
        for place, uid in enumerate(self._anchors):
            anchor = index[uid]
            for row in self._rows(place):
                yield paths[self._path[row]], anchor, self._nodes[self._ends[row] - 1]

    def _rows(self, place: int) -> range:
        """Rows of the anchor at this place."""
        end = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._path)
        return range(self._starts[place], end)

    def _first_node(self, row: int) -> int:
        return self._ends[row - 1] if row else 0
