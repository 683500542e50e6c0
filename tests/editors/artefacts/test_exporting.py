from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.base import Artefact
from knowledgesmith.editors.artefacts.context import Context
from knowledgesmith.editors.artefacts.exporting import export_adapter, export_checkpoint
from knowledgesmith.editors.artefacts.memory import Memory
from knowledgesmith.editors.artefacts.session import ModelSession
from knowledgesmith.editors.artefacts.weights import Dense, LowRank, Weights
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.loading import load
from knowledgesmith.editors.testing.tiny import save_checkpoint
from knowledgesmith.graph_schema.errors import AlreadyExists, InvalidInput

IDS = torch.tensor([[3, 5, 7, 9, 11]])


def low_rank(loaded: LoadedModel, layers: tuple[int, ...], *, rank: int, scale: float, seed: int) -> Weights:
    draw = torch.Generator().manual_seed(seed)
    deltas: dict[str, LowRank] = {}
    for layer in layers:
        projection = loaded.architecture.down_projection(layer)
        rows, columns = projection.weight.shape
        a, b = torch.randn(rank, columns, generator=draw), torch.randn(rows, rank, generator=draw)
        deltas[projection.parameter_name] = LowRank(a, b, scale)
    return Weights(deltas=deltas)


def test_a_checkpoint_is_the_revision(loaded: LoadedModel, tmp_path: Path) -> None:
    resident = ModelSession(loaded)
    resident.switch([low_rank(loaded, (0, 1), rank=2, scale=0.1, seed=0)])
    folder = export_checkpoint(loaded, tmp_path / "export")
    again = load(str(folder), device="cpu")
    assert again.digest == resident.weights_sha256() != loaded.digest
    assert again.tokenizer("Paris")["input_ids"] == loaded.tokenizer("Paris")["input_ids"]
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
    with pytest.raises(AlreadyExists):
        export_checkpoint(loaded, folder)


def test_more_than_weights_is_no_plain_file(loaded: LoadedModel, tmp_path: Path) -> None:
    projection = loaded.architecture.down_projection(1)
    memory = Memory(
        module=projection.name,
        keys=torch.zeros(1, projection.in_features),
        values=torch.zeros(1, projection.out_features),
        radii=torch.ones(1),
        labels=("one",),
    )
    change, context = low_rank(loaded, (0,), rank=1, scale=0.1, seed=0), Context(instruction="Be brief.")
    resident = ModelSession(loaded)
    cases: list[tuple[list[Artefact], str]] = [
        ([memory], "a memory"),
        ([context], "a context"),
        ([memory, context], "a memory and a context"),
    ]
    for others, named in cases:
        resident.switch([change, *others])
        with pytest.raises(InvalidInput, match=f"with {named} is no plain checkpoint.*Export a revision from before"):
            export_checkpoint(loaded, tmp_path / "export")
        with pytest.raises(InvalidInput, match=f"with {named} is no plain adapter"):
            export_adapter(loaded, [change, *others], tmp_path / "export")
    assert list(tmp_path.iterdir()) == []
    resident.switch([change])
    export_checkpoint(loaded, tmp_path / "export")


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # used by the adapter library
def test_an_adapter_gives_the_same_logits(loaded: LoadedModel, tmp_path: Path) -> None:
    from peft import PeftModel

    artefacts = [
        low_rank(loaded, (0, 1), rank=2, scale=0.2, seed=0),
        low_rank(loaded, (1, 2), rank=3, scale=-0.1, seed=1),
    ]
    base = save_checkpoint(loaded, tmp_path / "base")
    resident = ModelSession(loaded)
    resident.switch(artefacts)
    expected = loaded.model(IDS).logits
    folder = export_adapter(loaded, artefacts, tmp_path / "adapter", base_model=str(base))
    assert sorted(path.name for path in folder.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    plain: Any = load(str(base), device="cpu").model
    before = plain(IDS).logits
    adapted = PeftModel.from_pretrained(plain, str(folder))
    after = adapted(IDS).logits
    assert torch.allclose(after, expected, atol=1e-4)
    assert not torch.allclose(before, expected, atol=1e-2)


def test_exporting_changes_nothing(llama: LoadedModel, tmp_path: Path) -> None:
    export_checkpoint(llama, tmp_path / "one")
    export_adapter(llama, [low_rank(llama, (0,), rank=1, scale=1.0, seed=0)], tmp_path / "two")
    assert weights_sha256(llama.model) == llama.digest


def test_what_is_no_adapter_is_refused(llama: LoadedModel, tmp_path: Path) -> None:
    name = llama.architecture.down_projection(0).parameter_name
    shape = llama.model.get_parameter(name).shape
    table = llama.model.get_parameter("lm_head.weight").shape
    norm = "model.norm.weight"
    cases = {
        "full rank": Weights(deltas={name: Dense(torch.ones(shape))}),
        "shared": Weights(deltas={"lm_head.weight": LowRank(torch.ones(1, table[1]), torch.ones(table[0], 1))}),
        "linear map": Weights(deltas={norm: LowRank(torch.ones(1, 1), torch.ones(32, 1))}),
        "changes nothing": Weights(deltas={}),
    }
    for reason, artefact in cases.items():
        with pytest.raises(InvalidInput, match=reason):
            export_adapter(llama, [artefact], tmp_path / "adapter")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_nothing(llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(llama.tokenizer, "save_pretrained", fail)
    with pytest.raises(OSError):
        export_checkpoint(llama, tmp_path / "export")
    assert list(tmp_path.iterdir()) == []
