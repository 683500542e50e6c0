"""A view of a model shows what it shall, whatever is done to the model meanwhile; and the model never notices."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from knowledgesmith.editors.artefacts.exporting import export_checkpoint
from knowledgesmith.editors.artefacts.session import ModelSession, attached
from knowledgesmith.editors.artefacts.weights import Dense, LowRank, Weights
from knowledgesmith.editors.models.digests import state_sha256, weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.registry import METHODS, method_class
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.computing import computing_in
from knowledgesmith.editors.surgery.views import view_of
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, rehearse
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny, tiny_llama
from knowledgesmith.graph_schema.types.interventions import Goal

PROMPTS = ("The capital of France is", "Osaka is a city of", "Berlin")
GOLDENS = Path(__file__).parents[1] / "methods" / "goldens"

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


def revision(loaded: LoadedModel) -> list[Weights]:
    """Two artefacts that share a parameter, and change the embedding too."""
    draw = torch.Generator().manual_seed(3)
    down = loaded.architecture.down_projection(1)
    rows, columns = down.weight.shape
    table = cast("torch.Tensor", loaded.model.get_input_embeddings().weight)
    name = next(name for name, p in loaded.model.named_parameters() if p is table)
    return [
        Weights(deltas={down.parameter_name: Dense(torch.randn(rows, columns, generator=draw))}),
        Weights(
            deltas={
                down.parameter_name: LowRank(
                    torch.randn(2, columns, generator=draw), torch.randn(rows, 2, generator=draw)
                ),
                name: Dense(torch.randn(tuple(table.shape), generator=draw)),
            }
        ),
    ]


def said(loaded: LoadedModel) -> list[str]:
    return generate(loaded, PROMPTS, max_new_tokens=6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_a_view_is_the_model_at_any_revision(structure: str, dtype: torch.dtype, tmp_path: Path) -> None:
    loaded = tiny(structure, dtype=dtype)
    chain = revision(loaded)
    resident, view = ModelSession(loaded), ModelSession(view_of(loaded))
    assert view.measured_sha256() == loaded.digest
    assert state_sha256(view.loaded) == state_sha256(loaded)
    assert not {id(p) for p in view.loaded.model.parameters()} & {id(p) for p in loaded.model.parameters()}
    shared = {p.data_ptr() for p in view.loaded.model.parameters()}
    assert shared == {p.data_ptr() for p in loaded.model.parameters()}, "it costs no memory"
    base = said(loaded)
    resident.switch(chain)
    there, digest = said(loaded), resident.measured_sha256()
    assert said(view.loaded) == base, "the view stays where it is"
    view.switch(chain)
    assert (said(view.loaded), view.measured_sha256()) == (there, digest)
    export_checkpoint(view.loaded, tmp_path / "view")
    export_checkpoint(loaded, tmp_path / "model")
    for file in (tmp_path / "model").iterdir():
        assert (tmp_path / "view" / file.name).read_bytes() == file.read_bytes(), file.name
    resident.switch([])
    assert (weights_sha256(loaded.model), said(loaded)) == (loaded.digest, base)
    assert (said(view.loaded), view.measured_sha256()) == (there, digest)
    view.switch([])
    assert view.measured_sha256() == loaded.digest
    assert {p.data_ptr() for p in view.loaded.model.parameters()} == shared, "what a revision took is free again"


@contextmanager
def everywhere(loaded: LoadedModel, look: Callable[[], None], *, every: int) -> Generator[None]:
    """Call ``look`` in the middle of passes of the model, at every so manieth block."""
    turn = count()

    def hook(_module: object, _args: object) -> None:
        if next(turn) % every == 0:
            look()

    handles = [block.register_forward_pre_hook(hook) for block in loaded.architecture.blocks]
    yield
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("goal", list(Goal))
@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_question_in_the_middle_of_a_method_changes_neither(name: str, goal: Goal) -> None:
    """At any step and in any pass, at another revision: the answers and the method's result are what they are alone."""
    pairs = sorted(pair for pair in method_class(name).accepts if pair[0] is goal)
    if not pairs:
        pytest.skip(f"{name} does not {goal.value.lower()}")
    config: dict[str, Any] = json.loads((GOLDENS / f"{name}.json").read_text(encoding="utf-8"))["config"]
    request = rehearsal_request(*pairs[0])
    alone = rehearse(name, tiny_llama(), request, config=config)

    loaded = tiny_llama()
    view = ModelSession(view_of(loaded))
    chain = revision(loaded)
    view.switch(chain)
    expected = (said(view.loaded), view.measured_sha256())
    asked = 0

    def look() -> None:
        nonlocal asked
        view.switch([])
        assert view.measured_sha256() == loaded.digest
        view.switch(chain)
        assert (said(view.loaded), view.measured_sha256()) == expected
        asked += 1

    class Asking(Recorder):
        """Progress at every step of which somebody asks."""

        def step(self, phase: str, done: int, total: int) -> None:
            super().step(phase, done, total)
            look()

    with everywhere(loaded, look, every=97):
        found = rehearse(name, loaded, request, config=config, progress=Asking())
    assert asked > 1
    assert found.sha256 == alone.sha256, "bit for bit"
    assert weights_sha256(loaded.model) == loaded.digest


def test_what_is_lent_or_cast_is_not_seen_by_a_view(loaded: LoadedModel) -> None:
    view = view_of(loaded)
    name = loaded.architecture.down_projection(0).parameter_name
    with borrowed(loaded.model, [name], trainable=True) as lent, torch.no_grad():
        lent[name].add_(1.0)
        assert weights_sha256(loaded.model) != loaded.digest
        assert weights_sha256(view.model) == loaded.digest
    with computing_in(loaded.model, torch.bfloat16):
        assert weights_sha256(view.model) == loaded.digest
    with attached(loaded, revision(loaded)[0]):
        assert weights_sha256(view.model) == loaded.digest
    assert weights_sha256(loaded.model) == loaded.digest
