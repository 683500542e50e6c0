"""Load a causal language model from a local folder or a hub id: safetensors only, never foreign code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from knowledgesmith.editors.architectures.discover import discover
from knowledgesmith.editors.digests import weights_sha256
from knowledgesmith.editors.models import LoadedModel
from knowledgesmith.graph_schema.errors import DeviceOutOfMemory, InvalidInput, ModelNotFound, ModelNotLoadable

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}


def load(path_or_id: str, *, device: str | None = None, dtype: str = "float32") -> LoadedModel:
    """Load a model for reading and editing: ``eval`` mode, no gradients, an explicit dtype.

    Args:
        path_or_id: a folder with ``config.json``, tokenizer files and ``*.safetensors``, or a hub id.
        device: torch device; by default the GPU when there is one, else the CPU.
        dtype: one of :data:`DTYPES`.

    Raises:
        InvalidInput: unknown dtype or device.
        ModelNotFound: no such folder, and no reachable hub model of this name.
        ModelNotLoadable: the place exists but holds no causal language model in safetensors.
        UnsupportedArchitecture: the model loads, but its structure was not understood.
        DeviceOutOfMemory: the weights do not fit on the device.
    """
    wanted = _dtype(dtype)
    place = _place(path_or_id)
    target = _device(device)
    model = _model(place, wanted)
    tokenizer = _tokenizer(place)
    try:
        torch.nn.Module.to(model, target)
    except torch.OutOfMemoryError as error:
        raise DeviceOutOfMemory(
            "the model does not fit on the device", field="device", value=str(target), hint="Use bfloat16 or the CPU."
        ) from error
    return prepare(model, tokenizer)


def prepare(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> LoadedModel:
    """Bring a model that is already in memory into the state that every caller relies on."""
    model.train(False)
    model.requires_grad_(False)
    return LoadedModel(model=model, tokenizer=tokenizer, architecture=discover(model), digest=weights_sha256(model))


def default_device() -> torch.device:
    """The GPU when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _dtype(name: str) -> torch.dtype:
    if name not in DTYPES:
        raise InvalidInput("unknown dtype", field="dtype", value=name, hint=f"One of {', '.join(DTYPES)}.")
    return DTYPES[name]


def _device(name: str | None) -> torch.device:
    if name is None:
        return default_device()
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidInput("unknown device", field="device", value=name, hint="For example cpu or cuda:0.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("there is no CUDA device here", field="device", value=name, hint="Use cpu.")
    return device


def _place(path_or_id: str) -> str:
    """Check a local folder before any library looks at it; a hub id passes as it is."""
    if not path_or_id.strip() or "\0" in path_or_id:
        raise ModelNotFound("a model needs a folder or a hub id", field="model", value=path_or_id)
    folder = Path(path_or_id).expanduser()
    if folder.is_dir():
        _check_folder(folder)
        return str(folder)
    if folder.exists():
        raise ModelNotLoadable(
            "this is a file; a model is a folder", field="model", value=path_or_id, hint="Give the folder it lies in."
        )
    if path_or_id.startswith((".", "~", "/")) or path_or_id.count("/") > 1 or "\\" in path_or_id:
        raise ModelNotFound("no such folder", field="model", value=path_or_id, hint="Check the path.")
    return path_or_id


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelNotLoadable(
            "the folder has no config.json", field="model", value=str(folder), hint="Give a checkpoint folder."
        )
    if any(folder.glob("*.safetensors")):
        return
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth")):
        raise ModelNotLoadable(
            "the folder holds only pickled weights, which can run code and are refused",
            field="model",
            value=str(folder),
            hint="Convert the checkpoint to safetensors first.",
        )
    raise ModelNotLoadable(
        "the folder has no *.safetensors", field="model", value=str(folder), hint="Give a checkpoint folder."
    )


def _model(place: str, dtype: torch.dtype) -> PreTrainedModel:
    try:
        loaded = AutoModelForCausalLM.from_pretrained(
            place, dtype=dtype, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # the library raises many kinds for a bad checkpoint
        raise _not_loaded(place, error) from error
    model, info = cast("tuple[PreTrainedModel, dict[str, Any]]", loaded)
    missing = sorted(info.get("missing_keys") or ())
    if missing:
        raise ModelNotLoadable(
            f"the checkpoint lacks {len(missing)} tensors, first {missing[0]}", field="model", value=place
        )
    if getattr(model.config, "quantization_config", None) is not None or model.config.is_encoder_decoder:
        raise ModelNotLoadable(
            "quantised and encoder-decoder models cannot be edited",
            field="model",
            value=place,
            hint="Give the full-precision decoder-only checkpoint.",
        )
    return model


def _tokenizer(place: str) -> PreTrainedTokenizerBase:
    try:
        return cast("PreTrainedTokenizerBase", AutoTokenizer.from_pretrained(place, trust_remote_code=False))
    except Exception as error:  # the library raises many kinds here too
        raise ModelNotLoadable(
            f"the tokenizer did not load ({type(error).__name__})",
            field="model",
            value=place,
            hint="The folder needs tokenizer.json and tokenizer_config.json.",
        ) from error


def _not_loaded(place: str, error: Exception) -> ModelNotFound | ModelNotLoadable:
    cause = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]
    if isinstance(error, OSError) and not Path(place).is_dir():
        return ModelNotFound(
            "no local folder of this name, and the hub has no such safetensors model or cannot be reached",
            field="model",
            value=place,
            hint="Give the path of a downloaded checkpoint, or check the id and the network.",
            metadata={"cause": cause},
        )
    return ModelNotLoadable(
        f"no causal language model could be loaded ({cause})",
        field="model",
        value=place,
        hint="It must be a full-precision causal language model that needs no code of its own.",
        metadata={"cause": cause},
    )
