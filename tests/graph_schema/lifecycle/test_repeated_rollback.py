"""A rollback that was served already, under the same request id, moves nothing, however late its twin comes."""

from __future__ import annotations

import pytest
from tests.graph_schema.lifecycle.conftest import LIMA, PARIS, Runs

from knowledgesmith.graph_schema.errors import IllegalState
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.storage.store import GraphStore


def test_the_second_of_two_equal_requests_moves_nothing(store: GraphStore, runs: Runs) -> None:
    branch = runs.branch()
    for change in (PARIS, LIMA):
        runs.finish(branch, change)
    first, _ = branches.check_rollback(store, branch, "")
    branches.rollback(store, branch, first.id, request_id="twice")
    # its twin asked whether it was served before it was, and looks for the head after it
    second, _ = branches.check_rollback(store, branch, "")
    assert second.id != first.id
    with pytest.raises(IllegalState):
        branches.rollback(store, branch, second.id, request_id="twice")
    assert branches.get_branch(store, branch).head_revision == second.id
    branches.rollback(store, branch, second.id, request_id="another")
