"""Budgets of the queries that import graphs and ready interventions of benchmarks."""

from __future__ import annotations

from typing import Any

from tests.graph_schema.budgets.budget import Budget, Parameters, budget
from tests.graph_schema.budgets.world import World

CASES = ("case-a", "case-b", "case-c")


def cases(world: World) -> dict[str, Any]:
    """Three cases of a graph."""
    made = {"goal": "EDIT", "families": ["f"], "stamp": "s", "digest": "d", "missing": list[str]()}
    return {"graph_id": world.graph, "rows": [{"id": name, "properties": made} for name in CASES]}


def case_changes(world: World) -> dict[str, Any]:
    """One link a case."""
    return {"graph_id": world.graph, "rows": [[name, "france", {"position": 0}] for name in CASES]}


def case_probes(world: World) -> dict[str, Any]:
    """Two probes a case."""
    return {"graph_id": world.graph, "rows": [[name, [{"position": n} for n in range(2)]] for name in CASES]}


def _lease(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph, "owner": "o", "dead": "", "lease_ms": 60_000}


def _known(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph, "ids": list(CASES)}


def _one(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph, "id": CASES[0]}


def _gone(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph, "stamp": "t", "limit": 2}


LEASED: tuple[tuple[str, Parameters], ...] = (("importing/begin", _lease),)
THERE: tuple[tuple[str, Parameters], ...] = (
    ("interventions/cases/write", cases),
    ("interventions/cases/write_changes", case_changes),
    ("interventions/cases/write_probes", case_probes),
)
IMPORTING: dict[str, Budget] = {
    "interventions/cases/clear": budget(_known, 64, before=THERE),
    "interventions/cases/count": budget(lambda w: {"graph_id": w.graph}, 12, before=THERE),
    "interventions/cases/get": budget(_one, 21, before=THERE),
    "interventions/cases/known": budget(_known, 15, before=THERE),
    "interventions/cases/list": budget(
        lambda w: {"graph_id": w.graph, "after": "", "goal": "", "family": "f", "limit": 2}, 40, before=THERE
    ),
    "interventions/cases/mark": budget(lambda w: {**_known(w), "stamp": "t"}, 15, before=THERE),
    "interventions/cases/present": budget(lambda w: {"graph_id": w.graph, "uids": w.uids[:5]}, 28),
    "interventions/cases/probes": budget(_one, 25, before=THERE),
    "interventions/cases/remove": budget(_gone, 22, before=THERE),
    "interventions/cases/remove_probes": budget(_gone, 22, before=THERE),
    "interventions/cases/write": budget(cases, 69),
    "interventions/cases/write_changes": budget(case_changes, 33, before=THERE[:1]),
    "interventions/cases/write_probes": budget(case_probes, 60, before=THERE[:1]),
    "importing/aliases_fill": budget(lambda w: {"graph_id": w.graph, "after": "", "limit": 10}, 88),
    "importing/begin": budget(_lease, 25),
    "importing/entities_create": budget(
        lambda w: {"graph_id": w.graph, "rows": [["new", "New", "T", "d", list[str](), "Leaf", None]]}, 21
    ),
    "importing/entities_retire": budget(lambda w: {"graph_id": w.graph, "rows": w.nodes[:5]}, 51),
    "importing/entities_update": budget(
        lambda w: {"graph_id": w.graph, "rows": [[e, "N", "T", "d", list[str](), "Leaf", 1] for e in w.nodes[:5]]}, 51
    ),
    "importing/facts_create": budget(
        lambda w: {"graph_id": w.graph, "rows": [[*w.nodes[n : n + 2], "NEW", f"new-{n}", "s"] for n in range(5)]}, 66
    ),
    "importing/facts_delete": budget(lambda w: {"graph_id": w.graph, "rows": w.elements[:5]}, 51),
    "importing/facts_source": budget(lambda w: {"graph_id": w.graph, "rows": [[e, "s"] for e in w.elements[:5]]}, 51),
    "importing/finish": budget(
        lambda w: {
            "graph_id": w.graph,
            "owner": "o",
            "digest": "new",
            "source": "s",
            "format": "csv",
            "totals": [40, 50],
            "changed": True,
        },
        48,
        before=LEASED,
    ),
    "importing/held": budget(lambda _: {}, 13, whole="asks whether the database holds anything at all"),
    "importing/links_create": budget(
        lambda w: {"graph_id": w.graph, "rows": [w.nodes[n : n + 2] for n in range(5)]}, 36
    ),
    "importing/links_delete": budget(lambda w: {"graph_id": w.graph, "rows": w.links[:5]}, 51),
    "importing/relations_remove": budget(lambda w: {"graph_id": w.graph, "rows": ["symbol"]}, 9),
    "importing/relations_write": budget(
        lambda w: {"graph_id": w.graph, "rows": [{"name": "symbol", "rel_type": "SYMBOL"}]}, 15
    ),
    "importing/release": budget(lambda w: {"graph_id": w.graph, "owner": "o", "untouched": True}, 19, before=LEASED),
    "importing/renew": budget(
        lambda w: {"graph_id": w.graph, "owner": "o", "lease_ms": 60_000, "counts": [1] * 6}, 25, before=LEASED
    ),
    "importing/stored": budget(lambda w: {"graph_id": w.graph, "after": "", "limit": 10}, 504),
}
