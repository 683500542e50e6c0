"""Edits whose prompts share a key with what should stay, or with each other: nothing cancels itself."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.locate.columns import Columns
from knowledgesmith.editors.locate.keys import distinct_from, locate, value_slots
from knowledgesmith.editors.locate.lookups import Lookup, lookup
from knowledgesmith.editors.methods.alphaedit import AlphaEdit, AlphaEditConfig
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import answer_batch, join
from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import tiny, tiny_llama, tiny_tokenizer
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

FRAMES = ("{s} %s", "As we know, {s} %s")
"""Wording that a relation's name gives: every relation of a subject begins alike."""
VERBS = ("is governed from", "is a part of", "speaks", "pays with", "lies beside", "exports")
SETTINGS: dict[str, Any] = {"layers": (0, 1), "steps": 12, "kept": 1.0, "penalty": 0.01, "clamp": 2.0, "stop": 0.05}


def prompts(verb: str, subject: str) -> tuple[Prompt, ...]:
    return tuple(Prompt.fill(frame % verb, subject) for frame in FRAMES)


def update(subject: str, verb: str, new: str, old: str = "Rome") -> FactUpdate:
    return FactUpdate(
        fact_id=f"{subject}/{verb}",
        relation=verb,
        prompts=prompts(verb, subject),
        old=old,
        new=new,
        candidates=(old, new),
    )


def request(updates: Sequence[FactUpdate], retain: Sequence[RetainRow]) -> UpdateRequest:
    return UpdateRequest(
        goal=Goal.EDIT,
        target_distribution=TargetDistribution.NEW_OBJECT,
        updates=tuple(updates),
        retain=tuple(retain),
        statistics_text=rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT).statistics_text,
    )


def own_facts(subject: str, verbs: Sequence[str]) -> list[RetainRow]:
    return [
        RetainRow(prompt=prompt, answer="Osaka", scope="same_subject")
        for verb in verbs
        for prompt in prompts(verb, subject)
    ]


def edit(loaded: LoadedModel, asked: UpdateRequest, **changes: Any) -> Weights:
    config = AlphaEditConfig(**{**SETTINGS, **changes})
    statistics = TextStatistics(loaded, asked.statistics_text, None)
    return AlphaEdit(config).apply(loaded, asked, statistics, Recorder())


def realised(artefact: Weights) -> dict[str, tuple[float, float]]:
    return {row["fact_id"]: (row["along"], row["across"]) for row in json.loads(artefact.metadata["realised"])}


@pytest.mark.parametrize("structure", ["llama", "gpt2", "neox", "mistral"])
@pytest.mark.parametrize("number", [1, 5])
def test_an_edit_arrives_beside_other_facts_of_its_subject(structure: str, number: int) -> None:
    loaded = tiny(structure)
    asked = request(
        [update("New Lyon", VERBS[0], "Tokyo"), update("East Peru", VERBS[0], "Madrid")],
        own_facts("New Lyon", VERBS[1 : 1 + number]) + own_facts("East Peru", VERBS[1 : 1 + number]),
    )
    for along, across in realised(edit(loaded, asked)).values():
        assert along > 0.85
        assert across < 0.35


def test_what_the_other_facts_say_is_kept_by_the_search() -> None:
    own = own_facts("New Lyon", VERBS[1:])
    asked = request([update("New Lyon", VERBS[0], "Tokyo")], own)
    loaded = teach(tiny_llama(), asked, steps=20)
    rows = [join(loaded.tokenizer, prompt=row.prompt.text, answer=row.answer) for row in own]
    before = Targets.join(own_distributions(loaded.model, rows))

    def drift(artefact: Weights) -> float:
        with attached(loaded, artefact), torch.no_grad():
            return float(divergence(answer_logits(loaded.model, answer_batch(rows)), before).mean())

    assert drift(edit(loaded, asked, own_facts=10.0, steps=40)) < 0.8 * drift(
        edit(loaded, asked, own_facts=0.0, steps=40)
    )


def test_facts_of_one_key_are_searched_together() -> None:
    asked = request([update("New Lyon", VERBS[0], "Tokyo"), update("New Lyon", VERBS[2], "Lima", old="Paris")], [])
    loaded = teach(tiny_llama(), asked)
    artefact = edit(loaded, asked, steps=60, clamp=4.0)
    pairs = [(item.prompts[0].text, item.new) for item in asked.updates]
    before = Scorer(loaded).score(pairs)
    with attached(loaded, artefact):
        after = Scorer(loaded).score(pairs)
    for (fact, (along, _)), one, other in zip(realised(artefact).items(), before, after, strict=True):
        assert along > 0.85, fact
        assert other.sum_logprob > one.sum_logprob + 1, fact


def test_slots_join_what_shares_a_key_directly_or_in_turn() -> None:
    def at(*ids: int) -> Lookup:
        return Lookup(ids=(*ids, 99), position=len(ids) - 1)

    assert value_slots([[at(1)], [at(2)], [at(3)]]) == (0, 1, 2)
    assert value_slots([[at(1), at(5)], [at(2)], [at(5), at(2)], [at(7)]]) == (0, 0, 0, 1)
    assert value_slots([[at(1, 2)], [at(1)]]) == (0, 1)


def test_a_retained_prompt_of_an_edited_key_is_no_column() -> None:
    tokenizer = tiny_tokenizer()
    asked = request([update("New Lyon", VERBS[0], "Tokyo")], own_facts("New Lyon", VERBS[1:3]))
    keys = locate(tokenizer, asked, retain=True)
    edited = {keys.lookups[n].key for n in range(keys.edits)}
    assert keys.edits == 2
    assert edited.isdisjoint(item.key for item in keys.lookups[keys.edits :])
    assert len(keys.lookups) == 2 + 4, "the last tokens of the four retained prompts stay"
    assert locate(tokenizer, asked, retain=False).lookups == keys.lookups[:2]


def test_keys_that_differ_by_rounding_are_told() -> None:
    edited = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    retained = torch.tensor([[2.0, 1.0, 0.0], [0.02, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert distinct_from(edited, retained).tolist() == [False, True, True]


@pytest.mark.parametrize("subject", ["東京", "São Tomé", "Tomé", "Αθήνα", "Île-de-France", "🙂 land", "København Ø"])
def test_a_subject_is_looked_up_at_its_last_token(subject: str) -> None:
    tokenizer = tiny_tokenizer()
    for frame in ("{s} is", "The capital of {s}", "In {s}, one pays with", "{s}は"):
        prompt = Prompt.fill(frame, subject)
        found = lookup(tokenizer, prompt)
        head = tokenizer(prompt.text[: prompt.end], add_special_tokens=False)["input_ids"]
        if list(found.ids[: len(head)]) == head:  # the text after the subject did not change its tokens
            assert found.position == max(len(head) - 1, 1) or len(found.ids) == 1


def test_the_order_of_facts_of_one_key_does_not_matter() -> None:
    loaded = tiny_llama()
    asked = request(
        [update("New Lyon", VERBS[0], "Tokyo"), update("New Lyon", VERBS[2], "Lima"), update("Peru", VERBS[0], "Rome")],
        own_facts("New Lyon", VERBS[3:5]),
    )
    turned = replace(asked, updates=asked.updates[::-1], retain=asked.retain[::-1])
    one, other = edit(loaded, asked), edit(loaded, turned)
    for name, delta in one.deltas.items():
        again = other.deltas[name]
        total, same = torch.zeros(delta.shape), torch.zeros(delta.shape)
        delta.add_to(total)
        again.add_to(same)
        torch.testing.assert_close(total, same, rtol=0, atol=1e-5)


def test_retained_rows_that_fill_the_space_do_not_take_the_edit_away() -> None:
    loaded = tiny_llama()
    width = loaded.architecture.down_projection(0).in_features
    subjects = [
        f"{where} {what}" for where in ("North", "South", "East", "West", "New") for what in ("Peru", "Lyon", "Rome")
    ]
    retain = [
        RetainRow(prompt=Prompt.fill(frame, subject), answer="Lima")
        for subject in subjects
        for frame in ("The capital of {s} is", "{s} is a city of", "In {s} they speak")
    ]
    assert len(retain) * 2 > width
    asked = replace(rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT), retain=tuple(retain))
    usual = {"layers": (1,), "kept": 0.6, "penalty": 0.3}
    alone = realised(edit(loaded, asked, **usual, retain=0.0))
    for fact, (along, _) in realised(edit(loaded, asked, **usual)).items():
        assert along >= 0.78 * alone[fact][0], fact
    crowded = realised(edit(loaded, asked, **usual, least=0.0))
    assert min(along for along, _ in crowded.values()) < 0.7 * min(along for along, _ in alone.values())


def columns(keys: torch.Tensor, residuals: torch.Tensor) -> Columns:
    return Columns(keys=keys, residuals=residuals, edits=2, prompts=keys[:, :2])


def test_a_fact_that_wants_nothing_does_not_strip_the_others_of_protection() -> None:
    """A fact that is known already has no change to reach; what is left of its residual is noise."""
    method = AlphaEdit(AlphaEditConfig(kept=1.0, penalty=0.3))
    generator = torch.Generator().manual_seed(0)
    moment = torch.eye(24)
    kept = 0
    for _ in range(20):
        keys = torch.randn(24, 12, generator=generator)
        residuals = torch.zeros(8, 12)
        residuals[:, :2] = torch.randn(8, 2, generator=generator)
        whole = method.solve(columns(keys, residuals), moment)
        residuals[:, 1] *= 1e-3
        residuals[:, 1] += 1e-3 * torch.randn(8, generator=generator)
        beside_nothing = method.solve(columns(keys, residuals), moment)
        assert bool(torch.isfinite(beside_nothing).all())
        drift = [
            float((one @ keys.double())[:, 2:].norm() / (one @ keys.double())[:, 0].norm())
            for one in (whole, beside_nothing)
        ]
        kept += drift[1] < 1.5 * drift[0]
    assert kept >= 17
