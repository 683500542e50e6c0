"""Budgets of the queries that keep long-running operations."""

from __future__ import annotations

from typing import Any

from tests.graph_schema.budgets.budget import Budget, Parameters, budget
from tests.graph_schema.budgets.world import World

WEEK_MS = 7 * 24 * 3600 * 1000


def _properties(world: World, state: str = "RUNNING") -> dict[str, Any]:
    return {
        "id": f"{world.graph}-{state}",
        "method": "ImportGraph",
        "state": state,
        "home": world.graph,
        "body_digest": "d",
        "attempt": 0,
        "crashes": 0,
        "held": False,
        "cancel_requested": False,
    }


def _running(world: World) -> dict[str, Any]:
    return {"request_id": f"{world.graph}-running", "properties": _properties(world)}


def _done(world: World) -> dict[str, Any]:
    return {"request_id": f"{world.graph}-done", "properties": {**_properties(world, "DONE"), "finished_ms": 1}}


def _one(world: World) -> dict[str, Any]:
    return {"id": f"{world.graph}-RUNNING"}


def _ended(world: World) -> dict[str, Any]:
    return {"id": f"{world.graph}-DONE"}


def _line(params: Parameters, base: int, per_row: int = 0) -> Budget:
    return budget(params, base, per_row, before=(("operations/create", _running), ("operations/create", _done)))


OPERATIONS: dict[str, Budget] = {
    "operations/by_request": _line(lambda w: {"request_id": f"{w.graph}-running"}, 10),
    "operations/cancelled": _line(lambda w: {"ids": [f"{w.graph}-RUNNING", "nobody"]}, 10),
    "operations/create": budget(_running, 40),
    "operations/database": budget(lambda _: {}, 5),
    "operations/delete": _line(_ended, 40),
    "operations/end": _line(lambda w: {**_one(w), "state": "DONE", "properties": {"result": b"r"}}, 30),
    "operations/get": _line(_one, 30),
    "operations/known": _line(lambda w: {"ids": [f"{w.graph}-RUNNING", "nobody"]}, 10),
    "operations/let_go": _line(_one, 15),
    "operations/list": _line(
        lambda _: {"before_ms": 2**62, "before_id": "", "method": "", "states": ["RUNNING", "DONE"], "limit": 10},
        20,
        50,
    ),
    "operations/progress": _line(lambda w: {**_one(w), "stage": "write", "done": 1, "total": 2}, 20),
    "operations/purge": _line(lambda _: {"age_ms": WEEK_MS, "limit": 10}, 20, 30),
    "operations/purge_lost": _line(lambda w: {"home": f"{w.graph}-other", "age_ms": -WEEK_MS, "limit": 10}, 20, 40),
    "operations/request_cancel": _line(_one, 20),
    "operations/settle": _line(lambda w: {"home": w.graph, "crashed": True}, 20, 40),
    "operations/take_up": _line(_one, 30),
    "operations/tally": _line(_one, 10),
    "operations/tally_keep": _line(lambda w: {**_one(w), "tally": "[{}, {}]"}, 15),
    "operations/unfinished": _line(lambda w: {"home": w.graph}, 10, 40),
}
