"""The typed client against the real server: one edit from import to rollback, and what becomes of its result."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server import world
from tests.server.service import Service

from knowledgesmith.client import (
    BeliefBatch,
    EntityNotFound,
    FactChange,
    Goal,
    Grouping,
    InterventionSpec,
    InterventionState,
    KnowledgeSmith,
    draw,
    to_networkx,
    to_pandas,
    to_py2neo,
)

PARIS = FactChange(subject="France", relation="has_capital", old_object="Paris", new_object="Rome")


def test_edit_from_import_to_rollback(service: Service, graph_id: str, tmp_path: Path) -> None:
    for name in ("entities", "relations", "facts", "templates"):
        (tmp_path / f"{name}.csv").write_text(getattr(world, name)(), encoding="utf-8")
    branch = f"c_{graph_id[:20]}"
    with KnowledgeSmith(f"127.0.0.1:{service.port}", actor="tester") as smith:
        smith.import_graph(graph_id=graph_id, files=sorted(tmp_path.glob("*.csv")), source="a folder of CSV")
        smith.create_branch(branch_id=branch, model_id="tiny", graph_id=graph_id, select=True)
        lost = FactChange(subject="Atlantis", relation="has_capital", new_object="Rome")
        with pytest.raises(EntityNotFound) as refused:
            smith.edit(branch_id=branch, changes=[lost])
        assert refused.value.field == "changes[0].subject"

        spec = InterventionSpec(branch_id=branch, goal=Goal.EDIT, changes=(PARIS,), method="finetune")
        preview = smith.plan(spec=spec)
        job = smith.create_intervention(spec=spec)
        watched = [e for e in smith.watch(intervention_id=job.id) if isinstance(e, BeliefBatch)]
        rows = [row for event in watched for row in event.changes]
        done = smith.wait(intervention_id=job.id)

        assert done.state is InterventionState.SUCCEEDED
        assert done.actor == "tester"
        assert len(rows) == done.planned_rows == preview.plan.rows
        assert smith.get_plan(intervention_id=job.id).digest == preview.plan.digest, "the same world, the same plan"
        groups = smith.propagation(intervention_id=job.id, group_by=Grouping.HOP)
        assert sum(group.rows for group in groups.groups) == len(rows)

        picture = smith.subgraph(intervention_id=job.id)
        assert {"retracted", "added"} <= {edge.status for edge in picture.edges}
        assert to_networkx(picture).number_of_nodes() == len(picture.nodes)
        assert len(to_py2neo(picture).nodes) == len(picture.nodes)
        assert len(to_pandas(rows)) == len(rows)
        assert "<svg" in draw(subgraph=picture)
        back = smith.rollback(branch_id=branch)
        assert back.exact
        assert back.branch.head_revision == "tiny.base"
