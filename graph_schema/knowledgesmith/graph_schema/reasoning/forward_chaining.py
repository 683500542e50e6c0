"""Everything that follows from asserted facts, by semi-naive forward chaining on integer columns.

A round joins only pairs with at least one fact of the round before, and facts of all earlier rounds: so chains double
in length, and the round of a fact is the height of its lowest proof. Rounds go on until nothing new follows. A closure
joins many times more pairs than there are facts (ten times in a deep hierarchy); on columns a million take a second.
What an update changes is derived in the database instead
(:mod:`~knowledgesmith.graph_schema.reasoning.incremental`); both agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.catalogue.rules import Derived, Rule, Rules, Triple
from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.types.digests import prefixed
from knowledgesmith.graph_schema.types.facts import fact_id_from_keys

MAX_DERIVED: Final = 3_000_000
"""Most facts that may follow in one world: about 2 GB in this process, and more in a transaction that holds them."""
_JOINS: Final = 1 << 20
"""Pairs that are joined at a time: 80 MB."""
_SORTED: Final = 15
"""Hexadecimal digits of an id that fit into a number."""
_RULES: Final = tuple(sorted(Rule))
_CODES: Final = {rule.value: code for code, rule in enumerate(_RULES)}

Ints = NDArray[np.int64]


class _Found(NamedTuple):
    """Conclusions in columns: key, code of the rule, order of both premises' ids, rows of both premises (or -1)."""

    key: Ints
    rule: Ints
    first_id: Ints
    second_id: Ints
    first: Ints
    second: Ints


def derive(asserted: Iterable[Triple], *, graph_id: str, rules: Rules) -> dict[str, Derived]:
    """The facts that follow and are not asserted, by fact id, each with its lowest proof (ties: smallest rule and ids).

    A fact between an entity and itself neither follows nor leads anywhere.

    Args:
        asserted: facts; those of relations without rules are passed over.
        graph_id: the graph, for fact ids.
        rules: from :func:`~knowledgesmith.graph_schema.catalogue.rules.rules_of`.

    Raises:
        TooLarge: more than :data:`MAX_DERIVED` facts follow; nothing may be asked about such a world.
    """
    ruled = _ruled(rules)
    facts = sorted({fact for fact in asserted if fact[1] in ruled and fact[0] != fact[2]})
    if not facts:
        return {}
    columns = _Columns.of(facts, graph_id=graph_id, rules=rules)
    fresh = np.arange(len(facts), dtype=np.int64)
    while len(fresh):
        fresh = columns.add(_round(columns, fresh, rules))
    return columns.derived(len(facts))


def _ruled(rules: Rules) -> set[str]:
    """Relations that take part in a rule."""
    parts = {head for table in (rules.swaps, rules.lifts) for rows in table.values() for head, _ in rows}
    parts |= {name for rows in rules.seconds.values() for second, head, _ in rows for name in (second, head)}
    return {rules.names[name] for name in (*parts, *rules.swaps, *rules.lifts, *rules.seconds)}


@dataclass(slots=True, kw_only=True)
class _Columns:
    """Facts that hold so far: entity and relation numbers, rounds, ids, and the proofs of derived ones."""

    graph: bytes
    uids: Sequence[str]
    names: Sequence[str]
    number: dict[str, int]
    subject: Ints
    relation: Ints
    object: Ints
    round: Ints
    order: Ints
    ids: list[str]
    known: Ints
    proofs: list[_Found] = field(default_factory=list[_Found])
    uid_keys: list[bytes] = field(default_factory=list[bytes])
    name_keys: list[bytes] = field(default_factory=list[bytes])

    @classmethod
    def of(cls, facts: Sequence[Triple], *, graph_id: str, rules: Rules) -> _Columns:
        uids = sorted({uid for s, _, o in facts for uid in (s, o)})
        names = sorted(rules.types)
        number, relation = {uid: n for n, uid in enumerate(uids)}, {name: n for n, name in enumerate(names)}
        rows = np.array([(number[s], relation[r], number[o]) for s, r, o in facts], dtype=np.int64)
        made = cls(
            graph=prefixed(graph_id),
            uids=uids,
            names=names,
            number=relation,
            subject=rows[:, 0].copy(),
            relation=rows[:, 1].copy(),
            object=rows[:, 2].copy(),
            round=np.zeros(len(facts), dtype=np.int64),
            order=np.empty(0, dtype=np.int64),
            ids=[],
            known=np.empty(0, dtype=np.int64),
            uid_keys=[prefixed(uid) for uid in uids],
            name_keys=[prefixed(name) for name in names],
        )
        made.known = np.sort(made.key(made.subject, made.relation, made.object))
        made._name(0)
        return made

    def key(self, subject: Ints, relation: Ints | int, obj: Ints) -> Ints:
        """One number a fact."""
        return (subject * len(self.names) + relation) * len(self.uids) + obj

    def is_new(self, key: Ints) -> NDArray[np.bool_]:
        """Whether facts are not among the known ones."""
        rows = np.minimum(self.known.searchsorted(key), len(self.known) - 1)
        return np.not_equal(self.known[rows], key)

    def _name(self, start: int) -> None:
        """Ids of the facts from a row on, and numbers that sort as they do."""
        columns = (self.subject[start:].tolist(), self.relation[start:].tolist(), self.object[start:].tolist())
        uid, name, graph = self.uid_keys, self.name_keys, self.graph
        new = [fact_id_from_keys(graph, uid[s], name[r], uid[o]) for s, r, o in zip(*columns, strict=True)]
        self.ids += new
        self.order = np.concatenate([self.order, np.array([int(one[:_SORTED], 16) for one in new], dtype=np.int64)])

    def add(self, found: _Found) -> Ints:
        """Take in what follows anew; its rows."""
        start, size = len(self.ids), len(found.key)
        rest, obj = np.divmod(found.key, len(self.uids))
        subject, relation = np.divmod(rest, len(self.names))
        depth = np.full(size, self.round[-1] + 1, dtype=np.int64)
        for column, more in (("subject", subject), ("relation", relation), ("object", obj), ("round", depth)):
            setattr(self, column, np.concatenate([getattr(self, column), more]))
        self.known = np.sort(np.concatenate([self.known, found.key]))
        self.proofs.append(found)
        self._name(start)
        return np.arange(start, start + size, dtype=np.int64)

    def derived(self, asserted: int) -> dict[str, Derived]:
        """The facts behind the asserted ones, with their proofs."""
        made: dict[str, Derived] = {}
        uids, names, ids = self.uids, self.names, self.ids
        row = asserted
        for depth, found in enumerate(self.proofs, start=1):
            part = slice(row, row + len(found.key))
            columns = (self.subject[part], self.relation[part], self.object[part])
            proofs = (found.rule, found.first, found.second)
            rows: zip[tuple[int, ...]] = zip(*(column.tolist() for column in (*columns, *proofs)), strict=True)
            for s, r, o, rule, first, second in rows:
                made[ids[row]] = Derived(
                    fact_id=ids[row],
                    triple=(uids[s], names[r], uids[o]),
                    rule=_RULES[rule].value,
                    premises=(ids[first],) if second < 0 else (ids[first], ids[second]),
                    round=depth,
                )
                row += 1
        return made


def _round(columns: _Columns, fresh: Ints, rules: Rules) -> _Found:
    """What follows anew from facts of which at least one is fresh."""
    found: list[_Found] = []
    size = 0
    for part in _conclusions(columns, fresh, rules):
        found.append(_least(part))
        size += len(part.key)
        if len(columns.ids) + size > MAX_DERIVED:  # the parts may share conclusions
            found = [_least(_joined(found))]
            size = len(found[0].key)
            _check_size(columns, found[0].key)
    return _least(_joined(found))


def _conclusions(columns: _Columns, fresh: Ints, rules: Rules) -> Iterator[_Found]:
    number = {rules.types[name]: n for name, n in columns.number.items()}
    relation = columns.relation[fresh]
    for table, swap in ((rules.swaps, True), (rules.lifts, False)):
        for premise, heads in table.items():
            rows = fresh[relation == number[premise]]
            ends = (columns.object, columns.subject) if swap else (columns.subject, columns.object)
            for head, rule in heads:
                key = columns.key(ends[0][rows], number[head], ends[1][rows])
                yield _of(columns, key, rule, rows, np.full(len(rows), -1, dtype=np.int64))
    by_subject, by_object = _Ends.of(columns, columns.subject), _Ends.of(columns, columns.object)
    depth = int(columns.round[fresh[0]])
    for first_type, ways in rules.seconds.items():
        for second_type, head, rule in ways:
            first, second = number[first_type], number[second_type]
            rows = fresh[relation == first]
            for ones, others in by_subject.pairs(rows, second, columns.object[rows]):
                yield _chained(columns, ones, others, number[head], rule)
            rows = fresh[relation == second] if depth else fresh[:0]
            for others, ones in by_object.pairs(rows, first, columns.subject[rows]):
                old = columns.round[ones] < depth
                yield _chained(columns, ones[old], others[old], number[head], rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """Rows of facts in the order of relation and one end."""

    size: int
    rows: Ints
    keys: Ints

    @classmethod
    def of(cls, columns: _Columns, end: Ints) -> _Ends:
        keys = columns.relation * len(columns.uids) + end
        rows = np.argsort(keys, kind="stable")
        return cls(size=len(columns.uids), rows=rows, keys=keys[rows])

    def pairs(self, rows: Ints, relation: int, ends: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Every given row with every row of a relation at its end, in parts."""
        keys = relation * self.size + ends
        starts = self.keys.searchsorted(keys)
        counts = self.keys.searchsorted(keys, side="right") - starts
        totals = np.cumsum(counts)
        begin = 0
        while begin < len(rows):
            done = int(totals[begin - 1]) if begin else 0
            end = max(begin + 1, int(totals.searchsorted(done + _JOINS, side="right")))
            part = slice(begin, end)
            repeated = np.repeat(rows[part], counts[part])
            offsets = np.repeat(starts[part] - (totals[part] - counts[part] - done), counts[part])
            yield repeated, self.rows[offsets + np.arange(len(repeated))]
            begin = end


def _chained(columns: _Columns, ones: Ints, others: Ints, head: int, rule: str) -> _Found:
    start, end = columns.subject[ones], columns.object[others]
    proper = start != end
    return _of(columns, columns.key(start, head, end)[proper], rule, ones[proper], others[proper])


def _of(columns: _Columns, key: Ints, rule: str, ones: Ints, others: Ints) -> _Found:
    """Conclusions that are not known."""
    new = columns.is_new(key)
    first, second = ones[new], others[new]
    code = np.full(len(first), _CODES[rule], dtype=np.int64)
    return _Found(key[new], code, columns.order[first], columns.order[second], first, second)


def _joined(found: Sequence[_Found]) -> _Found:
    if not found:
        none = np.empty(0, dtype=np.int64)
        return _Found(none, none, none, none, none, none)
    return _Found._make(np.concatenate(column) for column in zip(*found, strict=True))


def _least(found: _Found) -> _Found:
    """Every conclusion once, with its smallest rule and premises."""
    order = np.lexsort((found.second_id, found.first_id, found.rule, found.key))
    key = found.key[order]
    kept = order[np.flatnonzero(np.diff(key, prepend=-1))]
    return _Found._make(column[kept] for column in found)


def _check_size(columns: _Columns, key: Ints) -> None:
    """Refuses a world; the relation of which most facts follow is named, since its traits are the cause."""
    count = int(np.count_nonzero(columns.round)) + len(key)
    if count <= MAX_DERIVED:
        return
    more = key // len(columns.uids) % len(columns.names)
    counts = np.bincount(np.concatenate([columns.relation[columns.round > 0], more]), minlength=len(columns.names))
    relation = columns.names[int(counts.argmax())]
    raise TooLarge(
        f"more than {MAX_DERIVED:,} facts follow from the graph, most of the relation {relation!r}",
        field="relation",
        value=relation,
        hint="Import it without the trait that makes so much follow (transitive, composed_of), or a part of the graph.",
    )
