"""Judges generated probes by queries that do not share their formulation with the ones that made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from knowledgesmith.graph_schema.closure import BEFORE
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.questions import BACKWARD, TRUE, Question
from knowledgesmith.graph_schema.probes.types import Probe, ProbeKind
from knowledgesmith.graph_schema.store import Transaction

_BATCH: Final = 5_000


def verify(
    tx: Transaction, *, lexicon: Lexicon, probes: Sequence[tuple[Probe, Question]], world: int = BEFORE
) -> dict[str, str]:
    """Probes that fail, with the reason.

    The reasons: ``no_answer``, ``false_answer``, ``true_distractor``, ``not_unique`` and ``shortcut`` (chains).

    Args:
        tx: a transaction that holds the closure.
        lexicon: the graph's names.
        probes: each with the question it was made of.
        world: which world the answers are about.
    """
    groups: dict[str, list[list[object]]] = {"options": [], "chains": [], "statements": []}
    for probe, question in probes:
        name, row = _row(probe, question, lexicon)
        groups[name].append(row)
    failed: dict[str, str] = {}
    for name, rows in groups.items():
        more = {"types": lexicon.rel_types} if name == "chains" else {}
        for batch in _batches(rows):
            found = tx.rows(f"verify/{name}", graph_id=lexicon.graph_id, world=world, rows=batch, **more)
            failed.update((row["id"], row["reason"]) for row in found)
    return failed


def _row(probe: Probe, question: Question, lexicon: Lexicon) -> tuple[str, list[object]]:
    rel_type = lexicon.relations[question.relation].rel_type
    if probe.kind is ProbeKind.CONFLICT:
        claimed = any(probe.option_uids[n] == TRUE for n in probe.answers)
        return "statements", [probe.id, probe.anchor, rel_type, question.object, claimed]
    right = [probe.option_uids[n] for n in probe.answers]
    wrong = [uid for n, uid in enumerate(probe.option_uids) if n not in probe.answers]
    if probe.chain_length == 1:
        return "options", [probe.id, probe.anchor, rel_type, question.reverse, right, wrong]
    types = {name: relation.rel_type for name, relation in lexicon.relations.items()}
    steps = [[types[step.removeprefix(BACKWARD)], BACKWARD if step.startswith(BACKWARD) else ""] for step in probe.path]
    return "chains", [probe.id, probe.anchor, steps, right, wrong]


def _batches(rows: Sequence[list[object]]) -> Iterable[Sequence[list[object]]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
