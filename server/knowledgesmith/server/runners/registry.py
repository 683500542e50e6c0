"""Every method that begins an operation, and what runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.operations.tasks import Runner


def runners_of(parts: Parts) -> Mapping[str, Runner]:
    """Runners by method name, for ``Operations.start``."""
    raise NotImplementedError
