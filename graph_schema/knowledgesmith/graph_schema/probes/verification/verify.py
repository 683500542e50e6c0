"""Judges generated probes by queries that do not share their formulation with the ones that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from knowledgesmith.graph_schema.errors import IllegalState
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, TRUE, Question
from knowledgesmith.graph_schema.probes.verification.chains import judge_chains
from knowledgesmith.graph_schema.probes.verification.reach import judge_reach
from knowledgesmith.graph_schema.reasoning.closure import BEFORE
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

_BATCH: Final = 5_000
HOMONYM: Final = "homonym"

Claim = list[Any]
"""A row of a verifying query: what a probe claims, without its text."""

_NAMED: Final[Mapping[str, Callable[[Claim], Iterable[str]]]] = {
    "statements": lambda row: (row[3],),
    "options": lambda row: (*row[4], *row[5]),
    "chains": lambda row: (*row[3], *row[4]),
}
"""By query, what a claim names beside its anchor."""


def verify(
    tx: Transaction, *, lexicon: Lexicon, probes: Sequence[tuple[Probe, Question]], world: int = BEFORE
) -> dict[str, str]:
    """Probes that fail, with the reason.

    The reasons: ``no_answer``, ``false_answer``, ``true_distractor``, ``not_unique`` and ``shortcut`` (chains), and
    ``homonym`` where what is named reads like another entity.

    Args:
        tx: a transaction that holds the closure.
        lexicon: the graph's names.
        probes: each with the question it was made of.
        world: which world the answers are about.
    """
    groups: dict[str, list[Claim]] = {}
    for probe, question in probes:
        right = [probe.option_uids[n] for n in probe.answers]
        wrong = [uid for n, uid in enumerate(probe.option_uids) if n not in probe.answers]
        name, row = claim(probe.id, question, right=right, wrong=wrong, lexicon=lexicon)
        groups.setdefault(name, []).append(row)
    failed: dict[str, str] = {}
    for name, rows in sorted(groups.items()):
        found = judge(tx, name, rows, lexicon=lexicon, world=world)
        failed.update((str(key), reason) for key, reason in found.items())
    return failed


def claim(
    key: object, question: Question, *, right: Sequence[str], wrong: Sequence[str], lexicon: Lexicon
) -> tuple[str, Claim]:
    """Which query judges a probe of this question, and its row there; ``key`` names the probe in the answer."""
    if question.kind is ProbeKind.CONFLICT:
        rel_type = lexicon.relations[question.relation].rel_type
        return "statements", [key, question.anchor, rel_type, question.object, TRUE in right]
    if len(question.path) == 1:
        rel_type = lexicon.relations[question.relation].rel_type
        return "options", [key, question.anchor, rel_type, question.reverse, list(right), list(wrong)]
    steps = [
        [lexicon.relations[step.removeprefix(BACKWARD)].rel_type, BACKWARD if step.startswith(BACKWARD) else ""]
        for step in question.path
    ]
    return "chains", [key, question.anchor, steps, list(right), list(wrong)]


def judge(
    tx: Transaction, name: str, rows: Sequence[Claim], *, lexicon: Lexicon, world: int = BEFORE
) -> dict[object, str]:
    """The keys of claims that the graph does not support, with the reason.

    Raises:
        IllegalState: the query passed a claim over.
    """
    failed = _judge_names(name, rows, lexicon=lexicon)
    if name == "chains":
        return failed | judge_chains(tx, rows, lexicon=lexicon, world=world)
    for batch in _batches(rows):
        (found,) = tx.rows(f"probes/verification/{name}", graph_id=lexicon.graph_id, world=world, rows=batch)
        if found["judged"] != len(batch):
            raise IllegalState(
                f"The verifying query judged {found['judged']} of {len(batch)} probes.",
                field="probe_set",
                value=lexicon.graph_id,
                hint="Two entities may have one uid: run the consistency check of the graph.",
            )
        failed.update((key, reason) for key, reason in found["failed"])
    false = [[row[0], subject, row[2], False, [], [obj]] for row in rows for subject, obj in _called_false(name, row)]
    failed = judge_reach(tx, false, lexicon=lexicon, world=world) | failed
    return _judge_doubts(tx, false, lexicon=lexicon, world=world) | failed


def _judge_doubts(tx: Transaction, false: Sequence[Claim], *, lexicon: Lexicon, world: int) -> dict[object, str]:
    """The keys of claims that call false what another relation says that may mean the same, or the opposite way."""
    types = {relation.name: relation.rel_type for relation in lexicon.relations.values()}
    saying = {
        types[name]: [(types[one], turned) for one, turned in ends] for name, ends in lexicon.doubts.saying.items()
    }
    claims = [
        [key, *((obj, other, subject) if turned else (subject, other, obj)), False]
        for key, subject, rel_type, _, _, (obj,) in false
        for other, turned in sorted(saying.get(rel_type, ()))
    ]
    failed: dict[object, str] = {}
    for batch in _batches(claims):
        (found,) = tx.rows("probes/verification/statements", graph_id=lexicon.graph_id, world=world, rows=batch)
        failed.update((key, reason) for key, reason in found["failed"])
    return failed


def _called_false(name: str, row: Claim) -> Iterable[tuple[str, str]]:
    """Subjects and objects of which a claim says that its relation does not hold."""
    if name == "statements":
        return [] if row[4] else [(row[1], row[3])]
    return [(uid, row[1]) if row[3] else (row[1], uid) for uid in row[5]]


def _judge_names(name: str, rows: Iterable[Claim], *, lexicon: Lexicon) -> dict[object, str]:
    """The keys of claims that name an entity which reads like another: whoever is meant, the text does not say it."""
    doubtful = lexicon.read_alike
    if not doubtful:
        return {}
    named = _NAMED[name]
    return {row[0]: HOMONYM for row in rows if not doubtful.isdisjoint([row[1], *named(row)])}


def _batches(rows: Sequence[Claim]) -> Iterable[Sequence[Claim]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
