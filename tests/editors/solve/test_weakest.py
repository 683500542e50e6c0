"""A value that serves its target is scaled down to what serves it, and only an edit's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.editors.locate.test_kept_subject import edit, request, rows_of, taught
from tests.editors.solve.test_plateau import applied
from tests.editors.solve.test_solve import LAYER, search_rows

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.locate import engine
from knowledgesmith.editors.locate.value_search import SearchResult, SearchRow, SearchSettings, search_values
from knowledgesmith.editors.methods.alphaedit import AlphaEdit, AlphaEditConfig
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import answer_batch
from knowledgesmith.editors.solve.weakest import least_shares
from knowledgesmith.editors.surgery.computing import computing_in
from knowledgesmith.editors.testing.rehearsal import rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import tiny, tiny_llama
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

HALVINGS = 6
STOP, SETTLE = 5.3, 5.6
"""Of random models, whose losses begin at the logarithm of their vocabulary, near 6."""


@settings(max_examples=50, deadline=None)
@given(edges=st.lists(st.floats(0, 0.999), min_size=1, max_size=6))
def test_the_least_share_that_serves_is_found(edges: list[float]) -> None:
    """Losses that fall with the share: below the bound from an edge on."""
    edge = torch.tensor(edges)
    found = least_shares(
        lambda share: 1 + edge - share, bound=1.0, met=torch.ones(len(edges), dtype=torch.bool), halvings=HALVINGS
    )
    assert bool((found > edge).all())
    assert bool((found - 0.5**HALVINGS <= edge + 1e-6).all())


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), count=st.integers(1, 5))
def test_a_share_is_given_only_where_it_was_seen_to_serve(seed: int, count: int) -> None:
    """Whatever the losses are between."""
    generator = torch.Generator().manual_seed(seed)
    met = torch.rand(count, generator=generator) < 0.7
    seen: list[dict[float, float]] = [{1.0: 0.0} for _ in range(count)]

    def losses(share: torch.Tensor) -> torch.Tensor:
        found = torch.rand(count, generator=generator)
        for own, where, loss in zip(seen, share.tolist(), found.tolist(), strict=True):
            own.setdefault(where, loss)
        return found

    shares = least_shares(losses, bound=0.5, met=met).tolist()
    assert all(own[share] < 0.5 for own, share in zip(seen, shares, strict=True))
    assert all(share == 1.0 for share, served in zip(shares, met.tolist(), strict=True) if not served)


def searched(loaded: LoadedModel, dtype: torch.dtype, **chosen: Any) -> SearchResult:
    rows = search_rows(loaded)
    with computing_in(loaded.model, dtype):
        return search_values(loaded, rows, settings=SearchSettings(layer=LAYER, steps=40, clamp=4.0, **chosen))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("window", [0, 8])
def test_a_search_gives_the_weakest_value_that_serves(dtype: torch.dtype, window: int) -> None:
    whole = searched(tiny("llama"), dtype, stop=STOP, window=window)
    least = searched(tiny("llama"), dtype, stop=STOP, window=window, settle=SETTLE)
    met = whole.loss < STOP
    assert bool(met.any())
    assert bool((least.loss[met] < SETTLE).all()), "served by less"
    shares = least.change.norm(dim=1) / whole.change.norm(dim=1)
    assert bool((shares[met] < 0.99).all())
    torch.testing.assert_close(least.change, whole.change * shares[:, None], rtol=1e-4, atol=1e-4)


def test_what_was_not_met_is_left_whole() -> None:
    whole = searched(tiny("llama"), torch.float32, stop=1e-9, window=8)
    least = searched(tiny("llama"), torch.float32, stop=1e-9, window=8, settle=SETTLE)
    assert torch.equal(whole.change, least.change)
    assert torch.equal(whole.loss, least.loss)


def test_the_subject_keeps_more_and_the_new_object_is_served() -> None:
    loaded = taught("llama")
    rows = rows_of(loaded, ("{s} is", "{s} was", "{s} has"))
    before = Targets.join(own_distributions(loaded.model, rows))

    def after(settle: float) -> tuple[float, float]:
        changed = edit(loaded, request(), stop=STOP, settle=settle, least_prompts=1)
        with attached(loaded, changed), torch.no_grad():
            drift = float(divergence(answer_logits(loaded.model, answer_batch(rows)), before).mean())
        return drift, float(changed.metadata["mean_loss"])

    (whole, met), (least, served) = after(0.0), after(5.45)
    assert met < STOP
    assert STOP < served < 5.45
    assert least < 0.8 * whole


def test_what_is_unlearned_is_not_scaled() -> None:
    """A distribution that is nearly reached may still have the old answer first."""
    goal, target = Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH
    loaded = teach(tiny_llama(), rehearsal_request(goal, target), steps=30)
    assert applied(loaded, goal, target, settle=0.0).sha256 == applied(loaded, goal, target, settle=5.0).sha256


@pytest.mark.parametrize(("goal", "target"), sorted(AlphaEdit.accepts))
@pytest.mark.parametrize("chosen", [{}, {"settle": 0.0}, {"settle": 0.25}], ids=str)
def test_an_edit_is_scaled_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, goal: Goal, target: TargetDistribution, chosen: dict[str, float]
) -> None:
    seen: list[SearchSettings] = []

    def search(
        loaded: LoadedModel, rows: Sequence[SearchRow], *, settings: SearchSettings, **rest: Any
    ) -> SearchResult:
        seen.append(settings)
        return search_values(loaded, rows, settings=settings, **rest)

    monkeypatch.setattr(engine, "search_values", search)
    applied(tiny("llama"), goal, target, steps=2, **chosen)
    [found] = seen
    assert found.settle == (chosen.get("settle", AlphaEditConfig().settle) if goal is Goal.EDIT else 0.0)


def test_nothing_is_scaled_unless_asked_for() -> None:
    assert AlphaEditConfig.author_values["settle"].value == "0"
    assert AlphaEditConfig().settle == 0.0, "it is a choice between installing and keeping"
