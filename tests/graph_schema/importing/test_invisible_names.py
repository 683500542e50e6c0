"""Names that show nothing: a question about them would ask about nobody."""

from __future__ import annotations

import json

import pytest
from tests.graph_schema.importing.own import read_files
from tests.graph_schema.importing.records import entity, fact, place, settle

from knowledgesmith.graph_schema.importing.reading.records import FactRecord
from knowledgesmith.graph_schema.language.text_checks import is_blank, problem_with_name

NOTHING = [
    "\u200b",
    "\u00ad\u2060",
    "\ufeff\u200e",
    " ",
    "\u00a0\u2003",
    "\u3164",
    "\u2800",
    "\U000e0020",
    "\u200d \u200c",
]
SOMETHING = ["a", "\u200ba", "\u0301a", "👩\u200d👩\u200d👧", "می\u200cخواهم", "\ue000", ".", "0", "ー", "\u0e31"]


@pytest.mark.parametrize("text", NOTHING)
def test_a_name_that_shows_nothing_is_told(text: str) -> None:
    assert is_blank(text)
    assert "shows nothing" in problem_with_name(text, limit=500)


@pytest.mark.parametrize("text", SOMETHING)
def test_a_name_that_shows_something_is_a_name(text: str) -> None:
    assert not is_blank(text)
    assert problem_with_name(text, limit=500) == ""


@pytest.mark.parametrize("text", NOTHING)
def test_records_with_such_a_name_are_rejected(text: str) -> None:
    found = settle([entity("a", 1, name=text), entity("b", 2), entity("c", 3), fact("b r c", 4)])
    assert [rejection.place.record for rejection in found.rejections] == [1]
    assert found.rejections[0].reason.startswith("name shows nothing")
    for ends in ((text, "r", "c"), ("b", text, "c"), ("b", "r", text)):
        told = FactRecord(place=place(3), subject=ends[0], relation=ends[1], object=ends[2])
        found = settle([entity("b", 1), entity("c", 2), told])
        assert "shows nothing" in found.rejections[0].reason


@pytest.mark.parametrize("text", NOTHING[:4])
def test_files_with_such_names_lose_those_rows_alone(text: str) -> None:
    rows = [("Ulm", "lies in", "Swabia"), (text, "lies in", "Swabia"), ("Ulm", "borders", text)]
    table = "subject,relation,object\n" + "".join(f'"{s}","{r}","{o}"\n' for s, r, o in rows)
    found = read_files({"own.csv": table})
    assert found.facts == [("Ulm", "lies in", "Swabia")]
    assert set(found.entities.values()) == {"Ulm", "Swabia"}
    links = [{"source": "a", "target": "b", "relation": "knows"}, {"source": "a", "target": "c", "relation": "knows"}]
    nodes = [{"id": "a", "name": "Ada"}, {"id": "b", "name": text}, {"id": "c", "name": "Cleo"}]
    network = read_files({"net.json": json.dumps({"directed": True, "nodes": nodes, "links": links})})
    assert text not in network.entities.values()
    assert ("Ada", "knows", "Cleo") in network.facts
