"""The quality benchmark's protocol: parts and runs share no fact, the run is the unit, and the leak check bites."""

from __future__ import annotations

import math

import pytest
from benchmarks.quality_facts import RUNS, Asked, Part, draw, part_of, run_of
from benchmarks.quality_leaks import check_texts, texts_of, texts_shown
from benchmarks.quality_rates import interval, over_runs
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.methods.finetune import FineTune, FineTuneConfig
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot
from knowledgesmith.graph_schema.types.facts import Entity, Fact, Relation, Traits
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

UIDS = st.text(min_size=1, max_size=8)


@given(subject=UIDS, obj=UIDS, relations=st.lists(UIDS, min_size=2, max_size=2))
def test_a_fact_and_its_inverse_have_one_part_and_one_run(subject: str, obj: str, relations: list[str]) -> None:
    there = Fact(subject=subject, relation=relations[0], object=obj, source="")
    back = Fact(subject=obj, relation=relations[1], object=subject, source="")
    assert part_of(there) is part_of(back)
    assert run_of(there) == run_of(back) < RUNS


def world(count: int = 400) -> tuple[GraphSnapshot, list[Asked], dict[str, str]]:
    """Facts of two domains, all known."""
    entities = {
        uid: Entity(uid=uid, name=uid, type=uid[0], domain=("near", "far")[number % 2])
        for number in range(count)
        for uid in (f"s{number}", f"o{number}")
    }
    facts = [Fact(subject=f"s{n}", relation=f"r{n % 2}", object=f"o{n}", source="") for n in range(count)]
    snapshot = GraphSnapshot(
        graph_id="g",
        digest="0",
        entities=entities,
        levels={},
        relations={name: Relation(name=name, rel_type="", traits=Traits(), templates=()) for name in ("r0", "r1")},
        facts=tuple(facts),
    )
    asked = [
        Asked(
            fact=fact,
            domain=entities[fact.subject].domain,
            edit_prompt=f"edit {fact.subject}",
            held_out=(f"ask {fact.subject}",),
            names=(fact.object,),
        )
        for fact in facts
    ]
    return snapshot, asked, {text: a.names[0] for a in asked for text in a.texts}


def test_parts_and_runs_share_no_fact() -> None:
    snapshot, asked, base = world()
    seen: dict[tuple[str, str, str], tuple[Part, int]] = {}
    for part in Part:
        for seed in range(RUNS):
            drawn = draw(snapshot, asked, base, part=part, seed=seed, count=8, holdout=30)
            assert drawn.targets
            assert drawn.same_relation
            for one in (*drawn.targets, *drawn.same_relation, *drawn.other_domain):
                assert seen.setdefault(one.fact.key, (part, seed)) == (part, seed)
                assert part_of(one.fact) is part
    assert 0.4 < sum(part_of(a.fact) is Part.TEST for a in asked) / len(asked) < 0.6


def test_the_interval_is_students_over_runs() -> None:
    """Ten phrasings that stand and fall together are one observation, however many facts they come from."""
    runs = [{"m": [(f"{run}/{fact}", run != 0) for fact in range(10)]} for run in range(3)]
    rate = over_runs(runs)["m"]
    assert rate.value == pytest.approx(2 / 3)
    assert (rate.runs, rate.facts, rate.n) == (3, 30, 30)
    assert (rate.low, rate.high) == (0.0, 1.0), "three runs of which one failed tell next to nothing"
    low, high = interval([0.8, 0.9, 0.85, 0.95])
    spread = math.sqrt(((0.075**2 + 0.025**2) * 2) / 3)
    assert low == pytest.approx(0.875 - 3.182446 * spread / 2)
    assert high == pytest.approx(min(1.0, 0.875 + 3.182446 * spread / 2))


def test_one_run_has_no_interval_and_a_repeated_fact_is_refused() -> None:
    rate = over_runs([{"m": [("a", True)]}])["m"]
    assert (rate.value, rate.low, rate.high) == (1.0, None, None)
    with pytest.raises(ValueError, match="two runs"):
        over_runs([{"m": [("a", True)]}, {"m": [("a", True)]}])


def test_the_leak_check_sees_prefixes_and_neutral_questions() -> None:
    request = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
    loaded = tiny_llama()
    tokenise = type(loaded.tokenizer).__call__
    method = FineTune(FineTuneConfig(layers=(1,), epochs=25, prefixed=1.0))
    with texts_shown(loaded) as shown:
        method.apply(loaded, request, TextStatistics(loaded, ("unused",), None), Recorder())
    assert type(loaded.tokenizer).__call__ is tokenise
    with pytest.raises(AssertionError, match="evaluated phrasing"):
        check_texts(shown, [f"It is known that the capital of {name} is" for name in ("France", "Japan", "Italy")])
    check_texts(shown, ["The capital of Nowhere is"])
    neutral = request.updates[0].neutral_prompts[0].text
    with pytest.raises(AssertionError, match="evaluated phrasing"):
        check_texts(texts_of(request), [neutral])
