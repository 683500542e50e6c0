"""Corrected wordings take the place of others, outlive imports and archives, and can be taken back."""

from __future__ import annotations

import io

import pytest

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, TraitKind
from knowledgesmith.graph_schema.catalogue.corrected_wordings import Correction, parse_corrections
from knowledgesmith.graph_schema.catalogue.relations import from_properties, to_properties
from knowledgesmith.graph_schema.errors import GraphNotFound, IllegalState, InvalidInput, RelationNotFound
from knowledgesmith.graph_schema.graphs.lexicon import load_lexicon
from knowledgesmith.graph_schema.graphs.reading import get_graph, load_catalogue
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.suggesting.accept import accept
from knowledgesmith.graph_schema.suggesting.correct import correct, example_facts
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Relation, Split
from knowledgesmith.graph_schema.types.probes import ProbeKind

FACTS = "subject,relation,object\n" + "".join(
    f"{who},{relation},{what}\n"
    for who, home in (("Ann", "Ford"), ("Ben", "Mill"), ("Cy", "Hill"), ("Di", "Dale"), ("Ed", "Ford"))
    for relation, what in (("dwelt_at", home), ("Wohnort", home))
)
ENTITIES = "uid,name,type\n" + "".join(
    f"{n},{n},{t}\n" for t, ns in (("P", "Ann Ben Cy Di Ed"), ("T", "Ford Mill Hill Dale")) for n in ns.split()
)


def load(store: GraphStore, graph_id: str) -> None:
    parts = {FileRole.ENTITIES: ENTITIES, FileRole.FACTS: FACTS}
    files = [
        InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(text.encode())) for role, text in parts.items()
    ]
    import_graph(store, graph_id=graph_id, files=files)


def correction(
    text: str,
    *,
    relation: str = "Wohnort",
    split: Split = Split.EVAL,
    form: Form = Form.CLOZE,
    direction: Direction = Direction.FORWARD,
) -> Correction:
    return Correction(relation=relation, direction=direction, split=split, form=form, text=text)


def asked(relation: Relation) -> list[str]:
    return [t.text for t in relation.pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.EVAL)]


def test_a_correction_is_asked_and_outlives_imports_and_accepted_traits(store: GraphStore, graph_id: str) -> None:
    load(store, graph_id)
    derived = load_catalogue(store, graph_id)["Wohnort"]
    digest = get_graph(store, graph_id).digest
    after = correct(store, graph_id, [correction("Der Wohnort von {s} heißt")])
    assert asked(after["Wohnort"]) == ["Der Wohnort von {s} heißt"]
    assert get_graph(store, graph_id).digest == digest
    probes = generate(store, graph_id=graph_id, kinds=[ProbeKind.DIRECT]).probes
    assert {p.stem for p in probes if p.path == ("Wohnort",)} == {
        f"Der Wohnort von {n} heißt" for n in ("Ann", "Ben", "Cy", "Di", "Ed")
    }
    load(store, graph_id)
    accept(store, graph_id, [Acceptance(kind=TraitKind.FUNCTIONAL, relation="Wohnort")])
    assert asked(load_lexicon(store, graph_id=graph_id).relations["Wohnort"]) == ["Der Wohnort von {s} heißt"]
    again = correct(store, graph_id, [correction("{s} wohnt in")])
    assert asked(again["Wohnort"]) == ["{s} wohnt in"]
    back = correct(store, graph_id, [correction("")])["Wohnort"]
    assert [(t.text, t.origin) for t in back.templates] == [(t.text, t.origin) for t in derived.templates]


def test_a_noun_phrase_lets_a_relation_be_chained(store: GraphStore, graph_id: str) -> None:
    load(store, graph_id)
    phrase = correction("der Wohnort von {s}", form=Form.PHRASE)
    found = correct(store, graph_id, [phrase])["Wohnort"]
    assert found.pick(direction=Direction.FORWARD, form=Form.PHRASE, split=Split.EVAL) == (phrase.template,)
    assert {t.origin for t in found.templates} == {Origin.CORRECTED, Origin.FRAME}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "nothing is corrected"),
        ([correction("no slot")], "names {s}"),
        ([correction("{o} is", direction=Direction.FORWARD)], "names {s}"),
        ([correction("{s} {x}")], "braces"),
        ([correction("{s}\x1f is")], "control character"),
        ([correction("")], "no correction to take back"),
        ([correction("• {s} — WOHNORT:")], "trained and asked"),
        ([correction("So: {s}"), correction("so:  {s}", split=Split.TRAIN)], "trained and asked"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_noted(
    store: GraphStore, graph_id: str, given: list[Correction], words: str
) -> None:
    load(store, graph_id)
    before = load_catalogue(store, graph_id)
    with pytest.raises(InvalidInput, match=words):
        correct(store, graph_id, given)
    assert load_catalogue(store, graph_id) == before


def test_an_unknown_relation_or_graph_is_named(store: GraphStore, graph_id: str) -> None:
    with pytest.raises(GraphNotFound):
        correct(store, graph_id, [correction("{s} is")])
    load(store, graph_id)
    with pytest.raises(RelationNotFound, match="no such relation"):
        correct(store, graph_id, [correction("{s} is", relation="other")])


def test_every_relation_with_a_fact_has_an_example(store: GraphStore, graph_id: str) -> None:
    load(store, graph_id)
    catalogue = load_catalogue(store, graph_id)
    assert example_facts(store, graph_id, catalogue.values()) == {
        "Wohnort": ("Ann", "Ford"),
        "dwelt_at": ("Ann", "Ford"),
    }
    assert example_facts(store, graph_id, [catalogue["Wohnort"]]) == {"Wohnort": ("Ann", "Ford")}


def test_corrections_are_never_written_into_the_catalogue() -> None:
    one = correction("{s} wohnt in")
    stored = to_properties(Relation(name="Wohnort", rel_type="W")) | {"corrections": [one.dump()]}
    relation = from_properties(stored)
    assert relation.templates == (one.template,)
    assert to_properties(relation)["templates"] == "[]"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "r",
        "r\x1fforward\x1feval\x1fcloze",
        "r\x1fup\x1feval\x1fcloze\x1f{s}",
        "r\x1fforward\x1feval\x1fcloze\x1fno",
    ],
)
def test_a_damaged_correction_is_reported(text: str) -> None:
    with pytest.raises(IllegalState, match="damaged"):
        parse_corrections([text])
