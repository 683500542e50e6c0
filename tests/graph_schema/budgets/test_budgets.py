"""Every query keeps its index: PROFILE on a small graph, and again beside an unrelated one of ten times its size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import neo4j
import pytest
from tests.graph_schema.budgets.table import BUDGETS
from tests.graph_schema.budgets.world import World, add_unrelated, build

from knowledgesmith.graph_schema.storage.queries import load, names
from knowledgesmith.graph_schema.storage.store import GraphStore

GROWTH = 1.3
SLACK = 40
"""What planning with other statistics may change."""

SCANS = (
    "AllNodesScan",
    "NodeByLabelScan",
    "UnionNodeByLabelsScan",
    "DirectedAllRelationshipsScan",
    "UndirectedAllRelationshipsScan",
    "DirectedRelationshipTypeScan",
    "UndirectedRelationshipTypeScan",
    "DirectedUnionRelationshipTypesScan",
    "UndirectedUnionRelationshipTypesScan",
)
Profile = tuple[int, int, list[str]]
"""Database hits, rows, and the steps that scan."""
Profiles = dict[str, Profile]

KNOWN = sorted(set(names()) & set(BUDGETS))


@pytest.fixture(scope="module")
def profiles(store: GraphStore, neo4j_uri: str) -> Iterator[tuple[Profiles, Profiles]]:
    """Before and after the database grew by something that no query is about.

    Every query is planned anew once, on the small graph; beside the large one it runs with that plan, as a server
    that has grown does: planning is nearly all of the time that this takes.

    The database may be so small, or the statistics of the planner so old, that reading all of a label is taken to
    be cheapest. So a query that fails is planned once more, beside the large graph and with statistics that know it.
    """
    world = build(store)
    with neo4j.GraphDatabase.driver(neo4j_uri, notifications_min_severity="OFF") as driver:
        small = profile_all(driver, world, KNOWN, replan="force")
        add_unrelated(store)
        large = profile_all(driver, world, KNOWN, replan="skip")
        if failing := [name for name in KNOWN if problem(name, small[name], large[name])]:
            driver.execute_query("CALL db.prepareForReplanning(300)")
            again = profile_all(driver, world, failing, replan="force")
            small, large = small | again, large | again
        yield small, large


def problem(name: str, small: Profile, large: Profile) -> str:
    """What is wrong with how a query reads; what reads all of something by its purpose also reads what others left."""
    budget = BUDGETS[name]
    if budget.whole:
        return ""
    if found := small[2] or large[2]:
        return f"scans: {', '.join(found)}"
    allowed = budget.base + budget.per_row * small[1]
    if small[0] > allowed:
        return f"{small[0]} database hits for {small[1]} rows, {allowed} allowed"
    if large[0] > GROWTH * small[0] + SLACK:
        return f"{small[0]} database hits became {large[0]} when the database grew"
    return ""


def profile_all(driver: neo4j.Driver, world: World, queries: Iterable[str], *, replan: str) -> Profiles:
    """Profile every query; nothing that it or what comes before it writes stays."""
    found: Profiles = {}
    with driver.session() as session:
        for name in queries:
            budget = BUDGETS[name]
            with session.begin_transaction() as tx:
                for query, params in budget.before:
                    tx.run(load(query).text, params(world)).consume()
                text = f"CYPHER replan={replan} PROFILE {load(name).text}"
                result = tx.run(text, budget.params(world))  # pyright: ignore[reportArgumentType]
                rows = len(list(result))
                plan = result.consume().profile
                tx.rollback()
            assert plan is not None, name
            steps = list(walk(plan))
            hits = sum(int(step.get("dbHits", 0)) for step in steps)
            found[name] = (hits, rows, [said for step in steps if (said := scan(step))])
    return found


def walk(step: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield step
    for child in step.get("children", ()):
        yield from walk(child)


def scan(step: Mapping[str, Any]) -> str:
    """The step's name and detail if it reads all of something; a cartesian product where one side does."""
    name = str(step["operatorType"]).partition("@")[0]
    if name in SCANS:
        return f"{name} {step.get('args', {}).get('Details', '')}"
    if name == "CartesianProduct" and any(scan(below) for child in step.get("children", ()) for below in walk(child)):
        return name
    return ""


def test_every_query_has_a_budget() -> None:
    missing = sorted(set(names()) - set(BUDGETS))
    assert not missing, (
        f"no budget for {', '.join(missing)}: add one line each to tests/graph_schema/budgets/table.py, "
        '"folder/name": _budget(lambda w: {parameters}, base, per_row)'
    )
    gone = sorted(set(BUDGETS) - set(names()))
    assert not gone, f"budgets without a query: {', '.join(gone)}"


@pytest.mark.parametrize("name", KNOWN)
def test_a_query_scans_nothing_and_keeps_its_budget(profiles: tuple[Profiles, Profiles], name: str) -> None:
    small, large = (found[name] for found in profiles)
    assert not problem(name, small, large)
