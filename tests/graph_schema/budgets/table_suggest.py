"""Budgets of the queries that suggest traits, types and homonyms."""

from __future__ import annotations

from typing import Any

from tests.graph_schema.budgets.budget import Budget, budget
from tests.graph_schema.budgets.world import World


def _page(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph, "after": "", "limit": 10}


SUGGEST: dict[str, Budget] = {
    "suggesting/accepted": budget(
        lambda w: {"graph_id": w.graph, "accepted": "{}", "digest": "d", "removed": 1},
        1285,
    ),
    "suggesting/degrees": budget(_page, 507),
    "suggesting/homonyms": budget(
        lambda w: {"graph_id": w.graph, "after_entities": None, "after_label": "", "limit": 5, "invisible": []}, 330
    ),
    "suggesting/lock": budget(lambda w: {"graph_id": w.graph}, 12),
    "suggesting/loops": budget(lambda w: {"graph_id": w.graph, "rel_types": ["LOCATED_IN"], "limit": 1}, 650),
    "suggesting/mirrors": budget(_page, 649),
    "suggesting/open_ways": budget(
        lambda w: {
            "graph_id": w.graph,
            "first": "CITY_OF",
            "second": "USES_CURRENCY",
            "closing": "CITY_CURRENCY",
            "limit": 5,
        },
        981,
    ),
    "suggesting/other_types": budget(
        lambda w: {"graph_id": w.graph, "kind": "CITY_OF", "wanted": "Person", "of_object": False, "limit": 5}, 942
    ),
    "suggesting/paths": budget(_page, 507),
    "suggesting/second_ways_delete": budget(
        lambda w: {
            "graph_id": w.graph,
            "dropped": ["SPOUSE"],
            "kept": ["SPOUSE"],
            "symmetric": True,
            "limit": 5,
        },
        2937,
    ),
    "suggesting/several": budget(
        lambda w: {"graph_id": w.graph, "outgoing": ["CITY_OF"], "incoming": ["HAS_CAPITAL"], "limit": 5}, 2547
    ),
    "suggesting/triangles": budget(lambda w: {**_page(w), "max_degree": 100}, 484),
    "suggesting/types": budget(_page, 250),
    "suggesting/unanswered": budget(
        lambda w: {"graph_id": w.graph, "there": "HAS_CAPITAL", "back": "CAPITAL_OF", "limit": 5}, 897
    ),
}
