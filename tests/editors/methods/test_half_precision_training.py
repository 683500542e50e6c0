"""Training on models of half precision: it learns as in float32, and small steps are not rounded away."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn import Parameter

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.methods.relearn import ReLearnConfig
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.precision import AUTO, FIELD
from knowledgesmith.editors.registry import method_class
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.surgery.computing import computing_in
from knowledgesmith.editors.testing.rehearsal import materialise, rehearsal_request, rehearse, teach
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny, tiny_llama
from knowledgesmith.editors.train.masters import LossScale, Masters
from knowledgesmith.graph_schema.errors import EditDiverged
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

HALVES = [torch.bfloat16, torch.float16]
CONFIGS: dict[str, dict[str, Any]] = {
    "finetune": {"layers": (1,), "epochs": 25, "batch": 2, "learning_rate": 1e-2},
    "relearn": {"rank": 4, "alpha": 8, "learning_rate": 0.01, "min_steps": 24, "max_steps": 24, "learn_rows": 4},
}
EDIT = (Goal.EDIT, TargetDistribution.NEW_OBJECT)


def gained(loaded: LoadedModel, request: UpdateRequest, name: str, **config: Any) -> float:
    """How much likelier the new objects become, in nats."""

    def score() -> float:
        pairs = [(update.prompts[0].text, update.new) for update in request.updates]
        return math.fsum(found.sum_logprob for found in Scorer(loaded).score(pairs)) / len(pairs)

    before = score()
    with attached(loaded, rehearse(name, loaded, request, config={**CONFIGS[name], **config})):
        return score() - before


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_a_half_precision_model_learns_like_a_whole_one(name: str, dtype: torch.dtype) -> None:
    request = rehearsal_request(*EDIT)
    whole = teach(tiny_llama(), request)
    half = teach(tiny_llama(), request)
    torch.nn.Module.to(half.model, dtype)
    digest = weights_sha256(half.model)
    assert gained(half, request, name) > 0.6 * gained(whole, request, name) > 0.5
    assert weights_sha256(half.model) == digest
    assert {p.dtype for p in half.model.parameters()} == {dtype}


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_every_structure_trains_in_half_precision(structure: str, dtype: torch.dtype) -> None:
    for name in CONFIGS:
        short = {"epochs": 3} if name == "finetune" else {"max_steps": 3, "min_steps": 3, "adapted_maps": ()}
        config = {**CONFIGS[name], **short}
        artefact = rehearse(name, tiny(structure, dtype=dtype), rehearsal_request(*EDIT), config=config)
        changes = [materialise(delta) for delta in artefact.deltas.values()]
        assert changes
        assert all(bool(torch.isfinite(change).all()) for change in changes)
        assert all(float(change.abs().max()) > 0 for change in changes)


@pytest.mark.parametrize("dtype", HALVES)
def test_steps_smaller_than_the_spacing_add_up(dtype: torch.dtype) -> None:
    """A hundred steps of 1e-4 on a weight of 1 are 1e-2; each alone rounds away in bfloat16 and in float16."""
    weight = Parameter(torch.ones(4, dtype=dtype))
    masters = Masters([weight], learning_rate=1e-4)
    for _ in range(100):
        masters.step(-weight.float().sum())
    assert masters.values[0].tolist() == pytest.approx([1.01] * 4, abs=1e-4)
    assert weight.tolist() == pytest.approx([1.01] * 4, abs=4e-3)
    plain = Parameter(torch.ones(4, dtype=dtype))
    optimiser = torch.optim.SGD([plain], lr=1e-4)
    for _ in range(100):
        plain.grad = -torch.ones_like(plain)
        optimiser.step()
    assert plain.tolist() == [1.0] * 4, "what masters are for"


def test_a_weight_of_float32_is_its_own_master() -> None:
    weight = Parameter(torch.ones(2))
    assert Masters([weight], learning_rate=1e-3).values[0] is weight


def test_gradients_below_the_range_of_float16_arrive() -> None:
    weight = Parameter(torch.ones(4, dtype=torch.float16))
    masters = Masters([weight], learning_rate=1e-2)
    masters.step((weight * 1e-8).float().sum())
    assert max(masters.values[0].tolist()) < 0.996, "unscaled, the gradient is zero"


def test_an_overflow_leaves_its_step_out_and_lowers_the_scale() -> None:
    scale = LossScale.of(torch.float16)
    first = scale.value
    assert scale.undo([torch.tensor([math.inf])]) is False
    assert scale.value < first
    gradient = torch.tensor([scale.value])
    assert scale.undo([gradient]) is True
    assert gradient.tolist() == [1.0]
    scale.value = 2.0
    with pytest.raises(EditDiverged, match="not finite"):
        scale.undo([torch.tensor([math.nan])])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_without_scaling_a_gradient_that_is_not_finite_ends_the_edit(dtype: torch.dtype) -> None:
    with pytest.raises(EditDiverged, match="not finite"):
        LossScale.of(dtype).undo([torch.tensor([math.nan])])


def test_no_method_computes_in_half_precision_unasked() -> None:
    """A processor without such units is a hundred times slower: the service measures, a default does not guess."""
    for name in ("alphaedit", "finetune", "placebo", "relearn"):
        field = method_class(name).config_type.model_fields.get(FIELD)
        assert field is None or field.default == AUTO
    loaded = tiny_llama()
    config = {**CONFIGS["relearn"], "max_steps": 2, "min_steps": 2}
    artefact = rehearse("relearn", loaded, rehearsal_request(*EDIT), config=config)
    assert artefact.metadata[FIELD] == "float32"
    named = rehearse("relearn", loaded, rehearsal_request(*EDIT), config={**config, FIELD: "bfloat16"})
    assert named.metadata[FIELD] == "bfloat16"
    assert ReLearnConfig().compute_dtype == AUTO


def test_a_loan_of_another_dtype_is_given_back() -> None:
    loaded = tiny_llama()
    digest = weights_sha256(loaded.model)
    with computing_in(loaded.model, torch.float16):
        assert loaded.model.dtype == torch.float16
    assert weights_sha256(loaded.model) == digest
