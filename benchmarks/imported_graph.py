"""Edits on a graph whose wording is derived from its relations' names, beside the same number on the bundled graph.

Derived wording of a predicate begins with the subject ("{s} is governed from"): all facts of a subject share keys.
Five facts are edited in one intervention through the service, on graphs whose subjects have several tokens and four or
more other facts each; the same on the bundled graph. Two figures each: how many probes of the targets are installed
(by greedy text and by choice), and what became of the other facts of the edited subjects (verdicts of the probes that
ask them, and of all that should stay).

Usage: ``python -m benchmarks.imported_graph [--model FOLDER] [--config '{"openings": 4}']``
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from knowledgesmith.client import FactChange, Goal, InterventionSpec, KnowledgeSmith
from knowledgesmith.client.local_server import LocalServer, free_address

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/results/imported-graph.json"
# country: capital, continent, language, currency, neighbour
WORLD = {
    "South Korea": ("Seoul", "Asia", "Korean", "won", "North Korea"),
    "New Zealand": ("Wellington", "Oceania", "Maori", "dollar", "Pacific Ocean"),
    "Saudi Arabia": ("Riyadh", "Asia", "Arabic", "riyal", "Yemen"),
    "Costa Rica": ("San José", "North America", "Spanish", "colón", "Panama"),
    "Sri Lanka": ("Colombo", "Asia", "Sinhala", "rupee", "Indian Ocean"),
    "South Africa": ("Pretoria", "Africa", "Zulu", "rand", "Namibia"),
    "Burkina Faso": ("Ouagadougou", "Africa", "French", "franc", "Mali"),
    "Papua New Guinea": ("Port Moresby", "Oceania", "Tok Pisin", "kina", "Indonesia"),
    "Czech Republic": ("Prague", "Europe", "Czech", "koruna", "Poland"),
    "France": ("Paris", "Europe", "French", "euro", "Spain"),
    "Japan": ("Tokyo", "Asia", "Japanese", "yen", "Sea of Japan"),
    "Egypt": ("Cairo", "Africa", "Arabic", "pound", "Libya"),
    "Peru": ("Lima", "South America", "Spanish", "sol", "Chile"),
    "Hungary": ("Budapest", "Europe", "Hungarian", "forint", "Austria"),
}
TYPES = ("city", "continent", "language", "currency", "place")
PREDICATES = {
    "english": ("is_governed_from", "is_located_in", "speaks", "pays_with", "borders"),
    "german": ("wird_regiert_von", "liegt_in", "spricht", "bezahlt_mit", "grenzt_an"),
    "nouns": ("capital", "continent", "language", "currency", "neighbour"),
}
EDITS = (
    ("South Korea", "Seoul", "Lima"),
    ("New Zealand", "Wellington", "Cairo"),
    ("Saudi Arabia", "Riyadh", "Prague"),
    ("Czech Republic", "Prague", "Tokyo"),
    ("Sri Lanka", "Colombo", "Paris"),
)
BUNDLED = (
    ("France", "Paris", "Lima"),
    ("Japan", "Tokyo", "Madrid"),
    ("Italy", "Rome", "Berlin"),
    ("Egypt", "Cairo", "Prague"),
    ("Poland", "Warsaw", "Paris"),
)
TARGETS = """
MATCH (:Intervention {id: $id})-[c:CHANGED {role: 'target'}]->()
RETURN c.kind AS kind, sum(c.n_installed) AS installed, sum(c.n_not_installed) AS not_installed ORDER BY kind
"""
STAYS = """
MATCH (:Intervention {id: $id})-[t:TARGETS]->(s:Entity)
WITH collect(DISTINCT s.uid) AS subjects
MATCH (:Intervention {id: $id})-[c:CHANGED {role: 'stays'}]->(e:Entity)
RETURN e.uid IN subjects AS own, sum(c.n_preserved) AS preserved, sum(c.n_collateral) AS collateral,
       sum(c.n) AS asked, round(avg(abs(c.delta)), 3) AS moved ORDER BY own
"""
HEALTH = """
MATCH (i:Intervention {id: $id})
RETURN i.state AS state, i.health_verdict AS verdict, i.health_realised_min AS realised,
       i.health_across_max AS across, i.health_perplexity_ratio AS perplexity
"""


def main() -> None:
    """Run every graph and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="checkpoint; default: the default model")
    parser.add_argument("--config", default="{}", help="settings of the method as JSON; default: its own")
    args = parser.parse_args()
    config: dict[str, Any] = json.loads(args.config)
    name_of_run = " ".join([Path(args.model).name or "default", *([json.dumps(config)] if config else [])])
    found: dict[str, Any] = {"model": name_of_run}
    with tempfile.TemporaryDirectory(prefix="imported-") as folder:
        server = LocalServer(data_dir=Path(folder) / "data", target=free_address(), metrics=free_address())
        server.start()
        try:
            with KnowledgeSmith(server.target, actor="benchmark") as smith:
                model = smith.models.register(model_id="model", path=args.model).id
                smith.graphs.import_bundled(name="atlas")
                found["bundled"] = run(
                    smith, model=model, graph="atlas", relation="has_capital", edits=BUNDLED, config=config
                )
                print(json.dumps({"bundled": found["bundled"]}), flush=True)
                for name, relations in PREDICATES.items():
                    imported = smith.graphs.import_files(graph_id=name, files=tables(Path(folder) / name, relations))
                    if imported.report.rejected:
                        raise SystemExit(f"{name}: {imported.report.rejected} records were rejected")
                    found[name] = run(smith, model=model, graph=name, relation=relations[0], edits=EDITS, config=config)
                    print(json.dumps({name: found[name]}), flush=True)
        finally:
            server.stop()
    reports: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**reports, found["model"]: found}, indent=1) + "\n", encoding="utf-8")


def run(
    smith: KnowledgeSmith,
    *,
    model: str,
    graph: str,
    relation: str,
    edits: tuple[tuple[str, str, str], ...],
    config: dict[str, Any],
) -> dict[str, Any]:
    """Edit the facts in one intervention; counts by kind of the targets, and of what should stay."""
    smith.branches.create(branch_id=graph, model_id=model, graph_id=graph)
    changes = tuple(FactChange(subject=s, relation=relation, old_object=old, new_object=new) for s, old, new in edits)
    spec = InterventionSpec(
        branch_id=graph,
        goal=Goal.EDIT,
        changes=changes,
        method="alphaedit",
        method_config=config,
        seed=1,
        max_probes=400,
    )
    intervention = smith.interventions.wait(intervention_id=smith.interventions.create(spec=spec).intervention.id)
    if intervention.error_message:
        return {"state": intervention.state.value, "error": intervention.error_message}
    parameters = {"id": intervention.id}
    [health] = smith.graphs.cypher(query=HEALTH, parameters=parameters).rows
    targets = smith.graphs.cypher(query=TARGETS, parameters=parameters).rows
    stays = smith.graphs.cypher(query=STAYS, parameters=parameters).rows
    return {
        "health": dict(
            zip(("state", "verdict", "realised_min", "across_max", "perplexity_ratio"), health, strict=True)
        ),
        "targets": {kind: {"installed": yes, "of": yes + no} for kind, yes, no in targets},
        "other_facts_of_the_subjects": _kept(stays, own=True),
        "all_others": _kept(stays, own=False),
    }


def _kept(rows: Any, *, own: bool) -> dict[str, Any]:
    """Preserved of the eligible ones; of all that were asked the mean change of the belief in the old answer."""
    found = (
        {"preserved": p, "of": p + c, "asked": n, "belief_moved": moved} for mine, p, c, n, moved in rows if mine == own
    )
    return next(found, {"asked": 0})


def tables(folder: Path, relations: tuple[str, ...]) -> list[Path]:
    """The world as plain tables: entities with types, facts, the one functional relation; no templates."""
    folder.mkdir()
    entities = dict.fromkeys(WORLD, "country")
    for objects in WORLD.values():
        for name, kind in zip(objects, TYPES, strict=True):
            entities.setdefault(name, kind)
    _write(folder / "entities.csv", ("uid", "name", "type"), [(_uid(n), n, kind) for n, kind in entities.items()])
    facts = [
        (_uid(subject), relation, _uid(obj))
        for subject, objects in WORLD.items()
        for relation, obj in zip(relations, objects, strict=True)
    ]
    _write(folder / "facts.csv", ("subject", "relation", "object"), facts)
    # only the edited relation can hold one object, so that a new one displaces the old
    traits = [(name, "true" if name == relations[0] else "false") for name in relations]
    _write(folder / "relations.csv", ("name", "functional"), traits)
    return sorted(folder.iterdir())


def _write(path: Path, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(head)
        writer.writerows(rows)


def _uid(name: str) -> str:
    return name.lower().replace(" ", "_")


if __name__ == "__main__":
    main()
