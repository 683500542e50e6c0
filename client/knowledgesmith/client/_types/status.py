"""The state of a server at one glance."""

from __future__ import annotations

from dataclasses import dataclass

from .graphs import ConnectionInfo, Graph
from .interventions import Intervention
from .models import Branch, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What a server holds; ``running`` are the latest interventions that have not ended."""

    target: str
    health: str
    connection: ConnectionInfo
    graphs: tuple[Graph, ...]
    models: tuple[Model, ...]
    branches: tuple[Branch, ...]
    running: tuple[Intervention, ...]
