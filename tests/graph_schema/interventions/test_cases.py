"""Ready interventions of benchmarks: stored whole, replaced exactly, found again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from knowledgesmith.graph_schema.catalogue.relations import derive_rel_types
from knowledgesmith.graph_schema.errors import (
    CaseNotFound,
    FenceRejected,
    GraphIncomplete,
    GraphNotFound,
    ImportRejected,
    InvalidInput,
)
from knowledgesmith.graph_schema.importing import ImportReport, InputFile, import_graph, pipeline
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, CaseRecord, Place
from knowledgesmith.graph_schema.interventions import cases as module
from knowledgesmith.graph_schema.interventions.cases import StoredCase, case_digest, get_case, list_cases, replace_cases
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

PROBE = CaseProbe(
    kind=ProbeKind.DIRECT,
    polarity=Polarity.CHANGE,
    family="rephrase",
    stem="France is led from",
    answers=("Rome", "Roma"),
    answers_before=("Paris",),
)


def _graph(store: GraphStore, graph_id: str, uids: str = "fr paris rome") -> None:
    def file(role: FileRole, text: str) -> InputFile:
        return InputFile(name="x.csv", content=io.BytesIO(text.encode()), role=role)

    entities = "uid,name\n" + "".join(f"{uid},{uid.title()}\n" for uid in uids.split())
    facts = "subject,relation,object\nfr,capital,paris\n"
    import_graph(store, graph_id=graph_id, files=[file(FileRole.ENTITIES, entities), file(FileRole.FACTS, facts)])


def _case(name: str, **more: object) -> CaseRecord:
    case = CaseRecord(
        place=Place(file="set.json", record=1),
        id=name,
        goal=Goal.EDIT,
        rounds=((CaseChange(subject="fr", relation="capital", old_object="paris", new_object="rome"),),),
        probes=(PROBE,),
    )
    return replace(case, **more)  # type: ignore[arg-type]


def _list(store: GraphStore, graph_id: str) -> list[StoredCase]:
    return list_cases(store, graph_id=graph_id, limit=100)


def test_a_case_comes_back_as_it_was_written(store: GraphStore, graph_id: str) -> None:
    _graph(store, graph_id)
    there = CaseChange(subject="fr", relation="capital", old_object="paris", new_object="rome")
    back = CaseChange(subject="fr", relation="capital", old_object="rome", new_object="paris")
    probes = (PROBE, replace(PROBE, family="locality", polarity=Polarity.STAY, options=("Berlin", "Rome")))
    assert replace_cases(store, graph_id=graph_id, cases=[_case("c1", rounds=((there,), (back,)), probes=probes)]) == 1
    case = get_case(store, graph_id=graph_id, case_id="c1")
    assert case.rounds == ((there,), (back,))
    assert case.probes == probes
    assert (case.goal, case.place, case.missing) == (Goal.EDIT, Place(file="set.json", record=1), ())
    assert case.families == {"locality": 1, "rephrase": 1}
    assert case.names == {"fr": "Fr", "paris": "Paris", "rome": "Rome"}
    (listed,) = _list(store, graph_id)
    assert listed == replace(case, probes=())


def test_a_graph_is_usable_only_with_its_cases(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _import_set(store, graph_id)
    assert whole.cases == 2

    def cut_off(*args: object, **more: object) -> int:
        raise FenceRejected("another import took this graph over")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "replace_cases", cut_off)
        with pytest.raises(FenceRejected):
            _import_set(store, graph_id, extra=True)
    with pytest.raises(GraphIncomplete):
        _list(store, graph_id)
    assert _import_set(store, graph_id, extra=True).cases == 3


def _import_set(store: GraphStore, graph_id: str, *, extra: bool = False) -> ImportReport:
    """A small zsRE set, with one more record on request."""
    names = ["Ann", "Bob", *(["Cleo"] if extra else [])]
    records = [{"subject": n, "src": f"Where was {n} born?", "answers": ["Rome"], "alt": "Oslo"} for n in names]
    content = io.BytesIO(json.dumps(records).encode())
    return import_graph(store, graph_id=graph_id, files=[InputFile(name="zsre.json", content=content)], format="zsre")


def test_changes_are_links_to_their_subjects(store: GraphStore, graph_id: str) -> None:
    _graph(store, graph_id)
    replace_cases(store, graph_id=graph_id, cases=[_case("c1")])
    text = (
        "MATCH (c:Case {graph_id: $g})-[x:CHANGES]->(e:Entity) "
        "RETURN e.uid AS uid, x.fact_id AS fact, x.round AS round, x.new_object AS new"
    )
    _, rows = store.run_user_query(text, {"g": graph_id}, limit=5, timeout_s=30)
    fact = fact_id(graph_id, "fr", "capital", "paris")
    assert rows == [{"uid": "fr", "fact": fact, "round": 0, "new": "rome"}]


def test_the_same_again_changes_nothing_and_vanished_cases_go(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 4)
    monkeypatch.setattr(module, "_REMOVED_AT_ONCE", 2)
    _graph(store, graph_id)
    first = [_case(f"c{number}") for number in range(9)]
    assert replace_cases(store, graph_id=graph_id, cases=iter(first)) == 9
    stored = _list(store, graph_id)
    assert replace_cases(store, graph_id=graph_id, cases=reversed(first)) == 9
    assert _list(store, graph_id) == stored
    changed = replace(first[3], probes=(PROBE, PROBE))
    assert replace_cases(store, graph_id=graph_id, cases=[first[0], changed]) == 2
    assert [case.id for case in _list(store, graph_id)] == ["c0", "c3"]
    assert len(get_case(store, graph_id=graph_id, case_id="c3").probes) == 2
    _, rows = store.run_user_query(
        "MATCH (c:Case {graph_id: $g})-[:ASKS]->(p) RETURN count(p) AS n", {"g": graph_id}, limit=1, timeout_s=30
    )
    assert rows == [{"n": 3}]
    assert replace_cases(store, graph_id=graph_id, cases=()) == 0


def test_a_write_that_broke_off_is_completed(store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 3)
    _graph(store, graph_id)
    cases = [_case(f"c{number}") for number in range(5)]

    def broken() -> Iterator[CaseRecord]:
        yield from cases[:4]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        replace_cases(store, graph_id=graph_id, cases=broken())
    assert 0 < len(_list(store, graph_id)) < 5
    assert replace_cases(store, graph_id=graph_id, cases=cases) == 5
    assert all(len(get_case(store, graph_id=graph_id, case_id=case.id).probes) == 1 for case in cases)


def test_a_change_whose_subject_is_not_there_is_kept_and_linked_later(store: GraphStore, graph_id: str) -> None:
    _graph(store, graph_id, "fr paris")
    change = CaseChange(subject="it", relation="capital", old_object="rome", new_object="paris")
    case = _case("c1", rounds=((change,),))
    replace_cases(store, graph_id=graph_id, cases=[case])
    found = get_case(store, graph_id=graph_id, case_id="c1")
    assert found.rounds == ((change,),)
    assert found.missing == ("it", "rome")
    _graph(store, graph_id, "fr paris it rome")
    replace_cases(store, graph_id=graph_id, cases=[case])
    found = get_case(store, graph_id=graph_id, case_id="c1")
    assert (found.missing, found.names["it"]) == ((), "It")


def test_two_different_cases_of_one_id_are_refused(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _graph(store, graph_id)
    pair = [_case("c1"), _case("c1", goal=Goal.UNLEARN)]
    with pytest.raises(ImportRejected, match="one id"):
        replace_cases(store, graph_id=graph_id, cases=pair)
    monkeypatch.setattr(module, "BATCH_ROWS", 1)
    with pytest.raises(ImportRejected, match="one id"):
        replace_cases(store, graph_id=graph_id, cases=pair)
    assert replace_cases(store, graph_id=graph_id, cases=[_case("c1"), _case("c1")]) == 1


def test_cases_are_listed_by_id_goal_and_family(store: GraphStore, graph_id: str) -> None:
    _graph(store, graph_id)
    forget = _case("b", goal=Goal.UNLEARN, probes=(replace(PROBE, family="retain"),))
    replace_cases(store, graph_id=graph_id, cases=[_case("c"), _case("a"), forget])

    def ids(**asked: object) -> list[str]:
        return [case.id for case in list_cases(store, graph_id=graph_id, **({"limit": 9} | asked))]  # type: ignore[arg-type]

    assert ids() == ["a", "b", "c"]
    assert ids(after="a") == ["b", "c"]
    assert ids(limit=2) == ["a", "b"]
    assert ids(goal=Goal.UNLEARN) == ids(family="retain") == ["b"]
    assert ids(family="rephrase") == ["a", "c"]


def test_what_is_not_there_is_named(store: GraphStore, graph_id: str) -> None:
    with pytest.raises(GraphNotFound):
        replace_cases(store, graph_id=graph_id, cases=[])
    with pytest.raises(GraphNotFound):
        _list(store, graph_id)
    _graph(store, graph_id)
    with pytest.raises(CaseNotFound) as caught:
        get_case(store, graph_id=graph_id, case_id="nope")
    assert (caught.value.field, caught.value.value) == ("case_id", "'nope'")
    with pytest.raises(InvalidInput):
        list_cases(store, graph_id=graph_id, limit=0)


def test_the_digest_covers_every_part() -> None:
    base = _case("c1")
    others = [
        replace(base, goal=Goal.UNLEARN),
        replace(base, place=Place(file="set.json", record=2)),
        replace(base, rounds=(*base.rounds, *base.rounds)),
        *(
            replace(base, probes=(replace(PROBE, **change),))
            for change in ({"stem": "x"}, {"answers": ("x",)}, {"answers_before": ()}, {"options": ("x",)})
        ),
    ]
    digests = {case_digest(case) for case in [base, *others]}
    assert len(digests) == 1 + len(others)


def test_a_relation_cannot_take_the_links_of_cases() -> None:
    assert not {"CHANGES", "ASKS"} & set(derive_rel_types(["changes", "asks"]).values())
