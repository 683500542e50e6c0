"""Whatever a registered method feeds to the model while it learns holds no phrasing of the evaluation."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.registry import METHODS, method_class
from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.testing.rehearsal import rehearse
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.editors.text.sentences import everyday_text, general_text
from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates
from knowledgesmith.graph_schema.language.filling import fill
from knowledgesmith.graph_schema.language.spans import NO_PHRASES, Phrases
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

GOLDENS = Path(__file__).parent / "goldens"
EAGER: dict[str, dict[str, Any]] = {"finetune": {"prefixed": 1.0, "epochs": 12}, "relearn": {"variants": 12}}
"""Settings with which a method puts words around as many prompts as it can."""
SUBJECTS = {"Lyon": "France", "Osaka": "Japan", "東京": "Japan"}
KEPT = {"Berlin": "Germany", "Lima": "Peru", "Madrid": "Spain"}
PAIRS = [(name, *pair) for name in sorted(METHODS) for pair in sorted(method_class(name).accepts)]


def worded(relation: str, split: Split, form: Form, *, subject: str, obj: str = "") -> list[str]:
    """What the derived templates of a relation say about a subject."""
    found = derive_templates(relation)
    chosen = [t.text for t in found if (t.direction, t.split, t.form) == (Direction.FORWARD, split, form)]
    return [fill(text, subject=subject, obj=obj) for text in chosen]


def request_of(relation: str, goal: Goal, target: TargetDistribution, *, seed: int) -> UpdateRequest:
    """An update of facts whose phrasings were derived from the relation's name, as an import derives them."""
    updates = tuple(
        FactUpdate(
            fact_id=subject,
            relation=relation,
            prompts=tuple(
                Prompt(text=text, start=text.index(subject), end=text.index(subject) + len(subject))
                for text in worded(relation, Split.TRAIN, Form.CLOZE, subject=subject)
            ),
            old=old,
            new="Spain" if goal is Goal.EDIT else "",
            candidates=tuple(sorted({*SUBJECTS.values(), *KEPT.values()})),
            neutral_prompts=tuple(
                Prompt(text=text, start=text.index(kept), end=text.index(kept) + len(kept))
                for kept in KEPT
                for text in worded(relation, Split.TRAIN, Form.CLOZE, subject=kept)[:1]
            ),
            subject_type="City",
        )
        for subject, old in SUBJECTS.items()
    )
    retain = tuple(
        RetainRow(prompt=Prompt(text=text, start=text.index(kept), end=text.index(kept) + len(kept)), answer=obj)
        for kept, obj in KEPT.items()
        for text in worded(relation, Split.TRAIN, Form.CLOZE, subject=kept)[:1]
    )
    asked = {*SUBJECTS, *KEPT}
    stems = {
        text
        for subject in asked
        for form in (Form.CLOZE, Form.QUESTION)
        for text in worded(relation, Split.EVAL, form, subject=subject)
    }
    return UpdateRequest(
        goal=goal,
        target_distribution=target,
        updates=updates,
        retain=retain,
        statistics_text=general_text()[:20],
        seed=seed,
        forbidden=Phrases(spans=frozenset(stems)),
    )


@contextmanager
def reading_along(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> Generator[set[str]]:
    """Every text that is tokenised, and every row of tokens that the model is fed, as text."""
    seen: set[str] = set()
    tokenizer: Any = loaded.tokenizer
    for name in ("__call__", "encode"):
        original = getattr(type(tokenizer), name)

        def spy(self: Any, text: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            seen.update([text] if isinstance(text, str) else text)
            return _original(self, text, *args, **kwargs)

        monkeypatch.setattr(type(tokenizer), name, spy)

    def fed(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids: torch.Tensor | None = kwargs.get("input_ids", args[0] if args else None)
        if ids is None:
            return
        mask = kwargs.get("attention_mask")
        for number, row in enumerate(ids):
            real = row if mask is None or mask.shape != ids.shape else row[mask[number].bool()]
            seen.add(tokenizer.decode(real.tolist()))

    handle = loaded.model.register_forward_pre_hook(fed, with_kwargs=True)
    try:
        yield seen
    finally:
        handle.remove()
        monkeypatch.undo()


def shown(name: str, request: UpdateRequest, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """All that a method shows to a tiny model."""
    config = json.loads((GOLDENS / f"{name}.json").read_text("utf-8"))["config"]
    loaded = tiny_llama()
    with reading_along(loaded, monkeypatch) as seen:
        rehearse(name, loaded, request, config={**config, **EAGER.get(name, {})})
    return seen


@pytest.mark.parametrize("relation", ["located_in", "has_capital", "is_a"])
@pytest.mark.parametrize(("name", "goal", "target"), PAIRS)
def test_no_method_shows_a_phrasing_of_the_evaluation(
    name: str, goal: Goal, target: TargetDistribution, relation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of(relation, goal, target, seed=1)
    texts = shown(name, request, monkeypatch)
    assert texts or name == "placebo"
    stems = [stem.casefold() for stem in request.forbidden.spans]
    for text in texts:
        assert not [stem for stem in stems if stem in text.casefold()], text
        assert request.permits(text), text


@pytest.mark.parametrize("relation", ["located_in", "has_capital"])
def test_the_reader_sees_what_an_unguarded_request_would_show(relation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard the openings of fine-tuning make the very clozes that the plan asks."""
    request = request_of(relation, Goal.EDIT, TargetDistribution.NEW_OBJECT, seed=1)
    texts = shown("finetune", replace(request, forbidden=NO_PHRASES), monkeypatch)
    assert any(request.forbidden.held_by(text) for text in texts)


def test_a_form_that_comes_out_as_an_asked_phrasing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """ReLearn may drop the article of a question; where the bare form is asked, it shows it no more."""
    request = request_of("has_capital", Goal.UNLEARN, TargetDistribution.VAGUE, seed=3)
    bare = {f"capital of {subject} is" for subject in SUBJECTS}
    asked = replace(request, forbidden=Phrases(whole=frozenset(bare)))
    stated = {text.casefold() for text in shown("relearn", request, monkeypatch)}
    assert any(text.startswith(tuple(bare)) for text in stated), "the form is made where it is free"
    free = {text.casefold() for text in shown("relearn", asked, monkeypatch)}
    assert not any(text.startswith(tuple(bare)) for text in free)


def test_each_bundled_text_has_one_use() -> None:
    """No five words in a row of what is measured on stand in what is learned from, nor twice in two uses."""
    folder = Path(__file__).parents[3] / "editors/knowledgesmith/editors/text/corpora"
    runs: dict[tuple[str, ...], str] = {}
    for file in sorted(folder.glob("*.txt")):
        own: set[tuple[str, ...]] = set()
        for line in file.read_text("utf-8").splitlines():
            words = [word.strip(".,;:!?\"'").casefold() for word in line.split()]
            own |= {tuple(words[at : at + 5]) for at in range(len(words) - 4)}
        for run in own:
            assert run not in runs, (run, file.name, runs[run])
            runs[run] = file.name
    assert len(general_text()) >= 240
    assert len(set(general_text())) == len(general_text())
    assert len(everyday_text()) >= 20
