"""A mapping among the files is what they are read by; it is never a table, whatever the format."""

from __future__ import annotations

import io

import pytest
from tests.graph_schema.importing.own import read_files

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.recognising import recognise

TABLES = {
    "german": ("Leute.csv", "id,name,lebt\n1,Öznur,k\n2,Bär,b\n", "Orte.csv", "id,name,land\nk,Köln,D\nb,Basel,CH\n"),
    "chinese": ("人.csv", "id,name,lebt\n1,林若川,k\n2,周远山,b\n", "地.csv", "id,name,land\nk,青岭,D\nb,南湖市,CH\n"),
    "arabic": ("p.tsv", "id\tname\tlebt\n1\tسالم\tk\n2\tليلى\tb\n", "o.csv", "id,name,land\nk,وادي النور,D\nb,تل,CH\n"),
}
LANGUAGES = pytest.mark.parametrize("language", sorted(TABLES))
ENDINGS = pytest.mark.parametrize("ending", [".mapping.yaml", ".mapping.yml", ".Mapping.YAML", ".mapping.json"])


def _mapping(people: str, places: str, ending: str) -> str:
    if ending.endswith("json"):
        return (
            f'{{"files": [{{"match": "{people}", "entities": [{{"uid": {{"path": "id", "prefix": "p:"}}, '
            f'"name": "name", "facts": [{{"relation": "lives_in", "object": {{"path": "lebt"}}}}]}}]}}, '
            f'{{"match": "{places}", "entities": [{{"uid": "id", "name": "name"}}]}}], '
            '"relations": [{"name": "lives_in"}]}'
        )
    return (
        f"files:\n  - match: {people}\n    entities:\n      - uid: {{path: id, prefix: 'p:'}}\n        name: name\n"
        "        facts:\n          - relation: lives_in\n            object: {path: lebt}\n"
        f"  - match: {places}\n    entities:\n      - uid: id\n        name: name\nrelations:\n  - {{name: lives_in}}\n"
    )


@LANGUAGES
@ENDINGS
def test_tables_beside_one_mapping_are_read_by_it(language: str, ending: str) -> None:
    people, one, places, two = TABLES[language]
    files = {people: one, places: two, f"own{ending}": _mapping(people, places, ending)}
    found = read_files(files)
    assert (found.format, len(found.facts), found.reasons) == ("mapped", 2, [])
    assert f"own{ending}: the mapping by which" in found.said("read_as")
    assert found.facts == read_files(files, "mapped").facts


@LANGUAGES
@ENDINGS
def test_a_mapping_is_no_table_where_another_format_is_named(language: str, ending: str) -> None:
    people, one, places, _two = TABLES[language]
    found = read_files({people: one, f"own{ending}": _mapping(people, places, ending)}, "sheet")
    assert {relation for _, relation, _ in found.facts} == {"lebt"}
    assert f"own{ending}: left out: it is a mapping" in found.said("file_left_out")


@ENDINGS
def test_several_mappings_or_nothing_beside_one_are_refused_with_the_way_out(ending: str) -> None:
    people, one, places, two = TABLES["german"]
    text = _mapping(people, places, ending)
    with pytest.raises(InvalidInput) as several:
        read_files({people: one, places: two, f"a{ending}": text, f"b{ending}": text})
    assert f"a{ending}, b{ending}" in str(several.value)
    assert "--format sheet" in several.value.hint
    for format_name in ("", "sheet", "obo"):
        with pytest.raises(InvalidInput) as alone:
            read_files({f"a{ending}": text}, format_name)
        assert "Name the tables" in alone.value.hint


def test_a_mapping_by_its_role_counts() -> None:
    people, one, places, two = TABLES["german"]
    given = [InputFile(name=name, content=io.BytesIO(text.encode())) for name, text in ((people, one), (places, two))]
    mapping = InputFile(name="m", content=io.BytesIO(_mapping(people, places, ".yaml").encode()), role="mapping")
    assert recognise([*given, mapping]).importer.name == "mapped"
