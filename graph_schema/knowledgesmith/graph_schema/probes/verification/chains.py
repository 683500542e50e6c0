"""Judges chains step by step over a whole batch: a step that many chains take is looked up once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from knowledgesmith.graph_schema.errors import IllegalState
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.storage.store import Transaction

_BATCH: Final = 5_000

Step = tuple[str, str, bool]
"""Entity, relationship type, backward."""


def judge_chains(
    tx: Transaction, claims: Sequence[Sequence[Any]], *, lexicon: Lexicon, world: int
) -> dict[object, str]:
    """The keys of chains that fail, with the reason.

    Args:
        tx: a transaction that holds the closure.
        claims: rows ``[key, anchor, steps, right options, wrong options]``; a step is a type and ``""`` or ``"~"``.
        lexicon: the graph's names.
        world: which world the answers are about.
    """
    walks = [[str(row[1])] for row in claims]
    reasons: list[str] = ["" for _ in claims]
    for depth in range(max((len(row[2]) for row in claims), default=0)):
        going = [n for n, row in enumerate(claims) if not reasons[n] and depth < len(row[2])]
        steps = {n: _step(walks[n][-1], claims[n][2][depth]) for n in going}
        ends = _ends(tx, sorted(set(steps.values())), lexicon=lexicon, world=world)
        for n in going:
            found = ends[steps[n]]
            reasons[n] = "" if len(found) == 1 else "not_unique" if found else "no_answer"
            walks[n] += found[:1]
    linked = _linked(tx, [walks[n] for n, reason in enumerate(reasons) if not reason], lexicon=lexicon, world=world)
    judged = (
        (row[0], reason or _judged(walk, right=row[3], wrong=row[4], linked=linked))
        for row, walk, reason in zip(claims, walks, reasons, strict=True)
    )
    return {key: reason for key, reason in judged if reason}


def _step(entity: str, step: Sequence[str]) -> Step:
    return (entity, step[0], bool(step[1]))


def _judged(
    walk: Sequence[str], *, right: Sequence[str], wrong: Sequence[str], linked: Mapping[str, frozenset[str]]
) -> str:
    """What is wrong with a chain whose steps have one answer each; ``walk`` are its entities from anchor to end."""
    end = walk[-1]
    if not right:
        return "no_answer"
    if len(set(walk)) < len(walk):
        return "not_unique"
    if end not in right or len(right) > 1:
        return "false_answer"
    if end in wrong:
        return "true_distractor"
    return "shortcut" if end in linked[walk[0]] else ""


def _ends(tx: Transaction, steps: Sequence[Step], *, lexicon: Lexicon, world: int) -> dict[Step, list[str]]:
    found: dict[Step, list[str]] = {}
    for start in range(0, len(steps), _BATCH):
        batch = steps[start : start + _BATCH]
        rows = [list(step) for step in batch]
        (answer,) = tx.rows("probes/verification/steps", graph_id=lexicon.graph_id, world=world, rows=rows)
        if len(answer["ends"]) != len(batch):
            raise _uneven(lexicon.graph_id)
        found.update(zip(batch, answer["ends"], strict=True))
    return found


def _linked(
    tx: Transaction, walks: Iterable[Sequence[str]], *, lexicon: Lexicon, world: int
) -> dict[str, frozenset[str]]:
    ends: dict[str, set[str]] = {}
    for walk in walks:
        ends.setdefault(walk[0], set()).add(walk[-1])
    rows = [[start, sorted(uids)] for start, uids in sorted(ends.items())]
    found: dict[str, frozenset[str]] = {}
    for start in range(0, len(rows), _BATCH):
        (answer,) = tx.rows(
            "probes/verification/links",
            graph_id=lexicon.graph_id,
            world=world,
            types=lexicon.rel_types,
            rows=rows[start : start + _BATCH],
        )
        found.update((anchor, frozenset(uids)) for anchor, uids in answer["linked"])
    if len(found) != len(rows):
        raise _uneven(lexicon.graph_id)
    return found


def _uneven(graph_id: str) -> IllegalState:
    return IllegalState(
        "The verifying query passed a chain over.",
        field="probe_set",
        value=graph_id,
        hint="Two entities may have one uid: run the consistency check of the graph.",
    )
