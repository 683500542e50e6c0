"""Traits that the name of a table's relation says by itself, so that what is true is asked nowhere as wrong."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from tests.graph_schema.importing.own import read_files

from knowledgesmith.graph_schema.catalogue.known_traits import known_traits
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing import InputFile, import_graph
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Traits

TRANSITIVE = Traits(transitive=True)
SYMMETRIC = Traits(symmetric=True)
CHAINS = {
    "located_in": ("Ulm", "Swabia", "Germany", "Europe"),
    "liegt in": ("Ulm", "Schwaben", "Deutschland", "Europa"),
    "位于": ("昆明", "云南", "中国", "亚洲"),
    "يقع في": ("أسوان", "الصعيد", "مصر", "أفريقيا"),
    "is_a": ("poodle", "dog", "mammal", "animal"),
    "fait partie de": ("doigt", "main", "bras", "corps"),
}


@pytest.mark.parametrize(
    ("names", "traits"),
    [
        (
            ["is_a", "isA", "part of", "partOf", "located-in", "ist ein", "Liegt in", "est une", "位于", "входит в"],
            TRANSITIVE,
        ),
        (["borders", "Grenzt an", "married_to", "sibling of", "equal_to", "limita con", "接壤", "متزوج من"], SYMMETRIC),
        # a name that leaves a choice, or means one way only
        (
            ["lives in", "capital of", "is", "has", "in", "likes", "friend of", "father of", "precedes", "é", "在"],
            Traits(),
        ),
    ],
    ids=["transitive", "symmetric", "neither"],
)
def test_a_name_says_its_trait_or_none(names: list[str], traits: Traits) -> None:
    assert {name: known_traits(name) for name in names} == dict.fromkeys(names, traits)


@pytest.mark.parametrize("relation", CHAINS)
def test_a_table_takes_it_and_tells(relation: str) -> None:
    chain = CHAINS[relation]
    text = "subject,relation,object\n" + "".join(f"{one},{relation},{other}\n" for one, other in pairwise(chain))
    found = read_files({"facts.csv": text})
    assert found.traits[relation] == TRANSITIVE
    assert f"'{relation}' is taken as transitive, as its name says; --option no_traits={relation}" in found.said("note")
    plain = read_files({"facts.csv": text}, no_traits=relation)
    assert plain.traits[relation] == Traits()
    assert "taken as" not in plain.said("note")


def test_what_the_user_says_counts() -> None:
    text = "subject,relation,object\na,borders,b\nb,borders,c\nc,part of,d\n"
    found = read_files({"facts.csv": text}, functional="borders", hierarchical="part of")
    assert found.traits["borders"] == Traits(functional=True)
    assert found.traits["part of"] == Traits(hierarchical=True)
    with pytest.raises(InvalidInput, match="no row has this relation"):
        read_files({"facts.csv": text}, no_traits="lies in")


def test_nothing_that_follows_is_a_wrong_answer_or_a_false_statement(store: GraphStore, graph_id: str) -> None:
    rows = ["subject,relation,object"]
    for number in range(4):
        names = [f"{name} {number}" if place < 2 else name for place, name in enumerate(CHAINS["located_in"])]
        rows += [f"{one},located_in,{other}" for one, other in pairwise(names)]
    rows += ["Nara,located_in,Japan", "Japan,located_in,Asia", "Lima,located_in,Peru", "Peru,located_in,Americas"]
    rows += ["Germany,borders,Poland", "Japan,borders,Korea", "Peru,borders,Chile", "Poland,borders,Ukraine"]
    content = io.BytesIO("\n".join(dict.fromkeys(rows)).encode())
    import_graph(store, graph_id=graph_id, files=[InputFile(name="places.csv", content=content)], source="own")
    above = {f"Ulm {n}": {f"Swabia {n}", "Germany", "Europe"} for n in range(4)}
    seen = 0
    for probe in generate(store, graph_id=graph_id, seed=1).probes:
        right = {option for n, option in enumerate(probe.options) if n in probe.answers}
        wrong = set(probe.options) - right
        for subject, true in above.items():
            if subject in probe.stem and "located in" in probe.stem and "___" not in probe.stem:
                seen += 1
                assert not wrong & true, (probe.stem, probe.options)
                assert right != {"False"} or not any(name in probe.stem for name in true), probe.stem
    assert seen
