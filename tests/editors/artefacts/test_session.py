from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from knowledgesmith.editors.artefacts.attachment import apply_deltas
from knowledgesmith.editors.artefacts.session import ModelSession
from knowledgesmith.editors.artefacts.weights import Delta, Dense, LowRank, Weights
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.errors import UnsupportedArchitecture


def artefacts(loaded: LoadedModel) -> list[Weights]:
    """Three artefacts; the first two touch the same layer."""
    draw = torch.Generator().manual_seed(5)
    first, second = loaded.architecture.down_projection(0), loaded.architecture.down_projection(1)
    rows, columns = first.weight.shape
    return [
        Weights(deltas={first.parameter_name: Dense(torch.randn(first.weight.shape, generator=draw))}),
        Weights(
            deltas={
                first.parameter_name: LowRank(
                    torch.randn(1, columns, generator=draw), torch.randn(rows, 1, generator=draw)
                )
            }
        ),
        Weights(deltas={second.parameter_name: Dense(torch.randn(second.weight.shape, generator=draw))}),
    ]


def test_the_base_is_the_loaded_model(loaded: LoadedModel) -> None:
    resident = ModelSession(loaded)
    assert resident.weights_sha256() == resident.measured_sha256() == loaded.digest
    assert resident.attached == ()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(st.lists(st.integers(0, 2), max_size=3), min_size=1, max_size=5))
def test_any_way_to_a_revision_gives_the_same_bits(llama: LoadedModel, path: list[list[int]]) -> None:
    pool = artefacts(llama)
    resident = ModelSession(llama)
    for step in path:
        resident.switch([pool[index] for index in step])
    fresh = ModelSession(tiny_llama())
    fresh.switch([pool[index] for index in path[-1]])
    assert resident.measured_sha256() == fresh.measured_sha256() == resident.weights_sha256()
    resident.switch([])
    assert resident.measured_sha256() == llama.digest


def test_digests_are_computed_once_a_revision(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledgesmith.editors.artefacts import session as module

    calls: list[nn.Module] = []

    def counting(model: nn.Module) -> str:
        calls.append(model)
        return weights_sha256(model)

    monkeypatch.setattr(module, "weights_sha256", counting)
    resident, pool = ModelSession(loaded), artefacts(loaded)
    for _ in range(3):
        resident.switch(pool[:2])
        resident.weights_sha256()
        resident.switch([])
        resident.weights_sha256()
    assert len(calls) == 1


def test_a_long_chain_loses_nothing_in_half_precision() -> None:
    loaded = tiny_llama(dtype=torch.bfloat16)
    name = loaded.architecture.down_projection(0).parameter_name
    base = loaded.model.get_parameter(name).detach().clone()
    small = Weights(deltas={name: Dense(torch.full(base.shape, 1e-4))})
    resident = ModelSession(loaded)
    resident.switch([small] * 200)
    expected = base.float()
    for _ in range(200):
        expected = expected + torch.tensor(1e-4)
    assert torch.equal(loaded.model.get_parameter(name), expected.bfloat16())


def test_an_artefact_that_does_not_fit_leaves_the_revision(llama: LoadedModel) -> None:
    resident, pool = ModelSession(llama), artefacts(llama)
    resident.switch(pool[:1])
    shown = resident.measured_sha256()
    with pytest.raises(UnsupportedArchitecture):
        resident.switch([pool[2], Weights(deltas={"absent": Dense(torch.zeros(1))})])
    assert resident.measured_sha256() == shown
    assert resident.attached == (pool[0].sha256,)


def test_a_failure_while_attaching_restores_the_base(llama: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledgesmith.editors.artefacts import session as module

    pool = artefacts(llama)

    def half(plan: list[tuple[nn.Parameter, list[Delta]]]) -> None:
        apply_deltas(plan[:1])
        raise torch.OutOfMemoryError

    resident = ModelSession(llama)
    monkeypatch.setattr(module, "apply_deltas", half)
    with pytest.raises(torch.OutOfMemoryError):
        resident.switch([pool[0], pool[2]])
    assert resident.measured_sha256() == llama.digest
    assert resident.attached == ()
