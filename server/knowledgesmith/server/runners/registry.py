"""Every method that begins an operation, and what runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.server.runners.archives import ArchiveRunners
from knowledgesmith.server.runners.branches import BranchRunners
from knowledgesmith.server.runners.deletions import DeletionRunners
from knowledgesmith.server.runners.graphs import GraphRunners
from knowledgesmith.server.runners.models import ModelRunners
from knowledgesmith.server.runners.probe_sets import ProbeSetRunners

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.operations.tasks import Runner


def runners_of(parts: Parts) -> Mapping[str, Runner]:
    """Runners by method name, for ``Operations.start``."""
    return {
        **GraphRunners(parts).table(),
        **ArchiveRunners(parts).table(),
        **BranchRunners(parts).table(),
        **DeletionRunners(parts).table(),
        **ModelRunners(parts).table(),
        **ProbeSetRunners(parts).table(),
    }
