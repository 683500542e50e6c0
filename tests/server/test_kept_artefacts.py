"""The worker finds what was kept of any kind by its digest alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from knowledgesmith.editors.artefacts.base import Artefact
from knowledgesmith.editors.artefacts.context import Context
from knowledgesmith.editors.artefacts.memory import Memory
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.graph_schema.errors import ArtefactCorrupt, ArtefactNotFound
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.model.host import ModelHost

KINDS: list[Artefact] = [
    Weights(deltas={"w": Dense(torch.ones(2))}),
    Memory(module="m", keys=torch.ones(1, 2), values=torch.ones(1, 3), radii=torch.ones(1), labels=("f",)),
    Context(instruction="Be brief."),
]


@pytest.mark.parametrize("made", KINDS, ids=lambda made: made.kind)
def test_an_artefact_is_found_by_its_digest(tmp_path: Path, made: Artefact) -> None:
    settings = ServerSettings(data_dir=tmp_path)
    settings.create_directories()
    no_store: Any = None
    host = ModelHost(settings=settings, store=no_store)
    digest = made.save(settings.artefact_dir)
    found = host.artefact(digest)
    assert (type(found), found.sha256, found.to_bytes()) == (type(made), digest, made.to_bytes())
    host.artefact_path(digest).write_bytes(b"{}")
    with pytest.raises(ArtefactCorrupt):
        host.artefact(digest)
    host.artefact_path(digest).unlink()
    with pytest.raises(ArtefactNotFound):
        host.artefact(digest)
