"""A memory answers where the nearest key lies within its radius, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.memory import Acts, Memory
from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import capture_input, capture_output
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.errors import EditDiverged, InvalidInput, UnsupportedArchitecture

IDS = torch.tensor([[3, 5, 7, 9, 11], [4, 6, 8, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
LENGTHS = [5, 3]


def memory_at(loaded: LoadedModel, keys: torch.Tensor, radii: list[float], **fields: Any) -> Memory:
    """Entry i answers with i + 1 everywhere."""
    projection = loaded.architecture.down_projection(1)
    values = torch.arange(1.0, len(keys) + 1)[:, None].expand(-1, projection.out_features)
    labels = tuple(map(str, range(len(keys))))
    made: dict[str, Any] = {"module": projection.name, "labels": labels, **fields}
    return Memory(keys=keys, values=values, radii=torch.tensor(radii), **made)


def run(loaded: LoadedModel, ends: list[int] | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and outputs of the map in a pass. shapes: (2, 5, f), (2, 5, d)."""
    module = loaded.architecture.down_projection(1).module
    with (
        torch.no_grad(),
        forward_context.prompting(LENGTHS, ends=ends),
        capture_input(module) as inputs,
        capture_output(module) as outputs,
    ):
        loaded.model(input_ids=IDS, attention_mask=MASK)
    return inputs.value, outputs.value


def test_the_nearest_key_within_its_radius_answers(loaded: LoadedModel) -> None:
    inputs, own = run(loaded)
    first, second = inputs[0, 4], inputs[1, 2]
    apart = float((first - second).norm())
    far = first + 1e3
    for radii, expected in (
        ([0.4 * apart] * 3, (1.0, 2.0)),
        ([0.0, 0.4 * apart, 1.0], (1.0, 2.0)),  # a radius of 0 is met exactly
        ([2 * apart, 0.4 * apart, 2 * apart], (1.0, 2.0)),
    ):
        with attached(loaded, memory_at(loaded, torch.stack([first, second, far]), radii)):
            _, found = run(loaded)
        assert torch.equal(found[0, 4], torch.full_like(own[0, 4], expected[0]))
        assert torch.equal(found[1, 2], torch.full_like(own[1, 2], expected[1]))
    with attached(loaded, memory_at(loaded, torch.stack([first + 1e-2, far]), [1e-3, 1.0])):
        _, found = run(loaded)
    assert torch.equal(found, own), "the nearest key does not reach, a farther one is not asked"


@pytest.mark.parametrize("acts", list(Acts))
def test_only_the_places_where_it_acts_change(loaded: LoadedModel, acts: Acts) -> None:
    inputs, own = run(loaded)
    keys = inputs[MASK.bool()]
    ends = [2, 2]
    with attached(loaded, memory_at(loaded, keys, [1e-6 + 0.0] * len(keys), acts=acts)):
        _, found = run(loaded, ends)
    changed = (found != own).any(dim=-1)
    expected = torch.zeros(2, 5, dtype=torch.bool)
    expected[0, 2] = expected[1, 2] = True
    if acts is Acts.FROM_PROMPT_END:
        expected[0, 3:] = True
    assert torch.equal(changed, expected)
    assert torch.equal(found[~expected], own[~expected])


def test_an_empty_memory_changes_nothing(loaded: LoadedModel) -> None:
    projection = loaded.architecture.down_projection(1)
    _, own = run(loaded)
    empty = Memory(
        module=projection.name,
        keys=torch.zeros(0, projection.in_features),
        values=torch.zeros(0, projection.out_features),
        radii=torch.zeros(0),
        labels=(),
    )
    with attached(loaded, empty):
        assert torch.equal(run(loaded)[1], own)


def test_of_two_memories_at_one_map_the_later_one_answers(loaded: LoadedModel) -> None:
    inputs, _ = run(loaded)
    key = inputs[0, 4][None]
    first = memory_at(loaded, key, [1e-3])
    second = Memory(
        module=first.module, keys=key, values=torch.full_like(first.values, 7.0), radii=first.radii, labels=("x",)
    )
    for chain, expected in (((first, second), 7.0), ((second, first), 1.0)):
        with attached(loaded, *chain):
            assert torch.equal(run(loaded)[1][0, 4], torch.full((first.values.shape[1],), expected))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_short_formats_are_compared_in_full_precision(dtype: torch.dtype) -> None:
    loaded = tiny_llama(dtype=dtype)
    inputs, _ = run(loaded)
    memory = memory_at(loaded, inputs[0, 4][None], [0.0])
    assert memory.keys.dtype is (torch.float64 if dtype is torch.float64 else torch.float32)
    with attached(loaded, memory):
        _, found = run(loaded)
    assert found.dtype is dtype
    assert torch.equal(found[0, 4], torch.ones_like(found[0, 4]))


def test_gradients_flow_past_a_memory_and_not_through_what_it_replaced(llama: LoadedModel) -> None:
    inputs, _ = run(llama)
    weight = llama.architecture.down_projection(1).weight
    weight.requires_grad = True
    try:
        with attached(llama, memory_at(llama, inputs[0, 4][None], [1e-3])), forward_context.prompting([5]):
            llama.model(IDS[:1]).logits[0, 2].sum().backward()
            earlier = weight.grad
            weight.grad = None
            with capture_output(llama.architecture.down_projection(1).module) as seen:
                llama.model(IDS[:1])
            [through] = torch.autograd.grad(seen.value[0, 4].sum(), [weight], allow_unused=True)
    finally:
        weight.requires_grad = False
        weight.grad = None
    assert earlier is not None
    assert bool(earlier.any())
    assert not bool(through.any())


def test_a_memory_of_another_model_is_refused(loaded: LoadedModel) -> None:
    projection = loaded.architecture.down_projection(1)
    shapes = {"keys": torch.zeros(1, projection.in_features), "values": torch.zeros(1, projection.out_features)}
    for wrong in (
        {"module": "no.such.map"},
        {"module": loaded.architecture.block_names[0]},  # not a linear map
        {"module": "lm_head"},  # sees chosen places only
        {"module": ""},
        {"keys": torch.zeros(1, 3)},
        {"values": torch.zeros(1, 3)},
    ):
        fields: dict[str, Any] = {
            "module": projection.name,
            "radii": torch.ones(1),
            "labels": ("x",),
            **shapes,
            **wrong,
        }
        with pytest.raises(UnsupportedArchitecture, match="another model"), attached(loaded, Memory(**fields)):
            pass


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"labels": ()}, InvalidInput),
        ({"radii": torch.ones(2)}, InvalidInput),
        ({"radii": torch.ones(1, 1)}, InvalidInput),
        ({"keys": torch.ones(3)}, InvalidInput),
        ({"values": torch.ones(2, 4)}, InvalidInput),
        ({"radii": -torch.ones(1)}, InvalidInput),
        ({"radii": torch.tensor([torch.inf])}, EditDiverged),
        ({"keys": torch.tensor([[0.0, torch.nan]])}, EditDiverged),
        ({"values": torch.full((1, 4), torch.inf)}, EditDiverged),
    ],
)
def test_what_does_not_belong_together_is_refused(fields: dict[str, Any], error: type[Exception]) -> None:
    good: dict[str, Any] = {
        "module": "m",
        "keys": torch.ones(1, 2),
        "values": torch.ones(1, 4),
        "radii": torch.ones(1),
        "labels": ("x",),
    }
    assert Memory(**good).labels == ("x",)
    with pytest.raises(error):
        Memory(**{**good, **fields})
