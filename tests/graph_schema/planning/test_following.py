"""A request may name a fact that follows: it goes with what supports it."""

from __future__ import annotations

import pytest

from knowledgesmith.graph_schema.errors import FactNotFound
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal, NamedChange
from knowledgesmith.graph_schema.types.plans import WorldOp
from knowledgesmith.graph_schema.worlds.branch_world import resolve_in_world
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache

CURRENCY: Triple = ("lyon", "city_currency", "euro")


@pytest.mark.parametrize("old", ["", "euro"])
def test_a_fact_that_follows_is_unlearned_by_its_cut(
    store: GraphStore, graph_id: str, lexicon: Lexicon, old: str
) -> None:
    cache = WorldCache()
    world = cache.world(store, graph_id=graph_id, overlay=())
    asked = NamedChange(subject="lyon", relation="city_currency", old_object=old)
    resolved = resolve_in_world(store, world, [asked], goal=Goal.UNLEARN)
    assert resolved.changes == (Change(subject="lyon", relation="city_currency", old_object="euro"),)
    request = PlanRequest(graph_id=graph_id, branch_id="main", goal=Goal.UNLEARN, changes=resolved.changes)
    plan = make_plan(store, request, worlds=cache)
    cut = [(c.subject, c.relation, c.object) for c in plan.overlay]
    assert cut == [("lyon", "city_of", "france")], "all that lyon's currency rests on and nobody else's"
    gone = [(c.subject, c.relation, c.object) for c in plan.derived if c.op is WorldOp.RETRACT]
    assert CURRENCY in gone
    assert len(plan.cut.facts) == 1


def test_a_fact_that_neither_stands_nor_follows_is_refused(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    world = WorldCache().world(store, graph_id=graph_id, overlay=())
    asked = NamedChange(subject="lyon", relation="city_currency", old_object="yen")
    with pytest.raises(FactNotFound, match="does not hold in the branch's world"):
        resolve_in_world(store, world, [asked], goal=Goal.UNLEARN)
