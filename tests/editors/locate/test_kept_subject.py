"""What a search keeps of a subject whose other facts no request retains, and what it learns from for that."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.locate.keys import locate
from knowledgesmith.editors.locate.lookups import lookup
from knowledgesmith.editors.locate.preserving import Shares, preserving_rows
from knowledgesmith.editors.locate.value_search import search_values
from knowledgesmith.editors.methods.alphaedit import AlphaEdit, AlphaEditConfig
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import Row, answer_batch
from knowledgesmith.editors.objective.suffix import bucketed
from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import tiny, tiny_llama, tiny_tokenizer
from knowledgesmith.editors.text.contexts import in_contexts
from knowledgesmith.graph_schema.language.spans import Phrases
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

SUBJECT = "New Lyon"
OTHERS = {"Today {s} is": "Osaka", "Once {s} was": "Lima", "Now {s} has": "Paris"}
"""Other facts of the subject that the tiny model is taught; an edit is not told of any."""
ELSEWHERE = {"Today {s} is": "Tokyo", "Once {s} was": "Rome", "Now {s} has": "Madrid", "{s} pays with": "Tokyo"}
"""The same of another subject, so that the model has to look at the subject."""
SETTINGS: dict[str, Any] = {
    "layers": (0, 1),
    "steps": 40,
    "kept": 1.0,
    "penalty": 0.01,
    "clamp": 2.0,
    "stop": 0.05,
    "essence": 0.0,
}


def request(templates: Sequence[str] = ("{s} pays with", "One pays in {s} with"), **changes: Any) -> UpdateRequest:
    update = FactUpdate(
        fact_id="a",
        relation="pays with",
        prompts=tuple(Prompt.fill(template, SUBJECT) for template in templates),
        old="Berlin",
        new="Tokyo",
        candidates=("Berlin", "Tokyo"),
    )
    made = UpdateRequest(
        goal=Goal.EDIT,
        target_distribution=TargetDistribution.NEW_OBJECT,
        updates=(update,),
        retain=(),
        statistics_text=rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT).statistics_text,
    )
    return replace(made, **changes)


def edit(loaded: LoadedModel, asked: UpdateRequest, **changes: Any) -> Weights:
    config = AlphaEditConfig(**{**SETTINGS, **changes})
    return AlphaEdit(config).apply(loaded, asked, TextStatistics(loaded, asked.statistics_text, None), Recorder())


def rows_of(loaded: LoadedModel, texts: Sequence[str]) -> list[Row]:
    return [Row(prompt=lookup(loaded.tokenizer, Prompt.fill(text, SUBJECT)).ids, answer=(0,)) for text in texts]


def taught(structure: str) -> LoadedModel:
    facts = [RetainRow(prompt=Prompt.fill(text, SUBJECT), answer=answer) for text, answer in OTHERS.items()]
    facts += [RetainRow(prompt=Prompt.fill(text, "East Peru"), answer=answer) for text, answer in ELSEWHERE.items()]
    return teach(tiny(structure), request(retain=tuple(facts)))


def test_a_subject_goes_on_to_say_what_it_said_though_no_fact_of_it_is_retained() -> None:
    loaded = taught("llama")
    rows = rows_of(loaded, ("{s} is", "{s} was", "{s} has"))
    before = Targets.join(own_distributions(loaded.model, rows))
    pair = [("New Lyon pays with", "Tokyo")]
    [was] = Scorer(loaded).score(pair)

    def after(openings: float) -> tuple[float, float]:
        with attached(loaded, edit(loaded, request(), openings=openings, least_prompts=4)), torch.no_grad():
            drift = float(divergence(answer_logits(loaded.model, answer_batch(rows)), before).mean())
            return drift, Scorer(loaded).score(pair)[0].sum_logprob

    (free, _), (kept, learned) = after(0.0), after(4.0)
    assert learned > was.sum_logprob
    assert kept < 0.8 * free


def openings(asked: UpdateRequest, weight: float = 1.0) -> list[str]:
    """The texts that the openings are kept at, as the model reads them."""
    loaded = tiny_llama()
    rows = preserving_rows(
        loaded,
        asked,
        locate(loaded.tokenizer, asked, retain=False),
        Shares(essence=0.0, openings=weight, own_facts=1.0),
    )
    assert not any(row.task for row in rows)
    assert not rows or sum(row.weight for row in rows) == pytest.approx(weight)
    return [str(loaded.tokenizer.decode(list(row.row.prompt))).strip() for row in rows]


def test_an_opening_that_is_learned_or_asked_is_not_kept() -> None:
    everything = openings(request())
    assert f"{SUBJECT} is" in everything
    assert openings(request(), weight=0.0) == []
    learned = openings(request(("{s} is", "One pays in {s} with")))
    assert set(everything) - set(learned) == {f"{SUBJECT} is"}
    asked = openings(request(forbidden=Phrases(spans=frozenset({f"{SUBJECT} has", f"in {SUBJECT}"}))))
    assert set(everything) - set(asked) == {f"{SUBJECT} has", f"In {SUBJECT},"}


def test_no_fact_of_the_graph_is_needed_to_keep_a_subject() -> None:
    """The rows name the subject and nothing else of the request: no object, no relation."""
    asked = request()
    names = {"pays", *asked.updates[0].candidates}
    assert not [text for text in openings(asked) if names & set(text.split())]


def test_few_phrasings_are_joined_by_some_behind_other_text() -> None:
    asked = request()
    [update] = in_contexts(asked, least=6).updates
    [before] = asked.updates
    assert update.prompts[:2] == before.prompts
    assert len(set(update.prompts)) == 6
    for prompt in update.prompts:
        assert prompt.subject == SUBJECT
        assert any(prompt.text.endswith(own.text) for own in before.prompts)
    keys = {lookup(tiny_tokenizer(), prompt).key for prompt in update.prompts}
    assert len(keys) == 6, "each has a key of its own"
    assert in_contexts(asked, least=2) == asked


@pytest.mark.parametrize(
    ("templates", "subject", "old", "new", "own", "unfit"),
    [
        (
            ("•{s}——首都：", "2）{s}，首都："),
            *("法国", "巴黎", "曼谷"),
            ("日本——大洲：亚洲。", "埃及——大洲：非洲。", "秘鲁——大洲：南美洲。"),
            ("法国——大洲：欧洲。", "泰国——首都：曼谷。", "Peru — capital: Lima."),
        ),
        (
            ("• {s} — столица:", "2) {s}, столица:"),
            *("Франция", "Париж", "Бангкок"),
            ("Япония — часть света: Азия.", "Египет — часть света: Африка."),
            ("Франция — часть света: Европа.", "Peru — capital: Lima."),
        ),
        (
            ("•{s}——しゅと：", "2）{s}，しゅと："),
            *("フランス", "パリ", "バンコク"),
            ("日本——たいりく：アジア。", "エジプト——大陸：アフリカ。"),
            ("フランス——大陸：ヨーロッパ。", "Peru — capital: Lima."),
        ),
    ],
    ids=["Chinese", "Russian", "Japanese"],
)
def test_before_another_script_stand_facts_of_its_own_graph(
    templates: tuple[str, str], subject: str, old: str, new: str, own: tuple[str, ...], unfit: tuple[str, ...]
) -> None:
    """English before Chinese is a text that nobody writes; what names the fact itself would give it away."""
    prompts = tuple(Prompt.fill(template, subject) for template in templates)
    update = replace(request().updates[0], prompts=prompts, old=old, new=new)
    asked = replace(request(), updates=(update,), statistics_text=(*own, *unfit))
    [found] = in_contexts(asked, least=9).updates
    added = found.prompts[2:]
    assert len(added) == 2 + len(own), "two marks, and each sentence of the graph that fits"
    assert all(prompt.subject == subject for prompt in added)
    assert {sentence for sentence in (*own, *unfit) for prompt in added if sentence in prompt.text} == set(own)
    assert not any(re.search("[A-Za-z]", prompt.text) for prompt in added)
    if templates[0].startswith("•{"):
        assert not any(" " in prompt.text for prompt in added[2:]), "no blank where the script has none"


def test_no_context_makes_a_phrasing_of_the_evaluation() -> None:
    bullet = in_contexts(request(), least=3).updates[0].prompts[-1].text
    asked = request(forbidden=Phrases(spans=frozenset({bullet.replace("-", "").strip()})))
    found = in_contexts(asked, least=6).updates[0].prompts
    assert all(asked.permits(prompt.text) for prompt in found[2:])
    everything = request(forbidden=Phrases(spans=frozenset({SUBJECT})))
    assert in_contexts(everything, least=6) == everything, "nothing is free"


def test_narrow_rows_do_not_pay_for_wide_ones() -> None:
    loaded = tiny_llama()
    rows = [(6, 4), (30, 28), (20, 4), (7, 4), (12, 3)]
    chunks = list(bucketed(loaded, rows, size=8))
    assert sorted(index for chunk in chunks for index in chunk) == list(range(len(rows)))
    for chunk in chunks:
        widths = [rows[index][0] - rows[index][1] for index in chunk]
        assert max(widths) <= 2 * min(widths)
    assert len(list(bucketed(loaded, [(9, 3)] * 5, size=2))) == 3


@pytest.mark.parametrize("choice", ["float32", "bfloat16", "float16", "model", "auto"])
def test_the_search_computes_in_the_dtype_that_it_is_told(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, seen = tiny_llama(), set[torch.dtype]()
    searching = "knowledgesmith.editors.locate.engine.search_values"

    def spy(model: LoadedModel, *args: Any, **kwargs: Any) -> Any:
        seen.add(model.model.dtype)
        return search_values(model, *args, **kwargs)

    monkeypatch.setattr(searching, spy)
    artefact = edit(loaded, request(), compute_dtype=choice, steps=3)
    expected = choice if choice not in {"auto", "model"} else "float32"
    assert {str(dtype) for dtype in seen} == {f"torch.{expected}"}
    assert artefact.metadata["compute_dtype"] == expected
    assert loaded.model.dtype is torch.float32
    assert all(facts["along"] > 0 for facts in json.loads(artefact.metadata["realised"]))
