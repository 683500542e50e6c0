"""ROME, MEMIT, EMMET and the ridge regression: against plain dense algebra, and the identities that tie them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from knowledgesmith.editors.solve.closed_forms import damped, emmet, memit, rome
from knowledgesmith.editors.solve.least_squares import ridge, ridge_dual, ridge_primal
from knowledgesmith.graph_schema.errors import EditDiverged

SIZES = st.tuples(st.integers(2, 12), st.integers(1, 8), st.integers(1, 9), st.integers(0, 10**6))


def drawn(f: int, d: int, n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Keys (f, n), wanted changes (d, n) and a positive definite moment (f, f)."""
    draw = torch.Generator().manual_seed(seed)
    keys, residuals, sample = (
        torch.randn(*size, generator=draw, dtype=torch.float64) for size in ((f, n), (d, n), (f, 3 * f))
    )
    return keys, residuals, sample @ sample.T / (3 * f)


def close(one: Tensor, other: Tensor) -> bool:
    return float((one - other).norm()) <= 1e-8 * max(1.0, float(other.norm()))


@given(SIZES, st.floats(0.01, 100))
@settings(max_examples=60, deadline=None)
def test_memit_is_the_minimum_of_its_objective(sizes: tuple[int, int, int, int], weight: float) -> None:
    keys, residuals, moment = drawn(*sizes)
    found = memit(keys=keys, residuals=residuals, moment=moment, weight=weight)
    plain = residuals @ keys.T @ torch.linalg.inv(weight * moment + keys @ keys.T)
    assert close(found, plain)
    gradient = (found @ keys - residuals) @ keys.T + weight * found @ moment
    assert float(gradient.norm()) <= 1e-7 * (1 + float(residuals.norm()) * float(keys.norm()))


@given(SIZES)
@settings(max_examples=60, deadline=None)
def test_emmet_meets_its_keys_with_the_least_disturbance(sizes: tuple[int, int, int, int]) -> None:
    f, d, n, seed = sizes
    n = min(n, f)
    keys, residuals, moment = drawn(f, d, n, seed)
    found = emmet(keys=keys, residuals=residuals, moment=moment, ridge=0.0)
    inverse = torch.linalg.inv(moment)
    plain = residuals @ torch.linalg.inv(keys.T @ inverse @ keys) @ keys.T @ inverse
    scale = float(torch.linalg.cond(keys.T @ inverse @ keys))
    if scale > 1e6:
        return
    assert close(found, plain)
    assert close(found @ keys, residuals)
    # every other solution differs by something that no key sees, and disturbs more
    other = found + torch.randn(d, f, dtype=torch.float64) @ (torch.eye(f) - keys @ torch.linalg.pinv(keys)).double()
    assert float((other @ moment * other).sum()) >= float((found @ moment * found).sum()) - 1e-9


@given(SIZES)
@settings(max_examples=40, deadline=None)
def test_emmet_of_one_key_is_rome(sizes: tuple[int, int, int, int]) -> None:
    f, d, _, seed = sizes
    keys, residuals, moment = drawn(f, d, 1, seed)
    one = emmet(keys=keys, residuals=residuals, moment=moment, ridge=0.0)
    assert close(one, rome(directions=keys, keys=keys, residuals=residuals, moment=moment))
    u = torch.linalg.inv(moment) @ keys[:, 0]
    assert close(one, torch.outer(residuals[:, 0], u) / (keys[:, 0] @ u))


def test_emmet_of_equal_keys_is_rome_with_their_mean() -> None:
    keys, residuals, moment = drawn(9, 5, 4, 1)
    equal = keys[:, :1].expand(-1, 4)
    found = emmet(keys=equal, residuals=residuals, moment=moment, ridge=0.0)
    mean = residuals.mean(1, keepdim=True)
    assert close(found, rome(directions=keys[:, :1], keys=keys[:, :1], residuals=mean, moment=moment))


def test_memit_tends_to_emmet_as_its_text_weighs_less() -> None:
    keys, residuals, moment = drawn(9, 5, 4, 2)
    exact = emmet(keys=keys, residuals=residuals, moment=moment, ridge=0.0)
    gaps = [
        float((memit(keys=keys, residuals=residuals, moment=moment, weight=weight) - exact).norm())
        for weight in (1e-2, 1e-4, 1e-6)
    ]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-4 * float(exact.norm())


@given(SIZES, st.floats(0.01, 10))
@settings(max_examples=60, deadline=None)
def test_dual_equals_primal(sizes: tuple[int, int, int, int], penalty: float) -> None:
    keys, residuals, _ = drawn(*sizes)
    one = ridge_dual(keys=keys, residuals=residuals, penalty=penalty)
    assert close(one, ridge_primal(keys=keys, residuals=residuals, penalty=penalty))


@given(SIZES, st.floats(0.05, 5), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_edits_in_turn_equal_one_joint_regression(sizes: tuple[int, int, int, int], penalty: float, first: int) -> None:
    """With the earlier keys in the matrix (AlphaEdit's K_p) the sum of the updates is the joint solution (OTE-SE)."""
    f, d, n, seed = sizes
    keys, wanted, _ = drawn(f, d, n + 1, seed)
    cut = min(first, n)
    before = ridge(keys=keys[:, :cut], residuals=wanted[:, :cut], penalty=penalty)
    new = keys[:, cut:]
    gram = keys @ keys.T + penalty * torch.eye(f, dtype=torch.float64)
    after = before + (wanted[:, cut:] - before @ new) @ new.T @ torch.linalg.inv(gram)
    assert close(after, ridge(keys=keys, residuals=wanted, penalty=penalty))


def test_each_update_of_rome_meets_its_key_after_those_before_it() -> None:
    keys, residuals, moment = drawn(9, 5, 3, 3)
    parts = [
        rome(directions=keys[:, :n], keys=keys[:, :n], residuals=residuals[:, :n], moment=moment) for n in (1, 2, 3)
    ]
    for number, delta in enumerate(parts):
        assert close(delta @ keys[:, number], residuals[:, number])
        assert torch.linalg.matrix_rank(delta) == number + 1


def test_the_released_rome_explodes_where_its_two_keys_disagree() -> None:
    keys, residuals, moment = drawn(9, 5, 1, 4)
    u = torch.linalg.inv(moment) @ keys[:, 0]
    across = keys[:, 0] - u * (u @ keys[:, 0]) / (u @ u)
    nearly = (across + 1e-3 * keys[:, 0])[:, None]
    released = rome(directions=keys, keys=nearly, residuals=residuals, moment=moment)
    one_key = rome(directions=keys, keys=keys, residuals=residuals, moment=moment)
    assert float(released.norm()) > 100 * float(one_key.norm())
    assert close(released @ nearly, residuals), "it does meet the prompt's own key"


@pytest.mark.parametrize("solve", [memit, emmet])
def test_a_text_without_enough_tokens_is_named(solve: object) -> None:
    keys, residuals, _ = drawn(9, 5, 2, 5)
    thin = torch.zeros(9, 9, dtype=torch.float64)
    arguments = {"weight": 1.0} if solve is memit else {"ridge": 0.0}
    with pytest.raises(EditDiverged, match="fewer tokens than key directions"):
        solve(keys=keys, residuals=residuals, moment=thin, **arguments)  # type: ignore[operator]
    with pytest.raises(EditDiverged, match="not finite"):
        rome(directions=keys, keys=keys, residuals=residuals, moment=thin * math.nan)
    assert bool(torch.isfinite(memit(keys=keys, residuals=residuals, moment=damped(torch.eye(9), 0.1), weight=1)).all())
