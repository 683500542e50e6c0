"""Names of RDF: a stated order of languages, and what had to be taken from elsewhere is told and counted."""

from __future__ import annotations

import io
from itertools import permutations

import pytest
from tests.graph_schema.importing_onto.folding import read

from knowledgesmith.graph_schema.importing.pipeline import check_options
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import EntityRecord, Finding, FindingKind
from knowledgesmith.graph_schema.importing.registry import load_importer

PREFIXES = """
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix schema: <http://schema.org/> .
@prefix e: <http://e.org/> .
"""


def named(labels: str, **options: object) -> tuple[EntityRecord, dict[FindingKind, int]]:
    importer = load_importer("rdf")
    text = f"{PREFIXES}e:a a skos:Concept ; {labels} ."
    files = [InputFile(name="n.ttl", content=io.BytesIO(text.encode()))]
    records = list(importer.read(files, check_options(importer, options)))
    [entity] = [r for r in records if isinstance(r, EntityRecord)]
    kinds = {FindingKind.FALLBACK_LANGUAGE, FindingKind.SEVERAL_NAMES}
    return entity, {r.kind: r.count for r in records if isinstance(r, Finding) and r.kind in kinds}


COLOURS = 'skos:prefLabel "colour"@en-GB, "color"@en-US, "Farbe"@de, "couleur"@fr, "Kleur"@nl ; rdfs:label "C"'


@pytest.mark.parametrize(
    ("language", "name", "fallback"),
    [
        ("en", "colour", False),
        ("en-GB", "colour", False),
        ("en_US", "color", False),
        ("fr", "couleur", False),
        ("fr-CA", "couleur", False),
        ("it,de", "Farbe", False),
        ("de,it", "Farbe", False),
        ("it,en-AU", "C", True),
        ("it", "C", True),
    ],
)
def test_the_stated_order(language: str, name: str, fallback: bool) -> None:
    entity, found = named(COLOURS, language=language)
    assert entity.name == name
    assert (FindingKind.FALLBACK_LANGUAGE in found) is fallback


def test_a_variant_of_the_language_is_an_alias_and_other_languages_are_when_asked_for() -> None:
    assert named(COLOURS, language="en")[0].aliases == ("color",)
    assert set(named(COLOURS, language="en", other_languages="true")[0].aliases) == {
        *("color", "Farbe", "couleur", "Kleur", "C")
    }
    assert named(f'{COLOURS} ; skos:altLabel "hue"@en, "Ton"@de', language="en")[0].aliases == ("color", "hue")


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ('skos:prefLabel "红色"@zh, "rouge"@fr', "rouge"),
        ('rdfs:label "أحمر"@ar', "أحمر"),
        ('xl:prefLabel [ xl:literalForm "rosso"@it ]', "rosso"),
        ('schema:name "röd"@sv ; skos:hiddenLabel "rood"@nl', "röd"),
        ('rdfs:label "ohne", "mit"@de', "ohne"),
    ],
)
def test_a_fallback_is_told(labels: str, name: str) -> None:
    entity, found = named(labels)
    assert entity.name == name
    assert found == {FindingKind.FALLBACK_LANGUAGE: 1}


@pytest.mark.parametrize("labels", ['rdfs:label "red"', 'xl:prefLabel [ xl:literalForm "red"@en ] ; rdfs:label "R"@en'])
def test_where_nothing_tells_of_another_language_nothing_is_told(labels: str) -> None:
    entity, found = named(labels)
    assert entity.name == "red"
    assert found == {}


def test_several_preferred_labels_are_told_and_become_aliases() -> None:
    texts = ('skos:prefLabel "verde"@es', 'skos:prefLabel "glauco"@es', 'skos:prefLabel " de   hierba "@es')
    for order in permutations(texts):
        entity, found = named(" ; ".join(order), language="es")
        assert (entity.name, entity.aliases) == ("de hierba", ("glauco", "verde"))
        assert found == {FindingKind.SEVERAL_NAMES: 1}
    assert named('skos:prefLabel "verde"@es ; rdfs:label "glauco"@es', language="es")[1] == {}


def test_the_default_is_english_and_a_text_is_a_list_of_languages() -> None:
    labels = 'e:a a skos:Concept ; skos:prefLabel "dog"@en, "Hund"@de, "chien"@fr .'
    names = [
        next(iter(read("rdf", ("n.ttl", PREFIXES + labels), **options).names.values()))
        for options in ({}, {"language": "de"}, {"language": ("it", "fr")})
    ]
    assert names == ["dog", "Hund", "chien"]
