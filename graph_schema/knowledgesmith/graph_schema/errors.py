"""Domain errors of KnowledgeSmith.

The tree (each leaf carries a stable ``reason``; ``error.proto`` has the same ones, each with its status)::

    KnowledgeSmithError
    ├── InvalidInput            a field of the request is wrong
    │   ├── AmbiguousName  UnknownMethod  MethodMismatch  ConflictingChanges
    │   ├── RequestIdReused  PageTokenMismatch  ImportRejected  InvalidCatalogue  ArchiveRejected
    ├── NotFound                a named thing does not exist
    │   ├── GraphNotFound  EntityNotFound  RelationNotFound  FactNotFound
    │   ├── ModelNotFound  BranchNotFound  RevisionNotFound  InterventionNotFound  ProbeSetNotFound
    │   ├── ArtefactNotFound  CaseNotFound  OperationNotFound
    ├── AlreadyExists
    ├── FailedPrecondition      the request is fine, the state is not
    │   ├── ProbeSetEmpty  IllegalState  UnsupportedArchitecture  ModelNotLoadable
    │   ├── EditDiverged  ModelNotFinite  SubjectNotInPrompt  NothingToChange  ReadOnlyQuery  SchemaTooNew
    │   ├── StillReferenced  GraphIncomplete  DatabaseNotEmpty  DatabaseRunning
    │   ├── JavaNotFound  PortTaken  ArtefactCorrupt
    ├── Aborted                 somebody else got there first
    │   ├── RevisionMismatch  BranchBusy  FenceRejected  StoreOwned  ImportRunning
    ├── Unavailable             try again later, or start what is missing
    │   ├── GraphUnavailable (GraphLocked)  WorkerUnavailable  ServerDraining  JarsUnavailable  DatabaseStartFailed
    │   ├── OfflineImportFailed
    ├── ResourceExhausted
    │   ├── DeviceOutOfMemory  TooLarge  SlowWatcher  ServerBusy
    ├── Cancelled
    └── DeadlineExceeded
"""

from __future__ import annotations

from typing import ClassVar

_VALUE_LIMIT = 120


def shorten(value: object, limit: int = _VALUE_LIMIT) -> str:
    """Quote a value for a message, cut to ``limit`` characters so that hostile input cannot flood a log."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
    return repr(cut) if isinstance(value, str) else cut


class KnowledgeSmithError(Exception):
    """Root of every error that a user can cause or must know about.

    Attributes:
        reason: stable UPPER_SNAKE identifier, at most 63 characters (AIP-193).
        message: what was wrong.
        field: the offending field or file position, empty when none.
        value: the offending value, shortened.
        hint: the way out.
        metadata: every dynamic word of the message, machine-readable.
    """

    reason: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        value: object = None,
        hint: str = "",
        metadata: dict[str, str] | None = None,
    ) -> None:
        self.message = message
        self.field = field
        self.value = "" if value is None else shorten(value)
        self.hint = hint
        self.metadata = dict(metadata or {})
        super().__init__(self.describe())

    def describe(self) -> str:
        """One line: message, then field and value, then the way out."""
        where = (
            f" [{self.field}={self.value}]" if self.field and self.value else f" [{self.field}]" if self.field else ""
        )
        way_out = f" {self.hint}" if self.hint else ""
        return f"{self.message}{where}{way_out}"


class InvalidInput(KnowledgeSmithError):
    """A field of the request has a value that can never be accepted."""

    reason = "INVALID_FIELD"


class AmbiguousName(InvalidInput):
    """A name fits several entities; the metadata lists the uids to choose from."""

    reason = "AMBIGUOUS_NAME"


class UnknownMethod(InvalidInput):
    """No method is registered under this name."""

    reason = "UNKNOWN_METHOD"


class MethodMismatch(InvalidInput):
    """The method does not accept this goal or target distribution."""

    reason = "METHOD_MISMATCH"


class ConflictingChanges(InvalidInput):
    """Two changes of one request contradict each other."""

    reason = "CONFLICTING_CHANGES"


class RequestIdReused(InvalidInput):
    """The request id was used before with another body."""

    reason = "REQUEST_ID_REUSED"


class PageTokenMismatch(InvalidInput):
    """The page token was not issued for this listing."""

    reason = "PAGE_TOKEN_MISMATCH"


class ImportRejected(InvalidInput):
    """A graph file has bad rows; nothing was imported. ``metadata`` holds file and line of the first ones."""

    reason = "IMPORT_REJECTED"


class InvalidCatalogue(InvalidInput):
    """The relation catalogue contradicts itself or uses a reserved name."""

    reason = "INVALID_CATALOGUE"


class ArchiveRejected(InvalidInput):
    """An archive is damaged, hostile or of a newer release; nothing of it was loaded. ``field`` names the member."""

    reason = "ARCHIVE_REJECTED"


class NotFound(KnowledgeSmithError):
    """A named thing does not exist."""

    reason = "NOT_FOUND"


class GraphNotFound(NotFound):
    """No graph has this ``graph_id``."""

    reason = "GRAPH_NOT_FOUND"


class EntityNotFound(NotFound):
    """No entity of the graph has this uid, name or alias."""

    reason = "ENTITY_NOT_FOUND"


class RelationNotFound(NotFound):
    """The catalogue has no relation of this name."""

    reason = "RELATION_NOT_FOUND"


class FactNotFound(NotFound):
    """The branch's world does not assert this fact."""

    reason = "FACT_NOT_FOUND"


class ModelNotFound(NotFound):
    """The model is neither registered nor a loadable path."""

    reason = "MODEL_NOT_FOUND"


class BranchNotFound(NotFound):
    """No branch has this id."""

    reason = "BRANCH_NOT_FOUND"


class RevisionNotFound(NotFound):
    """No revision has this id."""

    reason = "REVISION_NOT_FOUND"


class InterventionNotFound(NotFound):
    """No intervention has this id."""

    reason = "INTERVENTION_NOT_FOUND"


class ProbeSetNotFound(NotFound):
    """No probe set has this id."""

    reason = "PROBE_SET_NOT_FOUND"


class CaseNotFound(NotFound):
    """A graph has no case of this id."""

    reason = "CASE_NOT_FOUND"


class OperationNotFound(NotFound):
    """No operation has this name."""

    reason = "OPERATION_NOT_FOUND"


class AlreadyExists(KnowledgeSmithError):
    """The id is taken."""

    reason = "ALREADY_EXISTS"


class FailedPrecondition(KnowledgeSmithError):
    """The request is well-formed but the present state forbids it."""

    reason = "FAILED_PRECONDITION"


class ProbeSetEmpty(FailedPrecondition):
    """No probe could be generated for this request."""

    reason = "PROBE_SET_EMPTY"


class IllegalState(FailedPrecondition):
    """The intervention or branch is not in a state that allows this call."""

    reason = "ILLEGAL_STATE"


class UnsupportedArchitecture(FailedPrecondition):
    """The model's structure offers no place for this method."""

    reason = "UNSUPPORTED_ARCHITECTURE"


class ModelNotLoadable(FailedPrecondition):
    """The path exists but does not hold a causal language model."""

    reason = "MODEL_NOT_LOADABLE"


class EditDiverged(FailedPrecondition):
    """The method produced a non-finite or exploding update; the model was restored."""

    reason = "EDIT_DIVERGED"


class ModelNotFinite(FailedPrecondition):
    """A model gives weights or scores that are no finite numbers: it cannot be measured, and nothing is committed."""

    reason = "MODEL_NOT_FINITE"


class SubjectNotInPrompt(FailedPrecondition):
    """A training prompt does not contain its subject."""

    reason = "SUBJECT_NOT_IN_PROMPT"


class NothingToChange(FailedPrecondition):
    """The update leaves the branch's world as it is."""

    reason = "NOTHING_TO_CHANGE"


class ReadOnlyQuery(FailedPrecondition):
    """A query that may write was sent where only reading is allowed."""

    reason = "READ_ONLY_QUERY"


class SchemaTooNew(FailedPrecondition):
    """The database was migrated by a newer release."""

    reason = "SCHEMA_TOO_NEW"


class StillReferenced(FailedPrecondition):
    """Something else needs what was to be deleted."""

    reason = "STILL_REFERENCED"


class GraphIncomplete(FailedPrecondition):
    """The graph is being imported, or its import was cut off; it cannot be used before the import is complete."""

    reason = "GRAPH_INCOMPLETE"


class DatabaseNotEmpty(FailedPrecondition):
    """The offline import fills an empty database only."""

    reason = "DATABASE_NOT_EMPTY"


class DatabaseRunning(FailedPrecondition):
    """The offline import needs the embedded database to be stopped."""

    reason = "DATABASE_RUNNING"


class Aborted(KnowledgeSmithError):
    """A concurrent change won; read the state again and retry."""

    reason = "ABORTED"


class RevisionMismatch(Aborted):
    """The branch head is not the expected revision."""

    reason = "REVISION_MISMATCH"


class BranchBusy(Aborted):
    """Another intervention holds the branch."""

    reason = "BRANCH_BUSY"


class FenceRejected(Aborted):
    """A newer attempt took the intervention over; this attempt must stop."""

    reason = "LEASE_LOST"


class ImportRunning(Aborted):
    """Another import of the graph runs."""

    reason = "IMPORT_RUNNING"


class Unavailable(KnowledgeSmithError):
    """A needed part does not answer at present."""

    reason = "UNAVAILABLE"


class GraphUnavailable(Unavailable):
    """Neo4j does not answer."""

    reason = "GRAPH_UNAVAILABLE"


class GraphLocked(GraphUnavailable):
    """Another transaction holds what is to be written; Neo4j itself is well."""

    reason = "GRAPH_LOCKED"


class WorkerUnavailable(Unavailable):
    """The model worker is starting, busy beyond the deadline, or gone."""

    reason = "WORKER_UNAVAILABLE"


class ServerDraining(Unavailable):
    """The server is shutting down and takes no new work."""

    reason = "SERVER_DRAINING"


class ResourceExhausted(KnowledgeSmithError):
    """A limit was reached."""

    reason = "RESOURCE_EXHAUSTED"


class DeviceOutOfMemory(ResourceExhausted):
    """The device has too little memory for this model, method and batch."""

    reason = "GPU_OUT_OF_MEMORY"


class TooLarge(ResourceExhausted):
    """A value or a batch is over its documented limit."""

    reason = "TOO_LARGE"


class SlowWatcher(ResourceExhausted):
    """A watch client did not read for too long."""

    reason = "SLOW_WATCHER"


class ServerBusy(ResourceExhausted):
    """As many long calls run and wait as the server takes."""

    reason = "SERVER_BUSY"


class Cancelled(KnowledgeSmithError):
    """The work was cancelled at the user's request."""

    reason = "CANCELLED"


class DeadlineExceeded(KnowledgeSmithError):
    """The answer did not come in time; a write that was begun is finished."""

    reason = "DEADLINE_EXCEEDED"


class JavaNotFound(FailedPrecondition):
    """No Java 17 or 21 was found to run the embedded Neo4j."""

    reason = "JAVA_NOT_FOUND"


class PortTaken(FailedPrecondition):
    """Another program listens on the port asked for the embedded Neo4j."""

    reason = "PORT_TAKEN"


class StoreOwned(Aborted):
    """Another living process owns the data directory."""

    reason = "STORE_OWNED"


class JarsUnavailable(Unavailable):
    """Neo4j's jars could not be fetched, or one of them is not the locked one."""

    reason = "JARS_UNAVAILABLE"


class DatabaseStartFailed(Unavailable):
    """The embedded Neo4j ended, or did not answer in time, while it was started."""

    reason = "DATABASE_START_FAILED"


class OfflineImportFailed(Unavailable):
    """Neo4j's own import tool ended with an error."""

    reason = "OFFLINE_IMPORT_FAILED"


class ArtefactNotFound(NotFound):
    """No artefact file stands at this place."""

    reason = "ARTEFACT_NOT_FOUND"


class ArtefactCorrupt(FailedPrecondition):
    """An artefact file is not what its digest promises; nothing of it was used."""

    reason = "ARTEFACT_CORRUPT"
