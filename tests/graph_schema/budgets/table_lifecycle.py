"""Budgets of the queries that archive, load, check, version and delete graphs and what stands on them."""

from __future__ import annotations

from typing import Any

from tests.graph_schema.budgets.budget import Budget, Parameters, budget
from tests.graph_schema.budgets.table_importing import CASES, THERE
from tests.graph_schema.budgets.world import World

LIVE = ["QUEUED", "PREPARING", "RUNNING", "COMMITTING"]


def _graph(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph}


def _page(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph, "after": "", "limit": 10}


def _run(world: World) -> dict[str, Any]:
    return {"id": world.run}


def _inserted(world: World) -> dict[str, Any]:
    return {"graph_id": world.graph, "rows": [["new", "New", "T", "d", []]]}


def _run_marked(world: World) -> dict[str, Any]:
    return {"id": world.run, "live": LIVE, "release": True}


def _set(world: World) -> dict[str, Any]:
    return {"id": world.probe_set}


def _members(world: World) -> dict[str, Any]:
    return {"id": world.probe_set, "graph_id": world.graph, "rows": world.probes}


def _some(world: World) -> dict[str, Any]:
    return {"id": world.run, "limit": 10}


def _all(world: World) -> dict[str, Any]:
    return {"id": world.run, "limit": 10_000}


def _empty(world: World) -> dict[str, Any]:
    return {"graph_id": f"{world.graph}-new", "archive": "a"}


def _branch(world: World) -> dict[str, Any]:
    return {"id": f"{world.graph}-idle", "model_id": world.model, "graph_id": world.graph, "select": False}


def _branch_marked(world: World) -> dict[str, Any]:
    return {"id": f"{world.graph}-idle", "live": LIVE}


def _lone(world: World) -> dict[str, Any]:
    values = {"id": f"{world.graph}-lone", "artefact_sha256": "", "weights_sha256": ""}
    return {"rows": [{"properties": values, "parent": world.revision}]}


def _model(world: World) -> dict[str, Any]:
    values = {"id": f"{world.graph}-m", "weights_sha256": ""}
    return {"rows": [{"properties": values, "base": f"{world.graph}-m.base"}]}


Before = tuple[tuple[str, Parameters], ...]
GRAPH_MARKED: Before = (("maintenance/graph_mark", _graph),)
RUN_MARKED: Before = (("maintenance/intervention_mark", _run_marked),)
RUN_EMPTY: Before = (
    *RUN_MARKED,
    ("maintenance/intervention_rows_delete", _all),
    ("maintenance/intervention_plan_delete", _all),
)
SET_MARKED: Before = (("maintenance/set_mark", _set),)
LOADING: Before = (("archive/load_begin", _empty),)
LIFECYCLE: dict[str, Budget] = {
    "archive/write_branches": budget(_graph, 145),
    "archive/write_cases": budget(_page, 129, before=THERE),
    "archive/write_graph": budget(_graph, 276),
    "archive/write_ledger": budget(lambda w: {"id": w.run, "after": 0, "limit": 10}, 730),
    "archive/write_planned": budget(lambda w: {"id": w.run, "after": -1, "limit": 10}, 856),
    "archive/write_probes": budget(lambda w: {"graph_id": w.graph, "after": "", "limit": 5}, 327),
    "archive/write_revisions": budget(_graph, 175),
    "archive/write_runs": budget(_page, 420),
    "archive/write_sets": budget(_graph, 16),
    "maintenance/artefact_uses": budget(
        lambda w: {"sha256": f"{w.graph}-none"}, 36, whole="looks at every running attempt"
    ),
    "maintenance/branch_delete": budget(
        lambda w: {"id": f"{w.graph}-idle"},
        15,
        before=(("interventions/branches/create", _branch), ("maintenance/branch_mark", _branch_marked)),
    ),
    "maintenance/branch_mark": budget(_branch_marked, 27, before=(("interventions/branches/create", _branch),)),
    "maintenance/branch_states": budget(_graph, 40),
    "maintenance/branch_uses": budget(lambda w: {"id": w.branch, "live": LIVE}, 75),
    "maintenance/check_branches": budget(_graph, 144),
    "maintenance/check_cases": budget(_page, 70, before=THERE),
    "maintenance/check_depths": budget(_page, 231),
    "maintenance/check_entities": budget(_page, 241),
    "maintenance/check_heads": budget(lambda w: {**_page(w), "runs": [w.run, w.second]}, 478),
    "maintenance/check_hierarchy": budget(lambda w: {**_page(w), "to_parent": ["LOCATED_IN"], "to_child": []}, 472),
    "maintenance/check_ledger": budget(_run, 820),
    "maintenance/check_levels": budget(_page, 106),
    "maintenance/check_names": budget(lambda _: {}, 9),
    "maintenance/check_probes": budget(_page, 226),
    "maintenance/check_interventions": budget(_graph, 150),
    "maintenance/check_selected": budget(_graph, 15),
    "maintenance/check_sets": budget(_graph, 12),
    "maintenance/check_slots": budget(_some, 1389),
    "maintenance/check_versions": budget(_graph, 10),
    "maintenance/graph_cases_delete": budget(
        lambda w: {"graph_id": w.graph, "limit": 2}, 46, before=(*GRAPH_MARKED, *THERE)
    ),
    "maintenance/graph_delete": budget(
        lambda w: {"graph_id": f"{w.graph}-new"},
        16,
        before=(*LOADING, ("maintenance/graph_mark", lambda w: {"graph_id": f"{w.graph}-new"})),
    ),
    "maintenance/graph_entities_delete": budget(
        lambda w: {"graph_id": w.graph, "entities": 5}, 82, before=GRAPH_MARKED
    ),
    "maintenance/graph_facts_delete": budget(
        lambda w: {"graph_id": w.graph, "entities": 5, "limit": 20}, 195, before=GRAPH_MARKED
    ),
    "maintenance/graph_mark": budget(_graph, 13),
    "maintenance/graph_uses": budget(lambda w: {"graph_id": w.graph, "live": LIVE}, 78),
    "archive/load_begin": budget(_empty, 18),
    "archive/load_branches": budget(
        lambda w: {"rows": [{"properties": {"id": f"{w.graph}-b"}, "model": w.model, "head": w.revision}]}, 18
    ),
    "archive/load_cases": budget(
        lambda w: {
            "graph_id": w.graph,
            "rows": [
                {"properties": {"id": name, "graph_id": w.graph}, "changes": [["france", {}]], "probes": [{}, {}]}
                for name in CASES
            ],
        },
        82,
    ),
    "archive/load_end": budget(lambda w: {**_empty(w), "properties": {"digest": "d"}}, 15, before=LOADING),
    "archive/load_entities": budget(
        lambda w: {"graph_id": w.graph, "rows": [["new", "New", "T", "d", list[str](), False, "Leaf", None]]}, 19
    ),
    "archive/load_facts": budget(
        lambda w: {"graph_id": w.graph, "rows": [[s, o, t, i, ""] for s, t, o, i in w.facts[:5]]}, 66
    ),
    "archive/load_ledger": budget(
        lambda w: {"graph_id": w.graph, "rows": [[w.run, "france", {"intervention": w.run, "seq": 100_000}]]}, 18
    ),
    "archive/load_links": budget(lambda w: {"graph_id": w.graph, "rows": [[s, o] for s, _, o, _ in w.facts[:5]]}, 25),
    "archive/load_models": budget(_model, 37),
    "archive/load_parents": budget(
        lambda w: {"rows": [[f"{w.graph}-lone", w.revision]]}, 20, before=(("archive/load_revisions", _lone),)
    ),
    "archive/load_planned": budget(
        lambda w: {"graph_id": w.graph, "rows": [[w.run, row["id"], {}] for row in w.probes[:5]]},
        51,
        before=(("probes/sets/materialise", _members),),
    ),
    "archive/load_probes": budget(
        lambda w: {
            "graph_id": w.graph,
            "rows": [["france", {"id": f"{w.graph}-{n}", "graph_id": w.graph}, [w.probe_set]] for n in (1, 2)],
        },
        72,
    ),
    "archive/load_relations": budget(lambda w: {"rows": [{"graph_id": w.graph, "name": "new"}]}, 13),
    "archive/load_revisions": budget(_lone, 20),
    "archive/load_revisions_known": budget(lambda w: {"ids": [w.revision]}, 15),
    "archive/load_runs": budget(
        lambda w: {
            "graph_id": w.graph,
            "rows": [
                {
                    "properties": {"id": f"{w.graph}-new", "branch_id": w.branch, "request_id": f"{w.graph}-new"},
                    "targets": [["france", {"position": 0}]],
                    "produced": w.revision,
                }
            ],
        },
        30,
    ),
    "archive/load_sets": budget(lambda w: {"rows": [{"id": f"{w.graph}-new"}]}, 12),
    "archive/load_state": budget(_graph, 16),
    "archive/load_step": budget(
        lambda w: {**_empty(w), "member": 0, "rows": 0, "next_member": 1, "next_rows": 0}, 19, before=LOADING
    ),
    "archive/load_taken": budget(
        lambda w: {
            "models": [w.model],
            "branches": [w.branch],
            "runs": [w.run],
            "requests": [w.request],
            "sets": [w.probe_set],
        },
        22,
    ),
    "archive/load_versions": budget(lambda w: {"graph_id": w.graph, "rows": [{"number": 1}, {"number": 2}]}, 22),
    "maintenance/model_delete": budget(lambda w: {"id": f"{w.graph}-m"}, 20, before=(("archive/load_models", _model),)),
    "graphs/page_entities": budget(_page, 147),
    "graphs/page_facts": budget(_page, 282),
    "graphs/parents_of": budget(lambda w: {"graph_id": w.graph, "uids": ["lyon", "france"]}, 90),
    "maintenance/revision_delete": budget(
        lambda w: {"id": f"{w.graph}-lone"}, 27, before=(("archive/load_revisions", _lone),)
    ),
    "maintenance/intervention_delete": budget(
        lambda w: {"id": w.run, "inserted": ["new", "paris"]}, 24, before=(*RUN_EMPTY, ("worlds/entities", _inserted))
    ),
    "maintenance/intervention_ids": budget(_graph, 48),
    "maintenance/intervention_mark": budget(_run_marked, 18),
    "maintenance/intervention_plan_delete": budget(_some, 93, before=RUN_MARKED),
    "maintenance/intervention_rows_delete": budget(_some, 43, before=RUN_MARKED),
    "maintenance/intervention_uses": budget(_run, 38),
    "maintenance/set_delete": budget(_set, 15, before=SET_MARKED),
    "maintenance/set_mark": budget(_set, 15),
    "maintenance/set_members_delete": budget(
        lambda w: {"id": w.probe_set, "limit": 10}, 147, before=(("probes/sets/materialise", _members), *SET_MARKED)
    ),
    "graphs/versions": budget(
        _graph, 73, before=(("archive/load_versions", lambda w: {"graph_id": w.graph, "rows": [{"number": 1}]}),)
    ),
}
