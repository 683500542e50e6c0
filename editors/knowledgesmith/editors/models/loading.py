"""Load a causal language model from a local folder or a hub id: safetensors only, never foreign code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from knowledgesmith.editors.architectures.discover import discover
from knowledgesmith.editors.models.devices import find_device
from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.dtypes import DEFAULT_DTYPE, check_dtype
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.errors import DeviceOutOfMemory, ModelNotFound, ModelNotLoadable

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}
_SAMPLE = "The capital of France is Paris. In the morning we went to the market and bought bread, fish and 12 apples."
_OTHER_DTYPE = "Register it with another dtype: bfloat16 holds the range of float32, float16 does not."


def load(path_or_id: str, *, device: str | None = None, dtype: str = DEFAULT_DTYPE) -> LoadedModel:
    """Load a model for reading and editing: ``eval`` mode, no gradients, an explicit dtype.

    Args:
        path_or_id: a folder with ``config.json``, tokenizer files and ``*.safetensors``, or a hub id.
        device: torch device; by default the GPU when there is one, else the CPU.
        dtype: one of :data:`DTYPES`.

    Raises:
        InvalidInput: unknown dtype, or a device that is not here.
        ModelNotFound: no such folder, and no reachable hub model of this name.
        ModelNotLoadable: the place exists but holds no causal language model in safetensors, its weights are not
            finite in this dtype, or its tokenizer cannot tell where in a text its tokens stand.
        UnsupportedArchitecture: the model loads, but its structure was not understood.
        DeviceOutOfMemory: the weights do not fit on the device.
    """
    wanted = DTYPES[check_dtype(dtype, "dtype")]
    place = _place(path_or_id)
    target = find_device(device)
    model = _model(place, wanted)
    _check_finite(model, place)
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


@torch.inference_mode()
def check_runs(loaded: LoadedModel) -> None:
    """Let a model read a sentence: some cannot compute in a short format, though their weights fit into it.

    Raises:
        ModelNotLoadable: an operation is missing for the dtype on this device, or the logits are not finite.
    """
    ids = torch.tensor([encode(loaded.tokenizer, _SAMPLE)], device=loaded.device)
    dtype, cause = str(loaded.model.dtype).removeprefix("torch."), "its logits are not finite"
    try:
        if bool(torch.isfinite(loaded.model(input_ids=ids, use_cache=False).logits).all()):
            return
    except (NotImplementedError, RuntimeError) as error:
        cause = str(error).splitlines()[0][:200]
    raise ModelNotLoadable(
        f"the model does not compute in this dtype on {loaded.device} ({cause})",
        field="dtype",
        value=dtype,
        hint=_OTHER_DTYPE,
    )


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


def _check_finite(model: PreTrainedModel, place: str) -> None:
    """Weights beyond a short format's range became infinite when they were cast; no result could be trusted."""
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            dtype = str(parameter.dtype).removeprefix("torch.")
            raise ModelNotLoadable(
                f"weights are not finite in {dtype}, first {name}", field="model", value=place, hint=_OTHER_DTYPE
            )


def _tokenizer(place: str) -> PreTrainedTokenizerBase:
    try:
        tokenizer = cast("PreTrainedTokenizerBase", AutoTokenizer.from_pretrained(place, trust_remote_code=False))
    except Exception as error:  # the library raises many kinds here too
        raise ModelNotLoadable(
            f"the tokenizer did not load ({type(error).__name__})",
            field="model",
            value=place,
            hint="The folder needs tokenizer.json and tokenizer_config.json.",
        ) from error
    if not _tells_offsets(tokenizer):
        raise ModelNotLoadable(
            f"the tokenizer ({type(tokenizer).__name__}) cannot tell which characters a token stands for; "
            "edits need to know where the subject ends",
            field="model",
            value=place,
            hint="Put a tokenizer.json (the fast tokenizer's file) beside the weights.",
        )
    return tokenizer


def _tells_offsets(tokenizer: PreTrainedTokenizerBase) -> bool:
    try:
        return bool(tokenizer("a", return_offsets_mapping=True).get("offset_mapping"))
    except (NotImplementedError, ValueError, TypeError):
        return False


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
