"""The doubt closure: what may be true though nothing says so for certain, so that it is not offered as false.

A doubt is what would follow if relations were what their names let suspect (:mod:`doubtful_names`) beside what their
traits promise. It is used for one thing alone, to leave wrong answers out: nothing in it is ever asked, taken for an
answer, changed by an edit or counted as a consequence.

Only a few relations around a question matter, and of these only what can be reached from its anchor. So nothing is
derived for the whole graph: the rules are a grammar whose words are ways over asserted facts, and a way is looked for
from the anchor with a finite automaton. Where rules call each other from the middle, the automaton takes more ways than
the grammar (M. Mohri and M.-J. Nederhof, Regular approximation of context-free grammars through transformation, 2001):
a doubt too many costs a wrong answer that could have been offered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Final, NamedTuple

from knowledgesmith.graph_schema.catalogue.wording_clashes import spelt_alike
from knowledgesmith.graph_schema.doubts.names import End, Suspicions, suspicions
from knowledgesmith.graph_schema.types.facts import Relation

_Moves = Sequence[frozenset[tuple[End, int]]]
"""By state, the facts that lead on with the next state."""
_MANY_STATES: Final = 64
_MOST_STATES: Final = 600
"""Of an automaton that is made exactly; larger ones share their parts, which takes more ways for right."""


class _Level(IntEnum):
    """How far a symbol of the grammar goes."""

    TOP = 0
    """All that is doubtful: the next level, and what kinds, classes and larger places hand down of it."""
    NEAR = 1
    """What may be meant by the relation itself: the next level, and what others say for certain."""
    DOUBT = 2
    """What traits make of asserted facts and of those that are suspected to say the same."""
    SURE = 3
    """What follows by the traits alone."""
    PLAIN = 4
    """One asserted fact."""


class _Symbol(NamedTuple):
    """Ways from a subject to an object of a relation (or back, where ``turned``)."""

    relation: str
    turned: bool
    level: _Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Automaton:
    """Ways over facts: the first state is the start; an end is doubtful where a state of ``ends`` is reached.

    ``moves`` are, by state, the facts that lead on (relation, and whether it is read from object to subject) and the
    next state.
    """

    moves: tuple[tuple[tuple[End, int], ...], ...]
    ends: frozenset[int]


class _Promises(NamedTuple):
    """What the traits of a catalogue promise: by relation, what says it, and the pairs that it is composed of."""

    says: Mapping[str, frozenset[End]]
    chains: Mapping[str, frozenset[tuple[End, End]]]


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """The rules of one catalogue: its traits, and what its names let suspect.

    A suspicion is not built upon without end. Were "has part" and "part of" inverses, and went both on over "is a" as
    they may, everything would be part of everything. So a fact that is suspected to say another relation is built upon
    where it is asserted; what follows from it by the traits counts, too, but nothing is built upon that.
    """

    relations: Mapping[str, Relation]
    _made: dict[_Symbol, Automaton] = field(default_factory=dict[_Symbol, Automaton], repr=False, compare=False)

    @cached_property
    def suspected(self) -> Suspicions:
        """What the names let suspect."""
        return suspicions(self.relations)

    @cached_property
    def spelt_alike(self) -> Mapping[str, tuple[str, ...]]:
        """Relations that are spelt like others, and those: mostly one relation that was written in two ways."""
        return spelt_alike(self.relations)

    @cached_property
    def _promised(self) -> _Promises:
        says: defaultdict[str, set[End]] = defaultdict(set)
        chains: dict[str, frozenset[tuple[End, End]]] = {}
        for name, relation in self.relations.items():
            traits = relation.traits
            says[name] |= {(name, True)} if traits.symmetric else set()
            if traits.inverse_of is not None and traits.inverse_of in self.relations:
                says[name].add((traits.inverse_of, True))
                says[traits.inverse_of].add((name, True))
            for above in traits.sub_of:
                says[above].add((name, False))
            pairs = {((first, False), (second, False)) for first, second in traits.chains}
            chains[name] = frozenset(pairs | ({((name, False), (name, False))} if traits.transitive else set()))
        return _Promises({name: frozenset(found) for name, found in says.items()}, chains)

    @cached_property
    def saying(self) -> Mapping[str, frozenset[End]]:
        """By relation, all others that may say it, or itself turned: over others too; traits and names together."""
        twins = {name: {(other, False) for other in others} for name, others in self.spelt_alike.items()}
        turning = {name: {(name, True)} for name, relation in self.relations.items() if relation.traits.either_way}
        sources: tuple[Mapping[str, Set[End]], ...] = (self._promised.says, self.suspected.says, twins, turning)
        found: dict[str, frozenset[End]] = {}
        for name in self.relations:
            seen = {(name, False)}
            todo = [(name, False)]
            while todo:
                here, turned = todo.pop()
                ends = {(other, back != turned) for source in sources for other, back in source.get(here, ())}
                todo += ends - seen
                seen |= ends
            found[name] = frozenset(seen - {(name, False)}) | self.suspected.likens.get(name, frozenset())
        return found

    def goes_on(self, name: str) -> bool:
        """Whether a relation is transitive, or may be."""
        return name in self.suspected.goes_on or self.relations[name].traits.transitive

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """Relations of which something may be true that does not follow."""
        callers: defaultdict[str, set[str]] = defaultdict(set)
        for name, ends in self._promised.says.items():
            for other, _ in ends:
                callers[other].add(name)
        for name, pairs in self._promised.chains.items():
            for other, _ in (end for pair in pairs for end in pair):
                callers[other].add(name)
        found = {name for name in self.relations if self._suspects(name)}
        todo = list(found)
        while todo:
            fresh = callers[todo.pop()] - found
            found |= fresh
            todo += fresh
        return frozenset(found)

    def _suspects(self, name: str) -> bool:
        """Whether names say more of a relation than the traits."""
        promised = self._promised.says.get(name, frozenset())
        return bool(
            self.saying[name] - promised
            or (name in self.suspected.goes_on and not self.relations[name].traits.transitive)
            or self._handed(name)
        )

    def _handed(self, name: str) -> set[tuple[tuple[End, ...], tuple[End, ...]]]:
        """What may stand before and behind a relation's ways, where its traits do not say so anyway."""
        chains = self._promised.chains.get(name, frozenset())
        heads = {head for head in self.suspected.heads.get(name, ()) if (*head, (name, False)) not in chains}
        tails = {tail for tail in self.suspected.tails.get(name, ()) if ((name, False), *tail) not in chains}
        return {(head, tail) for head in ((), *heads) for tail in ((), *tails)} - {((), ())}

    def automaton(self, relation: str, *, turned: bool, near: bool = False) -> Automaton:
        """What ways lead to a possible object of a relation from its subject, or (``turned``) the other way round.

        ``near`` ones are without what is handed down: who may be meant where the relation stands inside a question.
        """
        start = _Symbol(relation, turned, _Level.NEAR if near else _Level.TOP)
        made = self._made.get(start)
        if made is None:
            made = self._made[start] = self._make(start)
        return made

    def _make(self, start: _Symbol) -> Automaton:
        try:
            return _Builder(self, most=_MOST_STATES).automaton(start)
        except _TooMany:
            return _Builder(self, most=0).automaton(start)

    def rules(self, symbol: _Symbol) -> list[tuple[_Symbol, ...]]:
        """What a symbol stands for, in a fixed order."""
        name, turned, level = symbol

        def way(*parts: tuple[End, _Level]) -> tuple[_Symbol, ...]:
            made = [_Symbol(end[0], end[1] != turned, depth) for end, depth in parts]
            return tuple(reversed(made) if turned else made)

        own = (name, False)
        if level is _Level.TOP:
            handed = {way(*((end, _Level.DOUBT) for end in (*h, own, *t))) for h, t in self._handed(name)}
            return sorted({way((own, _Level.NEAR)), *handed})
        if level is _Level.NEAR:
            return sorted({way((own, _Level.DOUBT)), *(way((end, _Level.SURE)) for end in self.saying[name])})
        found = {way((own, _Level.PLAIN))}
        found |= {way((end, level)) for end in self._promised.says.get(name, ())}
        found |= {way(*((end, level) for end in pair)) for pair in self._promised.chains.get(name, ())}
        if level is _Level.DOUBT:
            found |= {way((end, _Level.PLAIN)) for end in self.saying[name]}
            if self.goes_on(name):
                found.add(way((own, level), (own, level)))
        return sorted(found - {(symbol,)})


class _TooMany(Exception):
    """An exact automaton would be large."""


@dataclass(slots=True)
class _Builder:
    """Builds an automaton with empty moves, and takes these out. ``most`` of 0 shares the parts of all symbols."""

    doubts: Doubts
    most: int
    steps: list[list[tuple[End | None, int]]] = field(default_factory=list[list[tuple[End | None, int]]])
    groups: dict[_Symbol, frozenset[_Symbol]] = field(default_factory=dict[_Symbol, frozenset[_Symbol]])
    shared: dict[_Symbol, tuple[int, int]] = field(default_factory=dict[_Symbol, tuple[int, int]])

    def automaton(self, start: _Symbol) -> Automaton:
        self.groups = _groups(start, self.doubts)
        first, last = self._part(start)
        made = _without_empty(self.steps, first, last)
        return _smallest(*(_one_way(*made) or made))

    def _state(self) -> int:
        if self.most and len(self.steps) >= self.most:
            raise _TooMany
        self.steps.append([])
        return len(self.steps) - 1

    def _part(self, symbol: _Symbol) -> tuple[int, int]:
        """First and last state of the ways of a symbol; those that call each other have their states together."""
        if not self.most and symbol in self.shared:
            return self.shared[symbol]
        group = sorted(self.groups[symbol])
        own = {one: (self._state(), self._state()) for one in group}
        if not self.most:
            self.shared |= own
        for one in group:
            for rule in self.doubts.rules(one):
                self._rule(own, one, rule)
        return own[symbol]

    def _rule(self, own: Mapping[_Symbol, tuple[int, int]], head: _Symbol, rule: Sequence[_Symbol]) -> None:
        here, last = own[head]
        for part in rule:
            if part.level is _Level.PLAIN:
                beyond = self._state()
                self.steps[here].append(((part.relation, part.turned), beyond))
            else:
                first, beyond = own[part] if part in own else self._part(part)
                self.steps[here].append((None, first))
            here = beyond
        self.steps[here].append((None, last))


def _groups(start: _Symbol, doubts: Doubts) -> dict[_Symbol, frozenset[_Symbol]]:
    """By symbol, all those that it calls and that call it, itself among them."""
    calls: dict[_Symbol, set[_Symbol]] = {}
    todo = [start]
    while todo:
        symbol = todo.pop()
        if symbol not in calls:
            calls[symbol] = {part for rule in doubts.rules(symbol) for part in rule if part.level is not _Level.PLAIN}
            todo += calls[symbol]
    reached = {symbol: _reached(symbol, calls) for symbol in calls}
    return {
        symbol: frozenset({symbol, *(other for other in found if symbol in reached[other])})
        for symbol, found in reached.items()
    }


def _reached(start: _Symbol, calls: Mapping[_Symbol, set[_Symbol]]) -> set[_Symbol]:
    found: set[_Symbol] = set()
    todo = [start]
    while todo:
        fresh = calls[todo.pop()] - found
        found |= fresh
        todo += fresh
    return found


def _without_empty(
    steps: Sequence[Sequence[tuple[End | None, int]]], first: int, last: int
) -> tuple[list[frozenset[tuple[End, int]]], list[bool]]:
    """By state, start first: its moves over facts, and whether a way may end there."""
    number = {first: 0}
    states = [first]
    moves: list[frozenset[tuple[End, int]]] = []
    ends: list[bool] = []
    for state in states:
        around = _around(steps, state)
        found: set[tuple[End, int]] = set()
        for label, target in (step for near in around for step in steps[near]):
            if label is not None:
                if target not in number:
                    number[target] = len(states)
                    states.append(target)
                found.add((label, number[target]))
        moves.append(frozenset(found))
        ends.append(last in around)
    return moves, ends


def _around(steps: Sequence[Sequence[tuple[End | None, int]]], start: int) -> set[int]:
    """The states that are reached without a fact."""
    found = {start}
    todo = [start]
    while todo:
        for label, target in steps[todo.pop()]:
            if label is None and target not in found:
                found.add(target)
                todo.append(target)
    return found


def _one_way(moves: _Moves, ends: Sequence[bool]) -> tuple[_Moves, list[bool]] | None:
    """The same ways with one next state a fact, so that nothing is walked twice; none where that takes many states."""
    start = frozenset({0})
    number = {start: 0}
    states = [start]
    found: list[frozenset[tuple[End, int]]] = []
    for state in states:
        targets: defaultdict[End, set[int]] = defaultdict(set)
        for label, to in (move for one in state for move in moves[one]):
            targets[label].add(to)
        row: set[tuple[End, int]] = set()
        for label, group in sorted(targets.items()):
            target = frozenset(group)
            if target not in number:
                number[target] = len(states)
                states.append(target)
            row.add((label, number[target]))
        found.append(frozenset(row))
        if len(states) > _MANY_STATES:
            return None
    return found, [any(ends[one] for one in state) for state in states]


def _smallest(moves: _Moves, ends: Sequence[bool]) -> Automaton:
    """States from which the same ways lead on become one."""
    kind = [int(end) for end in ends]
    while True:
        signs = [(kind[n], frozenset((label, kind[to]) for label, to in moves[n])) for n in range(len(moves))]
        number = {sign: n for n, sign in enumerate(dict.fromkeys(signs))}
        finer = [number[sign] for sign in signs]
        if len(number) == len(set(kind)):
            break
        kind = finer
    kept = _firsts(finer)
    return Automaton(
        moves=tuple(tuple(sorted({(label, finer[to]) for label, to in moves[n]})) for n in kept),
        ends=frozenset(finer[n] for n in kept if ends[n]),
    )


def _firsts(numbers: Iterable[int]) -> list[int]:
    """The first place of each number; the numbers rise by one from 0 as they appear."""
    found: dict[int, int] = {}
    for place, number in enumerate(numbers):
        found.setdefault(number, place)
    return list(found.values())
