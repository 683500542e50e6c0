"""Take a revision elsewhere: a full checkpoint, or an adapter when every change is of low rank."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from safetensors.torch import save_file

from knowledgesmith.editors.architectures.discover import linear_maps
from knowledgesmith.editors.artefacts.weights import LowRank, Weights
from knowledgesmith.editors.files import sync_folder
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import AlreadyExists, InvalidInput

FILE_SIZE: Final = "1GB"
"""Largest file of an exported checkpoint."""
_PART: Final = ".part"
_UNFINISHED: Final = re.compile(r"\..+\.[a-z0-9_]{8}(\.part)?")
"""Names of unfinished exports, those of earlier releases too; no export has a name with a dot in front."""

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.artefacts.base import Artefact
    from knowledgesmith.editors.models.loaded import LoadedModel


def export_checkpoint(loaded: LoadedModel, folder: Path) -> Path:
    """Write the weights that the model carries now, with its tokenizer, as a Hugging Face checkpoint (safetensors).

    Weights of more than :data:`FILE_SIZE` are parted into files: while one is written nothing else runs in this
    process, and an export that nobody waits for any more ends before the next.

    Raises:
        InvalidInput: the model shows more than weights: a memory or a context.
        AlreadyExists: the folder is there already.
        Cancelled: nobody waits for it any more; nothing of it is left.
    """
    _check_plain(loaded.shown.kinds, "checkpoint")
    with _new_folder(folder) as part:
        loaded.model.save_pretrained(part, max_shard_size=FILE_SIZE)
        loaded.tokenizer.save_pretrained(part)
    return folder


def export_adapter(loaded: LoadedModel, artefacts: Sequence[Artefact], folder: Path, *, base_model: str = "") -> Path:
    """Write artefacts as one PEFT LoRA adapter that ``PeftModel.from_pretrained`` reads.

    Several artefacts become one by stacking their ranks: Σ sᵢ bᵢ aᵢ = [s₁b₁ s₂b₂ …][a₁; a₂; …]. Ranks are filled
    with zeros to the largest, so one rank (= alpha, scaling 1) holds for all modules.

    Args:
        loaded: the model that the artefacts fit.
        artefacts: the revision's artefacts in order.
        folder: place of the adapter; must not exist.
        base_model: path or id of the base, recorded in the adapter.

    Raises:
        InvalidInput: there is no change, or one is dense, on a tied weight, not on a linear map, or none of weights.
        AlreadyExists: the folder is there already.
        Cancelled: nobody waits for it any more; nothing of it is left.
    """
    from peft import LoraConfig  # seconds to import, needed only here

    changes = [artefact for artefact in artefacts if isinstance(artefact, Weights)]
    _check_plain([artefact.kind for artefact in artefacts if not isinstance(artefact, Weights)], "adapter")
    factors = _stack(loaded, changes)
    rank = max(a.shape[0] for _, a, _ in factors)
    config = LoraConfig(
        r=rank,
        lora_alpha=rank,
        lora_dropout=0.0,
        target_modules=[projection.name for projection, _, _ in factors],
        fan_in_fan_out=factors[0][0].weight_is_transposed,
        bias="none",
        task_type="CAUSAL_LM",
        inference_mode=True,
        base_model_name_or_path=base_model,
    )
    with _new_folder(folder) as part:
        config.save_pretrained(str(part))
        save_file(_state(factors, rank), part / "adapter_model.safetensors", metadata={"format": "pt"})
    return folder


def _stack(loaded: LoadedModel, artefacts: Sequence[Weights]) -> list[tuple[Projection, Tensor, Tensor]]:
    """Each touched map with A (r, in) and B (out, r)."""
    maps = {projection.parameter_name: projection for projection in linear_maps(loaded.model, prefix="")}
    tied = loaded.model.get_input_embeddings().weight
    parts: dict[str, list[LowRank]] = {}
    for artefact in artefacts:
        for name, delta in artefact.deltas.items():
            if not isinstance(delta, LowRank):
                raise _not_exportable("is changed in full rank", name)
            if name not in maps:
                raise _not_exportable("is not the weight of a linear map", name)
            if maps[name].weight is tied:
                raise _not_exportable("is shared with the embedding", name)
            parts.setdefault(name, []).append(delta)
    if not parts:
        raise InvalidInput("the revision changes nothing, so there is no adapter", field="artefacts")
    return [(maps[name], *_join(maps[name], deltas)) for name, deltas in sorted(parts.items())]


def _join(projection: Projection, deltas: Sequence[LowRank]) -> tuple[Tensor, Tensor]:
    a = torch.cat([delta.a for delta in deltas], dim=0)
    b = torch.cat([delta.b * delta.scale for delta in deltas], dim=1)
    # in a transposed parameter the factors act in the other order
    return (b.T, a.T) if projection.weight_is_transposed else (a, b)


def _state(factors: Sequence[tuple[Projection, Tensor, Tensor]], rank: int) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for projection, a, b in factors:
        missing = rank - a.shape[0]
        prefix = f"base_model.model.{projection.name}"
        state[f"{prefix}.lora_A.weight"] = torch.nn.functional.pad(a, (0, 0, 0, missing)).contiguous()
        state[f"{prefix}.lora_B.weight"] = torch.nn.functional.pad(b, (0, missing)).contiguous()
    return state


def _check_plain(others: Sequence[str], wanted: str) -> None:
    """Refuse what no file of weights can hold.

    Raises:
        InvalidInput: there are artefacts of other kinds.
    """
    if others:
        raise InvalidInput(
            f"a revision with a {' and a '.join(dict.fromkeys(others))} is no plain {wanted}",
            field="artefacts",
            value=len(others),
            hint="Export a revision from before it, or make the change again with a method that changes weights.",
        )


def _not_exportable(why: str, name: str) -> InvalidInput:
    return InvalidInput(
        f"a parameter {why}, so the revision is no adapter",
        field="parameter",
        value=name,
        hint="Export the full checkpoint.",
    )


@contextmanager
def _new_folder(folder: Path) -> Generator[Path]:
    """A folder that appears under its name only when it is complete.

    Once nobody waits for it any more the unfinished one is removed at once, so that whatever still writes into it
    fails at its next file.
    """
    if folder.exists():
        raise AlreadyExists("the export folder exists", field="folder", value=str(folder), hint="Choose another.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=_PART))
    remove = partial(shutil.rmtree, part, ignore_errors=True)
    caller = cancellation.current()
    try:
        with caller.telling(remove):
            caller.check()
            yield part
            caller.check()
        part.rename(folder)
    except BaseException as error:
        remove()
        if isinstance(error, Exception):
            caller.check()  # what failed because the folder was gone
        raise
    sync_folder(folder.parent)


def sweep(parent: Path) -> None:
    """Remove folders below ``parent`` whose export was cut off by the end of its process."""
    if parent.is_dir():
        for found in parent.iterdir():
            if _UNFINISHED.fullmatch(found.name) and found.is_dir() and not found.is_symlink():
                shutil.rmtree(found, ignore_errors=True)
