"""Errors of the client, rebuilt from what the server says.

The tree (leaves by the ``reason`` of the server's ``ErrorInfo``, a member of the wire's ``ErrorReason``; the second
level by gRPC status)::

    KnowledgeSmithClientError
    ├── InvalidInput            AmbiguousName  UnknownMethod  MethodMismatch  ConflictingChanges
    │                           RequestIdReused  PageTokenMismatch  ImportRejected  InvalidCatalogue  ArchiveRejected
    ├── NotFound                GraphNotFound  EntityNotFound  RelationNotFound  FactNotFound
    │                           ModelNotFound  BranchNotFound  RevisionNotFound  InterventionNotFound  ProbeSetNotFound
    │                           CaseNotFound  ArtefactNotFound  OperationNotFound
    ├── AlreadyExists
    ├── FailedPrecondition      ProbeSetEmpty  IllegalState  UnsupportedArchitecture  ModelNotLoadable
    │                           EditDiverged  ModelNotFinite  SubjectNotInPrompt  NothingToChange
    │                           ReadOnlyQuery  SchemaTooNew  StillReferenced  GraphIncomplete  ArtefactCorrupt
    ├── Aborted                 RevisionMismatch  BranchBusy  LeaseLost  ImportRunning
    ├── Unavailable             GraphUnavailable (GraphLocked)  WorkerUnavailable  ServerDraining  ServerUnreachable
    ├── ResourceExhausted       DeviceOutOfMemory  TooLarge  SlowWatcher  ServerBusy
    ├── PermissionDenied
    ├── Cancelled
    ├── DeadlineExceeded
    ├── ServerFault             the server broke a promise or itself
    ├── ClientClosed            this client was closed
    ├── SequenceGap             a watch missed ledger rows
    └── InterventionFailed      an intervention that was waited for ended otherwise

Reasons that only arise while a server starts, or beside one, have the class of their status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import grpc


class KnowledgeSmithClientError(Exception):
    """Root of every error of this client.

    Attributes:
        message: what was wrong, in one sentence.
        reason: stable UPPER_SNAKE identifier of the server, or the class's own.
        field: the offending field, empty when none; ``value`` is its (shortened) value.
        hint: the way out.
        code: gRPC status; ``None`` when the error arose in the client.
        metadata: everything else that the server said.
    """

    default_reason: ClassVar[str] = "UNKNOWN"

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        field: str = "",
        value: str = "",
        hint: str = "",
        code: grpc.StatusCode | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message
        self.reason = reason or self.default_reason
        self.field = field
        self.value = value
        self.hint = hint
        self.code = code
        self.metadata = dict(metadata or {})
        super().__init__(message)

    @property
    def summary(self) -> str:
        """The message with the offending field and value, on one line and without the hint."""
        where = f"{self.field}={self.value}" if self.field and self.value else self.field
        text = f"{self.message} [{where}]" if where and where not in self.message else self.message
        return " ".join(text.split())

    def __str__(self) -> str:
        """Summary, then the way out."""
        return f"{self.summary} {self.hint}".strip()


class InvalidInput(KnowledgeSmithClientError):
    """A field of the request has a value that can never be accepted."""

    default_reason = "INVALID_FIELD"


class AmbiguousName(InvalidInput):
    """A name fits several entities; the metadata lists the uids to choose from."""

    default_reason = "AMBIGUOUS_NAME"


class UnknownMethod(InvalidInput):
    """No method has this name."""

    default_reason = "UNKNOWN_METHOD"


class MethodMismatch(InvalidInput):
    """The method does not accept this goal or target distribution."""

    default_reason = "METHOD_MISMATCH"


class ConflictingChanges(InvalidInput):
    """Two changes of one request contradict each other."""

    default_reason = "CONFLICTING_CHANGES"


class RequestIdReused(InvalidInput):
    """The request id was used before with another body."""

    default_reason = "REQUEST_ID_REUSED"


class PageTokenMismatch(InvalidInput):
    """The page token was not issued for this listing."""

    default_reason = "PAGE_TOKEN_MISMATCH"


class ImportRejected(InvalidInput):
    """A graph file has bad rows; nothing was imported."""

    default_reason = "IMPORT_REJECTED"


class InvalidCatalogue(InvalidInput):
    """The relation catalogue contradicts itself or uses a reserved name."""

    default_reason = "INVALID_CATALOGUE"


class ArchiveRejected(InvalidInput):
    """An archive is damaged, hostile or of a newer release; nothing of it was loaded."""

    default_reason = "ARCHIVE_REJECTED"


class NotFound(KnowledgeSmithClientError):
    """A named thing does not exist."""

    default_reason = "NOT_FOUND"


class GraphNotFound(NotFound):
    """No graph has this id."""

    default_reason = "GRAPH_NOT_FOUND"


class EntityNotFound(NotFound):
    """No entity of the graph has this uid, name or alias."""

    default_reason = "ENTITY_NOT_FOUND"


class RelationNotFound(NotFound):
    """The catalogue has no relation of this name."""

    default_reason = "RELATION_NOT_FOUND"


class FactNotFound(NotFound):
    """The branch's world does not assert this fact."""

    default_reason = "FACT_NOT_FOUND"


class ModelNotFound(NotFound):
    """The model is neither registered nor a loadable path."""

    default_reason = "MODEL_NOT_FOUND"


class BranchNotFound(NotFound):
    """No branch has this id."""

    default_reason = "BRANCH_NOT_FOUND"


class RevisionNotFound(NotFound):
    """No revision has this id."""

    default_reason = "REVISION_NOT_FOUND"


class InterventionNotFound(NotFound):
    """No intervention has this id."""

    default_reason = "INTERVENTION_NOT_FOUND"


class ProbeSetNotFound(NotFound):
    """No probe set has this id."""

    default_reason = "PROBE_SET_NOT_FOUND"


class CaseNotFound(NotFound):
    """The graph has no case of this id."""

    default_reason = "CASE_NOT_FOUND"


class ArtefactNotFound(NotFound):
    """No artefact file stands at this place."""

    default_reason = "ARTEFACT_NOT_FOUND"


class OperationNotFound(NotFound):
    """No operation has this name."""

    default_reason = "OPERATION_NOT_FOUND"


class AlreadyExists(KnowledgeSmithClientError):
    """The id is taken."""

    default_reason = "ALREADY_EXISTS"


class FailedPrecondition(KnowledgeSmithClientError):
    """The request is well-formed but the present state forbids it."""

    default_reason = "FAILED_PRECONDITION"


class ProbeSetEmpty(FailedPrecondition):
    """No probe could be generated for this request."""

    default_reason = "PROBE_SET_EMPTY"


class IllegalState(FailedPrecondition):
    """The intervention or branch is not in a state that allows this call."""

    default_reason = "ILLEGAL_STATE"


class UnsupportedArchitecture(FailedPrecondition):
    """The model's structure offers no place for this method."""

    default_reason = "UNSUPPORTED_ARCHITECTURE"


class ModelNotLoadable(FailedPrecondition):
    """The path exists but does not hold a causal language model."""

    default_reason = "MODEL_NOT_LOADABLE"


class EditDiverged(FailedPrecondition):
    """The method produced a non-finite or exploding update."""

    default_reason = "EDIT_DIVERGED"


class ModelNotFinite(FailedPrecondition):
    """A model gives weights or scores that are no finite numbers; nothing is committed."""

    default_reason = "MODEL_NOT_FINITE"


class SubjectNotInPrompt(FailedPrecondition):
    """A training prompt does not contain its subject."""

    default_reason = "SUBJECT_NOT_IN_PROMPT"


class NothingToChange(FailedPrecondition):
    """The update leaves the branch's world as it is."""

    default_reason = "NOTHING_TO_CHANGE"


class ReadOnlyQuery(FailedPrecondition):
    """A query that may write was sent where only reading is allowed."""

    default_reason = "READ_ONLY_QUERY"


class SchemaTooNew(FailedPrecondition):
    """The database was migrated by a newer release."""

    default_reason = "SCHEMA_TOO_NEW"


class StillReferenced(FailedPrecondition):
    """Something else needs what was to be deleted."""

    default_reason = "STILL_REFERENCED"


class GraphIncomplete(FailedPrecondition):
    """The graph is being imported, or its import was cut off; it cannot be used before that is complete."""

    default_reason = "GRAPH_INCOMPLETE"


class ArtefactCorrupt(FailedPrecondition):
    """An artefact file is not what its digest promises; nothing of it was used."""

    default_reason = "ARTEFACT_CORRUPT"


class Aborted(KnowledgeSmithClientError):
    """A concurrent change won; read the state again and retry."""

    default_reason = "ABORTED"


class RevisionMismatch(Aborted):
    """The branch head is not the expected revision."""

    default_reason = "REVISION_MISMATCH"


class BranchBusy(Aborted):
    """Another intervention holds the branch."""

    default_reason = "BRANCH_BUSY"


class LeaseLost(Aborted):
    """A newer attempt took the intervention over."""

    default_reason = "LEASE_LOST"


class ImportRunning(Aborted):
    """Another import of the graph runs."""

    default_reason = "IMPORT_RUNNING"


class Unavailable(KnowledgeSmithClientError):
    """A needed part does not answer at present."""

    default_reason = "UNAVAILABLE"


class GraphUnavailable(Unavailable):
    """Neo4j does not answer."""

    default_reason = "GRAPH_UNAVAILABLE"


class GraphLocked(GraphUnavailable):
    """Another transaction holds what is to be written; Neo4j itself is well."""

    default_reason = "GRAPH_LOCKED"


class WorkerUnavailable(Unavailable):
    """The model worker is starting, busy beyond the deadline, or gone."""

    default_reason = "WORKER_UNAVAILABLE"


class ServerDraining(Unavailable):
    """The server is shutting down and takes no new work."""

    default_reason = "SERVER_DRAINING"


class ServerUnreachable(Unavailable):
    """Nothing answers at the address, or the connection broke."""

    default_reason = "SERVER_UNREACHABLE"


class ResourceExhausted(KnowledgeSmithClientError):
    """A limit was reached."""

    default_reason = "RESOURCE_EXHAUSTED"


class DeviceOutOfMemory(ResourceExhausted):
    """The device has too little memory for this model, method and batch."""

    default_reason = "GPU_OUT_OF_MEMORY"


class TooLarge(ResourceExhausted):
    """A value or a batch is over its documented limit."""

    default_reason = "TOO_LARGE"


class SlowWatcher(ResourceExhausted):
    """The watch did not read for too long."""

    default_reason = "SLOW_WATCHER"


class ServerBusy(ResourceExhausted):
    """As many long calls run and wait as the server takes; try again later, with fewer at once."""

    default_reason = "SERVER_BUSY"


class PermissionDenied(KnowledgeSmithClientError):
    """The caller may not do this."""

    default_reason = "PERMISSION_DENIED"


class Cancelled(KnowledgeSmithClientError):
    """The work was cancelled."""

    default_reason = "CANCELLED"


class DeadlineExceeded(KnowledgeSmithClientError):
    """The answer did not come in time; the server stops reading, but finishes a write that it has begun."""

    default_reason = "DEADLINE_EXCEEDED"


class ServerFault(KnowledgeSmithClientError):
    """The server broke a promise or itself; its log knows more."""

    default_reason = "INTERNAL"


class ClientClosed(KnowledgeSmithClientError):
    """The client was closed; a new one finds operations that go on by their names."""

    default_reason = "CLIENT_CLOSED"


class SequenceGap(KnowledgeSmithClientError):
    """A watch missed ledger rows; start it again from the last sequence number that was seen."""

    default_reason = "SEQUENCE_GAP"


class InterventionFailed(KnowledgeSmithClientError):
    """An intervention that was waited for ended otherwise than asked."""

    default_reason = "INTERVENTION_FAILED"
