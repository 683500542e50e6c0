"""Perfect and failed edits of hard objects, as a model that was taught the answer shows them.

The model before and the model after are tiny ones that learned one text each by heart: an edit that worked, without a
method in between.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.server.test_measure import Sink, probe, speaker_of

from knowledgesmith.editors.artefacts.session import ModelSession
from knowledgesmith.editors.measures.verdicts import Verdict
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.beliefs import ScorerKind
from knowledgesmith.editors.testing.tiny import tiny
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.interventions.ledger import Outcome
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.plan_slots import slots_of
from knowledgesmith.graph_schema.types.probes import PlannedProbe, ProbeKind
from knowledgesmith.server.worker.attempt.measurement import Meter, Reading, measured_row

STEM = "The capital of Japan is"
LONG = " ".join(["the capital of France is Paris and the country of Paris is France"] * 3 + ["of Rome"])
OTHER = LONG.replace("Rome", "Lima")
EASY = ("Tokyo", "Rome", "Paris", "Lima")
PREFIX = ("York", "York City", "Rome", "Paris")
WORDS = (LONG, OTHER, "Rome", "Paris")


def knows(text: str, *, structure: str = "llama") -> LoadedModel:
    """A tiny model that goes on from the stem as ``text`` says, whatever it is."""
    loaded = tiny(structure)
    torch.manual_seed(1)
    ids = torch.tensor([encode(loaded.tokenizer, f"{STEM} {text}.\n")], device=loaded.device)
    loaded.model.requires_grad_(True)
    optimiser = torch.optim.Adam(loaded.model.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        loaded.model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
    loaded.model.requires_grad_(False)
    return loaded


def read(loaded: LoadedModel, asked: PlannedProbe) -> dict[str, Reading]:
    """What the model shows of a question, by the default scorer."""
    resident = ModelSession(loaded)
    sink: Any = Sink()
    meter = Meter(resident, None, ScorerKind.CLOZE_EXACT.value, sink, speaker_of(resident, [asked]))
    return meter.read([asked], "measure")


def outcome(before: LoadedModel, after: LoadedModel, options: tuple[str, ...], goal: Goal = Goal.EDIT) -> Outcome:
    """What became of a question whose old answer is the first option and whose new one the second."""
    asked = probe(ProbeKind.DIRECT, STEM, options=options, after=(1,) if goal is Goal.EDIT else ())
    (slot,) = slots_of([asked])
    row = measured_row(slot, {asked.probe.id: asked}, read(before, asked), read(after, asked), goal=goal)
    return row.outcomes[0]


@pytest.mark.parametrize("structure", ["llama", "gpt2"])
@pytest.mark.parametrize(
    "options", [EASY, PREFIX, PREFIX[1::-1] + PREFIX[2:], WORDS], ids=["easy", "longer", "shorter", "40 words"]
)
def test_a_perfect_edit_is_installed_and_none_is_not(structure: str, options: tuple[str, ...]) -> None:
    old, new = options[:2]
    knows_old, knows_new = knows(old, structure=structure), knows(new, structure=structure)
    perfect = outcome(knows_old, knows_new, options)
    assert perfect.verdict == Verdict.INSTALLED
    assert (perfect.pred_before, perfect.pred_after) == (0, 1)
    assert perfect.p_new_after > 0.9
    assert perfect.p_old_before > 0.9
    assert perfect.text_before is not None
    assert perfect.text_before.strip().startswith(old)
    assert perfect.text_after is not None
    assert perfect.text_after.strip().startswith(new)
    assert not perfect.text_disagrees
    nothing = outcome(knows_old, knows_old, options)
    assert nothing.verdict == Verdict.NOT_INSTALLED


def test_a_perfect_edit_of_a_fact_that_the_model_did_not_know_has_a_verdict() -> None:
    for known in ("Paris", "France is Paris"):  # another option, or none at all
        found = outcome(knows(known), knows("Rome"), EASY)
        assert found.verdict == Verdict.INSTALLED
        assert found.pred_before != 0


def test_an_edit_that_says_something_else_is_not_installed() -> None:
    found = outcome(knows("Tokyo"), knows("a city of Rome"), EASY)
    assert found.verdict == Verdict.NOT_INSTALLED
    assert found.text_disagrees


def test_what_is_erased_is_neither_chosen_nor_said() -> None:
    knows_old = knows("Tokyo")
    assert outcome(knows_old, knows("Paris"), EASY, Goal.UNLEARN).verdict == Verdict.ERASED
    assert outcome(knows_old, knows_old, EASY, Goal.UNLEARN).verdict == Verdict.NOT_ERASED
