"""The format is told from what files are called and hold; files that are no part of a graph are named and left out."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from tests.graph_schema.importing.own import read_files

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.recognising import is_foreign

FACTS = "subject,relation,object\nArdel,likes,Bela\n"
OBO = "format-version: 1.2\n\n[Term]\nid: T:1\nname: animal\n\n[Term]\nid: T:2\nname: dog\nis_a: T:1\n"
TTL = "@prefix e: <http://e.org/> .\ne:b <http://www.w3.org/2004/02/skos/core#broader> e:a .\n"
GRAPHML = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed"><node id="a"/>'
    '<node id="b"/><edge source="a" target="b"/></graph></graphml>'
)
NODELINK = json.dumps({"nodes": [{"id": "a"}, {"id": "b"}], "links": [{"source": "a", "target": "b"}]})
TREE = json.dumps({"name": "animal", "children": [{"name": "dog"}]})
MAIN = {
    "mine.csv": ("sheet", FACTS),
    "cells.obo": ("obo", OBO),
    "mine.ttl": ("rdf", TTL),
    "net.graphml": ("graphml", GRAPHML),
    "net.json": ("nodelink", NODELINK),
    "tree.json": ("tree", TREE),
}
FOREIGN: dict[str, bytes] = {
    "README": b"About these files.\n",
    "readme.txt": b"a,b,c\n",
    "docs/notes.md": b"# Title\n",
    "LICENSE.txt": b"Do what you like.\n",
    "convert.py": b"print('a,b,c')\n",
    "picture.PNG": b"\x89PNG\r\n\x1a\n\x00",
    "old.zip": b"PK\x03\x04rest",
    "CHANGELOG": b"1.0\n",
}


@pytest.mark.parametrize("name", sorted(MAIN))
def test_foreign_files_are_named_and_left_out(name: str) -> None:
    wanted, content = MAIN[name]
    for format_name in ("", wanted):
        found = read_files({**FOREIGN, name: content}, format_name)
        assert (found.format, len(found.facts)) == (wanted, 1)
        assert found.number("file_left_out") == len(FOREIGN)
        assert all(foreign in found.said("file_left_out") for foreign in FOREIGN)


@pytest.mark.parametrize(
    "other", [b"A note about this, at length.\nAnd more.\n", b"\x00\x01\x02", b"", b"{}", b"<html/>"]
)
def test_files_of_unknown_content_beside_a_graph_are_left_out(other: bytes) -> None:
    found = read_files({"mine.csv": FACTS, "notes.txt": other})
    assert len(found.facts) == 1
    assert "notes.txt" in found.said("file_left_out")


def test_alone_such_a_file_is_refused_by_what_it_is() -> None:
    for name, content, words in (
        ("x.json", json.dumps({"speed": 1, "mass": 2}), "keys mass, speed"),
        ("x.bin", b"\x00\x01", "neither text nor a workbook"),
        ("x.xml", "<house/>", "XML of an unknown kind"),
        ("x.csv", "", "empty"),
    ):
        with pytest.raises(InvalidInput, match=words) as caught:
            read_files({name: content})
        assert "sheet" in caught.value.hint
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("facts.csv", FACTS)
    with pytest.raises(InvalidInput, match="archive"):
        read_files({"x.zip": stream.getvalue()})


def test_several_formats_are_named_with_their_files() -> None:
    with pytest.raises(InvalidInput, match=r"several formats \(obo: cells.obo; rdf: mine.ttl\)") as caught:
        read_files({"cells.obo": OBO, "mine.ttl": TTL})
    assert "--format" in caught.value.hint
    found = read_files({"cells.obo": OBO, "mine.ttl": TTL}, "obo")
    assert "mine.ttl" in found.said("file_left_out")


@pytest.mark.parametrize(
    "files",
    [
        {"facts.csv": FACTS},
        {"relations.csv": FACTS},
        {"facts1.csv": FACTS, "facts2.csv": "subject,relation,object\nBela,likes,Cato\n"},
        {"entities_and_facts.tsv": FACTS.replace(",", "\t")},
    ],
)
def test_tables_of_facts_need_no_table_of_entities(files: dict[str, str]) -> None:
    found = read_files(files)
    assert ("Ardel", "likes", "Bela") in found.facts
    assert found.reasons == []


def test_the_projects_own_tables_are_still_theirs() -> None:
    found = read_files(
        {"entities.csv": "uid,name\na,Ann\nb,Bob\n", "facts.csv": "subject,relation,object\na,knows,b\n"}
    )
    assert (found.format, found.facts) == ("tables", [("Ann", "knows", "Bob")])


@pytest.mark.parametrize(
    "name", ["data.csv", "facts.txt", "x.mapping.yaml", "a.json", "words.tsv.gz", "lists.xlsx", "x.owl"]
)
def test_what_may_hold_a_graph_is_not_foreign(name: str) -> None:
    assert not is_foreign(name)


@pytest.mark.parametrize(
    "name", ["a/b/README.md", "Makefile", "x.py.gz", "datapackage.json", "LICENCE", "a\\b\\run.BAT"]
)
def test_what_is_foreign_by_name(name: str) -> None:
    assert is_foreign(name)
