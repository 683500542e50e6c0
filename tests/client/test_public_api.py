"""The public names are frozen; loading them is lazy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import pytest

from knowledgesmith import client

NAMES = """
Aborted AcceptedGoal Agreement AlreadyExists AmbiguousName Answers ArchiveRejected ArchiveSummary ArtefactCorrupt
ArtefactNotFound AsyncKnowledgeSmith AsyncOperation Attributes AuditFinding Balance BeliefBatch BeliefChange Branch
BranchBusy BranchNotFound Cancelled Case CaseChange CaseNotFound CaseProbe CaseRound ChangeFilter ChangedFact
ChangedFacts Changes CheckFinding CheckReport CheckResult CitedFact ClientClosed Collapse ComparedRow Comparison
ConflictingChanges
ConnectionInfo CutSet CypherResult DEFAULT_TARGET DType DeadlineExceeded DeleteNode Deletion DeviceOutOfMemory
Difference EdgeStatus EditDiverged EntityNotFound Evidence Export ExportFormat FactChange FactContext FactName
FactNotFound FailedPrecondition FileRole Gate GateMetric Goal Graph GraphDiff GraphFile GraphIncomplete GraphLocked
GraphNotFound GraphUnavailable GraphVersion Grouping Guess Guesser Health HealthVerdict Heartbeat Homonym HopCount
IllegalState ImportExamples ImportFinding ImportFindings ImportRejected ImportRejection ImportReport ImportResult
ImportRunning Importer ImporterOption InsertEntity Intervention InterventionFailed InterventionNotFound
InterventionSpec InterventionState InvalidCatalogue InvalidInput KindCount KnowledgeSmith KnowledgeSmithClientError
LeaseLost LedgerOverlap LeftOut LetterBalance Level LevelCount LoadedArchive Method MethodFamily MethodMismatch Metric
Metrics Model ModelNotFinite ModelNotFound ModelNotLoadable MoveSubtree NotFound NothingToChange OnProgress Operation
OperationMetadata OperationNotFound OperationProgress OptionsBaseline OverTime PageTokenMismatch PastedQuery
PermissionDenied Phase Plan PlanWarning Polarity Preview Probe ProbeContext ProbeCount ProbeEvidence ProbeKind
ProbeSet ProbeSetAudit ProbeSetEmpty ProbeSetFormat ProbeSetNotFound Progress Propagation PropagationGroup Rate
ReadOnlyQuery Relation RelationDifference RelationNotFound RequestIdReused ResourceExhausted Revision RevisionMismatch
RevisionNotFound Role RoleCount Rollback Rule ScaleAccuracy ScaleFall SchemaTooNew Scorer SequenceGap ServerBusy
ServerDraining ServerFault ServerStatus ServerUnreachable SlowWatcher SpecOptions Split StateChanged StillReferenced
StructuralChange Subgraph SubgraphEdge SubgraphNode SubjectNotInPrompt Suggestion Support TargetDistribution TimePoint
TooLarge Trait TraitKind Travel TravelPath TravelStep TravelStop Unavailable UnknownMethod UnsupportedArchitecture
Verdict View WarningKind WatchEvent Wording WordingCorrection WordingOrigin WordingUse WorkerUnavailable WorldChange
WorldOp Worlds draw draw_svg to_json to_networkx to_pandas to_plain to_py2neo
"""


def test_the_public_names_are_frozen() -> None:
    assert sorted(client.__all__) == sorted(NAMES.split())
    assert dir(client) == sorted(client.__all__)


@pytest.mark.parametrize("name", NAMES.split())
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(client, name)
    if isinstance(value, type):
        assert value.__doc__, name


def test_type_checkers_are_told_the_same_names() -> None:
    stub = Path(client.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    told = [
        (f"{node.module}", alias.name, f"{alias.asname}")
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted((module, name, name) for name, module in vars(client)["_HOMES"].items()) == sorted(told)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        attrgetter("nonsense")(client)


FORBIDDEN = ("torch", "transformers", "knowledgesmith.server", "knowledgesmith.editors", "knowledgesmith.graph_schema")


def loaded_by(code: str) -> set[str]:
    """Modules that are loaded in a fresh interpreter after ``code``."""
    program = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def below(modules: set[str], names: tuple[str, ...]) -> Iterator[str]:
    return (module for module in modules for name in names if module == name or module.startswith(f"{name}."))


def test_help_loads_neither_grpc_nor_rich() -> None:
    loaded = loaded_by(
        "from click.testing import CliRunner\nfrom knowledgesmith.client.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0"
    )
    assert not list(below(loaded, ("grpc", "google", "rich", "networkx", "pandas", "py2neo", *FORBIDDEN)))


def test_the_client_loads_nothing_of_the_other_rooms() -> None:
    names = " ".join(name for name in NAMES.split() if not name.startswith("to_"))
    code = f"import knowledgesmith.client as c\nfor name in '{names}'.split(): getattr(c, name)"
    assert not list(below(loaded_by(code), ("pandas", "py2neo", "networkx", *FORBIDDEN)))


@pytest.mark.parametrize("text", ["functional:skos:broader", "composition:grand parent|child of|child of"])
def test_a_trait_is_read_as_it_is_written(text: str) -> None:
    assert str(client.Trait.parse(text)) == text
    for bad in ("functional", "nonsense:x", ""):
        with pytest.raises(ValueError):
            client.Trait.parse(bad)
