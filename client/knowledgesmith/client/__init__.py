"""Typed client of KnowledgeSmith.

>>> from knowledgesmith.client import FactChange, KnowledgeSmith

Names are loaded when they are first used, so that ``ksmith --help`` need not wait for gRPC. ``__init__.pyi`` tells type
checkers the same names.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

_NAMES: Final = {
    "_async.client": "AsyncKnowledgeSmith",
    "_async.operation": "AsyncOperation",
    "_errors": """
        Aborted AlreadyExists AmbiguousName ArchiveRejected ArtefactCorrupt ArtefactNotFound BranchBusy
        BranchNotFound Cancelled CaseNotFound ClientClosed ConflictingChanges DeadlineExceeded
        DeviceOutOfMemory EditDiverged EntityNotFound FactNotFound FailedPrecondition GraphIncomplete GraphLocked
        GraphNotFound GraphUnavailable IllegalState ImportRejected ImportRunning InterventionFailed
        InterventionNotFound InvalidCatalogue InvalidInput KnowledgeSmithClientError LeaseLost
        MethodMismatch ModelNotFinite ModelNotFound ModelNotLoadable NotFound NothingToChange
        OperationNotFound PageTokenMismatch PermissionDenied ProbeSetEmpty ProbeSetNotFound ReadOnlyQuery
        RelationNotFound RequestIdReused ResourceExhausted RevisionMismatch RevisionNotFound SchemaTooNew
        SequenceGap ServerBusy ServerDraining ServerFault ServerUnreachable SlowWatcher StillReferenced
        SubjectNotInPrompt TooLarge Unavailable UnknownMethod UnsupportedArchitecture WorkerUnavailable
    """,
    "_json": "to_json to_plain",
    "_networkx": "Attributes",
    "_own_settings": "DEFAULT_TARGET",
    "_picture": "draw draw_svg",
    "_sync.client": "KnowledgeSmith",
    "_sync.operation": "Operation",
    "interop": "to_networkx to_pandas to_py2neo",
    "_types.cases": "Case CaseChange CaseProbe CaseRound",
    "_types.catalogue": "Homonym Relation Suggestion Trait Wording WordingCorrection",
    "_types.enums": """
        Agreement Balance ChangeFilter DType EdgeStatus ExportFormat FileRole GateMetric Goal Grouping
        Guesser HealthVerdict InterventionState Level MethodFamily Phase Polarity ProbeContext ProbeKind
        ProbeSetFormat Role Rule Scorer Split TargetDistribution TraitKind Verdict View WarningKind
        WordingOrigin WordingUse WorldOp Worlds
    """,
    "_types.events": "BeliefBatch BeliefChange Heartbeat Progress StateChanged WatchEvent",
    "_types.facts": "DeleteNode FactChange InsertEntity MoveSubtree StructuralChange",
    "_types.graphs": """
        ArchiveSummary CheckFinding CheckReport CheckResult ConnectionInfo CypherResult Deletion Difference
        Graph GraphDiff GraphVersion LevelCount LoadedArchive RelationDifference
    """,
    "_types.imports": """
        FactName GraphFile ImportExamples ImportFinding ImportFindings ImportRejection ImportReport
        ImportResult Importer ImporterOption
    """,
    "_types.interventions": "Gate Health Intervention InterventionSpec SpecOptions",
    "_types.models": "AcceptedGoal Answers Branch Export Method Model Revision Rollback",
    "_types.operations": "OnProgress OperationMetadata OperationProgress",
    "_types.plans": "CitedFact CutSet HopCount Plan PlanWarning Preview ProbeCount RoleCount WorldChange",
    "_types.probes": "AuditFinding Guess KindCount LeftOut LetterBalance OptionsBaseline Probe ProbeSet ProbeSetAudit",
    "_types.propagation": "Changes PastedQuery Propagation PropagationGroup Rate Subgraph SubgraphEdge SubgraphNode",
    "_types.questions": """
        ChangedFact ChangedFacts Collapse ComparedRow Comparison Evidence FactContext LedgerOverlap Metric
        Metrics OverTime ProbeEvidence ScaleAccuracy ScaleFall Support TimePoint Travel TravelPath
        TravelStep TravelStop
    """,
    "_types.status": "ServerStatus",
}
"""Public names by the module that they stand in."""
_HOMES: Final = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = tuple(sorted(_HOMES))  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that it stands in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
