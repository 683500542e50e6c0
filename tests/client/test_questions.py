"""Further questions of the propagation service: typed answers, and the commands that print them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result
from tests.client.fake_server import FakeServer

from knowledgesmith.client import InvalidInput, KnowledgeSmith, PastedQuery, ProbeKind, Verdict
from knowledgesmith.client.cli import main
from knowledgesmith.v1 import propagation_pb2

QUERY = PastedQuery(cypher="MATCH (i:Intervention {id: $id}) RETURN i", parameters={"id": "i1"})


def run(fake: FakeServer, *words: str) -> Result:
    return CliRunner().invoke(main, ["propagation", *words, "--server", fake.target])


def test_evidence_comes_in_pages_with_the_first_query(smith: KnowledgeSmith, fake: FakeServer) -> None:
    found = smith.propagation.evidence(intervention_id="i1", verdicts=(Verdict.COLLATERAL,))
    assert [one.sequence for one in found.evidence] == [1, 2, 3, 4]
    assert found.query == QUERY
    one = found.evidence[0]
    assert (one.verdict, one.kind, one.hops) == (Verdict.COLLATERAL, ProbeKind.DIRECT, None)
    assert (one.preferred_before, one.preferred_after, one.options) == ("Lima", "Rome", ("Lima", "Rome"))
    assert list(fake.requests("ListEvidence")[0].verdicts) == [propagation_pb2.VERDICT_COLLATERAL]
    smith.propagation.evidence(intervention_id="i1", limit=1)
    assert list(fake.requests("ListEvidence")[-1].verdicts) == []


def test_answers_keep_what_is_missing_apart_from_zero(smith: KnowledgeSmith) -> None:
    (row,) = smith.propagation.compare(first_intervention_id="i1", second_intervention_id="i2").rows
    assert (row.first_delta, row.second_delta, row.difference) == (-0.25, None, None)
    overlap = smith.propagation.compare(first_intervention_id="i1", second_intervention_id="i2").overlap
    assert (overlap.both, overlap.only_first, overlap.only_second, overlap.mean_difference) == (2, 1, 0, 0.125)
    path = smith.propagation.travel(intervention_id="i1").paths[0]
    assert [step.delta for step in path.steps] == [-0.5, None]
    metrics = smith.propagation.metrics(intervention_id="i1")
    assert [one.corrected for one in metrics.metrics] == [None, 0.5]
    assert len(metrics.queries) == 2
    assert smith.propagation.collapse(intervention_ids=["i1"]).collapse_k is None
    (fact,) = smith.propagation.changed_facts(intervention_id="i1", conflicts_only=True).facts
    assert (fact.support.old_after, fact.support.new_after, fact.statements.old_after) == (1, 2, 0)
    assert fact.evidence[0].supports_new
    points = smith.propagation.over_time(branch_id="main", entity_uid="japan", kind=ProbeKind.DIRECT).points
    assert points[0].group.mean_after is None


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.01])
def test_a_threshold_is_checked_before_it_is_sent(smith: KnowledgeSmith, fake: FakeServer, threshold: float) -> None:
    with pytest.raises(InvalidInput, match="threshold"):
        smith.propagation.travel(intervention_id="i1", threshold=threshold)
    assert not fake.requests("GetTravel")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("evidence", "i1", "--verdict", "missed", "--verdict", "drifted"), "The capital of Peru is"),
        (("conflicts", "i1"), "mixed"),
        (("conflicts", "i1", "--all"), "Tokyo"),
        (("paths", "i1", "--threshold", "0.2"), "Japan -HAS_CAPITAL→ Tokyo ←TWIN_OF- Xi"),
        (("compare", "i1", "i2"), "2 rows in both, 1 and 0 in one only; mean difference +0.125"),
        (("over-time", "--entity", "japan"), "alphaedit"),
        (("metrics", "i1"), "25.0 %"),
        (("collapse", "i1", "i2"), "Collapse: not reached"),
        (("rows", "i1"), "unreachable"),
        (("i1", "--by", "kind"), "unreachable"),
    ],
)
def test_every_question_has_a_command(fake: FakeServer, words: tuple[str, ...], shown: str) -> None:
    table = run(fake, *words)
    assert table.exit_code == 0, table.output
    assert shown in table.output
    parsed = json.loads(run(fake, *words, "--json").output)
    assert parsed["result"]
    queries = parsed.get("queries") or [parsed["query"]]
    assert queries[0] == {"cypher": QUERY.cypher, "parameters": {"id": "i1"}}
    pasted = run(fake, *words, "--cypher").output
    assert pasted.startswith(':param {id: "i1"};\nMATCH (i:Intervention')


@pytest.mark.parametrize(
    "words", [("paths", "i1", "--threshold", "0"), ("evidence", "i1", "--verdict", "maybe"), ("collapse",), ()]
)
def test_wrong_words_are_refused(fake: FakeServer, words: tuple[str, ...]) -> None:
    assert run(fake, *words).exit_code == 2
    assert not fake.calls
