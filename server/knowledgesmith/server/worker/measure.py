"""Measuring a plan's probes: score options, turn scores into beliefs, beliefs into ledger rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.editors.beliefs import Belief, ScorerKind, believe, option_values
from knowledgesmith.editors.score_cache import ScoreCache, score_with_cache
from knowledgesmith.editors.scoring import Scorer
from knowledgesmith.editors.verdicts import ProbeOutcome, summarise, verdict
from knowledgesmith.graph_schema.ledger import Measured, Outcome
from knowledgesmith.graph_schema.probes.types import Polarity, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.editors.surgery.resident import ResidentModel
    from knowledgesmith.graph_schema.interventions import Goal
    from knowledgesmith.graph_schema.plan_types import LedgerSlot
    from knowledgesmith.graph_schema.probes.types import PlannedProbe
    from knowledgesmith.server.metrics import MetricSink


class Meter:
    """Beliefs of planned probes under whatever revision the resident model shows."""

    def __init__(self, resident: ResidentModel, cache: ScoreCache | None, scorer: str, sink: MetricSink) -> None:
        self._resident = resident
        self._cache = cache
        self._kind = ScorerKind(scorer)
        self._scorer = Scorer(resident.loaded)
        self._sink = sink

    def beliefs(self, probes: Sequence[PlannedProbe], phase: str) -> dict[str, Belief]:
        """Belief by probe id. Without a cache every score is computed anew (placebo runs)."""
        pairs = [(planned.probe.text, option) for planned in probes for option in planned.probe.options]
        if self._cache is None:
            scores = self._scorer.score(pairs)
        else:
            revision = self._resident.weights_sha256()
            scores = score_with_cache(self._scorer, self._cache, revision, pairs)
        self._sink.inc("ksmith_probes_scored", len(probes), phase=phase)
        found = iter(scores)
        return {
            planned.probe.id: believe(
                option_values(self._kind, [next(found) for _ in planned.probe.options]),
                before=planned.before,
                after=planned.after,
            )
            for planned in probes
        }


def measured_row(
    slot: LedgerSlot,
    planned: Mapping[str, PlannedProbe],
    before: Mapping[str, Belief],
    after: Mapping[str, Belief],
    *,
    goal: Goal,
) -> Measured:
    """The ledger row of one slot (design: belief, verdict, metrics)."""
    probes = [planned[probe_id] for probe_id in slot.probe_ids]
    role = slot.role or (Role.STAYS if slot.polarity is Polarity.STAY else Role.FOLLOWS)
    outcomes = [
        ProbeOutcome(
            before=before[p.probe.id],
            after=after[p.probe.id],
            verdict=verdict(p.before, p.after, before[p.probe.id].pred, after[p.probe.id].pred, role=role, goal=goal),
        )
        for p in probes
    ]
    row = summarise(outcomes)
    had_old, has_new = any(p.before for p in probes), any(p.after for p in probes)
    return Measured(
        before=row.before if had_old else None,
        after=row.after if had_old else None,
        new_before=row.new_before if has_new else None,
        new_after=row.new_after if has_new else None,
        n=row.n,
        outcomes=tuple(_outcome(p.probe.id, outcome) for p, outcome in zip(probes, outcomes, strict=True)),
        **{f"n_{kind.value.lower()}": count for kind, count in row.counts.items()},
    )


def _outcome(probe_id: str, outcome: ProbeOutcome) -> Outcome:
    return Outcome(
        probe_id=probe_id,
        pred_before=outcome.before.pred,
        pred_after=outcome.after.pred,
        p_old_before=outcome.before.p_old,
        p_old_after=outcome.after.p_old,
        p_new_before=outcome.before.p_new,
        p_new_after=outcome.after.p_new,
        verdict=outcome.verdict.value,
    )
