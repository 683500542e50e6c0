"""What is told of an intervention beside its figures: what the model cannot be expected to say, whatever the method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from knowledgesmith.editors.scoring.spelling import UNKNOWN_NATS, Spelling, spell
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.server.worker.attempt.greedy_texts import spoken_probes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.graph_schema.types.plans import Plan

_SHOWN: Final = 3
_MOST: Final = 256
"""Names that are spelled; of more the first ones speak."""


def notes_of(loaded: LoadedModel, plan: Plan) -> list[str]:
    """Lines for the intervention, read on the model before the change; empty where there is nothing to say."""
    if plan.goal is not Goal.EDIT:
        return []
    stems: dict[str, str] = {}
    for one in spoken_probes(plan.probes):
        for option in one.after:
            name = one.probe.options[option].strip()
            if name and len(stems) < _MOST:
                stems.setdefault(name, one.probe.text)
    return spelling_notes(spell(loaded, [(stem, name) for name, stem in stems.items()]))


def spelling_notes(names: Sequence[Spelling]) -> list[str]:
    """One line that names the new objects the model does not know how to write, the least known first."""
    unknown = sorted((one for one in names if not one.known), key=lambda one: (-one.nats, one.name))
    if not unknown:
        return []
    examples = ", ".join(
        f"“{one.name}” ({one.tokens} tokens, {one.given} of the last {one.tokens - 1} known)"
        for one in unknown[:_SHOWN]
    )
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    note = (
        f"the model does not know how to write {len(unknown)} of {len(names)} new names: {examples}{more}. With the "
        f"first token given the rest comes with a probability below 1 in {math.exp(UNKNOWN_NATS):,.0f}; an edit must "
        "teach the spelling too, and what is said then often begins right and ends wrong"
    )
    return [note]
