"""The batched suffix search against a plain one, the solvers against each other, and the null space."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from knowledgesmith.editors.locate.value_search import SearchRow, SearchSettings, search_values
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import Row, answer_batch, join
from knowledgesmith.editors.objective.suffix import prefill, suffix_logits
from knowledgesmith.editors.solve.least_squares import ridge, ridge_dual, ridge_primal
from knowledgesmith.editors.solve.null_space import null_space
from knowledgesmith.editors.surgery.hooks import add_to_output, capture_output, stop_after
from knowledgesmith.editors.testing.tiny import tiny_gpt2, tiny_llama

LAYER = 1


def _models() -> list[LoadedModel]:
    return [tiny_llama(seed=1, dtype=torch.float64), tiny_gpt2(seed=2)]


def search_rows(loaded: LoadedModel) -> list[SearchRow]:
    texts = [
        ("The capital of France is", "Tokyo", 0),
        ("In France, the city of Rome is", "Tokyo", 0),
        ("Peru", "Lima.", 1),
        ("The symbol of copper is", "B", 1),
        ("Berlin is a city of", "Spain.", 2),
    ]
    rows: list[SearchRow] = []
    for text, answer, edit in texts:
        row = join(loaded.tokenizer, prompt=text, answer=answer)
        targets = Targets.one_hot(torch.tensor(row.answer))
        rows.append(
            SearchRow(
                row=row, lookup=len(row.prompt) // 2, edit=edit, targets=targets, weight=1.0 if edit == 2 else 0.5
            )
        )
    kept = Row(prompt=rows[0].row.prompt, answer=rows[2].row.answer)
    soft = Targets(
        tokens=torch.tensor([[3, 5, 8]] * len(kept.answer)),
        probs=torch.tensor([[0.5, 0.2, 0.1]]).repeat(len(kept.answer), 1),
    )
    rows.append(SearchRow(row=kept, lookup=2, edit=1, targets=soft, weight=0.1, task=False))
    return rows


def _plain_search(
    loaded: LoadedModel, rows: Sequence[SearchRow], edit: int, settings: SearchSettings
) -> tuple[torch.Tensor, int]:
    """One edit, one row at a time, full forward passes, torch's own Adam."""
    mine = [row for row in rows if row.edit == edit]
    block = loaded.architecture.block(settings.layer)

    def clean(item: SearchRow) -> torch.Tensor:
        batch = answer_batch([item.row])
        with (
            torch.no_grad(),
            capture_output(block, positions=torch.tensor([item.lookup])) as seen,
            stop_after(block),
        ):
            loaded.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
        return seen.value[0]

    anchor = clean(next(row for row in mine if row.task))
    norm, width = float(anchor.norm()), len(anchor)
    change = torch.zeros_like(anchor, requires_grad=True)
    optimiser = torch.optim.Adam([change], lr=settings.learning_rate * norm / width**0.5)
    for index in range(settings.steps):
        task = torch.zeros((), dtype=anchor.dtype)
        other = torch.zeros((), dtype=anchor.dtype)
        for item in mine:
            batch = answer_batch([item.row])
            with add_to_output(block, change[None], rows=torch.tensor([0]), positions=torch.tensor([item.lookup])):
                loss = divergence(answer_logits(loaded.model, batch), item.targets).mean() * item.weight
            if item.task:
                task = task + loss
            else:
                other = other + loss
        if float(task.detach()) < settings.stop or index == settings.steps - 1:
            return change.detach(), index
        optimiser.zero_grad()
        (task + other + settings.decay * change.norm() / norm**2).backward()
        optimiser.step()
        with torch.no_grad():
            change.mul_((settings.clamp * norm / change.norm()).clamp_max(1))
    raise AssertionError


@pytest.mark.parametrize("loaded", _models(), ids=["llama-fp64", "gpt2-fp32"])
def test_suffix_equals_full_pass(loaded: LoadedModel) -> None:
    rows = search_rows(loaded)
    batch = answer_batch([item.row for item in rows])
    starts = torch.tensor([item.lookup for item in rows])
    filled = prefill(loaded, batch, layer=LAYER, starts=starts)
    added = torch.randn(len(rows), loaded.architecture.hidden_size, dtype=filled.hidden.dtype)
    with torch.no_grad():
        suffix = suffix_logits(loaded, filled, added)
        block = loaded.architecture.block(LAYER)
        with add_to_output(block, added, rows=torch.arange(len(rows)), positions=starts):
            full = answer_logits(loaded.model, batch)
        again = answer_logits(loaded.model, batch)
    torch.testing.assert_close(suffix, full, rtol=0, atol=1e-12 if full.dtype == torch.float64 else 1e-4)
    assert not torch.allclose(full, again)


@pytest.mark.parametrize(
    ("loaded", "stop"), list(zip(_models(), (5.45, 5.7), strict=True)), ids=["llama-fp64", "gpt2-fp32"]
)
@pytest.mark.parametrize("rows_at_once", [2, 64])
def test_batched_search_equals_one_by_one(loaded: LoadedModel, stop: float, rows_at_once: int) -> None:
    rows = search_rows(loaded)
    settings = SearchSettings(layer=LAYER, steps=9, learning_rate=0.4, clamp=1.5, stop=stop, rows=rows_at_once)
    found = search_values(loaded, rows, settings=settings)
    for edit in range(3):
        change, steps = _plain_search(loaded, rows, edit, settings)
        assert int(found.steps[edit]) == steps
        error = (found.change[edit] - change).norm() / change.norm()
        assert float(error) < (1e-9 if change.dtype == torch.float64 else 1e-4)
    assert len(set(found.steps.tolist())) > 1, "the edits should stop at different steps"


def test_search_is_blind_to_order_and_cancellable() -> None:
    loaded = tiny_llama(seed=1)
    rows = search_rows(loaded)
    settings = SearchSettings(layer=LAYER, steps=5, stop=0.01)
    forwards = search_values(loaded, rows, settings=settings)
    shuffled = search_values(loaded, [rows[i] for i in (0, 4, 2, 5, 1, 3)], settings=settings)
    torch.testing.assert_close(forwards.change, shuffled.change, rtol=0, atol=1e-5)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        search_values(loaded, rows, settings=settings, step=stop)
    assert all("forward" not in vars(block) for block in loaded.architecture.blocks)


def test_clamp_holds() -> None:
    loaded = tiny_llama(seed=1)
    settings = SearchSettings(layer=LAYER, steps=12, learning_rate=3.0, clamp=0.25, stop=0.0)
    rows = [row for row in search_rows(loaded) if row.edit == 0]
    change = search_values(loaded, rows, settings=settings).change
    batch = answer_batch([rows[0].row])
    filled = prefill(loaded, batch, layer=LAYER, starts=torch.tensor([rows[0].lookup]))
    assert float(change.norm()) == pytest.approx(0.25 * float(filled.hidden[0, 0].norm()), rel=1e-4)


def test_dual_and_primal_solve_agree() -> None:
    generator = torch.Generator().manual_seed(0)
    keys = torch.randn(60, 25, generator=generator, dtype=torch.float64)
    residuals = torch.randn(12, 25, generator=generator, dtype=torch.float64)
    dual = ridge_dual(keys=keys, residuals=residuals, penalty=0.3)
    primal = ridge_primal(keys=keys, residuals=residuals, penalty=0.3)
    assert float((dual - primal).norm() / primal.norm()) < 1e-10
    gradient = (dual @ keys - residuals) @ keys.T + 0.3 * dual
    assert float(gradient.norm()) < 1e-9
    torch.testing.assert_close(ridge(keys=keys, residuals=residuals, penalty=0.3), dual)
    many = torch.randn(10, 25, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(
        ridge(keys=many, residuals=residuals, penalty=0.3), ridge_dual(keys=many, residuals=residuals, penalty=0.3)
    )


def test_projected_dual_is_the_published_update() -> None:
    """Equation 12 of AlphaEdit, solved as the reference does with an (f, f) system."""
    generator = torch.Generator().manual_seed(1)
    keys = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    past = torch.randn(40, 9, generator=generator, dtype=torch.float64)
    residuals = torch.randn(8, 6, generator=generator, dtype=torch.float64)
    samples = (
        torch.randn(40, 300, generator=generator, dtype=torch.float64) * torch.linspace(0.01, 2, 40)[:, None].double()
    )
    space = null_space(samples @ samples.T / 300, kept=0.6)
    projector = space.project(torch.eye(40, dtype=torch.float64))
    system = projector @ (keys @ keys.T + past @ past.T) + 2.0 * torch.eye(40, dtype=torch.float64)
    published = torch.linalg.solve(system, projector @ keys @ residuals.T).T
    ours = ridge_dual(
        keys=space.project(torch.cat([keys, past], dim=1)),
        residuals=torch.cat([residuals, torch.zeros(8, 9, dtype=torch.float64)], dim=1),
        penalty=2.0,
    )
    assert float((ours - published).norm() / published.norm()) < 1e-10


def test_null_space_keeps_the_quiet_directions() -> None:
    moment = torch.diag(torch.tensor([5.0, 0.1, 3.0, 0.2]))
    space = null_space(moment, kept=0.5)
    projected = space.project(torch.eye(4))
    torch.testing.assert_close(projected, torch.diag(torch.tensor([0.0, 1.0, 0.0, 1.0])))
    assert space.energy == pytest.approx(0.3 / 8.3)
    assert null_space(moment, kept=1.0).energy == pytest.approx(1.0)
    torch.testing.assert_close(null_space(moment, kept=1.0).project(torch.eye(4)), torch.eye(4))
