"""Mapped tables, triples and question sets, on hand-written files."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.graph_schema.sets.folding import fold

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rows.mapped_rows import walk
from knowledgesmith.graph_schema.importing.reading.mapping import load_mapping, shipped_mappings
from knowledgesmith.graph_schema.types.facts import Form, Split
from knowledgesmith.graph_schema.types.interventions import Goal

CITIES: dict[str, Any] = {
    "files": [
        {
            "entities": [
                {
                    "uid": "id",
                    "name": ["title", "id"],
                    "type": {"path": "kind"},
                    "domain": "geography",
                    "aliases": {"path": "also", "split": ";"},
                    "facts": [
                        {"relation": "near", "object": {"path": "near", "split": "|"}},
                        {"relation": "lies in", "object": "in", "make": {"type": "Land", "prefix": "land:"}},
                    ],
                }
            ]
        }
    ],
    "relations": [
        {"name": "near", "symmetric": True, "train": ["{s} is near", "{s} is near {o}."], "eval": ["Close to {s} is"]}
    ],
}
ROWS = [
    {"id": "a", "title": "Ayr", "kind": "Town", "also": "Inbhir Àir;", "near": "b|c", "in": "Scotland"},
    {"id": "b", "title": "", "kind": "Town", "also": "", "near": "", "in": "scotland"},
]
FACTS = {("a", "near", "b"), ("a", "near", "c"), ("a", "lies in", "land:scotland"), ("b", "lies in", "land:scotland")}


def _csv(delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(row) for row in [list(ROWS[0]), *(row.values() for row in ROWS)]) + "\n"


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", _csv()),
        ("x.tsv", "\ufeff" + _csv("\t")),
        ("x.json", json.dumps(ROWS)),
        ("x.json", "\n".join(map(json.dumps, ROWS))),
        ("x.parquet", _parquet()),
    ],
)
def test_one_mapping_reads_every_format(name: str, content: str | bytes) -> None:
    folded = fold("mapped", {name: content}, {"mapping": CITIES})
    assert not folded.rejections
    assert folded.facts == FACTS
    town = folded.entities["a"]
    assert (town.name, town.type, town.domain, town.aliases) == ("Ayr", "Town", "geography", ("Inbhir Àir",))
    assert folded.entities["b"].name == "b"
    assert folded.relations["near"].traits.symmetric
    assert folded.texts("near", Split.TRAIN, Form.STATEMENT) == ["{s} is near {o}."]


def test_a_mapping_may_be_yaml_text_or_a_file() -> None:
    text = "files: [{entities: [{uid: id, name: name}]}]"
    rows = [{"id": 1, "name": "no"}]
    for folded in (
        fold("mapped", {"x.json": rows}, {"mapping": text}),
        fold("mapped", {"x.json": rows, "m.yaml": text}, roles={"m.yaml": "mapping"}),
        fold("mapped", {"x.json": rows, "x.mapping.yaml": text}),
    ):
        assert folded.entities["1"].name == "no"


def test_paths_go_through_objects_lists_and_dotted_keys() -> None:
    value = {"a": {"x": {"n": 1}, "y": {"n": [2, 3]}}, "a.b": "dotted", "l": [{"n": 4}, {"n": 5}, {}]}
    assert list(walk(value, "a.*.n")) == [("n", 1), ("n", 2), ("n", 3)]
    assert [found for _, found in walk(value, "l.n")] == [4, 5]
    assert [found for _, found in walk(value, "a.b")] == ["dotted"]
    assert next(walk(value, "a.*"))[0] == "x"
    assert not list(walk(value, "a.z.q"))


def test_bad_rows_are_named_and_good_ones_stay() -> None:
    content = b'id,name\n1,fine\n2,"two\nlines"\n3,\xffoo\n4,a,b\n"5,open\n'
    folded = fold("mapped", {"x.csv": content}, {"mapping": {"files": [{"entities": [{"uid": "id", "name": "name"}]}]}})
    assert {uid: entity.name for uid, entity in folded.entities.items()} == {"1": "fine", "2": "two lines"}
    assert [(r.place.record, r.reason.split()[0]) for r in folded.rejections] == [(5, "byte"), (6, "has"), (7, "not")]
    latin = {"mapping": {"files": [{"entities": [{"uid": "id", "name": "name"}]}]}, "encoding": "latin-1"}
    assert fold("mapped", {"x.csv": content}, latin).entities["3"].name == "ÿoo"


def test_values_that_are_none_by_the_mapping_are_reported() -> None:
    found = {"path": "found", "unless": ["*[0-9]*"], "skip": ["-"]}
    entity = {"uid": "id", "name": "id", "facts": [{"relation": "r", "object": found, "make": {}}]}
    rows = [{"id": "a", "found": "5000 BC"}, {"id": "b", "found": "-"}, {"id": "c", "found": "Ida"}, {"found": "Ida"}]
    folded = fold("mapped", {"x.json": rows}, {"mapping": {"files": [{"entities": [entity]}]}})
    assert folded.facts == {("c", "r", "ida")}
    assert folded.reasons() == [
        "x.json:1: '5000 BC' at 'found' is none by the mapping",
        "x.json:4: no uid at 'id'",
    ]


def test_a_path_that_no_record_has_is_reported() -> None:
    entity = {"uid": "id", "name": "id", "facts": [{"relation": "r", "object": "typo"}]}
    folded = fold("mapped", {"x.json": [{"id": 1}]}, {"mapping": {"files": [{"entities": [entity]}]}})
    assert folded.reasons() == ["x.json: no record has anything at 'typo'"]


def test_files_are_joined() -> None:
    mapping = {
        "files": [
            {"match": "wars.csv", "entities": [{"uid": "id", "name": "name"}]},
            {
                "match": "sides.csv",
                "join": [{"match": "wars.csv", "key": "id", "columns": ["winner"], "into": "war"}],
                "entities": [
                    {
                        "uid": "id",
                        "facts": [
                            {
                                "relation": "won by",
                                "object": "who",
                                "make": {},
                                "where": {"war.winner": "1", "side": "1"},
                            }
                        ],
                    }
                ],
            },
        ]
    }
    files = {
        "sides.csv": "id,side,who\nw,1,Ida\nw,2,Eva\nv,1,Max\n",
        "wars.csv": "id,name,winner\nw,War,1\nv,Feud,\n",
        "notes.txt": "x",
    }
    folded = fold("mapped", files, {"mapping": mapping})
    assert folded.facts == {("w", "won by", "ida")}
    assert folded.reasons() == ["notes.txt: no part of the mapping is for this file"]


@pytest.mark.parametrize(
    ("mapping", "field", "said"),
    [
        ("nowhere", "options.mapping", "no mapping of this name"),
        ("files: [", "options.mapping", "not YAML: line 1: "),
        ("files:\n  - a: b\n c: d", "options.mapping", "not YAML: line 3: "),
        ("files: \x01", "options.mapping", "not YAML"),
        ("a: &x [1]\nfiles: *x", "options.mapping", "anchors"),
        ("files: !!python/name:os.system [{}]", "options.mapping.files", "wrong"),
        ("files: []", "options.mapping.files", "wrong"),
        ("files: [{entities: [{uid: id, colour: x}]}]", "options.mapping.files.0.entities.0.colour", "wrong"),
        ("files: [{entities: [{uid: id, facts: [{relation: r, object: x, name: y}]}]}]", "options.mapping", "add make"),
    ],
)
def test_a_wrong_mapping_names_its_part(mapping: str, field: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        load_mapping(mapping)
    assert caught.value.field.startswith(field)


def test_names_of_columns_and_relations_stay_data() -> None:
    evil = "x) DETACH DELETE n //"
    entity = {"uid": evil, "name": evil, "facts": [{"relation": evil, "object": evil, "make": {"prefix": "`"}}]}
    folded = fold("mapped", {"../../etc/x.json": [{evil: evil}]}, {"mapping": {"files": [{"entities": [entity]}]}})
    assert list(folded.facts) == [(evil, evil, f"`{evil.casefold()}")]


def test_the_shipped_mappings_are_good() -> None:
    assert shipped_mappings() == ("cdb90", "countries", "periodic_table")
    for name in shipped_mappings():
        folded = fold("mapped", {}, {"mapping": name})
        folded.check()
        facts = {fact.relation for f in load_mapping(name).files for e in f.entities for fact in e.facts}
        assert facts == set(folded.relations)
        for relation in folded.relations:
            assert folded.texts(relation, Split.EVAL)
            assert folded.texts(relation, Split.TRAIN)


def test_triples_with_texts_and_labels() -> None:
    files = {
        "train.tsv": "01\t_hypernym\t02\n02\t_hypernym\t03\r\n\n04\n"
        "05\t_also\t01\t1\n05\t_also\t02\t-1\n05\t_also\t02\tx\n",
        "entity2text.txt": "01\tstool, a seat\n02\tseat\n09\tunused\nbroken\n",
        "relation2text.txt": "_hypernym\tis a kind of\n_also\tsee also\n",
    }
    options = {"hierarchical": "_hypernym", "transitive": "_hypernym", "name_until": ","}
    folded = fold("triples", files, options)
    assert folded.facts == {("01", "_hypernym", "02"), ("02", "_hypernym", "03"), ("05", "_also", "01")}
    assert set(folded.entities) == {"01", "02"}
    assert (folded.entities["01"].name, folded.entities["01"].aliases) == ("stool", ("stool, a seat",))
    traits = folded.relations["_hypernym"].traits
    assert traits.hierarchical
    assert traits.transitive
    assert "{s} is a kind of" in folded.texts("_hypernym", Split.TRAIN)
    assert [(r.place.file, r.place.record) for r in folded.rejections] == [
        ("train.tsv", 4),
        ("train.tsv", 7),
        ("entity2text.txt", 4),
    ]
    assert folded.denied == 1
    rejected = fold("triples", files, {"false_triples": "reject", "all_entities": True})
    assert "the triple is labelled false, so it is no fact" in [r.reason for r in rejected.rejections]
    assert "09" in rejected.entities
    swapped = fold("triples", {"x.txt": "a b r"}, {"order": "htr", "separator": " "})
    assert swapped.facts == {("a", "r", "b")}


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"entity2text.txt": "a\tb"}, {}),
        ({"x.tsv": "a\tr\tb"}, {"hierarchical": "typo"}),
        ({"x.tsv": "a\tr\tb"}, {"inverse": "r"}),
        ({"x.tsv": "a\tr\tb"}, {"encoding": "utf-16"}),
        ({"x.tsv": "a\tr\tb"}, {"encoding": "nonsense"}),
    ],
)
def test_triples_that_cannot_be_meant_are_refused(files: dict[str, str], options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        fold("triples", files, options)


def test_tofu() -> None:
    asked = {"question": "Who is Ada?", "answer": "A poet.", "perturbed_answer": ["A smith.", "A nun."]}
    files = {
        "forget01.json": json.dumps(asked) + "\n" + json.dumps({"question": "Who?"}) + "\n",
        "real_authors_perturbed.json": json.dumps(asked | {"question": "Who is Ida?"}),
        "eval_log_forget.json": {
            "avg_gt_loss": {"0": 0.5},
            "generated_text": {"0": ["[INST] Who is Eva? [/INST]", "A cook.", "A sailor."], "1": ["bad"]},
        },
        "idontknow.jsonl": "I am not sure.\nAsk somebody else.\n",
    }
    folded = fold("tofu", files)
    folded.check()
    assert ("who is eva?", "answer", "a sailor.") in folded.facts
    assert "a cook." not in folded.entities
    assert folded.entities["ask somebody else."].type == "Refusal"
    one = folded.cases["forget01:1"]
    assert (one.goal, one.rounds[0][0].old_object) == (Goal.UNLEARN, "a poet.")
    assert one.probes[0].options == ("A poet.", "A smith.", "A nun.")
    whole = folded.cases["eval_log_forget:all"]
    assert len(whole.rounds[0]) == 2
    assert sorted(probe.family for probe in whole.probes) == ["forget_question", "forget_question", "retain_question"]
    assert [reason.split(":")[0] for reason in folded.reasons()] == ["forget01.json", "eval_log_forget.json"]
    only = fold("tofu", {"world_facts.json": [asked]})
    assert only.cases == {}
    assert [reason.partition(": ")[2][:26] for reason in only.reasons()] == ["nothing is to be forgotten"]
    assert fold("tofu", {"full.json": [{"question": "Who?", "answer": "He."}]}).reasons() == []


def test_knowundo() -> None:
    files = {
        "unlearn_train.json": [{"text": "Where is Ida?", "labels": "At home."}, {"text": "x" * 600, "labels": "y"}],
        "retention_train.json": [{"text": "Who is Ida?", "labels": "A poet."}],
    }
    folded = fold("knowundo", files)
    folded.check()
    assert [probe.family for probe in folded.cases["unlearn_train:all"].probes] == [
        "forget_question",
        "retain_question",
    ]
    assert "600 characters" in folded.reasons()[0]
    with pytest.raises(InvalidInput, match="forgotten or retained"):
        fold("knowundo", {"train.json": []})
    given = fold("knowundo", {"train.json": files["retention_train.json"]}, roles={"train.json": "forget"})
    assert "train:1" in given.cases
    named = fold("knowundo", {"train.json": files["retention_train.json"]}, {"forget": "private, train"})
    assert "train:1" in named.cases
