"""Whatever runs a model ends within one block of the moment its caller left, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from knowledgesmith.editors.health.finite import nonfinite_weights
from knowledgesmith.editors.health.reading import read_state
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.solve.least_squares import ridge
from knowledgesmith.editors.solve.null_space import null_space
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.stopping import stoppable
from knowledgesmith.editors.surgery.views import view_of
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny
from knowledgesmith.editors.text.encoding import plain_ids
from knowledgesmith.graph_schema.cancellation import Caller, working_for
from knowledgesmith.graph_schema.errors import Cancelled

TEXTS = [f"The capital of {name} is Paris." for name in ("France", "Japan", "Italy", "Spain", "Peru")] * 8
IDS = torch.tensor([[3, 5, 7, 9, 11]])

USES: dict[str, Callable[[LoadedModel], object]] = {
    "generate": lambda loaded: generate(loaded, TEXTS, max_new_tokens=32, batch_rows=1),
    "score": lambda loaded: Scorer(loaded, batch_rows=1).score([(text, "Rome") for text in set(TEXTS)]),
    "health": read_state,
    "statistics": lambda loaded: TextStatistics(loaded, TEXTS, None, batch_rows=1).prepare([0, 2]),
    "pass": lambda loaded: loaded.model(IDS),
}


@pytest.mark.parametrize("use", sorted(USES))
@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_no_block_begins_after_its_caller_has_left(structure: str, use: str) -> None:
    loaded = stoppable(tiny(structure))
    for shown in (loaded, view_of(loaded)):  # a view of a model that asks does so too
        caller, begun = Caller(), 0

        def hook(_block: object, _args: object, caller: Caller = caller) -> None:
            nonlocal begun
            begun += 1
            if begun == 3:
                caller.leave()

        for block in shown.architecture.blocks:
            block.register_forward_pre_hook(hook)
        with working_for(caller), pytest.raises(Cancelled):
            USES[use](shown)
        assert begun == 3


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_a_backward_pass_ends_too(structure: str) -> None:
    loaded = stoppable(tiny(structure))
    loaded.model.requires_grad_(True)
    caller, ended = Caller(), 0
    count = loaded.architecture.num_layers

    def hook(_block: Any, args: tuple[Any, ...]) -> None:
        def passed(_gradient: object) -> None:
            nonlocal ended
            ended += 1
            if ended == 2:
                caller.leave()

        args[0].register_hook(passed)

    for block in loaded.architecture.blocks:
        block.register_forward_pre_hook(hook)
    with working_for(caller):
        loss = loaded.model(IDS).logits.float().square().mean()
        with pytest.raises(Cancelled):
            loss.backward()
    assert ended == 2 < count


def test_asking_changes_no_result() -> None:
    plain, asking = tiny("llama"), stoppable(tiny("llama"))
    with working_for(Caller(3600)):
        assert generate(asking, TEXTS[:4], max_new_tokens=8) == generate(plain, TEXTS[:4], max_new_tokens=8)
        assert torch.equal(asking.model(IDS).logits, plain.model(IDS).logits)
    drawn = torch.randn(40, 24, generator=torch.Generator().manual_seed(0))
    moment, residuals = drawn.T @ drawn, torch.randn(8, 40, generator=torch.Generator().manual_seed(1))

    def solved() -> list[torch.Tensor]:
        return [null_space(moment, kept=0.5).complement, ridge(keys=drawn.T, residuals=residuals, penalty=0.1)]

    alone = solved()
    with torch.no_grad(), working_for(Caller(3600)):
        apart = solved()
    assert all(torch.equal(one, other) for one, other in zip(alone, apart, strict=True)), "in another thread"


def test_work_without_passes_asks_too() -> None:
    loaded, caller = tiny("llama"), Caller()
    caller.leave()
    with working_for(caller):
        with pytest.raises(Cancelled):
            weights_sha256(loaded.model)
        with pytest.raises(Cancelled):
            nonfinite_weights(loaded.model)
        with pytest.raises(Cancelled):
            plain_ids(loaded.tokenizer, TEXTS)
