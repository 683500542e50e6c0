"""Locate-then-edit on nine structures in three precisions: what is wanted arrives, also before a norm that follows."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from torch import nn

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.locate import value_search
from knowledgesmith.editors.methods.alphaedit import AlphaEdit, AlphaEditConfig
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.loading import prepare
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import Row, answer_batch, join
from knowledgesmith.editors.objective.suffix import bucketed, prefill, suffix_logits
from knowledgesmith.editors.objective.targets import TargetSource
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.sites.site import measure_writing, sites
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.hooks import add_to_output
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import STRUCTURES, WINDOW, tiny, tiny_llama
from knowledgesmith.graph_schema.errors import EditDiverged, UnsupportedArchitecture
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

TURNING = {"gemma3", "olmo2"}
"""Structures with a norm behind the down projection."""
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
GOALS = ((Goal.EDIT, TargetDistribution.NEW_OBJECT), (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH))
SETTINGS: dict[str, Any] = {
    "layers": (0, 1),
    "steps": 12,
    "kept": 1.0,
    "penalty": 0.01,
    "clamp": 2.0,
    "least_prompts": 1,  # so narrow a model cannot tell a dozen texts before one subject apart
}


def apply(loaded: LoadedModel, goal: Goal, target: TargetDistribution, **changes: Any) -> Weights:
    request = rehearsal_request(goal, target)
    statistics = TextStatistics(loaded, request.statistics_text, None)
    return AlphaEdit(AlphaEditConfig(**{**SETTINGS, **changes})).apply(loaded, request, statistics, Recorder())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_the_wanted_change_arrives(structure: str, dtype: torch.dtype) -> None:
    loaded = tiny(structure, dtype=dtype)
    for goal, target in GOALS:
        artefact = apply(loaded, goal, target)
        assert weights_sha256(loaded.model) == loaded.digest
        assert all(bool(torch.isfinite(delta.delta).all()) for delta in artefact.deltas.values())  # type: ignore[union-attr]
        assert artefact.metadata["values"] == ("projection" if structure in TURNING else "block")
        for fact in json.loads(artefact.metadata["realised"]):
            assert fact["along"] == pytest.approx(1.0, abs=0.25), (structure, dtype, goal, fact)
            assert fact["across"] < 0.35, (structure, dtype, goal, fact)


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_a_model_that_knows_the_facts_learns_the_new_ones_in_every_precision(structure: str) -> None:
    loaded = teach(tiny(structure), rehearsal_request(*GOALS[0]), steps=60)
    for dtype in DTYPES:
        torch.nn.Module.to(loaded.model, dtype)
        loaded = prepare(loaded.model, loaded.tokenizer)
        assert gain(loaded, apply(loaded, *GOALS[0], steps=25)) > 1.0, (structure, dtype)


def gain(loaded: LoadedModel, artefact: Weights) -> float:
    """How much likelier the new objects become, in nats: mean over all phrasings."""
    request = rehearsal_request(*GOALS[0])
    pairs = [(prompt.text, update.new) for update in request.updates for prompt in update.prompts]
    before = Scorer(loaded).score(pairs)
    with attached(loaded, artefact):
        after = Scorer(loaded).score(pairs)
    return sum(b.sum_logprob - a.sum_logprob for a, b in zip(before, after, strict=True)) / len(pairs)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_multiplier_is_measured(dtype: torch.dtype) -> None:
    for layer in range(4):
        assert measure_writing(tiny("granite", dtype=dtype), layer).scale == pytest.approx(0.22, rel=0.01)
        assert measure_writing(tiny("llama", dtype=dtype), layer).scale == pytest.approx(1.0, rel=0.01)


class Bent(nn.Module):
    """An MLP of no known family with something behind its down projection."""

    def __init__(self, inner: nn.Module, bend: str) -> None:
        super().__init__()
        self.inner, self.bend = inner, bend

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        written: torch.Tensor = self.inner(hidden)
        match self.bend:
            case "scaled":
                return 0.5 * written
            case "tanh":
                return 3 * torch.tanh(written)
            case "gated":
                return written * torch.sigmoid(hidden)
            case "clipped":
                return written.clamp(-0.01, 0.01)
            case "cut":
                return 0 * written
            case _:
                return nn.functional.normalize(written, dim=-1)


@contextmanager
def bent(loaded: LoadedModel, bend: str) -> Generator[None]:
    block: Any = loaded.architecture.block(1)
    mlp = block.mlp
    block.mlp = Bent(mlp, bend)
    try:
        yield
    finally:
        block.mlp = mlp


@pytest.mark.parametrize("bend", ["tanh", "gated", "clipped", "normed"])
def test_it_is_seen_by_what_it_does_and_not_by_its_name(bend: str) -> None:
    loaded = tiny_llama()
    assert [(site.layer, site.direct) for site in sites(loaded, range(4))] == [(layer, True) for layer in range(4)]
    assert [site.scale for site in sites(loaded, range(4))] == pytest.approx([1, 1, 1, 1])
    with bent(loaded, bend):
        assert [site.direct for site in sites(loaded, range(4))] == [True, False, True, True]


def test_what_reaches_nothing_is_refused_in_one_line() -> None:
    loaded = tiny_llama()
    with bent(loaded, "cut"):
        for ask in (lambda: sites(loaded, [1]), lambda: AlphaEdit(AlphaEditConfig(layers=(0, 1))).check(loaded)):
            with pytest.raises(UnsupportedArchitecture, match=r"block 1 .*nothing that its down projection") as caught:
                ask()
            assert "\n" not in str(caught.value)
            assert "finetune" in str(caught.value)


@pytest.mark.parametrize("bend", ["tanh", "gated", "normed"])
def test_an_edit_before_whatever_turns_it_serves(bend: str) -> None:
    request = rehearsal_request(*GOALS[0])
    loaded = tiny_llama()
    with bent(loaded, bend):
        taught = teach(prepare(loaded.model, loaded.tokenizer), request, steps=60)
        artefact = apply(taught, *GOALS[0], steps=25)
        assert artefact.metadata["values"] == "projection"
        assert all(fact["along"] > 0.75 for fact in json.loads(artefact.metadata["realised"]))
        assert gain(taught, artefact) > 1.0


def test_a_scaled_branch_of_no_known_family_is_edited_truly() -> None:
    loaded = tiny_llama()
    with bent(loaded, "scaled"):
        found = prepare(loaded.model, loaded.tokenizer)
        assert [site.scale for site in sites(found, [1])] == pytest.approx([0.5])
        artefact = apply(found, *GOALS[0])
    assert all(fact["along"] > 0.75 for fact in json.loads(artefact.metadata["realised"]))


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_suffixes_equal_full_passes_past_the_window(structure: str) -> None:
    loaded = tiny(structure, dtype=torch.float64)
    texts = ["Peru", "The capital of France is", "Osaka, Lyon, Berlin and the city of Rome are", "B " * 20]
    rows = [Row(prompt=tuple(loaded.tokenizer(t)["input_ids"]), answer=(3, 4, 5)) for t in texts * 2]
    starts = [max(1, len(row.prompt) // (2 + n // 4)) for n, row in enumerate(rows)]
    assert max(len(row.prompt) for row in rows) > 2 * WINDOW
    seen: list[int] = []
    for chosen in bucketed(loaded, [(len(r.prompt) + 3, s) for r, s in zip(rows, starts, strict=True)], size=5):
        seen += chosen
        batch = answer_batch([rows[i] for i in chosen])
        at = torch.tensor([starts[i] for i in chosen])
        filled = prefill(loaded, batch, layer=1, starts=at)
        added = torch.randn(len(chosen), loaded.architecture.hidden_size, dtype=torch.float64)
        with torch.no_grad():
            suffix = suffix_logits(loaded, filled, added)
            block = loaded.architecture.block(1)
            with add_to_output(block, added, rows=torch.arange(len(chosen)), positions=at):
                full = answer_logits(loaded.model, batch)
            torch.testing.assert_close(suffix, full, rtol=0, atol=1e-6)
            for lowest in (0, 1):
                modules = [loaded.architecture.down_projection(layer).module for layer in (lowest, 2)]
                vectors = [torch.randn_like(added) for _ in modules]
                filled = prefill(loaded, batch, layer=lowest - 1, starts=at, watch=modules)
                suffix = suffix_logits(loaded, filled, None, inside=list(zip(modules, vectors, strict=True)))
                with ExitStack() as stack:
                    for module, vector in zip(modules, vectors, strict=True):
                        whole = add_to_output(module, vector, rows=torch.arange(len(chosen)), positions=at)
                        stack.enter_context(whole)
                    full = answer_logits(loaded.model, batch)
                torch.testing.assert_close(suffix, full, rtol=0, atol=1e-6)
    assert sorted(seen) == list(range(len(rows)))


@pytest.mark.parametrize("from_pass", [1, 3])
def test_a_search_that_breaks_down_is_no_success(from_pass: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = tiny_llama()
    passes: list[int] = []

    def broken(*args: Any, **kwargs: Any) -> torch.Tensor:
        passes.append(1)
        logits = suffix_logits(*args, **kwargs)
        return logits * math.nan if len(passes) >= from_pass else logits

    monkeypatch.setattr(value_search, "suffix_logits", broken)
    with pytest.raises(EditDiverged, match="not finite"):
        apply(loaded, *GOALS[0])
    assert weights_sha256(loaded.model) == loaded.digest


def test_a_model_that_overflows_is_named() -> None:
    loaded = tiny_llama(dtype=torch.float16)
    with torch.no_grad():
        cast("Any", loaded.model).get_input_embeddings().weight.mul_(3e4)
        for block in loaded.architecture.blocks:
            cast("Any", block).mlp.up_proj.weight.mul_(3e4)
    with pytest.raises((EditDiverged, UnsupportedArchitecture), match=r"not finite.*float16|float16.*not finite"):
        apply(loaded, *GOALS[0])


def test_double_precision_reaches_the_artefact() -> None:
    artefact = apply(tiny_llama(dtype=torch.float64), *GOALS[0])
    assert {delta.delta.dtype for delta in artefact.deltas.values()} == {torch.float64}  # type: ignore[union-attr]


@pytest.mark.parametrize("new", ["Washington D.C.", "...", "Yahoo!", "C++", "7", "-", "“Who?”", "St. John's", "Paris"])
def test_the_end_of_a_new_object_never_doubles_and_keeps_its_tokens(new: str) -> None:
    loaded = tiny_llama()
    request = rehearsal_request(*GOALS[0])
    asked = replace(request, updates=tuple(replace(update, new=new) for update in request.updates)).canonical()
    stem = asked.updates[0].prompts[0].text
    [target] = TargetSource(loaded, asked, end=".", paths=2).rows(0, stem)
    said = str(loaded.tokenizer.decode(list(target.row.answer))).strip()
    assert said in {new, f"{new}."}
    assert not said.endswith((".." if new != "..." else "....", "!.", "?”."))
    plain = join(loaded.tokenizer, prompt=stem, answer=new).answer
    assert target.row.answer[: len(plain)] == plain
