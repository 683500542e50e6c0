"""Judges what is called false of a transitive relation, or of one that may be, by ways over asserted facts.

Whatever the closure derived: a way is a proof. Facts that may say the relation, by its name, are steps too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.facts import Relation

_BATCH: Final = 5_000


def judge_reach(tx: Transaction, claims: Sequence[Sequence[Any]], *, lexicon: Lexicon, world: int) -> dict[object, str]:
    """The keys of claims with a wrong option that a way of asserted facts leads to.

    Args:
        tx: a transaction.
        claims: rows ``[key, anchor, type, backward, right options, wrong options]``.
        lexicon: the graph's names.
        world: which world the answers are about.
    """
    by_type: dict[str, list[Sequence[Any]]] = {}
    for row in claims:
        by_type.setdefault(row[2], []).append(row)
    failed: dict[object, str] = {}
    for relation in lexicon.relations.values():
        rows = by_type.get(relation.rel_type, ())
        if not rows or not lexicon.doubts.goes_on(relation.name):
            continue
        above = _Above.read(
            tx,
            lexicon=lexicon,
            world=world,
            types=_types(relation, lexicon),
            subjects={uid for row in rows for uid in (row[5] if row[3] else [row[1]])},
        )
        for key, anchor, _, backward, _, wrong in rows:
            pairs = ((uid, anchor) if backward else (anchor, uid) for uid in wrong)
            if any(end in above.of(start) for start, end in pairs):
                failed[key] = "true_distractor"
    return failed


def _types(relation: Relation, lexicon: Lexicon) -> tuple[list[str], list[str]]:
    """Types of the facts that say the same as a relation, or more, or may: from its subject, and from its object."""
    ends = {(relation.name, False), *lexicon.doubts.saying[relation.name]}
    types = [
        sorted(lexicon.relations[name].rel_type for name, turned in ends if turned is back) for back in (False, True)
    ]
    return types[0], types[1]


@dataclass(slots=True, kw_only=True)
class _Above:
    """One step up from every entity that a way from the subjects comes by, and what lies above them."""

    steps: dict[str, list[str]]
    known: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    @classmethod
    def read(
        cls,
        tx: Transaction,
        *,
        lexicon: Lexicon,
        world: int,
        types: tuple[list[str], list[str]],
        subjects: Iterable[str],
    ) -> _Above:
        steps: dict[str, list[str]] = {}
        todo = sorted(set(subjects))
        scope = {"graph_id": lexicon.graph_id, "world": world, "ahead": types[0], "back": types[1]}
        while todo:
            for start in range(0, len(todo), _BATCH):
                rows = tx.rows("probes/verification/up", **scope, uids=todo[start : start + _BATCH])
                steps.update((row["uid"], row["ends"]) for row in rows)
            todo = sorted({end for uid in todo for end in steps.get(uid, ())} - steps.keys())
        return cls(steps=steps)

    def of(self, uid: str) -> frozenset[str]:
        """Everything that a way from an entity leads to."""
        if uid not in self.known:
            seen, todo = {uid}, [uid]
            while todo:
                fresh = set(self.steps.get(todo.pop(), ())) - seen
                seen |= fresh
                todo += fresh
            self.known[uid] = frozenset(seen - {uid})
        return self.known[uid]
