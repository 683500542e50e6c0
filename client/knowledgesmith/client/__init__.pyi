"""The public names for type checkers; ``__init__.py`` loads them when they are used."""

# ruff: noqa: I001 - one statement a module

__all__: tuple[str, ...]

from ._async.client import (
    AsyncKnowledgeSmith as AsyncKnowledgeSmith,
)
from ._async.operation import (
    AsyncOperation as AsyncOperation,
)
from ._errors import (
    Aborted as Aborted,
    AlreadyExists as AlreadyExists,
    AmbiguousName as AmbiguousName,
    ArchiveRejected as ArchiveRejected,
    ArtefactCorrupt as ArtefactCorrupt,
    ArtefactNotFound as ArtefactNotFound,
    BranchBusy as BranchBusy,
    BranchNotFound as BranchNotFound,
    Cancelled as Cancelled,
    CaseNotFound as CaseNotFound,
    ClientClosed as ClientClosed,
    ConflictingChanges as ConflictingChanges,
    DeadlineExceeded as DeadlineExceeded,
    DeviceOutOfMemory as DeviceOutOfMemory,
    EditDiverged as EditDiverged,
    EntityNotFound as EntityNotFound,
    FactNotFound as FactNotFound,
    FailedPrecondition as FailedPrecondition,
    GraphIncomplete as GraphIncomplete,
    GraphLocked as GraphLocked,
    GraphNotFound as GraphNotFound,
    GraphUnavailable as GraphUnavailable,
    IllegalState as IllegalState,
    ImportRejected as ImportRejected,
    ImportRunning as ImportRunning,
    InterventionFailed as InterventionFailed,
    InterventionNotFound as InterventionNotFound,
    InvalidCatalogue as InvalidCatalogue,
    InvalidInput as InvalidInput,
    KnowledgeSmithClientError as KnowledgeSmithClientError,
    LeaseLost as LeaseLost,
    MethodMismatch as MethodMismatch,
    ModelNotFinite as ModelNotFinite,
    ModelNotFound as ModelNotFound,
    ModelNotLoadable as ModelNotLoadable,
    NotFound as NotFound,
    NothingToChange as NothingToChange,
    OperationNotFound as OperationNotFound,
    PageTokenMismatch as PageTokenMismatch,
    PermissionDenied as PermissionDenied,
    ProbeSetEmpty as ProbeSetEmpty,
    ProbeSetNotFound as ProbeSetNotFound,
    ReadOnlyQuery as ReadOnlyQuery,
    RelationNotFound as RelationNotFound,
    RequestIdReused as RequestIdReused,
    ResourceExhausted as ResourceExhausted,
    RevisionMismatch as RevisionMismatch,
    RevisionNotFound as RevisionNotFound,
    SchemaTooNew as SchemaTooNew,
    SequenceGap as SequenceGap,
    ServerBusy as ServerBusy,
    ServerDraining as ServerDraining,
    ServerFault as ServerFault,
    ServerUnreachable as ServerUnreachable,
    SlowWatcher as SlowWatcher,
    StillReferenced as StillReferenced,
    SubjectNotInPrompt as SubjectNotInPrompt,
    TooLarge as TooLarge,
    Unavailable as Unavailable,
    UnknownMethod as UnknownMethod,
    UnsupportedArchitecture as UnsupportedArchitecture,
    WorkerUnavailable as WorkerUnavailable,
)
from ._json import (
    to_json as to_json,
    to_plain as to_plain,
)
from ._networkx import (
    Attributes as Attributes,
)
from ._own_settings import (
    DEFAULT_TARGET as DEFAULT_TARGET,
)
from ._picture import (
    draw as draw,
    draw_svg as draw_svg,
)
from ._sync.client import (
    KnowledgeSmith as KnowledgeSmith,
)
from ._sync.operation import (
    Operation as Operation,
)
from ._types.cases import (
    Case as Case,
    CaseChange as CaseChange,
    CaseProbe as CaseProbe,
    CaseRound as CaseRound,
)
from ._types.catalogue import (
    Homonym as Homonym,
    Relation as Relation,
    Suggestion as Suggestion,
    Trait as Trait,
    Wording as Wording,
    WordingCorrection as WordingCorrection,
)
from ._types.enums import (
    Agreement as Agreement,
    Balance as Balance,
    ChangeFilter as ChangeFilter,
    DType as DType,
    EdgeStatus as EdgeStatus,
    ExportFormat as ExportFormat,
    FileRole as FileRole,
    GateMetric as GateMetric,
    Goal as Goal,
    Grouping as Grouping,
    Guesser as Guesser,
    HealthVerdict as HealthVerdict,
    InterventionState as InterventionState,
    Level as Level,
    MethodFamily as MethodFamily,
    Phase as Phase,
    Polarity as Polarity,
    ProbeContext as ProbeContext,
    ProbeKind as ProbeKind,
    ProbeSetFormat as ProbeSetFormat,
    Role as Role,
    Rule as Rule,
    Scorer as Scorer,
    Split as Split,
    TargetDistribution as TargetDistribution,
    TraitKind as TraitKind,
    Verdict as Verdict,
    View as View,
    WarningKind as WarningKind,
    WordingOrigin as WordingOrigin,
    WordingUse as WordingUse,
    WorldOp as WorldOp,
    Worlds as Worlds,
)
from ._types.events import (
    BeliefBatch as BeliefBatch,
    BeliefChange as BeliefChange,
    Heartbeat as Heartbeat,
    Progress as Progress,
    StateChanged as StateChanged,
    WatchEvent as WatchEvent,
)
from ._types.facts import (
    DeleteNode as DeleteNode,
    FactChange as FactChange,
    InsertEntity as InsertEntity,
    MoveSubtree as MoveSubtree,
    StructuralChange as StructuralChange,
)
from ._types.graphs import (
    ArchiveSummary as ArchiveSummary,
    CheckFinding as CheckFinding,
    CheckReport as CheckReport,
    CheckResult as CheckResult,
    ConnectionInfo as ConnectionInfo,
    CypherResult as CypherResult,
    Deletion as Deletion,
    Difference as Difference,
    Graph as Graph,
    GraphDiff as GraphDiff,
    GraphVersion as GraphVersion,
    LevelCount as LevelCount,
    LoadedArchive as LoadedArchive,
    RelationDifference as RelationDifference,
)
from ._types.imports import (
    FactName as FactName,
    GraphFile as GraphFile,
    Importer as Importer,
    ImporterOption as ImporterOption,
    ImportExamples as ImportExamples,
    ImportFinding as ImportFinding,
    ImportFindings as ImportFindings,
    ImportRejection as ImportRejection,
    ImportReport as ImportReport,
    ImportResult as ImportResult,
)
from ._types.interventions import (
    Gate as Gate,
    Health as Health,
    Intervention as Intervention,
    InterventionSpec as InterventionSpec,
    SpecOptions as SpecOptions,
)
from ._types.models import (
    AcceptedGoal as AcceptedGoal,
    Answers as Answers,
    Branch as Branch,
    Export as Export,
    Method as Method,
    Model as Model,
    Revision as Revision,
    Rollback as Rollback,
)
from ._types.operations import (
    OnProgress as OnProgress,
    OperationMetadata as OperationMetadata,
    OperationProgress as OperationProgress,
)
from ._types.plans import (
    CitedFact as CitedFact,
    CutSet as CutSet,
    HopCount as HopCount,
    Plan as Plan,
    PlanWarning as PlanWarning,
    Preview as Preview,
    ProbeCount as ProbeCount,
    RoleCount as RoleCount,
    WorldChange as WorldChange,
)
from ._types.probes import (
    AuditFinding as AuditFinding,
    Guess as Guess,
    KindCount as KindCount,
    LeftOut as LeftOut,
    LetterBalance as LetterBalance,
    OptionsBaseline as OptionsBaseline,
    Probe as Probe,
    ProbeSet as ProbeSet,
    ProbeSetAudit as ProbeSetAudit,
)
from ._types.propagation import (
    Changes as Changes,
    PastedQuery as PastedQuery,
    Propagation as Propagation,
    PropagationGroup as PropagationGroup,
    Rate as Rate,
    Subgraph as Subgraph,
    SubgraphEdge as SubgraphEdge,
    SubgraphNode as SubgraphNode,
)
from ._types.questions import (
    ChangedFact as ChangedFact,
    ChangedFacts as ChangedFacts,
    Collapse as Collapse,
    ComparedRow as ComparedRow,
    Comparison as Comparison,
    Evidence as Evidence,
    FactContext as FactContext,
    LedgerOverlap as LedgerOverlap,
    Metric as Metric,
    Metrics as Metrics,
    OverTime as OverTime,
    ProbeEvidence as ProbeEvidence,
    ScaleAccuracy as ScaleAccuracy,
    ScaleFall as ScaleFall,
    Support as Support,
    TimePoint as TimePoint,
    Travel as Travel,
    TravelPath as TravelPath,
    TravelStep as TravelStep,
    TravelStop as TravelStop,
)
from ._types.status import (
    ServerStatus as ServerStatus,
)
from .interop import (
    to_networkx as to_networkx,
    to_pandas as to_pandas,
    to_py2neo as to_py2neo,
)
