"""The one model in memory: loads it, switches it between revisions, and answers questions about it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledgesmith.editors import exporting
from knowledgesmith.editors.artefacts import Weights, load_artefact
from knowledgesmith.editors.default_model import ensure_default_model
from knowledgesmith.editors.generation import generate
from knowledgesmith.editors.loading import check_runs, load
from knowledgesmith.editors.surgery.resident import ResidentModel
from knowledgesmith.editors.surgery.stopping import stoppable
from knowledgesmith.graph_schema import branches
from knowledgesmith.graph_schema.errors import InvalidInput, ModelNotLoadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.editors.models import LoadedModel
    from knowledgesmith.graph_schema.store import GraphStore
    from knowledgesmith.server.settings import ServerSettings

_FREE_FACTOR = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    path: str
    dtype: str
    resident: ResidentModel


class ModelHost:
    """Keeps one resident model; loading another one lets the first go. Belongs to the worker's main thread."""

    def __init__(self, *, settings: ServerSettings, store: GraphStore) -> None:
        self._settings = settings
        self._store = store
        self._held: _Held | None = None

    def describe(self, *, path: str, dtype: str) -> dict[str, Any]:
        """Load a model (empty path = the default model), prove that it computes, and tell what it is.

        Raises:
            ModelNotFound, ModelNotLoadable: see :func:`knowledgesmith.editors.loading.load` and ``check_runs``.
        """
        place = path or str(ensure_default_model())
        loaded = self._load(place, dtype).loaded
        check_runs(loaded)
        return {
            "path": place,
            "dtype": dtype,
            "weights_sha256": loaded.digest,
            "architecture": type(loaded.model).__name__,
            "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        }

    def _load(self, place: str, dtype: str) -> ResidentModel:
        if self._held is None or (self._held.path, self._held.dtype) != (place, dtype):
            self._held = None  # two models at once might not fit
            loaded = stoppable(load(place, device=self._settings.device or None, dtype=dtype))
            self._held = _Held(path=place, dtype=dtype, resident=ResidentModel(loaded))
        return self._held.resident

    def model_of(self, branch_id: str) -> ResidentModel:
        """The branch's model, whatever revision it shows at present.

        Raises:
            ModelNotLoadable: the files at the model's path are no longer those that were registered.
        """
        branch = branches.get_branch(self._store, branch_id)
        model = branches.get_model(self._store, branch.model_id)
        resident = self._load(model.path, model.dtype)
        if resident.loaded.digest != model.weights_sha256:
            self._held = None
            raise ModelNotLoadable(
                "the weights at this path are not those that were registered",
                field="path",
                value=model.path,
                hint="Restore the files, or register the new weights under another id.",
            )
        return resident

    def checkout(self, branch_id: str, revision_id: str) -> ResidentModel:
        """The branch's model at one revision: base restored bit-exactly, artefacts attached in order."""
        resident = self.model_of(branch_id)
        resident.switch(self.artefacts(branch_id, revision_id))
        return resident

    def artefacts(self, branch_id: str, revision_id: str) -> list[Weights]:
        """Artefacts of a revision in the order in which they are attached, each verified by its digest."""
        line = branches.lineage(self._store, branch_id, revision_id)
        return [self.artefact(digest) for digest in branches.artefact_chain(line)]

    def artefact(self, digest: str) -> Weights:
        """One stored artefact."""
        return load_artefact(self.artefact_path(digest), digest)

    def artefact_path(self, digest: str) -> Path:
        """Where an artefact is kept."""
        return self._settings.artefact_dir / f"{digest}.safetensors"

    def weights_digest(self, *, branch_id: str, revision_id: str) -> str:
        """Show a revision and hash the weights as they are in memory now."""
        return self.checkout(branch_id, revision_id).measured_sha256()

    def ask(self, *, branch_id: str, revision_id: str, prompts: Sequence[str], max_new_tokens: int) -> list[str]:
        """Greedy continuations."""
        return generate(self.checkout(branch_id, revision_id).loaded, prompts, max_new_tokens=max_new_tokens)

    def export(self, *, branch_id: str, revision_id: str, format: str, name: str) -> dict[str, Any]:  # noqa: A002
        """Write a revision below the export directory.

        Raises:
            InvalidInput: the folder exists, the disk is too full, or the revision is not low-rank (adapter).
        """
        folder = self._settings.export_dir / name
        if folder.exists():
            raise InvalidInput("this export exists", field="name", value=name, hint="Choose another name.")
        resident = self.checkout(branch_id, revision_id)
        self._check_space(resident.loaded)
        if format == "peft_adapter":
            base = self._held.path if self._held else ""
            chain = self.artefacts(branch_id, revision_id)
            exporting.export_adapter(resident.loaded, chain, folder, base_model=base)
        else:
            exporting.export_checkpoint(resident.loaded, folder)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return {"directory": str(folder), "bytes": size}

    def _check_space(self, loaded: LoadedModel) -> None:
        needed = sum(p.numel() * p.element_size() for p in loaded.model.parameters()) * _FREE_FACTOR
        free = shutil.disk_usage(self._settings.export_dir).free
        if free < needed:
            raise InvalidInput(
                "the disk is too full for this export",
                field="name",
                value=f"{free} bytes free",
                hint="Free some space.",
            )
