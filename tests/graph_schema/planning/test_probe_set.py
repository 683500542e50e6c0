"""Probes of the whole small world: true, verified, the same every time, and kept in files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import neo4j
import pytest
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import (
    EntityNotFound,
    GraphNotFound,
    IllegalState,
    InvalidInput,
    ProbeSetNotFound,
    TooLarge,
)
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.generation.generate import ProbeSetData, digest_of, generate
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.verification.verify import verify
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, Triple, close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind


@pytest.fixture
def data(store: GraphStore, graph_id: str, lexicon: Lexicon) -> ProbeSetData:
    return generate(store, graph_id=graph_id, seed=5)


def _follow(probe: Probe, world: set[Triple]) -> list[set[str]]:
    """The entities reached after each step."""
    reached, here = [], {probe.anchor}
    for step in probe.path:
        name = step.removeprefix("~")
        here = {s if step != name else o for s, r, o in world if r == name and (o if step != name else s) in here}
        reached.append(here)
    return reached


def test_all_kinds_are_generated_and_true_in_the_closed_world(
    data: ProbeSetData, facts: list[Triple], relations: list[Relation], oracle: Any
) -> None:
    world = oracle(facts, relations)
    assert set(data.counts) == {kind.value for kind in ProbeKind}
    assert not {"false_answer", "true_distractor", "not_unique", "shortcut", "no_answer"} & set(data.dropped)
    for probe in data.probes:
        assert len(set(probe.options)) == len(probe.options) >= 2
        if probe.kind is ProbeKind.CONFLICT:
            continue
        steps = _follow(probe, world)
        right = {probe.option_uids[n] for n in probe.answers}
        assert right
        assert right == steps[-1] & set(probe.option_uids)
        assert not any(probe.options[n].casefold() in probe.stem.casefold().split() for n in probe.answers) or (
            probe.kind is ProbeKind.COMPARISON
        )
        if probe.kind is ProbeKind.MULTI_HOP:
            assert [len(ends) for ends in steps] == [1] * probe.chain_length
            (end,) = steps[-1]
            assert not any(s == probe.anchor and o == end for s, _, o in world)


@pytest.mark.usefixtures("everything")
def test_every_chain_of_the_small_world_is_found(
    data: ProbeSetData, facts: list[Triple], relations: list[Relation], oracle: Any
) -> None:
    """Two forward steps, found by hand: each step with one answer, no fact between the ends."""
    world = oracle(facts, relations)
    objects: dict[tuple[str, str], set[str]] = {}
    for s, r, o in world:
        objects.setdefault((s, r), set()).add(o)
    direct = {pair for s, _, o in world for pair in ((s, o), (o, s))}
    expected = {
        (a, (r1, r2), c)
        for (a, r1), first in objects.items()
        if len(first) == 1
        for b in first
        for (x, r2), second in objects.items()
        if x == b and len(second) == 1
        for c in second
        if c != a and (a, c) not in direct
    }
    found = {
        (p.anchor, p.path, p.option_uids[p.answers[0]])
        for p in data.probes
        if p.kind is ProbeKind.MULTI_HOP and p.chain_length == 2 and not any(s.startswith("~") for s in p.path)
    }
    assert found <= expected
    # of a chain and its twin over inverse relations one is asked
    assert {(anchor, end) for anchor, _, end in expected} == {(anchor, end) for anchor, _, end in found}


def test_two_runs_give_the_same_bytes(store: GraphStore, graph_id: str, data: ProbeSetData, tmp_path: Path) -> None:
    again = generate(store, graph_id=graph_id, seed=5)
    assert again == data
    one = probe_set.write_file(data, directory=tmp_path / "a").read_bytes()
    two = probe_set.write_file(again, directory=tmp_path / "b").read_bytes()
    assert one == two
    assert generate(store, graph_id=graph_id, seed=6).digest != data.digest


def test_the_order_of_import_does_not_matter(
    store: GraphStore, graph_id: str, data: ProbeSetData, lexicon: Lexicon, writer: Any, facts: list[Triple]
) -> None:
    store.write_transaction(lambda tx: tx.rows("importing/facts_delete", **_all_facts(store, graph_id)))
    relations = list(lexicon.relations.values())
    other = fresh_graph(__name__)
    writer(other, list(reversed(lexicon.entities)), list(reversed(relations)), list(reversed(facts)))
    mirrored = generate(store, graph_id=other, seed=5)

    def essence(found: ProbeSetData) -> list[tuple[object, ...]]:
        return sorted((p.kind, p.anchor, p.path, p.text, p.options, p.answers) for p in found.probes)

    assert essence(mirrored) == essence(data)


def _all_facts(store: GraphStore, graph_id: str) -> dict[str, Any]:
    elements = [row["element"] for row in store.read("graphs/facts", graph_id=graph_id)]
    return {"graph_id": graph_id, "rows": elements}


def test_a_limit_draws_a_part(store: GraphStore, graph_id: str, data: ProbeSetData) -> None:
    few = generate(store, graph_id=graph_id, seed=5, limit_per_kind=4, kinds=(ProbeKind.DIRECT, ProbeKind.CONFLICT))
    assert few.counts == {"CONFLICT": 4, "DIRECT": 4}
    assert {p.id for p in few.probes if p.kind is ProbeKind.DIRECT} <= {p.id for p in data.probes}
    other = generate(store, graph_id=graph_id, seed=9, limit_per_kind=4, kinds=(ProbeKind.DIRECT,))
    assert {p.anchor for p in other.probes} != {p.anchor for p in few.probes}


def test_homonyms_and_leaks_are_dropped_and_counted(store: GraphStore, graph_id: str, writer: Any) -> None:
    relations = [r for r in _small_relations() if r.name == "has_capital"]
    entities = [
        Entity(uid="ge1", name="Georgia", type="Country"),
        Entity(uid="ge2", name="GEORGIA", type="State"),
        Entity(uid="mx", name="Mexico", type="Country"),
        Entity(uid="mxc", name="Mexico City", type="City", aliases=("Mexico",)),
        Entity(uid="tb", name="Tbilisi", type="City"),
        Entity(uid="no", name="Norway", type="Country"),
        Entity(uid="os", name="Oslo", type="City"),
    ]
    facts = [("ge1", "has_capital", "tb"), ("mx", "has_capital", "mxc"), ("no", "has_capital", "os")]
    writer(graph_id, entities, relations, facts)
    data = generate(store, graph_id=graph_id, kinds=(ProbeKind.DIRECT,))
    assert {p.anchor for p in data.probes} == {"no"}
    assert data.dropped == {"ambiguous_anchor": 2}


def _small_relations() -> list[Relation]:
    from knowledgesmith.graph_schema.catalogue.relations import build_catalogue

    return list(build_catalogue([Relation(name="has_capital", rel_type="")]).values())


@pytest.mark.parametrize("kind", [ProbeKind.DIRECT, ProbeKind.REVERSE, ProbeKind.CONFLICT, ProbeKind.MULTI_HOP])
def test_the_verifier_finds_what_is_wrong(
    store: GraphStore, graph_id: str, lexicon: Lexicon, data: ProbeSetData, kind: ProbeKind
) -> None:
    probe = next(p for p in data.probes if p.kind is kind and len(p.options) >= 2)
    flipped = tuple(n for n in range(len(probe.options)) if n not in probe.answers)[:1]
    path = tuple(probe.path)
    question = Question(kind=kind, anchor=probe.anchor, path=path, before=(), after=(), object=_object(probe, lexicon))
    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        assert verify(tx, lexicon=lexicon, probes=[(probe, question)]) == {}
        wrong = replace(probe, answers=flipped)
        assert set(verify(tx, lexicon=lexicon, probes=[(wrong, question)])) == {probe.id}
        if kind is not ProbeKind.CONFLICT:
            assert verify(tx, lexicon=lexicon, probes=[(replace(probe, answers=()), question)]) == {
                probe.id: "no_answer"
            }


def _object(probe: Probe, lexicon: Lexicon) -> str:
    """The object of a statement, found by its name in the text."""
    if probe.kind is not ProbeKind.CONFLICT:
        return ""
    named = [e.uid for e in lexicon.entities if f" {e.name}." in probe.stem and e.uid != probe.anchor]
    return named[0]


def test_the_verifier_names_shortcuts_and_second_answers(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    def chain(anchor: str, path: tuple[str, ...], answer: str, wrong: str) -> tuple[Probe, Question]:
        probe = Probe(
            id="-".join((anchor, *path)),
            kind=ProbeKind.MULTI_HOP,
            anchor=anchor,
            path=path,
            chain_length=len(path),
            stem="",
            options=("x", "y"),
            option_uids=(answer, wrong),
            answers=(0,),
            template="",
            fact_ids=(),
        )
        return probe, Question(kind=ProbeKind.MULTI_HOP, anchor=anchor, path=path, before=(), after=())

    cases = {
        "shortcut": chain("lyon", ("city_of", "uses_currency"), "euro", "yen"),
        "not_unique": chain("eve", ("child_of", "spouse"), "bob", "dan"),
        "false_answer": chain("paris", ("capital_of", "on_continent"), "asia", "africa"),
        "true_distractor": chain("kyoto", ("city_of", "has_capital"), "tokyo", "tokyo"),
        "no_answer": chain("gold", ("symbol", "symbol"), "tin", "lead"),
    }
    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        failed = verify(tx, lexicon=lexicon, probes=list(cases.values()))
    assert failed == {probe.id: reason for reason, (probe, _) in cases.items()}


def test_files_come_back_whole_and_by_page(data: ProbeSetData, tmp_path: Path) -> None:
    probe_set.write_file(data, directory=tmp_path)
    assert probe_set.read_file(tmp_path, data.digest) == data
    direct = [p for p in data.probes if p.kind is ProbeKind.DIRECT]
    page = probe_set.read_page(tmp_path, data.digest, kind=ProbeKind.DIRECT, skip=3, limit=5)
    assert page == direct[3:8]
    assert probe_set.read_page(tmp_path, data.digest, kind=None, skip=len(data.probes) - 2, limit=9) == list(
        data.probes[-2:]
    )
    assert probe_set.read_page(tmp_path, data.digest, kind=None, skip=0, limit=0) == []


def test_a_damaged_or_missing_file_is_refused(data: ProbeSetData, tmp_path: Path) -> None:
    with pytest.raises(ProbeSetNotFound):
        probe_set.read_page(tmp_path, data.digest, kind=None, skip=0, limit=1)
    with pytest.raises(InvalidInput):
        probe_set.read_page(tmp_path, "../../etc/passwd", kind=None, skip=0, limit=1)
    other = replace(data, probes=data.probes[:-1], digest="")
    other = replace(other, digest=digest_of(other))
    path = probe_set.write_file(other, directory=tmp_path)
    path.rename(tmp_path / f"{data.digest}.parquet")
    with pytest.raises(IllegalState, match="digest"):
        probe_set.read_file(tmp_path, data.digest)


def test_pages_of_sets_repeat_nothing_while_sets_are_made(store: GraphStore, graph_id: str, tmp_path: Path) -> None:
    def make(number: int) -> None:
        info = probe_set.ProbeSetInfo(
            id=f"{graph_id}-{number}",
            graph_id=graph_id,
            graph_digest="d",
            seed=number,
            digest="d",
            counts={},
            verified=0,
            dropped={},
        )
        probe_set.record(store, info, directory=tmp_path)

    for number in (1, 2, 3):
        make(number)
    first = probe_set.list_infos(store, graph_id=graph_id, limit=2)
    make(4)
    last, created_ms = first[-1]
    second = probe_set.list_infos(store, graph_id=graph_id, before=(created_ms, last.id), limit=9)
    seen = [info.seed for info, _ in (*first, *second)]
    assert len(seen) == len(set(seen))
    assert {1, 2, 3} <= set(seen)


def test_a_set_is_recorded_and_can_become_nodes(
    store: GraphStore, graph_id: str, data: ProbeSetData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = probe_set.save(store, data, directory=tmp_path, materialise=True)
    assert probe_set.save(store, data, directory=tmp_path, materialise=True) == info
    assert probe_set.get_info(store, info.id) == info
    assert [found for found, _ in probe_set.list_infos(store, graph_id=graph_id)] == [info]
    assert info.verified == len(data.probes) == sum(info.counts.values())
    _, rows = store.run_user_query(
        "MATCH (s:ProbeSet {id: $id})<-[:MEMBER]-(p:Probe)-[:ABOUT]->(e:Entity {graph_id: $graph}) "
        "RETURN count(DISTINCT p) AS n, count(*) AS about",
        {"id": info.id, "graph": graph_id},
        limit=1,
        timeout_s=30,
    )
    assert rows == [{"n": len(data.probes), "about": len(data.probes)}]
    monkeypatch.setattr(probe_set, "MAX_NODES", 3)
    with pytest.raises(TooLarge):
        probe_set.save(store, data, directory=tmp_path, materialise=True)
    with pytest.raises(ProbeSetNotFound):
        probe_set.get_info(store, "ps_none")


def test_a_probe_about_an_entity_that_is_gone_becomes_no_node_and_an_error(
    store: GraphStore, neo4j_uri: str, graph_id: str, data: ProbeSetData, tmp_path: Path
) -> None:
    info = probe_set.save(store, data, directory=tmp_path)
    gone = data.probes[-1].anchor
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver:
        taken = "MATCH (e:Entity {graph_id: $graph, uid: $uid}) DETACH DELETE e"
        driver.execute_query(taken, graph=graph_id, uid=gone)
    with pytest.raises(EntityNotFound, match=gone):
        probe_set.record(store, info, directory=tmp_path, materialise=True)
    members = "MATCH (:ProbeSet {id: $id})<-[:MEMBER]-(p:Probe) RETURN count(p) AS n"
    assert store.run_user_query(members, {"id": info.id}, limit=1, timeout_s=30)[1] == [{"n": 0}]


def test_an_unknown_graph_is_named(store: GraphStore, graph_id: str) -> None:
    with pytest.raises(GraphNotFound):
        generate(store, graph_id=graph_id)
