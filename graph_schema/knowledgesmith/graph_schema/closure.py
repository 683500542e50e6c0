"""The closure: facts that follow from the asserted ones by the relations' traits, by forward chaining in Cypher.

Rounds go on until nothing new follows: what a chain of any length or a ring leads to is found, since a round joins
facts of all rounds before and so doubles the length of the chains. A graph of which too much follows is refused.

Derived facts exist only inside a transaction that is rolled back. Each relationship carries ``derived: true``, the
``round`` in which it appeared and the ``world`` it belongs to; its proof comes back as :class:`Derived`. A
relationship without ``world`` belongs to every world; so the state before and after an update can stand side by side
in one transaction, and the same probe queries read either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from knowledgesmith.graph_schema.errors import InvalidCatalogue, TooLarge
from knowledgesmith.graph_schema.facts import Relation, fact_id
from knowledgesmith.graph_schema.placing import Placement, place
from knowledgesmith.graph_schema.store import Row, Transaction

MAX_DERIVED: Final = 3_000_000
"""Most facts that may follow in one world: about 2 GB in this process, and more in the database's transaction."""

BEFORE: Final = 0
"""World before the update (and the only world of a bulk run)."""

AFTER: Final = 1
"""World after the update."""

_T = TypeVar("_T")
_ANCHORS: Final = 2_000
"""So many subjects a query: what it collects stays small, and so does its number of rows."""

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


def close(tx: Transaction, *, graph_id: str, rules: Rules, world: int = BEFORE) -> dict[str, Derived]:
    """Derive all facts of one world and write them into the transaction, round by round until nothing new follows.

    Semi-naive: a round joins only pairs with at least one fact of the round before; the round of a fact is the height
    of its lowest proof. Asserted facts are not derived again; a fact between an entity and itself neither follows nor
    leads anywhere.

    Args:
        tx: a transaction that will be rolled back.
        graph_id: the graph.
        rules: from :func:`rules_of`.
        world: :data:`BEFORE` or :data:`AFTER`.

    Returns:
        The derived facts by fact id.

    Raises:
        TooLarge: more than :data:`MAX_DERIVED` facts follow; nothing may be asked about such a world.
    """
    derived: dict[str, Derived] = {}
    anchors: Iterable[Sequence[str]] = _subjects(tx, graph_id) if rules.any else ()
    depth = 0
    while fresh := _derive_round(tx, graph_id=graph_id, rules=rules, world=world, depth=depth, anchors=anchors):
        derived.update(fresh)
        if len(derived) > MAX_DERIVED:
            raise _too_much(derived.values())
        anchors = _batches(sorted({fact.triple[0] for fact in fresh.values()}), _ANCHORS)
        depth += 1
    return derived


def _too_much(derived: Iterable[Derived]) -> TooLarge:
    """Refuses a world; the relation of which most facts follow is named, since its traits are the cause."""
    counts = Counter(fact.triple[1] for fact in derived)
    relation, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return TooLarge(
        f"more than {MAX_DERIVED:,} facts follow from the graph, {count:,} of them of the relation {relation!r}",
        field="relation",
        value=relation,
        hint="Import it without the trait that makes so much follow (transitive, composed_of), or a part of the graph.",
    )


def _subjects(tx: Transaction, graph_id: str) -> Iterator[Sequence[str]]:
    """All entities of a graph, so many at a time."""
    uids: list[str] = [""]
    while uids:
        uids = tx.rows("closure/subjects", graph_id=graph_id, after=uids[-1], limit=_ANCHORS)[0]["uids"]
        if uids:
            yield uids


def _derive_round(
    tx: Transaction,
    *,
    graph_id: str,
    rules: Rules,
    world: int,
    depth: int,
    anchors: Iterable[Sequence[str]],
) -> dict[str, Derived]:
    fresh: dict[Triple, tuple[str, tuple[str, ...]]] = {}
    for uids in anchors:
        scope = {"graph_id": graph_id, "world": world, "round": depth, "anchors": uids}
        blocks = []
        if rules.swaps or rules.lifts:
            blocks += tx.rows("closure/swap", **scope, heads=rules.swaps, lifts=rules.lifts)
        if rules.seconds:
            blocks += tx.rows("closure/chain", **scope, seconds=rules.seconds, firsts=rules.firsts)
        for triple, proof in (found for block in blocks for found in _found(block)):
            known = fresh.get(triple)
            if known is None or proof < known:
                fresh[triple] = proof
    facts = [
        Derived(
            fact_id=fact_id(graph_id, s, rules.names[rel_type], o),
            triple=(s, rules.names[rel_type], o),
            rule=rule,
            premises=premises,
            round=depth + 1,
        )
        for (s, rel_type, o), (rule, premises) in sorted(fresh.items())
    ]
    placements = (Placement(fact.triple, fact.fact_id, depth + 1, world) for fact in facts)
    place(tx, graph_id=graph_id, types=rules.types, facts=placements)
    return {fact.fact_id: fact for fact in facts}


def _found(block: Row) -> Iterator[tuple[Triple, tuple[str, tuple[str, ...]]]]:
    """Each conclusion of a block (with its relationship type) and its rule and premises."""
    triples = zip(block["subjects"], block["heads"], block["objects"], strict=True)
    premises = [block[column] for column in ("firsts", "seconds") if column in block]
    return zip(triples, zip(block["rules"], zip(*premises, strict=True), strict=True), strict=True)


def clear(tx: Transaction, *, graph_id: str, derived: Mapping[str, Derived], world: int) -> None:
    """Remove the derived facts of one world from the transaction."""
    subjects = sorted({fact.triple[0] for fact in derived.values()})
    if subjects:
        tx.rows("closure/clear", graph_id=graph_id, world=world, subjects=subjects)


def leaves(derived: Mapping[str, Derived], fact: str) -> frozenset[str]:
    """Asserted facts at the bottom of the proof of ``fact`` (itself, when it is not derived)."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = [fact]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        proof = derived.get(current)
        if proof is None:
            found.add(current)
        else:
            todo.extend(proof.premises)
    return frozenset(found)


def _batches(rows: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
