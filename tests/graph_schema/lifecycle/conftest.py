"""A small graph with a hierarchy, and interventions that were planned, measured and committed without a model."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import neo4j
import pytest
from tests.conftest import Cypher as Cypher
from tests.server import world as small

from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.interventions import branches, ledger, steps
from knowledgesmith.graph_schema.interventions.ledger import Measured
from knowledgesmith.graph_schema.interventions.records import InterventionSpec
from knowledgesmith.graph_schema.planning.plan_store import store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal, State, TargetDistribution
from knowledgesmith.graph_schema.types.plans import LedgerSlot

PARIS = Change(subject="france", relation="has_capital", old_object="paris", new_object="rome")
LIMA = Change(subject="peru", relation="has_capital", old_object="lima", new_object="santiago")


def import_world(store: GraphStore, graph_id: str, *, without: str = "") -> None:
    """Import the small world; lines that hold ``without`` are left out of entities and facts."""

    def cut(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if not without or without not in line)

    parts = {
        FileRole.ENTITIES: cut(small.entities()),
        FileRole.RELATIONS: small.relations(),
        FileRole.FACTS: cut(small.facts()),
        FileRole.TEMPLATES: small.templates(),
    }
    files = [
        InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(text.encode())) for role, text in parts.items()
    ]
    import_graph(store, graph_id=graph_id, files=files, source="small world")


@dataclass(frozen=True)
class Runs:
    """Makes branches and runs on one graph; those of a placebo leave a branch's world as it is."""

    store: GraphStore
    graph_id: str
    method: str = "placebo"

    def branch(self, name: str = "") -> str:
        """A fresh branch of a model of its own."""
        unique = uuid.uuid4().hex[:12]
        model = branches.ModelInfo(
            id=f"m_{unique}", path="/m", weights_sha256="0" * 64, architecture="tiny", parameters=1
        )
        branches.register_model(self.store, model)
        made = branches.create_branch(
            self.store, branch_id=name or f"b_{unique}", model_id=model.id, graph_id=self.graph_id, select=False
        )
        return made.id

    def queue(self, branch: str, change: Change) -> str:
        """A run that waits."""
        spec = InterventionSpec(
            branch_id=branch,
            goal=Goal.EDIT,
            changes=(change,),
            method=self.method,
            method_config={},
            target_distribution=TargetDistribution.NEW_OBJECT,
            max_probes=120,
        )
        made, _ = steps.create(
            self.store, spec, actor="test", request_id=str(uuid.uuid4()), request_hash="h", graph_digest="d" * 64
        )
        return made

    def finish(self, branch: str, change: Change, *, commit: bool = True, artefact: str = "") -> str:
        """A run with a plan and a full ledger, committed or failed at the end."""
        run = self.queue(branch, change)
        held = steps.claim(self.store, run)
        assert held is not None
        request = PlanRequest(
            graph_id=self.graph_id,
            branch_id=branch,
            goal=Goal.EDIT,
            changes=(change,),
            overlay=branches.overlay(self.store, branch),
            max_probes=120,
        )
        plan = make_plan(self.store, request)
        store_plan(self.store, held, plan)
        sha = artefact or uuid.uuid4().hex * 2
        steps.advance(
            self.store,
            held,
            from_states=[State.PREPARING],
            state=State.RUNNING,
            artefact_sha256=sha,
            weights_sha256="1" * 64,
        )
        rows = [(slot, measured(slot)) for slot in plan.slots]
        for start in range(0, len(rows), 25):
            ledger.append(self.store, run, held.fence, rows[start : start + 25])
        if not commit:
            steps.finish(self.store, run, from_states=[State.RUNNING], state=State.FAILED, reason="TEST")
            return run
        steps.advance(self.store, held, from_states=[State.RUNNING], state=State.COMMITTING)
        base = steps.get(self.store, run).base_revision
        steps.commit(
            self.store, held, revision_id=branches.revision_id(base, sha), artefact_sha256=sha, weights_sha256="1" * 64
        )
        return run

    def roll_back(self, branch: str) -> str:
        """Take the head back by one revision."""
        head, _ = branches.check_rollback(self.store, branch, "")
        return branches.rollback(self.store, branch, head.id, request_id=str(uuid.uuid4()))


def measured(slot: LedgerSlot) -> Measured:
    """Beliefs that differ from slot to slot; every third slot has no answer afterwards."""
    before = (slot.seq % 97) / 97
    return Measured(
        before=before,
        after=None if slot.seq % 3 == 0 else before / 2,
        new_before=0.1,
        new_after=0.3,
        n=len(slot.probe_ids),
        n_preserved=len(slot.probe_ids),
    )


@pytest.fixture
def graph(store: GraphStore, graph_id: str) -> str:
    """The small world under an id of its own."""
    import_world(store, graph_id)
    return graph_id


@pytest.fixture
def runs(store: GraphStore, graph: str) -> Runs:
    """Makes branches and runs on the small world."""
    return Runs(store, graph)


@pytest.fixture(autouse=True)
def no_other_runs(neo4j_uri: str) -> None:
    """No attempt that another test left running: it might still name an artefact, so that no file would go."""
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver:
        driver.execute_query("MATCH (i:Intervention) WHERE i.state IN ['PREPARING', 'RUNNING'] SET i.state = 'FAILED'")


@pytest.fixture
def census(cypher: Cypher) -> Callable[[], Counter[str]]:
    """How many nodes of each label and relationships of each type there are in the whole database."""

    def count() -> Counter[str]:
        nodes = cypher("MATCH (n) UNWIND labels(n) AS kind RETURN kind, count(*) AS n")
        links = cypher("MATCH ()-[r]->() RETURN type(r) AS kind, count(*) AS n")
        return Counter({row["kind"]: row["n"] for row in [*nodes, *links]})

    return count
