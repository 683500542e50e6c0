"""The rules that a catalogue's traits stand for, and what follows by them: pure values.

``r(y, x) <- r(x, y)`` of a symmetric relation, ``q(y, x) <- r(x, y)`` of inverses, ``r(x, z) <- r(x, y), r(y, z)`` of a
transitive one, ``r(x, z) <- r1(x, y), r2(y, z)`` of every composition, ``p(x, y) <- r(x, y)`` of a subrelation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from knowledgesmith.graph_schema.errors import InvalidCatalogue
from knowledgesmith.graph_schema.types.facts import Relation

Triple = tuple[str, str, str]
"""Subject uid, relation name, object uid."""


class Rule(StrEnum):
    """Names of the rules, as they appear in proofs."""

    INVERSE = "inverse"
    SYMMETRIC = "symmetric"
    TRANSITIVE = "transitive"
    COMPOSITION = "composition"
    SUBRELATION = "subrelation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A derived fact with the shortest proof found first (ties: smallest rule and premises)."""

    fact_id: str
    triple: Triple
    rule: str
    premises: tuple[str, ...]
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of a catalogue in the shape of the queries' parameters (all names are relationship types).

    ``swaps`` exchange the ends of a fact, ``lifts`` keep them; ``swap_names`` and ``lift_names`` are the same by name.
    """

    swaps: Mapping[str, list[list[str]]]
    lifts: Mapping[str, list[list[str]]]
    seconds: Mapping[str, list[list[str]]]
    firsts: Mapping[str, list[list[str]]]
    names: Mapping[str, str]
    types: Mapping[str, str]
    swap_names: Mapping[str, tuple[tuple[str, str], ...]]
    lift_names: Mapping[str, tuple[tuple[str, str], ...]]

    @property
    def any(self) -> bool:
        """Whether anything can follow at all."""
        return bool(self.swaps or self.lifts or self.seconds)

    def mirrors(self, triple: Triple) -> dict[Triple, str]:
        """Facts that say the same as ``triple`` the other way round (and back), with the rule that leads there."""
        found: dict[Triple, str] = {}
        todo = [triple]
        while todo:
            subject, relation, obj = todo.pop()
            for head, rule in self.swap_names.get(relation, ()):
                mirror = (obj, head, subject)
                if mirror != triple and mirror not in found:
                    found[mirror] = rule
                    todo.append(mirror)
        return found


@dataclass(slots=True)
class _RuleTable:
    swaps: dict[str, list[list[str]]] = field(default_factory=dict)
    lifts: dict[str, list[list[str]]] = field(default_factory=dict)
    seconds: dict[str, list[list[str]]] = field(default_factory=dict)
    firsts: dict[str, list[list[str]]] = field(default_factory=dict)
    swap_names: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    lift_names: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def swap(self, premise: Relation, head: Relation, rule: Rule) -> None:
        row = [head.rel_type, rule.value]
        rows = self.swaps.setdefault(premise.rel_type, [])
        if row not in rows:
            rows.append(row)
            self.swap_names[premise.name] = (*self.swap_names.get(premise.name, ()), (head.name, rule.value))

    def lift(self, premise: Relation, head: Relation) -> None:
        rule = Rule.SUBRELATION.value
        self.lifts.setdefault(premise.rel_type, []).append([head.rel_type, rule])
        self.lift_names[premise.name] = (*self.lift_names.get(premise.name, ()), (head.name, rule))

    def chain(self, first: Relation, second: Relation, head: Relation, rule: Rule) -> None:
        self.seconds.setdefault(first.rel_type, []).append([second.rel_type, head.rel_type, rule.value])
        self.firsts.setdefault(second.rel_type, []).append([first.rel_type, head.rel_type, rule.value])


def rules_of(relations: Iterable[Relation]) -> Rules:
    """The rules that follow from the traits of a catalogue; ``inverse_of`` holds in both directions.

    Raises:
        InvalidCatalogue: a trait names an unknown relation, or a composition does not have two parts.
    """
    by_name = {relation.name: relation for relation in sorted(relations, key=lambda r: r.name)}
    table = _RuleTable()
    for relation in by_name.values():
        traits = relation.traits
        if traits.symmetric:
            table.swap(relation, relation, Rule.SYMMETRIC)
        if traits.inverse_of:
            other = _named(by_name, relation, traits.inverse_of)
            table.swap(relation, other, Rule.INVERSE)
            table.swap(other, relation, Rule.INVERSE)
        if traits.transitive:
            table.chain(relation, relation, relation, Rule.TRANSITIVE)
        for pair in traits.chains:
            first, second = _parts(by_name, relation, pair)
            table.chain(first, second, relation, Rule.COMPOSITION)
        for above in sorted(set(traits.sub_of)):
            table.lift(relation, _named(by_name, relation, above))
    return Rules(
        swaps=table.swaps,
        lifts=table.lifts,
        seconds=table.seconds,
        firsts=table.firsts,
        names={relation.rel_type: relation.name for relation in by_name.values()},
        types={relation.name: relation.rel_type for relation in by_name.values()},
        swap_names=table.swap_names,
        lift_names=table.lift_names,
    )


def _named(by_name: Mapping[str, Relation], relation: Relation, name: str) -> Relation:
    if name not in by_name:
        raise InvalidCatalogue(
            f"Relation {relation.name} refers to a relation that the catalogue lacks.",
            field="inverse_of / composed_of / sub_of",
            value=name,
            hint="Add that relation or remove the reference.",
        )
    return by_name[name]


def _parts(by_name: Mapping[str, Relation], relation: Relation, parts: Sequence[str]) -> tuple[Relation, Relation]:
    if len(parts) != 2:
        raise InvalidCatalogue(
            f"Relation {relation.name} must be composed of exactly two relations.",
            field="composed_of",
            value=parts,
            hint="Name an intermediate relation and compose twice.",
        )
    return _named(by_name, relation, parts[0]), _named(by_name, relation, parts[1])
