"""Models, methods, branches, revisions, answers and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from knowledgesmith.v1 import model_pb2

from .times import read_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A base model: weights in one ``dtype``, which never change. ``parameters`` is a count."""

    id: str
    path: str
    weights_sha256: str
    architecture: str
    parameters: int
    dtype: str

    @classmethod
    def from_proto(cls, message: model_pb2.Model) -> Self:
        """Read the wire's message."""
        return cls(
            id=message.id,
            path=message.path,
            weights_sha256=message.weights_sha256,
            architecture=message.architecture,
            parameters=message.parameters,
            dtype=message.dtype or "float32",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method, its objective, and what it accepts (pairs ``GOAL/TARGET_DISTRIBUTION``)."""

    name: str
    family: str
    accepts: tuple[str, ...]
    task_loss: str
    preservation: str
    regulariser: str
    operator: str
    source: str
    config_schema_json: str

    @classmethod
    def from_proto(cls, message: model_pb2.Method) -> Self:
        """Read the wire's message."""
        return cls(
            name=message.name,
            family=message.family,
            accepts=tuple(message.accepts),
            task_loss=message.task_loss,
            preservation=message.preservation,
            regulariser=message.regulariser,
            operator=message.operator,
            source=message.source,
            config_schema_json=message.config_schema_json,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A line of model states for one graph; committed interventions stand oldest first."""

    id: str
    model_id: str
    graph_id: str
    head_revision: str
    interventions: tuple[str, ...]
    busy_with: str

    @classmethod
    def from_proto(cls, message: model_pb2.Branch) -> Self:
        """Read the wire's message."""
        return cls(
            id=message.id,
            model_id=message.model_id,
            graph_id=message.graph_id,
            head_revision=message.head_revision,
            interventions=tuple(message.interventions),
            busy_with=message.busy_with,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One state of a branch; ``parent`` and ``artefact_sha256`` are empty for the base."""

    id: str
    parent: str
    artefact_sha256: str
    weights_sha256: str
    intervention_id: str
    create_time: datetime | None

    @classmethod
    def from_proto(cls, message: model_pb2.Revision) -> Self:
        """Read the wire's message."""
        return cls(
            id=message.id,
            parent=message.parent,
            artefact_sha256=message.artefact_sha256,
            weights_sha256=message.weights_sha256,
            intervention_id=message.intervention_id,
            create_time=read_time(message.create_time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """A branch after a rollback, its head, and the digest of its weights in memory.

    ``weights_sha256`` is empty where the worker was starting or had another model in memory: it is compared later.
    """

    branch: Branch
    head: Revision
    weights_sha256: str

    @classmethod
    def from_proto(cls, message: model_pb2.RollbackBranchResponse) -> Self:
        """Read the wire's message."""
        return cls(
            branch=Branch.from_proto(message.branch),
            head=Revision.from_proto(message.head),
            weights_sha256=message.weights_sha256,
        )

    @property
    def exact(self) -> bool:
        """Whether the weights in memory are, bit by bit, those of the head revision; False also where nobody looked."""
        return bool(self.weights_sha256) and self.weights_sha256 == self.head.weights_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One greedy continuation a prompt, and the revision that gave them."""

    texts: tuple[str, ...]
    revision_id: str

    @classmethod
    def from_proto(cls, message: model_pb2.AskResponse) -> Self:
        """Read the wire's message."""
        return cls(texts=tuple(message.texts), revision_id=message.revision_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A directory on the server's machine and the bytes written to it."""

    directory: str
    bytes: int

    @classmethod
    def from_proto(cls, message: model_pb2.ExportRevisionResponse) -> Self:
        """Read the wire's message."""
        return cls(directory=message.directory, bytes=message.bytes)
