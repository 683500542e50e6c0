"""A user's own data, converted to CSV by hand, goes through the same import (countries of the shared data folder)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from knowledgesmith.graph_schema.graphs.reading import get_graph, load_snapshot
from knowledgesmith.graph_schema.importing import ImportReport, InputFile, import_graph
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal, NamedChange
from knowledgesmith.graph_schema.worlds.resolving import resolve_changes, resolve_entity

_COUNTRIES = Path(__file__).parents[3].parent / "shared" / "data" / "kg" / "economics" / "countries.json"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not _COUNTRIES.is_file(), reason=f"the shared data folder has no {_COUNTRIES.name} here"),
]
_RELATIONS = [
    ("has_capital", "Country", "City", "", "capital_of", ""),
    ("capital_of", "City", "Country", "", "", ""),
    ("lies_in", "", "", "", "", "true"),
    ("currency", "Country", "Currency", "", "", ""),
    ("borders", "Country", "Country", "true", "", ""),
]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _convert(folder: Path) -> int:
    """Write the four files of the graph; returns how many countries there are."""
    countries: list[dict[str, Any]] = json.loads(_COUNTRIES.read_text(encoding="utf-8"))
    entities: dict[str, tuple[str, str, str]] = {}
    facts: list[tuple[str, str, str]] = []
    for country in countries:
        uid = country["cca3"]
        entities[uid] = (country["name"]["common"], "Country", "|".join(country["altSpellings"]))
        region, subregion = f"region:{country['region']}", f"subregion:{country['subregion']}"
        entities[region] = (country["region"], "Region", "")
        if country["subregion"]:
            entities[subregion] = (country["subregion"], "Subregion", "")
            facts += [(uid, "lies_in", subregion), (subregion, "lies_in", region)]
        else:
            facts.append((uid, "lies_in", region))
        for capital in country["capital"]:
            entities[f"city:{uid}:{capital}"] = (capital, "City", "")
            facts.append((uid, "has_capital", f"city:{uid}:{capital}"))
        for code, money in (country["currencies"] or {}).items():
            # A currency and a country may share a code.
            entities[f"currency:{code}"] = (money["name"], "Currency", money.get("symbol", ""))
            facts.append((uid, "currency", f"currency:{code}"))
        facts += [(uid, "borders", other) for other in country["borders"]]
    _write(
        folder / "entities.csv",
        ("uid", "name", "type", "aliases"),
        ((uid, *values) for uid, values in entities.items()),
    )
    _write(
        folder / "relations.csv",
        ("name", "domain_type", "range_type", "symmetric", "inverse_of", "hierarchical"),
        _RELATIONS,
    )
    _write(folder / "facts.csv", ("subject", "relation", "object"), facts)
    return len(countries)


def _import(store: GraphStore, graph_id: str, folder: Path) -> ImportReport:
    opened = {role: (folder / f"{role}.csv").open("rb") for role in FileRole if (folder / f"{role}.csv").exists()}
    try:
        files = [InputFile(name=f"{role}.csv", content=lines, role=role) for role, lines in opened.items()]
        return import_graph(store, graph_id=graph_id, files=files, source="countries")
    finally:
        for lines in opened.values():
            lines.close()


def test_the_countries_of_the_world(store: GraphStore, graph_id: str, tmp_path: Path) -> None:
    countries = _convert(tmp_path)
    first = _import(store, graph_id, tmp_path)
    again = _import(store, graph_id, tmp_path)
    assert (again.entities_created, again.facts_created, again.digest) == (0, 0, first.digest)
    info = get_graph(store, graph_id)
    assert info.facts == first.facts_created
    assert info.relations == len(_RELATIONS)
    snapshot = load_snapshot(store, graph_id)
    assert sum(entity.type == "Country" for entity in snapshot.entities.values()) == countries
    assert snapshot.levels["region:Europe"].value == "Root"
    assert snapshot.levels["subregion:Western Europe"].value == "Intermediate"
    assert snapshot.levels["FRA"].value == "Leaf"
    assert ("FRA", "has_capital", "city:FRA:Paris") in {fact.key for fact in snapshot.facts}
    borders = {(fact.subject, fact.object) for fact in snapshot.facts if fact.relation == "borders"}
    assert not {(b, a) for a, b in borders} & borders, "each border once"


def test_a_change_of_ones_own_graph_is_resolved(store: GraphStore, graph_id: str, tmp_path: Path) -> None:
    _convert(tmp_path)
    _import(store, graph_id, tmp_path)
    assert resolve_entity(store, graph_id, "Nippon") == "JPN"
    wanted = NamedChange(subject="France", relation="has capital", old_object="Paris", new_object="Berlin")
    assert resolve_changes(store, graph_id, [wanted], goal=Goal.EDIT) == (
        Change(subject="FRA", relation="has_capital", old_object="city:FRA:Paris", new_object="city:DEU:Berlin"),
    )
