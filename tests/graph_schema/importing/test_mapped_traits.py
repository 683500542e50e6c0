"""A mapping declares what follows from what: pairs of relations, further pairs, relations below others."""

from __future__ import annotations

from typing import Any

import pytest
from tests.graph_schema.importing.own import read_files

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.mapping import load_mapping

ROWS = "wer,wohnt,geboren\nArdel,Velmouth,Greyholt\nBela,Greyholt,Velmouth\n"


def _mapping(relations: list[dict[str, Any]]) -> dict[str, Any]:
    facts = [
        {"relation": "wohnt in", "object": "wohnt", "make": {"type": "Ort"}},
        {"relation": "geboren in", "object": "geboren", "make": {"type": "Ort"}},
    ]
    return {"files": [{"entities": [{"uid": "wer", "name": "wer", "facts": facts}]}], "relations": relations}


def _traits(relations: list[dict[str, Any]]) -> dict[str, tuple[set[tuple[str, ...]], set[str]]]:
    found = read_files({"orte.csv": ROWS}, "mapped", mapping=_mapping(relations))
    assert found.reasons == []
    return {name: (set(traits.chains), set(traits.sub_of)) for name, traits in found.traits.items()}


@pytest.mark.parametrize("pair", [["wohnt in", "liegt in"], "wohnt in|liegt in", "wohnt in | liegt in"])
def test_a_relation_follows_of_a_pair(pair: object) -> None:
    traits = _traits([{"name": "lebt im Land", "composed_of": pair}, {"name": "liegt in", "transitive": True}])
    assert traits["lebt im Land"] == ({("wohnt in", "liegt in")}, set())


@pytest.mark.parametrize(
    "pairs",
    [
        [["wohnt in", "liegt in"], ["geboren in", "liegt in"]],
        ["wohnt in|liegt in", "geboren in|liegt in"],
    ],
)
def test_a_relation_follows_of_several_pairs(pairs: object) -> None:
    traits = _traits([{"name": "kennt", "compositions": pairs}, {"name": "liegt in"}])
    assert traits["kennt"][0] == {("wohnt in", "liegt in"), ("geboren in", "liegt in")}


@pytest.mark.parametrize("above", ["war in", ["war in"], ["war in", "kennt"]])
def test_a_relation_stands_below_others(above: str | list[str]) -> None:
    traits = _traits([{"name": "geboren in", "sub_of": above}, {"name": "war in"}, {"name": "kennt"}])
    assert traits["geboren in"][1] == {above} if isinstance(above, str) else set(above)


def test_a_relation_that_only_facts_name_needs_no_declaration() -> None:
    assert _traits([{"name": "war in", "composed_of": ["wohnt in", "geboren in"]}])["war in"][0]
    only = _mapping([{"name": "war in", "sub_of": "geboren in"}])
    found = read_files({"orte.csv": "wer,wohnt,geboren\nArdel,Velmouth,\n"}, "mapped", mapping=only)
    assert not any("unknown relation" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("relation", "key", "said", "way_out"),
    [
        ({"name": "a", "composed_of": ["wohnt in"]}, "composed_of", "exactly two others", "[first, second]"),
        ({"name": "a", "composed_of": ["wohnt in", ""]}, "composed_of", "exactly two others", "[first, second]"),
        ({"name": "a", "composed_of": "x|y|z"}, "composed_of", "exactly two others", "[first, second]"),
        ({"name": "a", "composed_of": ["a", "a"]}, "composed_of", "itself twice", "transitive"),
        ({"name": "a", "compositions": [["wohnt in", "b", "c"]]}, "compositions", "exactly two", "[first, second]"),
        ({"name": "a", "compositions": ["wohnt in"]}, "compositions", "exactly two others", "[first, second]"),
        ({"name": "a", "compositions": [[]]}, "compositions", "exactly two others", "[first, second]"),
        ({"name": "a", "sub_of": ["a"]}, "sub_of", "below itself", "eave it out"),
        ({"name": "a", "sub_of": [""]}, "sub_of", "empty", "eave it out"),
        ({"name": "a", "sub_of": {"b": "c"}}, "sub_of", "a list belongs here", "[ ]"),
        ({"name": "a", "sub_of": "nirgends"}, "sub_of", "does not have", "geboren in"),
        ({"name": "a", "composed_of": ["wohnt in", "nirgends"]}, "composed_of", "does not have", "below relations"),
        ({"name": "a", "compositions": [["nirgends", "a"]]}, "compositions", "does not have", "below relations"),
        ({"name": "a", "inverse_of": "nirgends"}, "inverse_of", "does not have", "below relations"),
        ({"name": "a", "sub_relation": "b"}, "sub_relation", "no such key", "mapping.py"),
        ({"name": "a", "symmetric": "vielleicht"}, "symmetric", "neither true nor false", "rite one of them"),
        ({"symmetric": True}, "name", "missing", "dd it"),
    ],
)
def test_what_cannot_be_is_refused_by_its_place(relation: dict[str, Any], key: str, said: str, way_out: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_mapping(_mapping([relation]))
    error = caught.value
    assert (error.field or "").startswith(f"options.mapping.relations.0.{key}")
    assert said in str(error)
    assert way_out in (error.hint or "")
    assert "Value error" not in str(error)
