"""The one model in memory: loaded, lent to interventions, and asked about any of its revisions beside them."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.editors.artefacts import exporting
from knowledgesmith.editors.artefacts.reading import artefact_file, load_artefact
from knowledgesmith.editors.models.default_model import ensure_default_model
from knowledgesmith.editors.models.loading import check_runs, load
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.graph_schema.errors import DeviceOutOfMemory, InvalidInput, ModelNotLoadable
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.server.worker.model.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from knowledgesmith.editors.artefacts.base import Artefact
    from knowledgesmith.editors.artefacts.session import ModelSession
    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.graph_schema.interventions.branches import ModelInfo, RevisionInfo
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.settings import ServerSettings
    from knowledgesmith.server.worker.model.shelf import Held, Place

_FREE_FACTOR = 1.1


class ModelHost:
    """Lends the one model in memory to interventions, and to visits beside them, which may be in other threads.

    ``shelf`` decides who has it when.
    """

    def __init__(self, *, settings: ServerSettings, store: GraphStore) -> None:
        self._settings = settings
        self._store = store
        self.shelf = Shelf(self._load)

    def describe(self, *, path: str, dtype: str) -> dict[str, Any]:
        """Load a model (empty path = the default model), prove that it computes, and tell what it is.

        Raises:
            ModelNotFound, ModelNotLoadable: see :func:`knowledgesmith.editors.models.loading.load` and ``check_runs``.
        """
        place = path or str(ensure_default_model())
        with self.shelf.using((place, dtype)) as held:
            loaded = held.resident.loaded
            check_runs(loaded)
            return {
                "path": place,
                "dtype": dtype,
                "weights_sha256": loaded.digest,
                "architecture": type(loaded.model).__name__,
                "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
            }

    def _load(self, place: Place) -> LoadedModel:
        path, dtype = place
        return load(path, device=self._settings.device or None, dtype=dtype)

    @contextmanager
    def resident_of(self, branch_id: str) -> Generator[ModelSession]:
        """The branch's model for an intervention, whatever revision it shows at present.

        Raises:
            ModelNotLoadable: the files at the model's path are no longer those that were registered.
        """
        model = self._model_of(branch_id)
        with self.shelf.using((model.path, model.dtype)) as held:
            self._check(held, model)
            yield held.resident

    def place_of(self, branch_id: str) -> Place:
        """Where the model of a branch is."""
        model = self._model_of(branch_id)
        return model.path, model.dtype

    def _model_of(self, branch_id: str) -> ModelInfo:
        return branches.get_model(self._store, branches.get_branch(self._store, branch_id).model_id)

    def _check(self, held: Held, model: ModelInfo) -> None:
        if held.resident.loaded.digest != model.weights_sha256:
            self.shelf.forget(held)
            raise ModelNotLoadable(
                "the weights at this path are not those that were registered",
                field="path",
                value=model.path,
                hint="Restore the files, or register the new weights under another id.",
            )

    @contextmanager
    def _shown(
        self, sort: str, held: Held, branch_id: str, revision_id: str
    ) -> Generator[tuple[ModelSession, list[Artefact]]]:
        """A view that shows a revision, and its artefacts; what it takes of memory is free again afterwards.

        Raises:
            DeviceOutOfMemory: there is no room for it beside what else is on the device.
        """
        self._check(held, self._model_of(branch_id))
        chain = self.artefacts(branches.lineage(self._store, branch_id, revision_id))
        view = held.view(sort)
        try:
            view.switch(chain)
            yield view, chain
        except torch.OutOfMemoryError as error:
            raise DeviceOutOfMemory(
                "the device has no room for this beside what it does already",
                field="revision_id",
                value=revision_id,
                hint="Ask for fewer prompts or tokens at once, or when the present intervention has ended.",
            ) from error
        finally:
            view.switch([])

    def artefacts(self, line: Sequence[RevisionInfo]) -> list[Artefact]:
        """Artefacts of a revision in the order in which they are attached, each verified by its digest.

        Args:
            line: the revision and its ancestors (``branches.lineage``).
        """
        return [self.artefact(digest) for digest in branches.artefact_chain(line)]

    def artefact(self, digest: str) -> Artefact:
        """One stored artefact."""
        return load_artefact(self.artefact_path(digest), digest)

    def artefact_path(self, digest: str) -> Path:
        """Where an artefact is kept."""
        return artefact_file(self._settings.artefact_dir, digest)

    def weights_digest(self, held: Held, *, branch_id: str, revision_id: str) -> str:
        """Build a revision and hash the weights as they are in memory then."""
        with self._shown("weights_digest", held, branch_id, revision_id) as (view, _):
            return view.measured_sha256()

    def ask(
        self, held: Held, *, branch_id: str, revision_id: str, prompts: Sequence[str], max_new_tokens: int
    ) -> list[str]:
        """Greedy continuations."""
        with self._shown("ask", held, branch_id, revision_id) as (view, _):
            return generate(view.loaded, prompts, max_new_tokens=max_new_tokens)

    def export(
        self,
        held: Held,
        *,
        branch_id: str,
        revision_id: str,
        format: str,  # noqa: A002 - the word of the wire
        name: str,
    ) -> dict[str, Any]:
        """Write a revision below the export directory.

        Raises:
            InvalidInput: the folder exists, the disk is too full, or the revision is not low-rank (adapter) or more
                than weights.
            Cancelled: nobody waits for it any more; nothing is left of it.
        """
        with self._shown("export", held, branch_id, revision_id) as (view, chain):
            folder = self._settings.export_dir / name
            if folder.exists():
                raise InvalidInput("this export exists", field="name", value=name, hint="Choose another name.")
            self._check_space(view.loaded)
            if format == "peft_adapter":
                exporting.export_adapter(view.loaded, chain, folder, base_model=self.place_of(branch_id)[0])
            else:
                exporting.export_checkpoint(view.loaded, folder)
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            return {"directory": str(folder), "bytes": size}

    def remove_export(self, name: str) -> None:
        """Take an export back whose answer reached nobody: the next try shall find the name free."""
        shutil.rmtree(self._settings.export_dir / name, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what exports left behind whose worker was killed."""
        exporting.sweep(self._settings.export_dir)

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
