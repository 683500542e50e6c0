"""One line a query: parameters on the seeded world, and the database hits it may cost; four rooms have their own file.

``base`` is what a query costs by itself, ``per_row`` what every returned row may add. Hits of the seeded world times
about 1.5. A query that reads everything of one label by its purpose says so in ``whole``.
"""

from __future__ import annotations

from tests.graph_schema.budgets.budget import Budget
from tests.graph_schema.budgets.budget import budget as _budget
from tests.graph_schema.budgets.table_importing import IMPORTING
from tests.graph_schema.budgets.table_lifecycle import LIFECYCLE
from tests.graph_schema.budgets.table_operations import OPERATIONS
from tests.graph_schema.budgets.table_suggest import SUGGEST
from tests.graph_schema.budgets.world import fact

BUDGETS: dict[str, Budget] = {
    **IMPORTING,
    **LIFECYCLE,
    **OPERATIONS,
    **SUGGEST,
    "reasoning/clear": _budget(lambda w: {"graph_id": w.graph, "world": 0, "subjects": w.uids[:5]}, 101),
    "reasoning/derive": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "round": 0,
            "chains": [["lyon", [["LOCATED_IN", "LOCATED_IN", "LOCATED_IN", "transitive"]]]],
            "swaps": [["paris", [["HAS_CAPITAL", "CAPITAL_OF", "inverse"]]]],
            "lifts": [["lyon", [["LOCATED_IN", "NEAR", "subrelation"]]]],
        },
        360,
    ),
    "reasoning/place": _budget(
        lambda w: {
            "graph_id": w.graph,
            "uids": w.uids[:5],
            "blocks": [[w.types[0], {"derived": True, "round": 1, "world": 1}, [0, 1, 2], [1, 2, 4], ["x", "y", None]]],
        },
        35,
    ),
    "reasoning/unplace": _budget(lambda w: {"graph_id": w.graph, "subjects": w.uids[:5]}, 88),
    "graphs/by_alias": _budget(lambda w: {"graph_id": w.graph, "text": "France"}, 10),
    "graphs/by_key": _budget(lambda w: {"graph_id": w.graph, "keys": ["france", "frankreich"]}, 10),
    "graphs/by_name": _budget(lambda w: {"graph_id": w.graph, "text": "France"}, 17),
    "graphs/by_uid": _budget(lambda w: {"graph_id": w.graph, "text": "france"}, 17),
    "graphs/correct_wordings": _budget(lambda w: {"graph_id": w.graph, "corrections": []}, 20),
    "graphs/corrected_wordings": _budget(lambda w: {"graph_id": w.graph}, 20),
    "graphs/count": _budget(lambda w: {"graph_id": w.graph}, 1409),
    "graphs/depth_clear": _budget(lambda w: {"graph_id": w.graph}, 41),
    "graphs/depth_roots": _budget(lambda w: {"graph_id": w.graph}, 193),
    "graphs/depth_seed": _budget(lambda w: {"graph_id": w.graph, "uids": w.uids[:5]}, 25),
    "graphs/depth_step": _budget(lambda w: {"graph_id": w.graph, "depth": 0}, 77),
    "graphs/depth_unreached": _budget(lambda w: {"graph_id": w.graph}, 634),
    "graphs/entities": _budget(lambda w: {"graph_id": w.graph}, 20, 13),
    "graphs/every_id": _budget(lambda _: {}, 10, 3, whole="lists all graphs"),
    "graphs/example_facts": _budget(lambda w: {"graph_id": w.graph, "rel_types": ["HAS_CAPITAL"], "limit": 50}, 2000),
    "graphs/facts": _budget(lambda w: {"graph_id": w.graph}, 20, 27),
    "graphs/get": _budget(lambda w: {"graph_id": w.graph}, 45),
    "graphs/hierarchy_link_down": _budget(lambda w: {"graph_id": w.graph, "types": ["SYMBOL"]}, 995),
    "graphs/hierarchy_link_up": _budget(lambda w: {"graph_id": w.graph, "types": ["SYMBOL"]}, 1048),
    "graphs/hierarchy_size": _budget(lambda w: {"graph_id": w.graph, "types": ["SYMBOL"], "limit": 10}, 1000),
    "graphs/hierarchy_unlink": _budget(lambda w: {"graph_id": w.graph, "to_parent": [], "to_child": []}, 1645),
    "graphs/keep_counts": _budget(lambda w: {"graph_id": w.graph, "stamp": "s", "counts": "[[], 0]"}, 15),
    "graphs/level_labels": _budget(lambda w: {"graph_id": w.graph}, 220),
    "graphs/list": _budget(lambda w: {"after": w.graph[:-1], "limit": 2}, 17),
    "graphs/missing": _budget(lambda w: {"graph_id": w.graph, "uids": ["nobody", "paris"]}, 15),
    "graphs/objects_of": _budget(
        lambda w: {
            "graph_id": w.graph,
            "subject": "france",
            "rel_type": "HAS_CAPITAL",
            "reversed_types": ["CAPITAL_OF"],
        },
        215,
    ),
    "graphs/relations": _budget(lambda w: {"graph_id": w.graph}, 20, 18),
    "graphs/relations_replace": _budget(
        lambda w: {"graph_id": w.graph, "rows": [{"name": "symbol", "rel_type": "SYMBOL"}]}, 52
    ),
    "storage/schema_record": _budget(lambda _: {"version": 1}, 19),
    "storage/schema_version": _budget(lambda _: {}, 14),
    "graphs/similar_names": _budget(lambda w: {"graph_id": w.graph, "start": "fr"}, 10),
    "graphs/state": _budget(lambda w: {"graph_id": w.graph}, 15),
    "interventions/steps/advance": _budget(
        lambda w: {
            "id": w.running,
            "fence": 0,
            "from_states": ["RUNNING"],
            "properties": {"phase": "x"},
            "finished": False,
        },
        25,
    ),
    "interventions/steps/by_request": _budget(lambda w: {"request_id": w.request}, 17),
    "interventions/steps/claim": _budget(lambda w: {"id": w.running, "from_states": ["RUNNING"]}, 52),
    "interventions/steps/commit": _budget(
        lambda w: {
            "id": w.ready,
            "fence": 0,
            "revision_id": f"{w.graph}-r",
            "artefact_sha256": "a",
            "weights_sha256": "b",
        },
        79,
    ),
    "interventions/steps/counts": _budget(lambda _: {}, 187, whole="counts all interventions by state"),
    "interventions/steps/create": _budget(
        lambda w: {"branch_id": w.branch, "properties": {"id": f"{w.graph}-new", "request_id": f"{w.graph}-new"}}, 38
    ),
    "interventions/steps/get": _budget(lambda w: {"id": w.run}, 56),
    "interventions/steps/interrupted": _budget(
        lambda _: {}, 20, 6, whole="finds interrupted interventions of any branch"
    ),
    "interventions/steps/latest_end": _budget(lambda _: {}, 10),
    "interventions/steps/list": _budget(
        lambda w: {
            "branch_id": w.branch,
            "states": [],
            "goal": "",
            "before_ms": None,
            "before_id": "",
            "limit": 2,
        },
        109,
    ),
    "interventions/steps/live": _budget(
        lambda _: {"states": ["QUEUED", "RUNNING"]}, 20, 6, whole="reads every intervention that has not ended"
    ),
    "interventions/steps/next": _budget(
        lambda _: {"limit": 2, "apart": []}, 11, whole="looks at every queued intervention"
    ),
    "interventions/steps/number": _budget(lambda _: {}, 3),
    "interventions/steps/pulse": _budget(lambda w: {"id": w.run}, 20),
    "interventions/steps/request_cancel": _budget(lambda w: {"id": w.running}, 16),
    "interventions/steps/rollback": _budget(
        lambda w: {"branch_id": w.decided, "head_revision": w.head, "request_id": "r"}, 73
    ),
    "interventions/steps/rolled_back": _budget(lambda w: {"branch_id": w.branch, "request_id": "r"}, 20),
    "interventions/steps/take_over": _budget(
        lambda w: {
            "id": w.running,
            "fence": None,
            "from_states": ["RUNNING"],
            "properties": {"state": "FAILED"},
            "finished": True,
        },
        23,
    ),
    "interventions/ledger/append": _budget(lambda w: {"id": w.running, "fence": 0, "entities": w.rows}, 590),
    "interventions/ledger/clear_heads": _budget(lambda w: {"graph_id": w.graph, "limit": 20}, 400),
    "interventions/ledger/heads": _budget(lambda w: {"id": w.running, "uids": w.uids[:5]}, 140),
    "interventions/ledger/heads_rename": _budget(lambda w: {"graph_id": w.graph, "limit": 10}, 90),
    "interventions/ledger/outcomes": _budget(lambda w: {"id": w.running, "rows": w.outcomes}, 224),
    "interventions/ledger/read": _budget(lambda w: {"id": w.run, "after": 5, "limit": 10}, 20, 72),
    "interventions/ledger/replay_failed": _budget(lambda w: {"graph_id": w.graph}, 20),
    "interventions/ledger/replay_graph": _budget(lambda w: {"graph_id": w.graph}, 70),
    "interventions/ledger/replay_move": _budget(lambda w: {"graph_id": w.graph, "todo": [], "after": 0}, 20),
    "interventions/ledger/replay_order": _budget(lambda w: {"graph_id": w.graph}, 47),
    "interventions/ledger/replay_place": _budget(lambda w: {"graph_id": w.graph}, 20),
    "interventions/ledger/replay_intervention": _budget(lambda w: {"id": w.run}, 30),
    "interventions/ledger/replays_left": _budget(lambda _: {}, 5),
    "interventions/ledger/restore": _budget(
        lambda w: {"graph_id": w.graph, "uids": w.uids[:5], "order": {w.run: 0, w.second: 1}, "afresh": True}, 400
    ),
    "interventions/ledger/touched": _budget(lambda w: {"id": w.run, "after": 5, "limit": 10}, 70),
    "interventions/branches/chain": _budget(lambda w: {"branch_id": w.branch}, 41),
    "interventions/branches/create": _budget(
        lambda w: {"id": f"{w.graph}-b", "model_id": w.model, "graph_id": w.graph, "select": True}, 35
    ),
    "interventions/branches/get": _budget(lambda w: {"id": w.model}, 19),
    "interventions/branches/inserted": _budget(lambda w: {"branch_id": w.branch}, 34),
    "interventions/branches/list": _budget(lambda w: {"after": w.graph[:-1], "limit": 2}, 26),
    "interventions/branches/branches": _budget(
        lambda w: {"graph_id": w.graph, "only": w.branch, "after": "", "limit": 5}, 61
    ),
    "interventions/branches/overlay": _budget(lambda w: {"branch_id": w.branch}, 41),
    "interventions/branches/register": _budget(
        lambda w: {
            "id": w.model,
            "path": "p",
            "weights_sha256": "w",
            "architecture": "",
            "parameters": 0,
            "dtype": "float32",
            "base_revision": w.revision,
        },
        22,
    ),
    "interventions/branches/revision_chain": _budget(lambda w: {"branch_id": w.branch, "revision_id": w.revision}, 41),
    "interventions/branches/select": _budget(lambda w: {"id": w.branch}, 17),
    "planning/begin": _budget(
        lambda w: {
            "id": w.running,
            "fence": 0,
            "properties": {"plan_graph": w.graph},
            "targets": [["france", "symbol", "f", "au", "fe", "g"]],
        },
        509,
    ),
    "planning/earlier": _budget(lambda w: {"branch_id": w.branch, "facts": {"0": True}}, 900),
    "planning/head": _budget(lambda w: {"id": w.run}, 80),
    "planning/option_names": _budget(lambda w: {"id": w.run}, 400),
    "planning/probes": _budget(lambda w: {"id": w.running, "graph_id": w.graph, "rows": w.probes}, 659),
    "planning/unheld": _budget(lambda w: {"ids": [row["id"] for row in w.probes]}, 200),
    "planning/read": _budget(lambda w: {"id": w.run, "after": -1, "limit": 20}, 20, 75),
    "probes/sets/get": _budget(lambda w: {"id": w.probe_set}, 20),
    "probes/sets/list": _budget(lambda w: {"graph_id": w.graph, "before_ms": None, "before_id": "", "limit": 5}, 23),
    "probes/sets/materialise": _budget(lambda w: {"id": w.probe_set, "graph_id": w.graph, "rows": w.probes}, 746),
    "probes/sets/save": _budget(lambda w: {"id": f"{w.probe_set}-new", "properties": {"graph_id": w.graph}}, 22),
    "probes/block": _budget(lambda w: {"graph_id": w.graph, "world": 0, "types": w.types, "anchors": w.uids[:5]}, 170),
    "probes/comparison": _budget(
        lambda w: {"graph_id": w.graph, "world": 0, "types": w.types, "anchors": w.uids[:5]}, 164
    ),
    "probes/conflict": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "types": w.types,
            "anchors": w.uids[:5],
            "statements": [f[:3] for f in w.facts[:5]],
        },
        260,
    ),
    "probes/contextual": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "types": w.types,
            "anchors": w.uids[:5],
            "subjects": ["france"],
            "relations": ["HAS_CAPITAL"],
            "domains": ["geography"],
        },
        110,
    ),
    "probes/direct": _budget(lambda w: {"graph_id": w.graph, "world": 0, "types": w.types, "anchors": w.uids[:5]}, 109),
    "probes/follow": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "types": w.types,
            "chains": [[0, "lyon", [["CITY_OF", ""], ["ON_CONTINENT", ""]]]],
        },
        376,
    ),
    "probes/multi_hop": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "types": w.types,
            "forward": w.types,
            "backward": [],
            "final_forward": w.types,
            "final_backward": [],
            "anchors": ["lyon", "paris", "kyoto"],
            "far_reaching": None,
        },
        3509,
    ),
    "probes/reverse": _budget(
        lambda w: {"graph_id": w.graph, "world": 0, "types": w.types, "anchors": w.uids[:5]}, 200
    ),
    "probes/scope": _budget(lambda w: {"graph_id": w.graph, "uids": w.uids[:5]}, 97),
    "probes/reverse_block": _budget(
        lambda w: {"graph_id": w.graph, "world": 0, "types": w.types, "anchors": w.uids[:5]}, 200
    ),
    "propagation/by_all": _budget(lambda w: {"id": w.run}, 2420),
    "propagation/by_domain": _budget(lambda w: {"id": w.run}, 2510),
    "propagation/by_hop": _budget(lambda w: {"id": w.run}, 2420),
    "propagation/by_kind": _budget(lambda w: {"id": w.run}, 2420),
    "propagation/by_level": _budget(lambda w: {"id": w.run}, 2510),
    "propagation/by_relation": _budget(lambda w: {"id": w.run}, 2420),
    "propagation/by_role": _budget(lambda w: {"id": w.run}, 2420),
    "propagation/chances": _budget(
        lambda w: {"ids": [w.run], "by": "hop", "entity": "", "relation": "", "kind": ""}, 2670
    ),
    "propagation/changes": _budget(lambda w: {"id": w.run, "skip": 0, "limit": 10}, 20, 292),
    "propagation/collateral": _budget(lambda w: {"id": w.run, "skip": 0, "limit": 10}, 645),
    "propagation/compare": _budget(lambda w: {"first": w.run, "second": w.second, "skip": 0, "limit": 10}, 1460),
    "propagation/compare_counts": _budget(lambda w: {"first": w.run, "second": w.second}, 1010),
    "propagation/conflict": _budget(lambda w: {"id": w.run, "skip": 0, "limit": 10}, 342),
    "propagation/evidence": _budget(
        lambda w: {"id": w.run, "verdicts": ["COLLATERAL"], "roles": [], "skip": 0, "limit": 10}, 798
    ),
    "propagation/fact_metrics": _budget(lambda w: {"id": w.run}, 1303),
    "propagation/facts": _budget(lambda w: {"id": w.run, "conflicts_only": False, "skip": 0, "limit": 10}, 1347),
    "propagation/guesses": _budget(lambda w: {"id": w.run}, 2670),
    "propagation/noise_floor": _budget(lambda w: {"id": w.run}, 40),
    "propagation/noise_rates": _budget(lambda w: {"ids": [w.run], "entity": "", "relation": "", "kind": ""}, 2550),
    "propagation/over_time": _budget(
        lambda w: {"branch_id": w.branch, "relation": "", "kind": "", "after": 0, "limit": 50}, 4890
    ),
    "propagation/over_time_entity": _budget(
        lambda w: {"branch_id": w.branch, "entity": "france", "relation": "", "kind": "", "after": 0, "limit": 50}, 660
    ),
    "propagation/paths": _budget(lambda w: {"id": w.run, "threshold": 0.1, "movers": 100, "limit": 10}, 20, 952),
    "propagation/rates": _budget(lambda w: {"id": w.run}, 2510),
    "propagation/residual": _budget(lambda w: {"id": w.run, "skip": 0, "limit": 10}, 1000),
    "propagation/scale": _budget(lambda w: {"ids": [w.run, w.second]}, 1228),
    "propagation/stops": _budget(lambda w: {"id": w.run, "threshold": 0.1, "limit": 10}, 640),
    "propagation/subgraph_edges": _budget(lambda w: {"graph_id": w.graph, "uids": w.uids[:20]}, 20, 30),
    "propagation/subgraph_nodes": _budget(lambda w: {"id": w.run, "limit": 20}, 20, 46),
    "propagation/top": _budget(lambda w: {"id": w.run, "skip": 0, "limit": 10}, 20, 281),
    "probes/verification/links": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "types": w.types,
            "rows": [["france", ["paris", "euro"]], ["lyon", ["france", "asia"]]],
        },
        342,
    ),
    "probes/verification/options": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "rows": [["p", "france", "HAS_CAPITAL", False, ["paris"], ["lyon"]]],
        },
        148,
    ),
    "probes/verification/statements": _budget(
        lambda w: {"graph_id": w.graph, "world": 0, "rows": [["p", "france", "HAS_CAPITAL", "paris", True]]}, 47
    ),
    "probes/verification/steps": _budget(
        lambda w: {
            "graph_id": w.graph,
            "world": 0,
            "rows": [["lyon", "CITY_OF", False], ["france", "CITY_OF", True], ["nobody", "CITY_OF", False]],
        },
        261,
    ),
    "probes/verification/up": _budget(
        lambda w: {"graph_id": w.graph, "world": 0, "uids": ["lyon", "kyoto"], "ahead": ["LOCATED_IN"], "back": []}, 200
    ),
    "worlds/apply": _budget(
        lambda w: {"graph_id": w.graph, "asserts": [fact(w, "france", "symbol", "au")], "retracts": w.facts[:2]}, 88
    ),
    "worlds/entities": _budget(
        lambda w: {"graph_id": w.graph, "rows": [["new", "New", "T", "d", []], ["paris", "Paris", "T", "d", []]]}, 19
    ),
    "worlds/facts": _budget(lambda w: {"graph_id": w.graph, "world": 0}, 1432),
    "worlds/stamp": _budget(lambda w: {"graph_id": w.graph}, 12),
    "worlds/texts": _budget(lambda w: {"graph_id": w.graph, "uids": ["new", "paris"]}, 10),
    "worlds/update": _budget(
        lambda w: {"graph_id": w.graph, "asserts": [fact(w, "france", "symbol", "au")], "retracts": w.facts[:2]}, 88
    ),
}
