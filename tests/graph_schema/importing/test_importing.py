"""Import of CSV and JSONL: everything or nothing, every bad row named, and the same again is no change."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from knowledgesmith.graph_schema.catalogue.relations import REL_TYPE
from knowledgesmith.graph_schema.errors import GraphNotFound, ImportRejected, ImportRunning, InvalidInput
from knowledgesmith.graph_schema.graphs.reading import get_graph, load_catalogue, load_snapshot
from knowledgesmith.graph_schema.importing import ImportReport, InputFile, import_graph
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole, TablesImporter, TablesOptions
from knowledgesmith.graph_schema.importing.formats.rows.rows import TableFormat
from knowledgesmith.graph_schema.importing.staging.staging import Staging
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.digests import graph_digest
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Fact, Form, Relation, Split, fact_id

ENTITIES = """uid,name,type,domain,aliases
jp,Japan,Country,geography,Nippon|Nihon
fr,France,Country,geography,
tokyo,Tokyo,City,geography,
paris,Paris,City,geography,
asia,Asia,Continent,geography,
earth,Earth,,physics,
"""
RELATIONS = """name,rel_type,domain_type,range_type,functional,inverse_of,hierarchical
capital,HAS_CAPITAL,Country,City,true,capital_of,
capital_of,,City,Country,,,
located_in,,,,,,yes
"""
FACTS = """subject,relation,object,source
jp,capital,tokyo,book
France,capital,Paris,
jp,located_in,asia,
asia,located_in,earth,
"""
Texts = Mapping[FileRole, str | bytes]
GRAPH: Texts = {FileRole.ENTITIES: ENTITIES, FileRole.RELATIONS: RELATIONS, FileRole.FACTS: FACTS}


def _file(role: FileRole, content: str | bytes, kind: TableFormat = TableFormat.CSV) -> InputFile:
    raw = content.encode() if isinstance(content, str) else content
    return InputFile(name=f"{role}.{kind}", content=io.BytesIO(raw), role=role)


def _files(texts: Texts, kind: TableFormat = TableFormat.CSV) -> list[InputFile]:
    return [_file(role, content, kind) for role, content in texts.items()]


@dataclass(frozen=True, kw_only=True)
class _Graph:
    entities: dict[str, Entity]
    relations: Mapping[str, Relation]
    facts: tuple[Fact, ...]
    digest: str


def parse_graph(files: Sequence[InputFile]) -> _Graph:
    """What the files say, without a database; refused as a whole when one record is bad."""
    with Staging() as staging:
        staging.take(TablesImporter().read(files, TablesOptions()))
        staging.settle()
        staging.rejections.raise_if_any()
        rows = staging.database.execute("SELECT uid, name, type, domain, aliases FROM entity")
        facts = staging.database.execute(
            "SELECT s.uid, r.name, o.uid, f.source FROM fact f JOIN entity s ON s.id = f.subject "
            "JOIN relation r ON r.id = f.relation JOIN entity o ON o.id = f.object"
        )
        return _Graph(
            entities={
                uid: Entity(uid=uid, name=name, type=kind, domain=domain, aliases=tuple(json.loads(aliases)))
                for uid, name, kind, domain, aliases in rows
            },
            relations=dict(staging.relations),
            facts=tuple(sorted(Fact(subject=s, relation=r, object=o, source=source) for s, r, o, source in facts)),
            digest=staging.digest,
        )


def _jsonl(rows: Sequence[object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def import_world(
    store: GraphStore, graph_id: str, texts: Texts = GRAPH, *, validate_only: bool = False
) -> ImportReport:
    return import_graph(
        store, graph_id=graph_id, files=_files(texts), source="test", validate_only=validate_only, strict=True
    )


def _counts(report: ImportReport) -> tuple[int, ...]:
    return (
        report.entities_created,
        report.entities_matched,
        report.entities_retired,
        report.facts_created,
        report.facts_matched,
        report.facts_removed,
    )


def _rejected(texts: Texts, kind: TableFormat = TableFormat.CSV) -> ImportRejected:
    with pytest.raises(ImportRejected) as caught:
        parse_graph(_files(texts, kind))
    return caught.value


def test_a_graph_is_stored_as_written(store: GraphStore, graph_id: str) -> None:
    report = import_world(store, graph_id)
    assert _counts(report) == (6, 0, 0, 4, 0, 0)
    snapshot = load_snapshot(store, graph_id)
    assert snapshot.digest == report.digest
    assert snapshot.entities["jp"].aliases == ("Nippon", "Nihon")
    assert snapshot.entities["earth"].type == "Entity"
    assert snapshot.facts == (
        Fact(subject="asia", relation="located_in", object="earth", source="test"),
        Fact(subject="fr", relation="capital", object="paris", source="test"),
        Fact(subject="jp", relation="capital", object="tokyo", source="book"),
        Fact(subject="jp", relation="located_in", object="asia", source="test"),
    )
    assert snapshot.relations["capital"].rel_type == "HAS_CAPITAL"
    assert snapshot.relations["capital_of"].traits.inverse_of == "capital"


def test_facts_are_typed_relationships_with_their_id(store: GraphStore, graph_id: str) -> None:
    import_world(store, graph_id)
    text = "MATCH (:Entity {graph_id: $g, uid: 'jp'})-[f:HAS_CAPITAL]->(o) RETURN properties(f) AS f, o.uid AS o"
    _, rows = store.run_user_query(text, {"g": graph_id}, limit=5, timeout_s=10)
    fid = fact_id(graph_id, "jp", "capital", "tokyo")
    assert rows == [{"f": {"fact_id": fid, "source": "book", "graph_id": graph_id}, "o": "tokyo"}]


def test_the_same_import_again_changes_nothing(store: GraphStore, graph_id: str) -> None:
    first = import_world(store, graph_id)
    before = load_snapshot(store, graph_id)
    again = import_world(store, graph_id)
    assert _counts(again) == (0, 6, 0, 0, 4, 0)
    assert again.digest == first.digest
    assert load_snapshot(store, graph_id) == before


def test_the_order_of_rows_does_not_matter() -> None:
    graphs: list[object] = []
    for seed in range(4):
        shuffled: dict[FileRole, str | bytes] = {}
        for role, text in {FileRole.ENTITIES: ENTITIES, FileRole.RELATIONS: RELATIONS, FileRole.FACTS: FACTS}.items():
            header, *rows = text.splitlines()
            random.Random(seed).shuffle(rows)  # noqa: S311
            shuffled[role] = "\n".join([header, *rows])
        graph = parse_graph(_files(shuffled))
        graphs.append((graph.facts, graph_digest(fact.key for fact in graph.facts)))
    assert all(graph == graphs[0] for graph in graphs)


def test_what_vanishes_is_retired_and_what_returns_comes_back(store: GraphStore, graph_id: str) -> None:
    import_world(store, graph_id)
    smaller = {
        **GRAPH,
        FileRole.ENTITIES: ENTITIES.replace("fr,France,Country,geography,\n", "").replace("Tokyo", "Edo"),
        FileRole.FACTS: FACTS.replace("France,capital,Paris,\n", "").replace("book", "atlas"),
    }
    assert _counts(import_world(store, graph_id, smaller)) == (0, 5, 1, 0, 3, 1)
    snapshot = load_snapshot(store, graph_id)
    assert "fr" not in snapshot.entities
    assert snapshot.entities["tokyo"].name == "Edo"
    assert {fact.source for fact in snapshot.facts} == {"atlas", "test"}
    text = "MATCH (e:Entity {graph_id: $g, uid: 'fr'}) RETURN e.retired AS retired"
    assert store.run_user_query(text, {"g": graph_id}, limit=5, timeout_s=10)[1] == [{"retired": True}]
    assert _counts(import_world(store, graph_id)) == (0, 6, 0, 1, 3, 0)
    assert "fr" in load_snapshot(store, graph_id).entities


def test_a_relation_that_changes_its_type_takes_its_facts_along(store: GraphStore, graph_id: str) -> None:
    import_world(store, graph_id)
    digest = get_graph(store, graph_id).digest
    import_world(store, graph_id, {**GRAPH, FileRole.RELATIONS: RELATIONS.replace("HAS_CAPITAL", "SEAT")})
    snapshot = load_snapshot(store, graph_id)
    assert snapshot.relations["capital"].rel_type == "SEAT"
    assert (len(snapshot.facts), snapshot.digest) == (4, digest)


def test_two_graphs_do_not_touch(store: GraphStore, graph_id: str) -> None:
    import_world(store, graph_id)
    other = f"{graph_id[:50]}_b"
    import_world(store, other)
    import_world(store, other, {FileRole.ENTITIES: "uid,name\nx,X\n"})
    assert get_graph(store, graph_id).facts == 4
    assert get_graph(store, other).facts == 0


def test_validate_only_reports_and_writes_nothing(store: GraphStore, graph_id: str) -> None:
    assert _counts(import_world(store, graph_id, validate_only=True)) == (6, 0, 0, 4, 0, 0)
    with pytest.raises(GraphNotFound):
        get_graph(store, graph_id)
    import_world(store, graph_id)
    report = import_world(store, graph_id, {FileRole.ENTITIES: "uid,name\njp,Japan\n"}, validate_only=True)
    assert _counts(report) == (0, 1, 5, 0, 0, 4)
    assert get_graph(store, graph_id).facts == 4


def test_nothing_is_imported_when_one_row_is_bad(store: GraphStore, graph_id: str) -> None:
    import_world(store, graph_id)
    before = load_snapshot(store, graph_id)
    bad = {**GRAPH, FileRole.ENTITIES: ENTITIES + "new,New,,,\nbroken\n"}
    with pytest.raises(ImportRejected):
        import_world(store, graph_id, bad)
    assert load_snapshot(store, graph_id) == before


def test_two_imports_at_once_leave_one_of_the_two(store: GraphStore, graph_id: str) -> None:
    import_world(store, graph_id)
    other = {**GRAPH, FileRole.FACTS: FACTS + "fr,located_in,earth,\n"}

    def run(texts: Texts) -> str:
        try:
            return import_world(store, graph_id, texts).digest
        except ImportRunning:
            return "refused"

    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(run, (GRAPH, other)))
    assert get_graph(store, graph_id).digest in digests
    snapshot = load_snapshot(store, graph_id)
    assert len(snapshot.facts) in {4, 5}
    assert snapshot.digest == graph_digest(fact.key for fact in snapshot.facts)


def test_every_bad_row_is_named_with_file_and_line() -> None:
    error = _rejected(
        {
            FileRole.ENTITIES: ENTITIES + "jp,Again,,,\n,NoUid,,,\nx" + "y" * 500 + ",LongUid,,,\nz,,,,\ntoo,few\n",
            FileRole.RELATIONS: RELATIONS + "odd,,,,maybe,,\nlost,,,,,nowhere,\n",
            FileRole.FACTS: FACTS
            + "jp,capital,paris,\njp,unknown,paris,\nAtlantis,capital,paris,\njp,located_in,jp,\n",
        }
    )
    rows = [error.metadata[f"row_{n}"] for n in range(int(error.metadata["bad_rows"]))]
    places = {row.split(": ")[0] for row in rows}
    assert places >= {f"entities.csv:{n}" for n in (2, 9, 10, 11, 12)} | {"relations.csv:5", "relations.csv:6"}
    assert places >= {"facts.csv:7", "facts.csv:8"}
    assert "nothing was imported" in error.message
    assert error.message.count("csv:") == 2, "the first with its place, and the one it speaks of"
    assert error.metadata["file"] == "entities.csv"
    assert error.metadata["line"] == "2"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("jp,capital,paris,", "has one object a subject"),
        ("x,capital_of,jp,", "has one subject an object"),
        ("jp,located_in,jp,", "its own parent"),
        ("Nowhere,capital,paris,", "no entity's uid or name"),
        ("jp,borders,fr,", "unknown relation"),
        ("jp,capital,", "has 3 fields, the header has 4"),
        ('jp,"capital,paris,', "not a CSV row"),
    ],
)
def test_a_bad_fact_is_refused(row: str, words: str) -> None:
    error = _rejected({**GRAPH, FileRole.ENTITIES: ENTITIES + "x,X,City,,\n", FileRole.FACTS: FACTS + row + "\n"})
    assert words in error.message
    assert "facts.csv:6" in error.message


def test_many_bad_rows_are_counted_and_the_first_hundred_kept() -> None:
    error = _rejected({**GRAPH, FileRole.FACTS: FACTS + "jp,unknown,fr,\n" * 250})
    assert error.metadata["bad_rows"] == "250"
    assert "row_99" in error.metadata
    assert "row_100" not in error.metadata
    assert "250 × unknown relation …" in error.message


def test_an_ambiguous_name_in_a_fact_lists_the_uids() -> None:
    error = _rejected({**GRAPH, FileRole.ENTITIES: ENTITIES + "paris_tx,Paris,City,,\n"})
    assert "'paris', 'paris_tx'" in error.message


def test_a_uid_wins_over_a_name() -> None:
    graph = parse_graph(
        _files({FileRole.ENTITIES: "uid,name\na,b\nb,a\n", FileRole.FACTS: "subject,relation,object\na,r,b\n"})
    )
    assert graph.facts[0].key == ("a", "r", "b")


def test_without_a_relations_file_nothing_is_assumed(store: GraphStore, graph_id: str) -> None:
    texts = {
        FileRole.ENTITIES: ENTITIES,
        FileRole.FACTS: "subject,relation,object\njp,part_of,asia\njp,parent,fr\njp,is_a,asia\njp,is_a,fr\n",
    }
    import_world(store, graph_id, texts)
    catalogue = load_catalogue(store, graph_id)
    assert list(catalogue) == ["is_a", "parent", "part_of"]
    assert not any(relation.traits.hierarchical or relation.traits.functional for relation in catalogue.values())
    assert catalogue["parent"].rel_type not in {"PARENT", ""}
    assert get_graph(store, graph_id).entities_by_level == {"Root": 0, "Intermediate": 0, "Leaf": 6}
    assert all(
        relation.pick(direction=Direction.FORWARD, form=Form.CLOZE, split=split)
        for relation in catalogue.values()
        for split in Split
    )


def test_a_fact_written_in_both_ways_is_stored_once() -> None:
    relations = "name,symmetric,inverse_of,functional\nnear,true,,\ncapital,,capital_of,true\ncapital_of,,,\n"
    facts = ["jp,near,fr", "fr,near,jp", "tokyo,capital_of,jp", "jp,capital,tokyo", "paris,capital_of,fr"]
    for order in (facts, facts[::-1]):
        texts = {
            FileRole.ENTITIES: ENTITIES,
            FileRole.RELATIONS: relations,
            FileRole.FACTS: "subject,relation,object\n" + "\n".join(order),
        }
        assert [fact.key for fact in parse_graph(_files(texts)).facts] == [
            ("fr", "near", "jp"),
            ("jp", "capital", "tokyo"),
            ("paris", "capital_of", "fr"),
        ]


def test_jsonl_says_the_same_as_csv(store: GraphStore, graph_id: str) -> None:
    template = {"direction": "forward", "split": "train", "form": "cloze", "text": "{s} is ruled from"}
    texts = {
        FileRole.ENTITIES: _jsonl(
            [{"uid": "jp", "name": "Japan", "aliases": ["Nippon"]}, {"uid": "t", "name": "Tokyo", "type": "City"}]
        ),
        FileRole.RELATIONS: _jsonl([{"name": "capital", "functional": True, "templates": [template]}]),
        FileRole.FACTS: _jsonl([{"subject": "jp", "relation": "capital", "object": "Tokyo"}]),
    }
    import_graph(store, graph_id=graph_id, files=_files(texts, TableFormat.JSONL))
    snapshot = load_snapshot(store, graph_id)
    assert snapshot.facts[0].key == ("jp", "capital", "t")
    assert snapshot.relations["capital"].traits.functional
    train = snapshot.relations["capital"].pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.TRAIN)
    assert [t.text for t in train] == ["{s} is ruled from"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[1]", "not a JSON object"),
        ("{", "not a JSON object"),
        ("[" * 60_000, "not a JSON object"),
        ('{"uid": "a", "uid": "b", "name": "c"}', "not a JSON object"),
        ('{"uid": true, "name": "c"}', "uid is not a text"),
        ('{"uid": "a"}', "missing key 'name'"),
        ('{"uid": "a", "name": "b", "colour": "red"}', "unknown key 'colour'"),
        ('{"uid": "a", "name": "\\ud800"}', "control character U+D800"),
        ('{"uid": "a", "name": "x\\u0000y"}', "control character U+0000"),
        ('{"uid": "a", "name": "b", "aliases": 3}', "aliases is not a list"),
        ('{"uid": "a", "name": "b", "aliases": [[3]]}', "not a text"),
        ('{"uid": "a", "name": "b", "aliases": ["x\\ny"]}', "control character U+000A"),
        ('{"uid": "a", "name": ' + "1" * 5000 + "}", "not a JSON object"),
    ],
)
def test_a_bad_json_line_is_refused(line: str, words: str) -> None:
    error = _rejected({FileRole.ENTITIES: '{"uid": "ok", "name": "ok"}\n' + line}, TableFormat.JSONL)
    assert words in error.message
    assert "entities.jsonl:2" in error.message


@pytest.mark.parametrize(
    ("relation", "words"),
    [
        ({"name": "r", "functional": "maybe"}, "neither true nor false"),
        ({"name": "r", "functional": 7}, "neither true nor false"),
        ({"name": "r", "templates": {}}, "templates is not a list"),
        ({"name": "r", "templates": ["x"]}, "a template is an object"),
        ({"name": "r", "templates": [{"direction": "up"}]}, "direction is 'up'"),
        ({"name": "r", "rel_type": "a`b"}, "relationship type"),
        ({"name": "r", "composed_of": ["r", "r"]}, "composed of itself twice"),
    ],
)
def test_a_bad_relation_is_refused_at_its_line(relation: object, words: str) -> None:
    texts = {FileRole.ENTITIES: _jsonl([{"uid": "a", "name": "a"}]), FileRole.RELATIONS: _jsonl([relation])}
    error = _rejected(texts, TableFormat.JSONL)
    assert words in error.message
    assert "relations.jsonl:1" in error.message


def test_a_relation_may_stand_only_once() -> None:
    error = _rejected({**GRAPH, FileRole.RELATIONS: RELATIONS + "capital,,,,,,\n"})
    assert "relations.csv:5: relation 'capital' stands several times" in error.message


def test_templates_come_from_their_own_file_too() -> None:
    templates = (
        "relation,direction,split,form,text\ncapital,reverse,eval,cloze,{o} rules\nnone,forward,eval,cloze,{s} x\n"
    )
    error = _rejected({**GRAPH, FileRole.TEMPLATES: templates})
    assert "templates.csv:3: unknown relation 'none'" in error.message
    graph = parse_graph(_files({**GRAPH, FileRole.TEMPLATES: templates.rsplit("\n", 2)[0]}))
    reverse = graph.relations["capital"].pick(direction=Direction.REVERSE, form=Form.CLOZE, split=Split.EVAL)
    assert [t.text for t in reverse] == ["{o} rules"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("uid,name,colour", "unknown column 'colour'"),
        ("uid,type", "missing column 'name'"),
        ("uid,name,name", "a column stands twice"),
        ("", "is empty"),
        ('uid,"name', "not a CSV row"),
    ],
)
def test_a_bad_header_is_refused(header: str, words: str) -> None:
    assert words in _rejected({FileRole.ENTITIES: header + "\n"}).message


def test_facts_without_a_table_of_entities_name_their_ends() -> None:
    graph = parse_graph(_files({FileRole.FACTS: "subject,relation,object\nAda,knows,Bob\n"}))
    assert {uid: entity.name for uid, entity in graph.entities.items()} == {"Ada": "Ada", "Bob": "Bob"}


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_read() -> None:
    graph = parse_graph(_files({FileRole.ENTITIES: b"\xef\xbb\xbfuid,name\r\n\r\na, A \r\n"}))
    assert graph.entities["a"].name == "A"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"b,\xff\xfe", "byte 3 of the line (0xff) is not UTF-8"),
        (b"b,x\x00y", "control character U+0000"),
        (b"b,x\ty", "control character U+0009"),
        (b"b\x1b[2J,x", "control character U+001B"),
        (b"b," + b"x" * 501, "has 501 characters"),
        (b"b," + b"x" * 10_000_000, "longer than 1048576 bytes"),
        (b'b,"' + b"x" * 10_000_000, "longer than 1048576 bytes"),
        (b'b,"two', "not a CSV row, its quotes do not fit"),
        (b"b,\xed\xa0\x80", "not UTF-8"),
    ],
)
def test_hostile_bytes_are_refused_with_their_row(raw: bytes, words: str) -> None:
    error = _rejected({FileRole.ENTITIES: b"uid,name\na,A\n" + raw + b"\nc,\n"})
    assert words in error.metadata["row_0"]
    assert error.metadata["row_0"].startswith("entities.csv:3: ")
    assert error.metadata["row_1"].startswith("entities.csv:4: ")
    assert len(error.message) < 2000
    assert error.message.isprintable()


HOSTILE = [
    "`]->() DETACH DELETE n //",
    "'}) MATCH (n) DETACH DELETE n //",
    '"; DROP DATABASE neo4j; //',
    "../../../etc/passwd",
    "$graph_id",
    "{s} {o} {0}",
    "\\u0060",
    "%s%n",
    "${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "名前 🏳️‍🌈 ﷽",
    "x" * 200,
]


def test_hostile_texts_are_stored_as_data(store: GraphStore, graph_id: str) -> None:
    entities = [{"uid": text, "name": text, "type": text, "domain": text, "aliases": [text + "!"]} for text in HOSTILE]
    names = [text for text in HOSTILE if len(text) < 200]
    texts = {
        FileRole.ENTITIES: _jsonl(entities),
        FileRole.FACTS: _jsonl([{"subject": t, "relation": t, "object": HOSTILE[0], "source": t} for t in names]),
    }
    import_graph(store, graph_id=graph_id, files=_files(texts, TableFormat.JSONL))
    snapshot = load_snapshot(store, graph_id)
    assert set(snapshot.entities) == set(HOSTILE)
    assert {fact.relation for fact in snapshot.facts} == set(names)
    assert all(entity.aliases == (uid + "!",) for uid, entity in snapshot.entities.items())
    assert all(REL_TYPE.fullmatch(relation.rel_type) for relation in snapshot.relations.values())


@pytest.mark.parametrize("bad", ["", "A", "1a", "a b", "a" * 64, "a/../b", "a\n", "a`", "ä", "a\x00"])
def test_a_malformed_graph_id_is_refused(store: GraphStore, bad: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        import_world(store, bad)
    assert caught.value.field == "graph_id"


def test_a_malformed_source_is_refused(store: GraphStore, graph_id: str) -> None:
    with pytest.raises(InvalidInput, match="source"):
        import_graph(store, graph_id=graph_id, files=_files(GRAPH), source="a\x00b")
