"""One closed world in compact form: what the closure, derived once in Cypher, says about every entity.

A plan asks the same world about a few entities; deriving it anew for each plan would cost a whole closure. So the
facts that Cypher returned are kept as sorted integer columns, by the digest of the graph and the branch's overlay.
Nothing is inferred here: rows are looked up, and whatever an update changes is derived in the plan's transaction.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.doubts.walks import DoubtWalks
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.graphs.own_uids import asked_uids, each_once
from knowledgesmith.graph_schema.reasoning.closure import Derived, Rules, Triple
from knowledgesmith.graph_schema.types.facts import Entity, fact_id

Ints = NDArray[np.int32]
_NONE: Final = -1
_CHUNK: Final = 32
_ID: Final = 16
"""Bytes of a fact's id."""


class Held(NamedTuple):
    """A fact that holds, with the round in which it appears (asserted: 0)."""

    triple: Triple
    round: int

    @property
    def derived(self) -> bool:
        """Whether it only follows."""
        return self.round > 0


class WorldIndex:
    """Asserted and derived facts of one world, found by subject or by object.

    Columns run in parallel over the facts, sorted by (subject, relation, object): entity and relation numbers, the
    round, and for derived facts the rule and the rows of its premises. ``asked`` are the uids that inserted entities
    were asked to have, to those that they have instead (``own_uids``).
    """

    def __init__(
        self,
        *,
        lexicon: Lexicon,
        rules: Rules,
        asserted: Iterable[Triple],
        derived: Mapping[str, Derived],
        stamp: str = "",
    ) -> None:
        self.stamp = stamp
        self.lexicon = lexicon
        self.asked: Mapping[str, str] = {}
        self.rules = rules
        self._uids, self._relations, columns = _numbered(lexicon, rules, asserted, derived)
        self._number = {uid: n for n, uid in enumerate(self._uids)}
        self._relation_number = {name: n for n, name in enumerate(self._relations)}
        order = np.lexsort((columns[:, 2], columns[:, 1], columns[:, 0]))
        self._subject, self._relation, self._object, self._round = (
            np.ascontiguousarray(columns[order, n]) for n in range(4)
        )
        self._by_object = np.lexsort((self._subject, self._relation, self._object)).astype(np.int32)
        self._object_sorted = self._object[self._by_object]
        self._key = self._keys(self._subject, self._relation, self._object)
        self._key_view = self._key.data
        rows = np.flatnonzero(self._round)
        self._groups = len(np.unique(self._subject[rows].astype(np.int64) * len(rules.types) + self._relation[rows]))
        self._rules: tuple[str, ...] = tuple(sorted({fact.rule for fact in derived.values()}))
        self._ids, self._rule, self._premises = self._proofs(derived)

    def __len__(self) -> int:
        return len(self._subject)

    @property
    def graph_id(self) -> str:
        """The graph."""
        return self.lexicon.graph_id

    @cached_property
    def doubt_walks(self) -> DoubtWalks | None:
        """Where doubts lead over the asserted facts; ``None`` where nothing is doubtful."""
        doubts = self.lexicon.doubts
        if not doubts.doubtful:
            return None
        asserted = np.flatnonzero(self._round == 0)
        columns = (self._subject[asserted], self._relation[asserted], self._object[asserted])
        return DoubtWalks(doubts, uids=self._uids, names=self._relations, columns=columns)

    def with_entities(self, entities: Iterable[Entity]) -> WorldIndex:
        """The same facts, with further entities among the living ones.

        Raises:
            AlreadyExists: two different ones have the same uid.
        """
        new = [entity for entity in each_once(entities) if entity.uid not in self.lexicon]
        if not new:
            return self
        _ = self.doubt_walks  # once for all copies
        made = copy(self)
        made.asked = {**self.asked, **asked_uids(new)}
        made.lexicon = Lexicon.build(
            graph_id=self.lexicon.graph_id,
            graph_digest=self.lexicon.graph_digest,
            entities=[*self.lexicon.entities, *new],
            relations=self.lexicon.relations.values(),
        )
        return made

    def find(self, triple: Triple) -> Held | None:
        """The fact, where it holds."""
        row = self._row(triple)
        return None if row < 0 else Held(triple, int(self._round[row]))

    def out(self, uid: str) -> list[Held]:
        """Facts of a subject, by relation and object."""
        node = self._number.get(uid)
        if node is None:
            return []
        start, end = self._subject.searchsorted((node, node + 1))
        return self._held_rows(slice(start, end))

    def into(self, uid: str) -> list[Held]:
        """Facts of an object, by relation and subject."""
        node = self._number.get(uid)
        if node is None:
            return []
        start, end = self._object_sorted.searchsorted((node, node + 1))
        return self._held_rows(self._by_object[start:end])

    def objects(self, subject: str, relation: str) -> list[Held]:
        """Facts of a subject and a relation."""
        node, name = self._number.get(subject), self._relation_number.get(relation)
        if node is None or name is None:
            return []
        lowest = (node * len(self._relations) + name) * len(self._uids)
        start, end = self._key.searchsorted((lowest, lowest + len(self._uids)))
        return self._held_rows(slice(start, end)) if start < end else []

    def subjects(self, relation: str, obj: str) -> list[Held]:
        """Facts of a relation and an object."""
        name = self._relation_number.get(relation)
        node = self._number.get(obj)
        if node is None or name is None:
            return []
        start, end = self._object_sorted.searchsorted((node, node + 1))
        rows = self._by_object[start:end]
        return self._held_rows(rows[self._relation[rows] == name])

    def derivations(self, triples: Sequence[Triple]) -> list[Derived | None]:
        """The kept proofs of facts that follow, ``None`` for every other."""
        rows = self._rows(triples)
        columns = (rows.tolist(), self._round[rows].tolist(), self._rule[rows].tolist(), self._premises[rows].tolist())
        name, rules = self._id, self._rules
        return [
            Derived(
                fact_id=name(row),
                triple=triple,
                rule=rules[rule],
                premises=tuple([name(premise) for premise in premises if premise != _NONE]),
                round=depth,
            )
            if row != _NONE and depth
            else None
            for triple, row, depth, rule, premises in zip(triples, *columns, strict=True)
        ]

    def ids(self, triples: Sequence[Triple]) -> list[str]:
        """Ids of facts, whether they hold or not."""
        rows = self._rows(triples).tolist()
        return [
            fact_id(self.graph_id, *triple) if row == _NONE else self._id(row)
            for triple, row in zip(triples, rows, strict=True)
        ]

    def _id(self, row: int) -> str:
        return self._ids[row * _ID : row * _ID + _ID].hex()

    def rounds(self, triples: Sequence[Triple]) -> list[int]:
        """Rounds of many facts (asserted: 0), negative where one does not hold."""
        rows = self._rows(triples)
        found: list[int] = np.where(rows == _NONE, _NONE, self._round[rows]).tolist() if len(self._round) else []
        return found or [_NONE] * len(triples)

    def all_premises(self, triples: Collection[Triple]) -> set[Triple]:
        """Premises of the kept proofs of many facts."""
        rows = self._rows(list(triples))
        premises = np.unique(self._premises[rows[rows != _NONE]])
        return set(self._triples(premises[premises != _NONE]))

    def premises(self, triple: Triple) -> list[Triple]:
        """The facts that the kept proof applies its rule to; none for an asserted fact."""
        row = self._row(triple)
        if row < 0 or not self._round[row]:
            return []
        return [self._held(int(p)).triple for p in self._premises[row] if p != _NONE]

    @property
    def groups_count(self) -> int:
        """How many (subject, relation) have a derived fact."""
        return self._groups

    def derived(self) -> Iterator[Triple]:
        """All facts that follow."""
        return iter(self._triples(np.flatnonzero(self._round > 0)))

    def asserted(self) -> Iterator[Triple]:
        """All asserted facts."""
        return iter(self._triples(np.flatnonzero(self._round == 0)))

    def follows_at(self, uid: str, *, back: bool, most: int = 0, of: Collection[str] | None = None) -> list[Triple]:
        """Derived facts of a subject, or (``back``) of an object, sorted by relation and other end.

        Args:
            uid: the entity.
            back: whether it is the object.
            most: so many facts of each of the relations ``of`` are enough; 0 for all.
            of: relations, ``None`` for all of them.
        """
        rows = self._rows_at(uid, back=back)
        rows = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        rows = rows[self._round[rows] > 0]
        if most and len(rows) > most:
            relation = self._relation[rows]
            kept = np.arange(len(rows)) - relation.searchsorted(relation) < most
            if of is not None:
                kept |= ~np.isin(relation, [self._relation_number[name] for name in of])
            rows = rows[kept]
        return self._triples(rows)

    def each_at(self, uid: str, relation: str, *, back: bool) -> Iterator[Held]:
        """Facts of an entity and a relation, read as far as they are looked at: a hub has thousands."""
        name = self._relation_number.get(relation)
        rows = self._rows_at(uid, back=back)
        rows = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        rows = rows[self._relation[rows] == name]
        for start in range(0, len(rows), _CHUNK):
            yield from self._held_rows(rows[start : start + _CHUNK])

    def counts_at(self, uid: str, *, back: bool, at_least: int = 0) -> dict[str, int]:
        """How many facts of each relation a subject has, or (``back``) an object; none where it has fewer in all."""
        rows = self._rows_at(uid, back=back)
        if (rows.stop - rows.start if isinstance(rows, slice) else len(rows)) < max(at_least, 1):
            return {}
        counts = np.bincount(self._relation[rows], minlength=len(self._relations))
        return {self._relations[n]: int(counts[n]) for n in np.flatnonzero(counts).tolist()}

    def relations_at(self, uid: str, *, back: bool) -> set[str]:
        """Relations of which an entity is a subject, or (``back``) an object."""
        rows = self._rows_at(uid, back=back)
        return {self._relations[n] for n in set(self._relation[rows].tolist())}

    def some_ends(self, uid: str, relation: str, *, back: bool, most: int) -> set[str]:
        """Other ends of an entity's facts of a relation, at most so many; itself left out."""
        rows = self._rows_at(uid, back=back)
        ends = (self._subject if back else self._object)[rows]
        ends = ends[(self._relation[rows] == self._relation_number[relation]) & (ends != self._number[uid])]
        return {self._uids[node] for node in ends[:most].tolist()}

    def _rows_at(self, uid: str, *, back: bool) -> Ints | slice:
        node = self._number.get(uid)
        if node is None:
            return slice(0, 0)
        start, end = (self._object_sorted if back else self._subject).searchsorted((node, node + 1)).tolist()
        return self._by_object[start:end] if back else slice(start, end)

    def types_at(self, relation: str, *, back: bool) -> Mapping[str, int]:
        """How many asserted facts of a relation have an object, or (``back``) a subject, of each type."""
        rows = (self._relation == self._relation_number.get(relation, _NONE)) & (self._round == 0)
        nodes, counts = np.unique((self._subject if back else self._object)[rows], return_counts=True)
        index, entities = self.lexicon.index, self.lexicon.entities
        found: dict[str, int] = {}
        for node, count in zip(nodes.tolist(), counts.tolist(), strict=True):
            position = index.get(self._uids[node])
            kind = "" if position is None else entities[position].type
            found[kind] = found.get(kind, 0) + count
        return found

    def distances(self, sources: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Hops over asserted facts in both directions from the nearest source, with it (ties: smallest uid)."""
        asserted = self._round == 0
        ends = np.concatenate([self._subject[asserted], self._object[asserted]])
        others = np.concatenate([self._object[asserted], self._subject[asserted]])
        order = np.argsort(ends, kind="stable")
        others, starts = others[order], np.searchsorted(ends[order], np.arange(len(self._uids) + 1))
        labels = sorted(sources)
        label = np.full(len(self._uids), len(labels), dtype=np.int64)
        hops = np.full(len(self._uids), _NONE, dtype=np.int64)
        known = [(n, self._number[uid]) for n, uid in enumerate(labels) if uid in self._number]
        for n, node in reversed(known):
            label[node], hops[node] = n, 0
        frontier = np.unique(np.array([node for _, node in known], dtype=np.int64))
        step = 0
        while len(frontier):
            step += 1
            counts = starts[frontier + 1] - starts[frontier]
            offsets = np.repeat(starts[frontier] - np.cumsum(counts) + counts, counts)
            reached = others[offsets + np.arange(int(counts.sum()))]
            fresh = hops[reached] == _NONE
            np.minimum.at(label, reached[fresh], np.repeat(label[frontier], counts)[fresh])
            frontier = np.unique(reached[fresh])
            hops[frontier] = step
        nodes = np.flatnonzero(hops != _NONE)
        found = zip(nodes.tolist(), hops[nodes].tolist(), label[nodes].tolist(), strict=True)
        missing = {uid: (0, uid) for uid in labels if uid not in self._number}
        return missing | {self._uids[node]: (hop, labels[near]) for node, hop, near in found}

    def _held(self, row: int) -> Held:
        triple = (
            self._uids[self._subject.item(row)],
            self._relations[self._relation.item(row)],
            self._uids[self._object.item(row)],
        )
        return Held(triple, self._round.item(row))

    def _held_rows(self, rows: Ints | slice) -> list[Held]:
        return list(map(Held, self._triples(rows), self._round[rows].tolist()))

    def _triples(self, rows: NDArray[np.integer[Any]] | slice) -> list[Triple]:
        """The facts of many rows; a list's items are found faster by plain integers than by those of NumPy."""
        uids, relations = self._uids, self._relations
        columns = (self._subject[rows].tolist(), self._relation[rows].tolist(), self._object[rows].tolist())
        return [(uids[s], relations[r], uids[o]) for s, r, o in zip(*columns, strict=True)]

    def _row(self, triple: Triple) -> int:
        subject, obj = self._number.get(triple[0]), self._number.get(triple[2])
        relation = self._relation_number.get(triple[1])
        if subject is None or obj is None or relation is None:
            return _NONE
        key = (subject * len(self._relations) + relation) * len(self._uids) + obj
        row = bisect_left(self._key_view, key)  # a third of the time of NumPy's search for a single key
        return row if row < len(self._key) and self._key_view[row] == key else _NONE

    def _rows(self, triples: Sequence[Triple]) -> NDArray[np.int64]:
        """Rows of many facts, ``_NONE`` where one does not hold. Shape ``(len(triples),)``."""
        number, name, wide, size = self._number, self._relation_number, len(self._relations), len(self._uids)
        keys = np.array(
            [
                (number[s] * wide + name[r]) * size + number[o] if s in number and o in number and r in name else _NONE
                for s, r, o in triples
            ],
            dtype=np.int64,
        )
        if not len(keys) or not len(self._key):
            return np.full(len(keys), _NONE, dtype=np.int64)
        rows = np.minimum(self._key.searchsorted(keys), len(self._key) - 1)
        return np.where(self._key[rows] == keys, rows, _NONE)

    def _keys(self, subject: Ints, relation: Ints, obj: Ints) -> NDArray[np.int64]:
        wide = subject.astype(np.int64) * len(self._relations) + relation
        return wide * len(self._uids) + obj

    def _proofs(self, derived: Mapping[str, Derived]) -> tuple[bytes, NDArray[np.int8], Ints]:
        """Ids of all facts, and for derived ones the rule and the rows of the premises."""
        names = {fact.triple: name for name, fact in derived.items()}
        graph_id = self.graph_id
        ids = [names.get(triple) or fact_id(graph_id, *triple) for triple in self._triples(slice(None))]
        rule = np.zeros(len(ids), dtype=np.int8)
        premises = np.full((len(ids), 2), _NONE, dtype=np.int32)
        if derived:
            rows = {name: row for row, name in enumerate(ids)}
            numbers = {name: n for n, name in enumerate(self._rules)}
            where = [rows[name] for name in derived]
            rule[where] = [numbers[fact.rule] for fact in derived.values()]
            premises[where] = [
                [rows[fact.premises[0]], rows[fact.premises[1]] if len(fact.premises) > 1 else _NONE]
                for fact in derived.values()
            ]
        return bytes.fromhex("".join(ids)), rule, premises


def _numbered(
    lexicon: Lexicon, rules: Rules, asserted: Iterable[Triple], derived: Mapping[str, Derived]
) -> tuple[list[str], list[str], Ints]:
    """Uids, relation names and the columns subject, relation, object, round."""
    facts = [(*triple, 0) for triple in sorted(set(asserted))]
    facts += [(*fact.triple, fact.round) for fact in derived.values()]
    uids = sorted({uid for s, _, o, _ in facts for uid in (s, o)} | {entity.uid for entity in lexicon.entities})
    relations = sorted(rules.types)
    number, name = {uid: n for n, uid in enumerate(uids)}, {r: n for n, r in enumerate(relations)}
    rows = [(number[s], name[r], number[o], depth) for s, r, o, depth in facts]
    return uids, relations, np.array(rows, dtype=np.int32).reshape(-1, 4)
