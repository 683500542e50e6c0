"""Jobs and imports of the same graph at the same time: a job waits, is planned anew, or says that its plan is void."""

from __future__ import annotations

import dataclasses

import pytest
from tests.server.service import Service
from tests.server.world import upload

from knowledgesmith.graph_schema import jobs
from knowledgesmith.graph_schema.errors import Aborted
from knowledgesmith.graph_schema.importing.lock import take_lock
from knowledgesmith.graph_schema.lifecycle.check import check_graph
from knowledgesmith.graph_schema.plan_store import load_plan
from knowledgesmith.graph_schema.store import GraphStore
from knowledgesmith.proto.v1 import intervention_pb2
from knowledgesmith.server.worker.compose import compose

PARIS = ("france", "has_capital", "paris", "rome")
LIMA = ("peru", "has_capital", "lima", "santiago")


def test_jobs_wait_for_an_import_and_the_graph_stays_sound(
    service: Service, second_client: GraphStore, world: str, branch: str
) -> None:
    first = service.create(service.spec(branch, PARIS, hold=False))
    waiting = service.create(service.spec(branch, LIMA))
    lock = take_lock(second_client, world)
    service.wait(
        first.id,
        until={intervention_pb2.INTERVENTION_STATE_PREPARING, intervention_pb2.INTERVENTION_STATE_RUNNING}
        | {intervention_pb2.INTERVENTION_STATE_SUCCEEDED},
    )
    lock.release(second_client, untouched=True)
    list(service.graph.ImportGraph(iter(upload(world)), timeout=120))
    for job in (first, waiting):
        done = service.wait(job.id)
        assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message
        assert (done.written_rows, done.attempt) == (done.planned_rows, 1)
    assert check_graph(second_client, world).sound
    plan = load_plan(second_client, first.id)
    other = dataclasses.replace(plan, graph_digest="0" * 64)
    with pytest.raises(Aborted, match="imported again"):
        compose(second_client, jobs.get(second_client, first.id), other)
