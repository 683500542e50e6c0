"""Typed client of KnowledgeSmith.

>>> from knowledgesmith.client import FactChange, KnowledgeSmith

Names are loaded when they are first used, so that ``ksmith --help`` need not wait for gRPC.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from knowledgesmith.client._client import (
        KnowledgeSmith,
    )
    from knowledgesmith.client._errors import (
        Aborted,
        AlreadyExists,
        AmbiguousName,
        BranchBusy,
        BranchNotFound,
        Cancelled,
        ConflictingChanges,
        DeadlineExceeded,
        DeviceOutOfMemory,
        EditDiverged,
        EntityNotFound,
        FactNotFound,
        FailedPrecondition,
        GraphNotFound,
        GraphUnavailable,
        IllegalState,
        ImportRejected,
        InterventionFailed,
        InterventionNotFound,
        InvalidCatalogue,
        InvalidInput,
        KnowledgeSmithClientError,
        MethodMismatch,
        ModelNotFound,
        ModelNotLoadable,
        NotFound,
        NothingToChange,
        PageTokenMismatch,
        PermissionDenied,
        ProbeSetEmpty,
        ProbeSetNotFound,
        ReadOnlyQuery,
        RelationNotFound,
        RequestIdReused,
        ResourceExhausted,
        RevisionMismatch,
        RevisionNotFound,
        SchemaTooNew,
        SequenceGap,
        ServerDraining,
        ServerFault,
        ServerUnreachable,
        SlowWatcher,
        SubjectNotInPrompt,
        TooLarge,
        Unavailable,
        UnknownMethod,
        UnsupportedArchitecture,
        WorkerUnavailable,
    )
    from knowledgesmith.client._json import (
        to_json,
        to_plain,
    )
    from knowledgesmith.client._picture import (
        draw,
        draw_svg,
    )
    from knowledgesmith.client._transport import (
        DEFAULT_TARGET,
    )
    from knowledgesmith.client._types.audits import (
        AuditFinding,
        LetterBalance,
        OptionsBaseline,
        ProbeSetAudit,
    )
    from knowledgesmith.client._types.enums import (
        ChangeFilter,
        ExportFormat,
        FileFormat,
        FileRole,
        Goal,
        Grouping,
        InterventionState,
        Polarity,
        ProbeKind,
        TargetDistribution,
    )
    from knowledgesmith.client._types.events import (
        BeliefBatch,
        BeliefChange,
        Heartbeat,
        Progress,
        StateChanged,
        WatchEvent,
    )
    from knowledgesmith.client._types.graphs import (
        ConnectionInfo,
        CypherResult,
        Graph,
        GraphFile,
        ImportReport,
        ImportResult,
    )
    from knowledgesmith.client._types.interventions import (
        FactChange,
        Gate,
        Intervention,
        InterventionSpec,
    )
    from knowledgesmith.client._types.models import (
        Answers,
        Branch,
        Export,
        Method,
        Model,
        Revision,
        Rollback,
    )
    from knowledgesmith.client._types.plans import (
        Plan,
        Preview,
        WorldChange,
    )
    from knowledgesmith.client._types.probes import (
        Probe,
        ProbeSet,
    )
    from knowledgesmith.client._types.propagation import (
        Changes,
        Propagation,
        PropagationGroup,
        Query,
        Rate,
        Subgraph,
        SubgraphEdge,
        SubgraphNode,
    )
    from knowledgesmith.client._types.status import (
        ServerStatus,
    )
    from knowledgesmith.client.interop import (
        to_networkx,
        to_pandas,
        to_py2neo,
    )

__all__ = (
    "DEFAULT_TARGET",
    "Aborted",
    "AlreadyExists",
    "AmbiguousName",
    "Answers",
    "AuditFinding",
    "BeliefBatch",
    "BeliefChange",
    "Branch",
    "BranchBusy",
    "BranchNotFound",
    "Cancelled",
    "ChangeFilter",
    "Changes",
    "ConflictingChanges",
    "ConnectionInfo",
    "CypherResult",
    "DeadlineExceeded",
    "DeviceOutOfMemory",
    "EditDiverged",
    "EntityNotFound",
    "Export",
    "ExportFormat",
    "FactChange",
    "FactNotFound",
    "FailedPrecondition",
    "FileFormat",
    "FileRole",
    "Gate",
    "Goal",
    "Graph",
    "GraphFile",
    "GraphNotFound",
    "GraphUnavailable",
    "Grouping",
    "Heartbeat",
    "IllegalState",
    "ImportRejected",
    "ImportReport",
    "ImportResult",
    "Intervention",
    "InterventionFailed",
    "InterventionNotFound",
    "InterventionSpec",
    "InterventionState",
    "InvalidCatalogue",
    "InvalidInput",
    "KnowledgeSmith",
    "KnowledgeSmithClientError",
    "LetterBalance",
    "Method",
    "MethodMismatch",
    "Model",
    "ModelNotFound",
    "ModelNotLoadable",
    "NotFound",
    "NothingToChange",
    "OptionsBaseline",
    "PageTokenMismatch",
    "PermissionDenied",
    "Plan",
    "Polarity",
    "Preview",
    "Probe",
    "ProbeKind",
    "ProbeSet",
    "ProbeSetAudit",
    "ProbeSetEmpty",
    "ProbeSetNotFound",
    "Progress",
    "Propagation",
    "PropagationGroup",
    "Query",
    "Rate",
    "ReadOnlyQuery",
    "RelationNotFound",
    "RequestIdReused",
    "ResourceExhausted",
    "Revision",
    "RevisionMismatch",
    "RevisionNotFound",
    "Rollback",
    "SchemaTooNew",
    "SequenceGap",
    "ServerDraining",
    "ServerFault",
    "ServerStatus",
    "ServerUnreachable",
    "SlowWatcher",
    "StateChanged",
    "Subgraph",
    "SubgraphEdge",
    "SubgraphNode",
    "SubjectNotInPrompt",
    "TargetDistribution",
    "TooLarge",
    "Unavailable",
    "UnknownMethod",
    "UnsupportedArchitecture",
    "WatchEvent",
    "WorkerUnavailable",
    "WorldChange",
    "draw",
    "draw_svg",
    "to_json",
    "to_networkx",
    "to_pandas",
    "to_plain",
    "to_py2neo",
)

_MODULES: Final = (
    "_client",
    "_errors",
    "_json",
    "_types.audits",
    "_types.enums",
    "_types.events",
    "_types.graphs",
    "_types.interventions",
    "_types.models",
    "_types.plans",
    "_types.probes",
    "_types.propagation",
    "_types.status",
    "_transport",
    "_picture",
    "interop",
)


def __getattr__(name: str) -> Any:
    """Load a public name from the first module that holds it; optional parts stand last."""
    if name in __all__:
        for module in _MODULES:
            home = importlib.import_module(f"{__name__}.{module}")
            if hasattr(home, name):
                return getattr(home, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
