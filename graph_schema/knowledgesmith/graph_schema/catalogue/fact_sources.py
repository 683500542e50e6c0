"""By which relations' facts a relation is told: its own, those below it, and its own and theirs turned round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knowledgesmith.graph_schema.types.facts import Relation


@dataclass(frozen=True, slots=True)
class Sources:
    """The relations whose facts are facts of one.

    Attributes:
        forward: as they stand.
        backward: with subject and object turned round.
        sure: whether nothing else follows; a transitive or composed relation among them may have any number more.
    """

    forward: frozenset[str]
    backward: frozenset[str]
    sure: bool


class SourceFinder:
    """Finds them in one complete catalogue."""

    def __init__(self, relations: Mapping[str, Relation]) -> None:
        self._relations = relations
        self._below: dict[str, list[str]] = {}
        for name, relation in relations.items():
            for above in relation.traits.sub_of:
                self._below.setdefault(above, []).append(name)

    def of(self, name: str, *, backward: bool = False) -> Sources:
        """The sources of a relation; backward: of the same read from object to subject."""
        found: set[tuple[str, bool]] = set()
        left = [(name, backward)]
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left += self._told_by(one[0], turned=one[1])
        sides = {turned: frozenset(one for one, way in found if way is turned) for turned in (False, True)}
        traits = [self._relations[one].traits for one, _ in found]
        return Sources(sides[False], sides[True], sure=not any(one.transitive or one.chains for one in traits))

    def _told_by(self, name: str, *, turned: bool) -> Iterator[tuple[str, bool]]:
        traits = self._relations[name].traits
        if traits.symmetric:
            yield name, not turned
        if traits.inverse_of is not None:
            yield traits.inverse_of, not turned
        yield from ((below, turned) for below in self._below.get(name, ()))
