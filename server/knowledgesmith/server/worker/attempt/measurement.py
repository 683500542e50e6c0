"""Measuring a plan's probes: score options, turn scores into beliefs, beliefs and texts into ledger rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.editors.measures.verdicts import ProbeOutcome, Said, summarise, verdict
from knowledgesmith.editors.scoring.beliefs import (
    NO_CHOICE,
    Belief,
    ScorerKind,
    believe,
    option_values,
    scorers_disagree,
)
from knowledgesmith.editors.scoring.cache import ScoreCache, score_with_cache
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.statements import believe_statement
from knowledgesmith.graph_schema.interventions.ledger import Measured, Outcome
from knowledgesmith.graph_schema.types.probes import Polarity, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from knowledgesmith.editors.artefacts.session import ModelSession
    from knowledgesmith.editors.scoring.beliefs import OptionScore
    from knowledgesmith.graph_schema.types.interventions import Goal
    from knowledgesmith.graph_schema.types.plans import LedgerSlot
    from knowledgesmith.graph_schema.types.probes import PlannedProbe
    from knowledgesmith.server.metrics import MetricSink
    from knowledgesmith.server.worker.attempt.greedy_texts import Speaker, Spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one probe shows under one state of the model.

    ``split``: the scorers do not agree on the best option. ``spoken`` is there for direct questions about targets.
    """

    belief: Belief
    split: bool = False
    spoken: Spoken | None = None


class Meter:
    """Reads planned probes under whatever revision the resident model shows."""

    def __init__(
        self,
        resident: ModelSession,
        cache: ScoreCache | None,
        scorer: str,
        sink: MetricSink,
        speaker: Speaker | None = None,
    ) -> None:
        self._resident = resident
        self._cache = cache
        self._kind = ScorerKind(scorer)
        self._scorer = Scorer(resident.loaded)
        self._sink = sink
        self._speaker = speaker

    def read(self, probes: Sequence[PlannedProbe], phase: str) -> dict[str, Reading]:
        """Readings by probe id. Without a cache every score is computed anew (placebo runs)."""
        pairs = [(stem, option) for planned in probes for stem in _stems(planned) for option in planned.probe.options]
        if self._cache is None:
            scores = self._scorer.score(pairs)
        else:
            state = self._resident.state_digest()
            scores = score_with_cache(self._scorer, self._cache, state, pairs)
        self._sink.inc("ksmith_probes_scored", len(probes), phase=phase)
        spoken = self._speaker.says(probes, phase) if self._speaker else {}
        found = iter(scores)
        return {planned.probe.id: self._reading(planned, found, spoken.get(planned.probe.id)) for planned in probes}

    def _reading(self, planned: PlannedProbe, scores: Iterator[OptionScore], spoken: Spoken | None) -> Reading:
        stated, *denied = [[next(scores) for _ in planned.probe.options] for _ in _stems(planned)]
        values = option_values(self._kind, stated)
        if denied:
            belief = believe_statement(
                values, option_values(self._kind, denied[0]), before=planned.before, after=planned.after
            )
            return Reading(belief=belief)
        belief = believe(values, before=planned.before, after=planned.after)
        return Reading(belief=belief, split=scorers_disagree(stated), spoken=spoken)


def _stems(planned: PlannedProbe) -> tuple[str, ...]:
    """What is scored: of a statement also its denial."""
    probe = planned.probe
    return (probe.text, probe.counter_stem) if probe.counter_stem else (probe.text,)


def measured_row(
    slot: LedgerSlot,
    planned: Mapping[str, PlannedProbe],
    before: Mapping[str, Reading],
    after: Mapping[str, Reading],
    *,
    goal: Goal,
) -> Measured:
    """The ledger row of one slot (design: belief, verdict, metrics)."""
    probes = [planned[probe_id] for probe_id in slot.probe_ids]
    role = slot.role or (Role.STAYS if slot.polarity is Polarity.STAY else Role.FOLLOWS)
    outcomes = [_judged(one, before[one.probe.id], after[one.probe.id], role=role, goal=goal) for one in probes]
    row = summarise(outcomes)
    had_old, has_new = any(p.before for p in probes), any(p.after for p in probes)
    return Measured(
        before=row.before if had_old else None,
        after=row.after if had_old else None,
        new_before=row.new_before if has_new else None,
        new_after=row.new_after if has_new else None,
        n=row.n,
        outcomes=tuple(
            _outcome(p.probe.id, outcome, before[p.probe.id], after[p.probe.id])
            for p, outcome in zip(probes, outcomes, strict=True)
        ),
        **{f"n_{kind.value.lower()}": count for kind, count in row.counts.items()},
    )


def _judged(planned: PlannedProbe, before: Reading, after: Reading, *, role: Role, goal: Goal) -> ProbeOutcome:
    said = Said(option=after.spoken.option) if after.spoken else None
    found = verdict(
        planned.before, planned.after, before.belief.pred, after.belief.pred, role=role, goal=goal, said=said
    )
    return ProbeOutcome(before=before.belief, after=after.belief, verdict=found)


def _outcome(probe_id: str, outcome: ProbeOutcome, before: Reading, after: Reading) -> Outcome:
    return Outcome(
        probe_id=probe_id,
        pred_before=outcome.before.pred,
        pred_after=outcome.after.pred,
        p_old_before=outcome.before.p_old,
        p_old_after=outcome.after.p_old,
        p_new_before=outcome.before.p_new,
        p_new_after=outcome.after.p_new,
        verdict=outcome.verdict.value,
        text_before=before.spoken.text if before.spoken else None,
        text_after=after.spoken.text if after.spoken else None,
        text_disagrees=after.spoken is not None and outcome.after.pred not in {NO_CHOICE, after.spoken.option},
        scorers_disagree=after.split,
    )
