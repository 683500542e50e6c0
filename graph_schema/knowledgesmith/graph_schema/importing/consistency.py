"""Checks facts against the traits of their relations and drops facts that say the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from knowledgesmith.graph_schema.facts import Fact, Relation
from knowledgesmith.graph_schema.importing.problems import quote

Key = tuple[str, str, str]


@dataclass(slots=True)
class ConsistencyCheck:
    """Takes facts one by one.

    A fact of a symmetric relation, or of a relation with an inverse, can be written in two ways. Only one is kept: the
    way of the hierarchical, else the functional, else the alphabetically first relation; for symmetric relations the
    alphabetically first subject. So the result, and the digest of the graph, do not depend on the order of rows.
    """

    relations: Mapping[str, Relation]
    _facts: dict[Key, Fact] = field(default_factory=dict[Key, Fact])
    _objects: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict[tuple[str, str], tuple[str, str]])
    _subjects: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict[tuple[str, str], tuple[str, str]])

    def add(self, fact: Fact, *, place: str) -> str:
        """Take a fact; returns what is wrong with it, or nothing. ``place`` is its file and line."""
        relation = self.relations[fact.relation]
        if relation.traits.hierarchical and fact.subject == fact.object:
            return f"{quote(fact.subject)} cannot be its own parent by {quote(fact.relation)}"
        if problem := self._functional_problem(fact, place):
            return problem
        present = self._facts.get(fact.key)
        # Of doubles with different sources the first in alphabetical order stays, whatever the order of rows.
        if present is None or fact.source < present.source:
            self._facts[fact.key] = fact
        return ""

    def kept(self) -> tuple[Fact, ...]:
        """The facts to store, sorted by subject, object and relation."""
        chosen = [fact for fact in self._facts.values() if self._is_first_way(fact)]
        return tuple(sorted(chosen, key=lambda fact: (fact.subject, fact.object, fact.relation)))

    def _functional_problem(self, fact: Fact, place: str) -> str:
        for name, subject, obj in self._ways(fact):
            traits = self.relations[name].traits
            if traits.functional:
                other, where = self._objects.setdefault((name, subject), (obj, place))
                if other != obj:
                    return (
                        f"{quote(name)} has one object a subject, but {quote(subject)} has {quote(other)} ({where}) "
                        f"and {quote(obj)}"
                    )
            if traits.inverse_functional:
                other, where = self._subjects.setdefault((name, obj), (subject, place))
                if other != subject:
                    return (
                        f"{quote(name)} has one subject an object, but {quote(obj)} has {quote(other)} ({where}) "
                        f"and {quote(subject)}"
                    )
        return ""

    def _ways(self, fact: Fact) -> Iterator[Key]:
        """The fact, and the other way to write it when there is one."""
        traits = self.relations[fact.relation].traits
        yield fact.relation, fact.subject, fact.object
        if traits.symmetric:
            yield fact.relation, fact.object, fact.subject
        elif traits.inverse_of is not None:
            yield traits.inverse_of, fact.object, fact.subject

    def _is_first_way(self, fact: Fact) -> bool:
        traits = self.relations[fact.relation].traits
        if traits.symmetric:
            return fact.subject <= fact.object or (fact.object, fact.relation, fact.subject) not in self._facts
        if traits.inverse_of is None or (fact.object, traits.inverse_of, fact.subject) not in self._facts:
            return True
        return self._rank(fact.relation) < self._rank(traits.inverse_of)

    def _rank(self, name: str) -> tuple[bool, bool, str]:
        traits = self.relations[name].traits
        return (not traits.hierarchical, not traits.functional, name)
