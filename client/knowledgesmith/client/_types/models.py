"""Models, methods, branches, revisions, answers and exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .enums import DType, Goal, MethodFamily, TargetDistribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A base model: weights in one ``dtype``, which never change. ``parameters`` is a count."""

    id: str
    path: str
    weights_sha256: str
    architecture: str
    parameters: int
    dtype: DType


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedGoal:
    """A goal with a target distribution that a method takes for it."""

    goal: Goal
    target_distribution: TargetDistribution

    def __str__(self) -> str:
        """``GOAL/TARGET_DISTRIBUTION``."""
        return f"{self.goal}/{self.target_distribution}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method, its objective, what it accepts, and the JSON schema of its configuration."""

    name: str
    family: MethodFamily
    accepts: tuple[AcceptedGoal, ...]
    task_loss: str
    preservation: str
    regulariser: str
    operator: str
    source: str
    config_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A line of model states for one graph; committed interventions stand oldest first."""

    id: str
    model_id: str
    graph_id: str
    head_revision_id: str
    intervention_ids: tuple[str, ...]
    busy_intervention_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One state of a branch; ``parent_revision_id`` and ``artefact_sha256`` are empty for the base."""

    id: str
    parent_revision_id: str
    artefact_sha256: str
    weights_sha256: str
    intervention_id: str
    create_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """A branch after a rollback, its head, and the digest of its weights in memory.

    ``weights_sha256`` is empty where the worker was starting or had another model in memory: it is compared later.
    """

    branch: Branch
    head: Revision
    weights_sha256: str

    @property
    def exact(self) -> bool:
        """Whether the weights in memory are, bit by bit, those of the head revision; False also where nobody looked."""
        return bool(self.weights_sha256) and self.weights_sha256 == self.head.weights_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One greedy continuation a prompt, and the revision that gave them."""

    texts: tuple[str, ...]
    revision_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A directory on the server's machine and the bytes written to it."""

    directory: str
    bytes: int
