"""What a second import must see: renamed relations, imports that were cut off, cases that were half replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from tests.graph_schema.importing.records import CutStore, chain, entity, fact, place, relation, settle, tables

from knowledgesmith.graph_schema.embedded import EmbeddedSettings
from knowledgesmith.graph_schema.errors import DatabaseNotEmpty, GraphIncomplete, GraphUnavailable, TooLarge
from knowledgesmith.graph_schema.graphs.reading import get_graph, load_snapshot
from knowledgesmith.graph_schema.graphs.versions import list_versions
from knowledgesmith.graph_schema.importing import import_graph, offline, pipeline
from knowledgesmith.graph_schema.importing.pipeline import Watch, stage_files
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, CaseRecord, Record
from knowledgesmith.graph_schema.importing.recognising import Recognised
from knowledgesmith.graph_schema.importing.staging import relations as stage_relations
from knowledgesmith.graph_schema.importing.staging.cases import case_trouble
from knowledgesmith.graph_schema.importing.writing import loader
from knowledgesmith.graph_schema.interventions.cases import replace_cases
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

ENTITIES = "uid,name\na,A\nb,B\n"


def test_a_relation_that_is_renamed_gives_its_facts_their_new_ids(store: GraphStore, graph_id: str) -> None:
    """Both names give one relationship type, so the type does not tell the old fact from the new one."""
    import_graph(store, graph_id=graph_id, files=tables(ENTITIES, "subject,relation,object\na,Capital Of,b\n"))
    report = import_graph(store, graph_id=graph_id, files=tables(ENTITIES, "subject,relation,object\na,capital_of,b\n"))
    assert (report.facts_created, report.facts_matched, report.facts_removed) == (1, 0, 1)
    (row,) = store.run_user_query(
        "MATCH (:Entity {graph_id: $g})-[f]->() WHERE f.fact_id IS NOT NULL RETURN f.fact_id AS id",
        {"g": graph_id},
        limit=5,
        timeout_s=10,
    )[1]
    assert row["id"] == fact_id(graph_id, "a", "capital_of", "b")
    assert check_graph(store, graph_id).sound
    both = "subject,relation,object\na,capital_of,b\na,Capital Of,b\n"
    report = import_graph(store, graph_id=graph_id, files=tables(ENTITIES, both))
    assert (report.facts_created, report.facts_matched) == (1, 1)
    assert check_graph(store, graph_id).sound


class _Cases:
    name: ClassVar[str] = "two cases"
    summary: ClassVar[str] = ""
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = ImportOptions
    answer = "x"

    def read(self, files: object, options: object) -> Iterator[Record]:
        del files, options
        yield from (entity("a"), entity("b"), fact("a r b"))
        for number in (1, 2):
            yield CaseRecord(
                place=place(number), id=f"c{number}", goal=Goal.EDIT, rounds=[[_CHANGE]], probes=[_probe(self.answer)]
            )


_CHANGE = CaseChange(subject="a", relation="r", old_object="b", new_object="a")


def _probe(answer: str) -> CaseProbe:
    return CaseProbe(kind=ProbeKind.DIRECT, polarity=Polarity.CHANGE, family="f", stem="s", answers=[answer])


def test_an_import_that_fails_among_the_cases_leaves_the_graph_incomplete(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer = _Cases()

    def chosen(_name: str, _files: object) -> Recognised:
        return Recognised(importer=importer, files=())

    monkeypatch.setattr(pipeline, "choose_importer", chosen)
    monkeypatch.setattr("knowledgesmith.graph_schema.interventions.cases.BATCH_ROWS", 1)
    import_graph(store, graph_id=graph_id, files=chain(1))
    assert not get_graph(store, graph_id).incomplete
    importer.answer = "y"

    def fail_after_one(store: GraphStore, **rest: object) -> int:
        cut = CutStore(StoreSettings(uri=store.uri))
        cut.left = 1
        try:
            return replace_cases(cut, **rest)  # type: ignore[arg-type]
        finally:
            cut.close()

    monkeypatch.setattr(pipeline, "replace_cases", fail_after_one)
    with pytest.raises(GraphUnavailable):
        import_graph(store, graph_id=graph_id, files=chain(1))
    assert get_graph(store, graph_id).incomplete
    with pytest.raises(GraphIncomplete):
        load_snapshot(store, graph_id)
    monkeypatch.setattr(pipeline, "replace_cases", replace_cases)
    assert import_graph(store, graph_id=graph_id, files=chain(1)).cases == 2
    assert not get_graph(store, graph_id).incomplete


def test_other_files_after_an_import_that_was_cut_off_count_nothing_below_zero(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "BATCH", 10)
    monkeypatch.setattr(pipeline, "replace_cases", _unavailable)
    with pytest.raises(GraphUnavailable):
        import_graph(store, graph_id=graph_id, files=chain(30))
    monkeypatch.undo()
    report = import_graph(store, graph_id=graph_id, files=chain(3))
    (version,) = list_versions(store, graph_id)
    assert (report.entities_created, report.entities_matched, report.entities_retired) == (0, 3, 27)
    assert (version.entities_created, version.entities_matched, version.entities_retired) == (30, 0, 27)
    assert version.facts_matched == 0


def _unavailable(*_: object, **__: object) -> int:
    raise GraphUnavailable("the connection is gone")


def test_the_offline_tool_asks_again_whether_the_database_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Writing the rows takes minutes: a database that was filled meanwhile, its logs included, is left alone."""
    logs = tmp_path / "data" / "transactions" / "neo4j" / "neostore.transaction.db.0"
    logs.parent.mkdir(parents=True)
    logs.touch()

    def filled(_settings: EmbeddedSettings) -> None:
        assert list(tmp_path.glob("**/*.db.0"))
        raise DatabaseNotEmpty("it holds something")

    monkeypatch.setattr(offline, "_require_empty", filled)
    with (
        stage_files(
            chain(3), source="", format="", options=None, strict=True, folder=tmp_path, progress=Watch(None).report
        ) as (staging, _),
        pytest.raises(DatabaseNotEmpty),
    ):
        offline.fill_store(EmbeddedSettings(data_dir=tmp_path), staging, "g")
    assert logs.exists()


def test_many_records_of_one_thing_leave_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = [entity("hub", n, name=f"N{n % 7}", aliases=[f"x{n % 3}"], merge=True) for n in range(200)]
    relations = [relation("r", n, functional=n == 150) for n in range(200)]
    graph = settle([*hub, *relations, fact("hub r hub")])
    assert graph.entities["hub"][:4] == ("N0", "Entity", "", ("x0", "x1", "x2"))
    assert graph.relations["r"].traits.functional
    assert {r.place.record for r in graph.rejections} == set(range(200)) - {150}
    assert graph.digest == settle([fact("hub r hub"), *reversed(hub), *reversed(relations)]).digest
    monkeypatch.setattr(stage_relations, "MAX_RELATIONS", 50)
    with pytest.raises(TooLarge, match="relations"):
        settle(relation(f"r{n}", n) for n in range(60))


def test_a_case_is_bounded_by_its_probes_and_their_texts() -> None:
    def case(count: int, answer: str) -> CaseRecord:
        return CaseRecord(place=place(1), id="c", goal=Goal.EDIT, rounds=[[_CHANGE]], probes=[_probe(answer)] * count)

    assert not case_trouble(case(10_000, "x"))
    assert "10000 probes" in case_trouble(case(10_001, "x"))
    assert "characters" in case_trouble(case(300, "x" * 19_000))
