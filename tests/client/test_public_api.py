"""The public names are frozen; loading them is lazy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from knowledgesmith import client

NAMES = """
Aborted AlreadyExists AmbiguousName Answers ArchiveRejected ArchiveSummary Attributes AuditFinding BeliefBatch
BeliefChange Branch BranchBusy BranchNotFound Cancelled Case CaseChange CaseNotFound CaseProbe ChangeFilter ChangedFact
ChangedFacts Changes CheckFinding CheckReport CheckResult CitedFact Collapse ComparedRow Comparison ConflictingChanges
ConnectionInfo CutSet CypherResult DEFAULT_TARGET DeadlineExceeded DeleteNode Deletion DeviceOutOfMemory Difference
EditDiverged EntityNotFound Evidence Export ExportFormat FactChange FactContext FactNotFound FailedPrecondition Gate
Goal Graph GraphDiff GraphFile GraphNotFound GraphUnavailable GraphVersion Grouping Guess Health HealthVerdict Heartbeat
Homonym IllegalState ImportExamples ImportFinding ImportFindings
ImportProgress ImportRejected ImportRejection ImportReport ImportResult Importer
ImporterOption InsertEntity Intervention InterventionFailed InterventionNotFound InterventionSpec InterventionState
InvalidCatalogue InvalidInput KnowledgeSmith KnowledgeSmithClientError LeftOut LetterBalance LoadedArchive Method
MethodMismatch Metric Metrics Model ModelNotFinite ModelNotFound ModelNotLoadable MoveSubtree NotFound NothingToChange
OptionsBaseline OverTime PageTokenMismatch PermissionDenied Plan PlanWarning Polarity Preview Probe ProbeEvidence
ProbeKind ProbeSet ProbeSetAudit ProbeSetEmpty ProbeSetNotFound Progress Propagation PropagationGroup Query Rate
ReadOnlyQuery Relation RelationNotFound RequestIdReused ResourceExhausted Revision RevisionMismatch RevisionNotFound
Role Rollback ScaleAccuracy ScaleFall SchemaTooNew SequenceGap ServerBusy ServerDraining ServerFault ServerStatus
ServerUnreachable SlowWatcher StateChanged StillReferenced Subgraph SubgraphEdge SubgraphNode SubjectNotInPrompt
Suggestion Support TargetDistribution TimePoint TooLarge Trait TraitKind Travel TravelPath TravelStep TravelStop
Unavailable UnknownMethod UnsupportedArchitecture Verdict WatchEvent Wording WordingCorrection WordingOrigin
WordingUse WorkerUnavailable WorldChange draw draw_svg
to_json to_networkx to_pandas to_plain to_py2neo
"""


def test_the_public_names_are_frozen() -> None:
    assert sorted(client.__all__) == sorted(NAMES.split())
    assert dir(client) == sorted(client.__all__)


@pytest.mark.parametrize("name", NAMES.split())
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(client, name)
    if isinstance(value, type):
        assert value.__doc__, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        client.nonsense  # noqa: B018


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
