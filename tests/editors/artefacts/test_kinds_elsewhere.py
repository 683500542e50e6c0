"""Memories and contexts where the model lies on another device: what they hold goes there, and comes to the same."""

from __future__ import annotations

import pytest
from tests.editors.artefacts.tiny_methods import Remember, Tell
from tests.editors.pretend import ELSEWHERE, moved, pretended

from knowledgesmith.editors.artefacts.base import Artefact
from knowledgesmith.editors.artefacts.memory import Acts
from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.contract import MethodConfig
from knowledgesmith.editors.health.likelihood import text_losses
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.passes import own_distributions
from knowledgesmith.editors.objective.rows import rows
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

REQUEST = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
STEMS = [update.prompts[0].text for update in REQUEST.updates]
PAIRS = [(stem, option) for stem in STEMS for option in ("the city of Osaka", "C")]


def read(loaded: LoadedModel) -> tuple[list[float], list[str], list[float], list[float]]:
    scores = [score.sum_logprob for score in Scorer(loaded).score(PAIRS)]
    losses = [loss.total for loss in text_losses(loaded, REQUEST.statistics_text)]
    own = own_distributions(loaded.model, rows(loaded.tokenizer, PAIRS), k=1, device=loaded.device)
    shares = [float(targets.probs[0, 0].cpu()) for targets in own]
    return scores, generate(loaded, STEMS, max_new_tokens=5), losses, shares


@pytest.mark.parametrize("acts", list(Acts))
def test_what_is_attached_lies_where_the_model_lies(acts: Acts) -> None:
    here = tiny_llama()
    statistics, config = TextStatistics(here, REQUEST.statistics_text, None), MethodConfig()
    chain: list[Artefact] = [
        Remember(config, acts=acts, wide=3.0).apply(here, REQUEST, statistics, Recorder()),
        Tell(config).apply(here, REQUEST, statistics, Recorder()),
    ]
    base = read(here)
    for artefact in chain:
        with attached(here, artefact):
            wanted = read(here)
        assert wanted[0] != pytest.approx(base[0], rel=1e-3)
        with pretended():
            there = moved(tiny_llama())
            with attached(there, artefact):
                assert there.device == ELSEWHERE
                found = read(there)
        assert found[1] == wanted[1]
        for figures, expected in zip((found[0], found[2], found[3]), (wanted[0], wanted[2], wanted[3]), strict=True):
            assert figures == pytest.approx(expected, rel=1e-4)
