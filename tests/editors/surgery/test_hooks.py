# pyright: reportPrivateUsage=false
from __future__ import annotations

import pytest
import torch

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.hooks import (
    Capture,
    add_to_output,
    capture_input,
    capture_output,
    head_only_at,
    stop_after,
)
from knowledgesmith.graph_schema.errors import UnsupportedArchitecture

IDS = torch.tensor([[3, 5, 7, 9], [4, 6, 8, 10]])


def no_hooks(loaded: LoadedModel) -> bool:
    return not any(m._forward_hooks or m._forward_pre_hooks for m in loaded.model.modules())


def test_captures_at_positions(loaded: LoadedModel) -> None:
    projection = loaded.architecture.down_projection(1)
    positions = torch.tensor([1, 3])
    with capture_input(projection.module) as everywhere, capture_input(projection.module, positions=positions) as there:
        loaded.model(IDS)
    assert everywhere.value.shape == (2, 4, projection.in_features)
    assert torch.equal(there.value, everywhere.value[[0, 1], positions])
    assert no_hooks(loaded)


def test_a_capture_that_saw_nothing_says_so() -> None:
    with pytest.raises(UnsupportedArchitecture):
        _ = Capture().value


def test_adding_to_a_block_changes_later_positions_only(loaded: LoadedModel) -> None:
    block = loaded.architecture.block(1)
    vector = torch.linspace(-1, 1, 32)[None].requires_grad_()
    before = loaded.model(IDS).logits
    with capture_output(block) as plain:
        loaded.model(IDS)
    with (
        add_to_output(block, vector, rows=torch.tensor([1]), positions=torch.tensor([2])),
        capture_output(block) as seen,
    ):
        after = loaded.model(IDS).logits
    assert torch.equal(after[0], before[0])
    assert torch.allclose(after[1, :2], before[1, :2], atol=1e-6)
    assert not torch.allclose(after[1, 2:], before[1, 2:], atol=1e-3)
    assert torch.allclose(seen.value[1, 2], plain.value[1, 2] + vector[0], atol=1e-6)
    after[1, 3, 5].backward()
    assert vector.grad is not None
    assert bool(vector.grad.abs().sum() > 0)
    assert no_hooks(loaded)


def test_stopping_early_runs_nothing_above(loaded: LoadedModel) -> None:
    low, high = loaded.architecture.block(0), loaded.architecture.block(1)
    with capture_output(low) as below, capture_output(high) as above, stop_after(low):
        loaded.model(IDS)
        pytest.fail("the pass must end inside")
    assert below.value.shape == (2, 4, 32)
    assert above.tensor is None
    assert no_hooks(loaded)


def test_other_errors_pass_through_stop_after(loaded: LoadedModel) -> None:
    with pytest.raises(ZeroDivisionError), stop_after(loaded.architecture.block(0)):
        raise ZeroDivisionError
    assert no_hooks(loaded)


def test_the_head_sees_only_what_is_needed(loaded: LoadedModel) -> None:
    rows, positions = torch.tensor([0, 1, 1]), torch.tensor([2, 0, 3])
    everything = loaded.model(IDS).logits
    with head_only_at(loaded.architecture.lm_head, rows=rows, positions=positions):
        some = loaded.model(IDS).logits
    assert some.shape == (1, 3, everything.shape[-1])
    assert torch.allclose(some[0], everything[rows, positions], atol=1e-6)


def test_borrowed_parameters_come_back_bit_identical(loaded: LoadedModel) -> None:
    name = loaded.architecture.down_projection(0).parameter_name
    before = loaded.model.get_parameter(name).detach().clone()

    def spoil() -> None:
        with borrowed(loaded.model, [name], trainable=True) as lent:
            loaded.model(IDS).logits.sum().backward()
            gradient = lent[name].grad
            assert gradient is not None
            with torch.no_grad():
                lent[name].add_(gradient)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spoil()
    after = loaded.model.get_parameter(name)
    assert torch.equal(after, before)
    assert after.grad is None
    assert not after.requires_grad
