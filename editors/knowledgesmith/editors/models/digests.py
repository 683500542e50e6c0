"""SHA-256 over weights and files: the identity of every model state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from knowledgesmith.graph_schema import cancellation

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from knowledgesmith.editors.models.loaded import LoadedModel

_CHUNK = 1 << 22
_SAMPLE = "The 3 cafés in Zürich, 東京 and Αθήνα cost $12.50."
_NOT_COMPUTED = frozenset({"_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype"})
"""Members of a configuration that change no value of a forward pass (the dtype is taken from the weights)."""


def tensor_bytes(tensor: Tensor) -> memoryview:
    """The bytes of a tensor in row order; without a copy when it is contiguous and on the CPU."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data


def weights_sha256(model: nn.Module) -> str:
    """SHA-256 over (name, dtype, shape, bytes) of all parameters, sorted by name; a shared tensor counts once."""
    digest = hashlib.sha256()
    for name, parameter in sorted(model.named_parameters()):
        cancellation.check()
        digest.update(f"{name}\0{parameter.dtype}\0{tuple(parameter.shape)}\0".encode())
        digest.update(tensor_bytes(parameter))
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def text_sha256(*parts: str) -> str:
    """SHA-256 over texts; their boundaries count."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def tokenizer_sha256(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 over what turns a text into token ids: the whole pipeline where it is told, else the tables."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        return text_sha256(type(tokenizer).__name__, str(backend.to_str()), _special_tokens(tokenizer))
    tables = json.dumps(sorted(tokenizer.get_vocab().items()), ensure_ascii=True)
    # a slow tokenizer keeps its rules in code and files; its class and what it makes of a sample stand for them
    sample = json.dumps(cast("Any", tokenizer)(_SAMPLE)["input_ids"])
    return text_sha256(type(tokenizer).__name__, tables, _special_tokens(tokenizer), sample)


def config_sha256(model: PreTrainedModel) -> str:
    """SHA-256 over what decides a forward pass besides weights: class, configuration, attention kernel and dtype."""
    config = model.config.to_dict()
    described = {name: value for name, value in config.items() if name not in _NOT_COMPUTED}
    kernel = str(getattr(model.config, "_attn_implementation", ""))
    content = json.dumps(described, sort_keys=True, default=str)
    return text_sha256(type(model).__name__, content, kernel, str(model.dtype))


def state_sha256(loaded: LoadedModel, artefacts: Sequence[str] = (), *, weights: str = "") -> str:
    """The identity of a model state: weights, tokenizer, configuration, dtype, attached artefacts in order.

    Whatever is computed from a model and kept is kept under this digest; two models that share an artefact (a placebo
    is the same file for all) or two tokenizers over the same weights never share what was kept.

    Args:
        loaded: the model.
        artefacts: digests of what is attached to the weights, in order: all artefacts to those of the base, memories
            and contexts to the present ones.
        weights: digest of the present weights (:func:`weights_sha256`); empty = those of the base.
    """
    parts = (weights or loaded.digest, tokenizer_sha256(loaded.tokenizer), config_sha256(loaded.model))
    return text_sha256(*parts, *artefacts)


def _special_tokens(tokenizer: PreTrainedTokenizerBase) -> str:
    plain = {name: str(token) for name, token in cast("dict[str, Any]", tokenizer.special_tokens_map).items()}
    adds = tuple(str(getattr(tokenizer, name, None)) for name in ("add_bos_token", "add_eos_token", "padding_side"))
    return json.dumps([plain, adds], sort_keys=True)
