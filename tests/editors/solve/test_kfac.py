"""Solves in the metric of a Kronecker-factored curvature against dense ones over all entries of W, in float64."""

from __future__ import annotations

import pytest
import torch

from knowledgesmith.editors.solve.kfac import Factors, kfac_ridge, kfac_step, low_curvature, ridge_in_metric
from knowledgesmith.editors.solve.least_squares import ridge
from knowledgesmith.graph_schema.errors import InvalidInput

F, D = 7, 5


def drawn(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def factors(*, rank: int = 20) -> Factors:
    keys, gradients = drawn(F, rank, seed=1), drawn(D, rank, seed=2) * 3
    return Factors(inputs=keys @ keys.T / rank, outputs=gradients @ gradients.T / rank)


def dense(found: Factors) -> torch.Tensor:
    """H over the entries of W, row by row."""
    return torch.kron(found.outputs.contiguous(), found.inputs.contiguous())


def close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return float((found - expected).norm()) <= 1e-8 * float(expected.norm())


@pytest.mark.parametrize("count", [1, 4, 7, 12])
@pytest.mark.parametrize("penalty", [1e-3, 2.0])
def test_the_ridge_is_the_dense_minimiser(count: int, penalty: float) -> None:
    keys, residuals, metric = drawn(F, count, seed=3), drawn(D, count, seed=4), factors()
    found = kfac_ridge(keys=keys, residuals=residuals, factors=metric, penalty=penalty)
    system = torch.kron(torch.eye(D).double(), keys @ keys.T) + penalty * dense(metric)
    expected = torch.linalg.solve(system, (residuals @ keys.T).flatten()).reshape(D, F)
    assert close(found, expected)

    def objective(change: torch.Tensor) -> float:
        cost = torch.trace(metric.outputs @ change @ metric.inputs @ change.T)
        return float((change @ keys - residuals).square().sum() + penalty * cost)

    assert all(objective(found) < objective(found + 1e-3 * drawn(D, F, seed=seed)) for seed in range(5, 10))


def test_equal_keys_share_what_is_wanted_of_them() -> None:
    keys = drawn(F, 1, seed=3).repeat(1, 3)
    residuals = drawn(D, 3, seed=4)
    found = kfac_ridge(keys=keys, residuals=residuals, factors=factors(), penalty=1e-9)
    assert float((found @ keys[:, :1] - residuals.mean(1, keepdim=True)).norm()) <= 1e-6 * float(residuals.norm())


def test_without_curvature_it_is_the_plain_ridge() -> None:
    keys, residuals = drawn(F, 4, seed=3), drawn(D, 4, seed=4)
    flat = Factors(inputs=torch.eye(F).double(), outputs=torch.eye(D).double())
    found = kfac_ridge(keys=keys.float(), residuals=residuals.float(), factors=flat, penalty=0.3)
    assert found.dtype is torch.float64
    assert close(found, ridge(keys=keys.float(), residuals=residuals.float(), penalty=0.3))


@pytest.mark.parametrize("count", [2, 12])
def test_a_metric_of_the_inputs_alone(count: int) -> None:
    keys, residuals, metric = drawn(F, count, seed=3), drawn(D, count, seed=4), factors().inputs
    found = ridge_in_metric(keys=keys, residuals=residuals, metric=2.0 * metric)
    assert close(found, torch.linalg.solve(keys @ keys.T + 2.0 * metric, keys @ residuals.T).T)
    flat = Factors(inputs=metric, outputs=torch.eye(D).double())
    assert close(found, kfac_ridge(keys=keys, residuals=residuals, factors=flat, penalty=2.0))


def test_the_step_undoes_the_curvature() -> None:
    gradient, metric = drawn(D, F, seed=5), factors()
    expected = torch.linalg.solve(dense(metric), gradient.flatten()).reshape(D, F)
    assert close(kfac_step(gradient=gradient, factors=metric), expected)


def test_damping_is_a_share_of_the_mean_curvature() -> None:
    metric = factors(rank=3)
    assert int(torch.linalg.matrix_rank(dense(metric))) < F * D
    damped = metric.damped(0.04)
    for raised, factor in ((damped.inputs, metric.inputs), (damped.outputs, metric.outputs)):
        added = raised - factor
        torch.testing.assert_close(added, 0.2 * factor.diagonal().mean() * torch.eye(len(factor)).double())
    kfac_ridge(keys=drawn(F, 2, seed=3), residuals=drawn(D, 2, seed=4), factors=damped, penalty=1.0)
    with pytest.raises(InvalidInput, match="zero"):
        Factors(inputs=torch.zeros(F, F), outputs=metric.outputs).damped(0.1)


@pytest.mark.parametrize("energy", [0.0, 0.01, 0.2, 0.9, 1.0])
@pytest.mark.parametrize("rank", [4, 20])
def test_the_projector_is_that_of_the_dense_curvature(energy: float, rank: int) -> None:
    metric = factors(rank=rank)
    space = low_curvature(metric, energy=energy)
    change = drawn(D, F, seed=6)
    found = space.project(change)
    values, vectors = torch.linalg.eigh(dense(metric))
    values = values.clamp_min(0)
    count = int(space.kept.sum())
    inside = vectors[:, :count]
    # of equal eigenvalues (zeros) only the space is told, and the border never cuts through them
    assert close(found, (inside @ (inside.T @ change.flatten())).reshape(D, F))
    share = float(values[:count].sum() / values.sum())
    assert share == pytest.approx(space.energy, abs=1e-10)
    assert share <= energy + 1e-10
    assert count == F * D or float(values[: count + 1].sum() / values.sum()) > energy - 1e-10
    torch.testing.assert_close(space.project(found), found, rtol=0, atol=1e-12)


def test_what_is_projected_hardly_moves_the_text() -> None:
    metric, change = factors(), drawn(D, F, seed=6)

    def cost(moved: torch.Tensor) -> float:
        return float(moved.flatten() @ dense(metric) @ moved.flatten() / moved.norm() ** 2)

    kept = low_curvature(metric, energy=0.05).project(change)
    assert float(kept.norm()) > 0.2 * float(change.norm())
    assert cost(kept) < 0.3 * cost(change)
