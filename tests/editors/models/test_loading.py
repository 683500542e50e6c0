from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import ByT5Tokenizer

from knowledgesmith.editors.models.devices import available, find_device
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.loading import check_runs, load
from knowledgesmith.editors.testing.tiny import save_checkpoint, tiny_llama
from knowledgesmith.graph_schema.errors import InvalidInput, ModelNotFound, ModelNotLoadable


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return save_checkpoint(tiny_llama(), tmp_path / "model")


def test_a_saved_model_loads_as_it_was(loaded: LoadedModel, tmp_path: Path) -> None:
    again = load(str(save_checkpoint(loaded, tmp_path / "model")), device="cpu")
    assert again.digest == loaded.digest == weights_sha256(again.model)
    assert not again.model.training
    assert not any(parameter.requires_grad for parameter in again.model.parameters())
    assert again.architecture.tied_head == loaded.architecture.tied_head


def test_the_dtype_is_explicit(checkpoint: Path) -> None:
    assert load(str(checkpoint), device="cpu").model.dtype == torch.float32
    half = load(str(checkpoint), device="cpu", dtype="bfloat16")
    assert half.model.dtype == torch.bfloat16
    assert half.digest != tiny_llama().digest
    with pytest.raises(InvalidInput, match="bfloat16"):
        load(str(checkpoint), dtype="int4")


@pytest.mark.parametrize("name", ["no such device", "meta", "cpu:3", "cuda:-1", "cuda:", "CPU", "xla", "cuda:0:0", " "])
def test_an_unknown_device_is_refused(checkpoint: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cuda:1") as caught:
        load(str(checkpoint), device=name)
    assert (caught.value.field, caught.value.value) == ("device", repr(name))


def test_a_device_that_is_not_here_is_refused_with_those_that_are(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert available() == ["cpu"]
    assert find_device("") == find_device(None) == torch.device("cpu")
    with pytest.raises(InvalidInput, match="Use cpu"):
        load(str(checkpoint), device="cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device("") == find_device("cuda") == torch.device("cuda")
    with pytest.raises(InvalidInput, match="cuda:0 or cuda:1 or cpu") as caught:
        find_device("cuda:2", "--device")
    assert caught.value.field == "--device"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
def test_a_model_reads_in_every_dtype(checkpoint: Path, dtype: str) -> None:
    check_runs(load(str(checkpoint), device="cpu", dtype=dtype))


def test_weights_beyond_a_format_are_refused(tmp_path: Path) -> None:
    tiny = tiny_llama()
    with torch.no_grad():
        tiny.model.get_parameter("model.layers.1.mlp.down_proj.weight")[3, 5] = 1e5
    folder = str(save_checkpoint(tiny, tmp_path / "model"))
    assert load(folder, device="cpu", dtype="bfloat16").model.dtype is torch.bfloat16
    with pytest.raises(ModelNotLoadable, match=r"not finite in float16, first model\.layers\.1\.mlp") as caught:
        load(folder, device="cpu", dtype="float16")
    assert "bfloat16" in caught.value.hint


def test_a_model_that_overflows_while_it_computes_is_refused(tmp_path: Path) -> None:
    tiny = tiny_llama()
    with torch.no_grad():
        tiny.model.get_parameter("model.layers.1.mlp.down_proj.weight").mul_(3e4)
        tiny.model.get_parameter("model.layers.1.mlp.up_proj.weight").mul_(3e4)
    folder = str(save_checkpoint(tiny, tmp_path / "model"))
    check_runs(load(folder, device="cpu", dtype="bfloat16"))
    with pytest.raises(ModelNotLoadable, match="not finite") as caught:
        check_runs(load(folder, device="cpu", dtype="float16"))
    assert caught.value.field == "dtype"


def test_an_operation_that_is_missing_for_a_dtype_is_told(llama: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(**_: object) -> None:
        raise RuntimeError("\"some_kernel\" not implemented for 'Half'")

    monkeypatch.setattr(llama.model, "forward", forward)
    with pytest.raises(ModelNotLoadable, match=r"some_kernel.*another dtype"):
        check_runs(llama)


def test_a_tokenizer_without_places_in_the_text_is_refused(checkpoint: Path) -> None:
    for file in checkpoint.glob("token*"):
        file.unlink()
    slow: Any = ByT5Tokenizer
    slow().save_pretrained(checkpoint)
    with pytest.raises(ModelNotLoadable, match=r"ByT5Tokenizer.*tokenizer\.json"):
        load(str(checkpoint))


@pytest.mark.parametrize(
    "place", ["/no/such/folder", "./no/such", "~/no-such-model", "", "  ", "a\0b", "a/b/c", "..\\x"]
)
def test_a_wrong_path_is_not_found(place: str) -> None:
    with pytest.raises(ModelNotFound):
        load(place)


def test_a_hub_id_without_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound, match="downloaded checkpoint"):
        load("nobody/no-such-model")


def test_a_file_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"x")
    with pytest.raises(ModelNotLoadable, match="folder"):
        load(str(file))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable, match=r"config\.json"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelNotLoadable, match="safetensors"):
        load(str(tmp_path))


def test_pickled_weights_are_refused_unread(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "model.safetensors").unlink()
    trap = tmp_path / "opened"
    (checkpoint / "pytorch_model.bin").write_bytes(f"cbuiltins\nopen\n(V{trap}\nVw\ntR.".encode())
    with pytest.raises(ModelNotLoadable, match="pickled"):
        load(str(checkpoint))
    assert not trap.exists()


def test_foreign_code_never_runs(checkpoint: Path, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    (checkpoint / "modeling_own.py").write_text(f"open({str(trap)!r}, 'w')\nclass Own: pass\n", encoding="utf-8")
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    config |= {
        "model_type": "own",
        "auto_map": {"AutoModelForCausalLM": "modeling_own.Own", "AutoConfig": "modeling_own.Own"},
    }
    (checkpoint / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelNotLoadable):
        load(str(checkpoint))
    assert not trap.exists()


def test_damaged_weights_are_refused(checkpoint: Path) -> None:
    file = checkpoint / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelNotLoadable):
        load(str(checkpoint))


def test_missing_tensors_are_refused(checkpoint: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = checkpoint / "model.safetensors"
    tensors = load_file(file)
    tensors.pop("model.layers.2.mlp.down_proj.weight")
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ModelNotLoadable, match=r"lacks 1 tensors, first model\.layers\.2"):
        load(str(checkpoint))


def test_a_folder_without_a_tokenizer(checkpoint: Path) -> None:
    for file in checkpoint.glob("token*"):
        file.unlink()
    with pytest.raises(ModelNotLoadable, match="tokenizer"):
        load(str(checkpoint))


def test_the_digest_sees_every_bit(llama: LoadedModel) -> None:
    with torch.no_grad():
        llama.architecture.final_norm.weight[3] += 1e-7  # type: ignore[index, operator]  # a parameter
    assert weights_sha256(llama.model) != llama.digest
