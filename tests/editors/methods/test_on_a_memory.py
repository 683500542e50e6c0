"""Every method runs on a model that carries a memory: each of its passes says what its rows are."""

from __future__ import annotations

import pytest
import torch
from tests.editors.methods.test_method_contract import golden

from knowledgesmith.editors.artefacts.memory import Acts, Memory
from knowledgesmith.editors.artefacts.session import ModelSession
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.registry import METHODS, method_class
from knowledgesmith.editors.testing.rehearsal import rehearsal_request, rehearse
from knowledgesmith.editors.testing.tiny import tiny_llama


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_runs_where_a_memory_acts(name: str) -> None:
    loaded = tiny_llama()
    projection = loaded.architecture.down_projection(0)
    memory = Memory(
        module=projection.name,
        keys=torch.zeros(1, projection.in_features),
        values=torch.ones(1, projection.out_features),
        radii=torch.full((1,), 1e-6),
        labels=("nothing",),
        acts=Acts.FROM_PROMPT_END,
        metadata={"method": "tests"},
    )
    session = ModelSession(loaded)
    session.switch([memory])
    for pair in sorted(method_class(name).accepts):
        found = rehearse(name, loaded, rehearsal_request(*pair), config=golden(name)["config"])
        assert bool(found.deltas) == (name != "placebo"), pair
    session.switch(())
    assert weights_sha256(loaded.model) == loaded.digest
