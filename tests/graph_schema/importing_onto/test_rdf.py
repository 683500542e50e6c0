"""RDF: what SKOS, RDFS and OWL mean for the graph, names, blank nodes, literals, several files."""

from __future__ import annotations

import random

import pytest
from pyoxigraph import RdfFormat, parse, serialize
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rdf import loading

E = "http://e.org/"
PREFIXES = """
@prefix e: <http://e.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix obo: <http://purl.obolibrary.org/obo/> .
"""
SKOS = """
e:scheme a skos:ConceptScheme ; skos:prefLabel "things"@en ; skos:hasTopConcept e:a .
e:a a skos:Concept ; skos:prefLabel "animal"@en, "Tier"@de, "animal"@fr ; skos:altLabel "beast"@en, "Vieh"@de ;
    skos:inScheme e:scheme ; skos:hiddenLabel "anmial"@en ; skos:definition "It lives."@en ; skos:narrower e:d .
e:d a skos:Concept ; skos:prefLabel "Hund"@de ; skos:broader e:a ; skos:related e:c ; e:weight 12 .
e:c a skos:Concept, e:Pet ; e:prefLabel "cat"@en ; skos:broader e:a ; skos:related e:d ; skos:broader e:old .
e:old a skos:Concept ; skos:prefLabel "old"@en ; e:deprecated true .
e:Pet rdfs:label "pet" .
"""
OWL = """
e:onto a owl:Ontology ; owl:imports <http://127.0.0.1:9/other> ; rdfs:label "not a thing" .
e:Dog a owl:Class ; rdfs:label "dog" ; rdfs:comment "barks" ; rdfs:subClassOf e:Animal, owl:Thing, ext:Being,
    [ a owl:Restriction ; owl:onProperty e:eats ; owl:someValuesFrom e:Bone ],
    [ a owl:Restriction ; owl:onProperty e:eats ; owl:allValuesFrom e:Food ],
    [ a owl:Restriction ; owl:onProperty e:livesIn ; owl:hasValue e:earth ],
    [ a owl:Restriction ; owl:onProperty e:legs ; owl:hasValue 4 ],
    [ a owl:Restriction ; owl:onProperty e:has ; owl:minQualifiedCardinality 1 ; owl:onClass e:Tail ],
    [ a owl:Restriction ; owl:onProperty e:has ; owl:minQualifiedCardinality 0 ; owl:onClass e:Collar ],
    [ a owl:Restriction ; owl:onProperty e:has ; owl:maxQualifiedCardinality 1 ; owl:onClass e:Owner ],
    [ a owl:Restriction ; owl:onProperty [ owl:inverseOf e:has ] ; owl:someValuesFrom e:Pack ],
    [ a owl:Restriction ; owl:onProperty e:age ; owl:someValuesFrom xsd:integer ],
    [ a owl:Class ; owl:unionOf (e:Pet e:Stray) ], [ a owl:Class ; owl:complementOf e:Cat ] .
e:Puppy a owl:Class ; owl:equivalentClass [ a owl:Class ; owl:intersectionOf (e:Dog
    [ a owl:Restriction ; owl:onProperty e:has ; owl:someValuesFrom [ owl:intersectionOf (e:Milk e:Toy) ] ]) ] .
e:Pet a owl:Class ; owl:equivalentClass [ owl:unionOf (e:Dog e:Cat) ] ; owl:disjointWith e:Stray .
e:rex a owl:NamedIndividual, e:Dog ; rdfs:label "Rex" ; e:knows e:tom ; e:age 3 ; e:note "good"@en .
e:gone a e:Dog ; owl:deprecated true .
e:knows a owl:ObjectProperty, owl:SymmetricProperty ; rdfs:label "knows" .
e:has a owl:ObjectProperty ; owl:inverseOf e:of ; rdfs:domain e:Dog ; rdfs:range e:Tail .
e:livesIn a owl:ObjectProperty, owl:TransitiveProperty ; owl:propertyChainAxiom (e:has e:livesIn) .
e:eats a owl:ObjectProperty , owl:InverseFunctionalProperty .
e:legs a owl:DatatypeProperty, owl:FunctionalProperty . e:age a owl:DatatypeProperty .
e:note a owl:AnnotationProperty .
""".replace("ext:Being", "<http://x.org/v1/LivingBeing>")


def rdf(text: str, **options: object) -> Folded:
    return read("rdf", ("g.ttl", PREFIXES + text), **options)


def short(folded: Folded) -> set[tuple[str, ...]]:
    """Facts without the example's namespace."""
    return {tuple(part.removeprefix(E) for part in key) for key in folded.facts}


def test_skos() -> None:
    folded = rdf(SKOS)
    assert short(folded) == {
        ("a", "topConceptOf", "scheme"),
        ("a", "inScheme", "scheme"),
        ("d", "broader", "a"),
        ("c", "broader", "a"),
        ("c", "related", "d"),
        ("c", "type", "Pet"),
        ("d", "weight", '"12"^^integer'),
    }
    assert folded.relations["broader"].traits.hierarchical
    assert folded.relations["related"].traits.symmetric
    assert {uid.removeprefix(E): name for uid, name in folded.names.items() if uid.startswith(E)} == {
        "scheme": "things",
        "a": "animal",
        "d": "Hund",
        "c": "cat",
        "Pet": "pet",
    }
    types = {uid.removeprefix(E): record.type for uid, record in folded.entities.items()}
    assert types == {
        "scheme": "ConceptScheme",
        "a": "Concept",
        "d": "Concept",
        "c": "Pet",
        "Pet": "",
        '"12"^^integer': "Literal",
    }
    assert folded.entities[f"{E}a"].aliases == ("anmial", "beast")
    assert len(folded.rejections) == 2
    assert all("deprecated" in reason for reason in folded.reasons)


def test_broader_transitive_is_the_hierarchy_only_where_it_stands_alone() -> None:
    alone = rdf("e:a skos:broaderTransitive e:b .")
    assert alone.relations["broaderTransitive"].traits.hierarchical
    assert alone.relations["broaderTransitive"].traits.transitive
    beside = rdf("e:a skos:broaderTransitive e:b ; skos:broader e:c .")
    assert not beside.relations["broaderTransitive"].traits.hierarchical


def test_languages_and_labels() -> None:
    labels = 'e:a rdfs:label "Tier"@de, "animal"@en-GB, "animale"@it, "ANIMAL" ; e:shown "Wesen"@de .'
    assert rdf(labels).names == {f"{E}a": "animal"}
    assert rdf(labels, language="de").names == {f"{E}a": "Tier"}
    assert rdf(labels, language="pl").names == {f"{E}a": "ANIMAL"}
    assert rdf('e:a rdfs:label "b"@sv, "a"@zu .').names == {f"{E}a": "b"}
    assert rdf(labels, language="de", label_predicates=(f"{E}shown",)).names == {f"{E}a": "Wesen"}
    assert set(rdf(labels, other_languages=True).entities[f"{E}a"].aliases) == {"Tier", "animale", "ANIMAL"}
    assert rdf('e:a rdfs:label "x" ; e:aka "y" .', alias_predicates=(f"{E}aka",)).entities[f"{E}a"].aliases == ("y",)
    assert rdf('e:sub rdfs:subPropertyOf rdfs:label . e:a e:sub "by sub-property" .').names == {
        f"{E}a": "by sub-property"
    }
    assert rdf('e:a rdfs:label "two\\n  lines" .').names == {f"{E}a": "two lines"}


def test_names_from_iris() -> None:
    folded = rdf(
        "e:UnitedStatesOfAmerica e:borders <http://x.org/New%20Zealand>, <http://x.org/a#south_korea>, <urn:x:7> ."
    )
    assert folded.entities[f"{E}UnitedStatesOfAmerica"].name == "United States Of America"
    assert folded.made == {
        "http://x.org/New%20Zealand": {"New Zealand"},
        "http://x.org/a#south_korea": {"south korea"},
        "urn:x:7": {"7"},
    }


def test_deprecated_things() -> None:
    assert f"{E}old" in rdf(SKOS, deprecated="keep").entities
    assert ("c", "broader", "old") in short(rdf(SKOS, deprecated="keep"))
    assert rdf(SKOS, deprecated="skip").rejections == []
    assert rdf("e:a e:b e:c ; e:gone true .", deprecated_predicates=(f"{E}gone",)).facts == {}
    assert len(rdf('e:a e:b e:c ; owl:deprecated "false"^^xsd:boolean .').facts) == 1


def test_owl_classes_restrictions_and_individuals() -> None:
    folded = rdf(OWL)
    facts = short(folded)
    assert facts == {
        ("Dog", "is_a", "Animal"),
        ("Dog", "is_a", "http://x.org/v1/LivingBeing"),
        ("Dog", "eats", "Bone"),
        ("Dog", "eats", "Food"),
        ("Dog", "livesIn", "earth"),
        ("Dog", "legs", '"4"^^integer'),
        ("Dog", "has", "Tail"),
        ("Pack", "has", "Dog"),
        ("Puppy", "is_a", "Dog"),
        ("Puppy", "has", "Milk"),
        ("Puppy", "has", "Toy"),
        ("Dog", "is_a", "Pet"),
        ("Cat", "is_a", "Pet"),
        ("Pet", "disjoint_from", "Stray"),
        ("rex", "type", "Dog"),
        ("rex", "knows", "tom"),
        ("rex", "age", '"3"^^integer'),
    }
    assert folded.entities[f"{E}rex"].type == "Dog"
    assert folded.entities[f"{E}Dog"].type == "Class"
    assert folded.made["http://x.org/v1/LivingBeing"] == {"Living Being"}
    assert not {f"{E}onto", f"{E}knows", f"{E}has", f"{E}note"} & folded.uids, "ontologies and properties are no things"
    reasons = sorted(reason.rpartition(": ")[2] for reason in folded.reasons)
    assert reasons == [
        "'http://e.org/gone' is deprecated",
        "http://e.org/has may have no value of this class, so there is no fact",
        "http://e.org/has may have no value of this class, so there is no fact",
        "it is the complement of a class, which states no fact",
        "one of 2 classes or things (unionOf), which is no single fact",
    ] or reasons[0].endswith("is deprecated")
    assert len(reasons) == 5


def test_traits_of_properties() -> None:
    relations = rdf(OWL).relations
    assert relations["knows"].traits.symmetric
    assert relations["livesIn"].traits.transitive
    assert relations["livesIn"].traits.composed_of == ("has", "livesIn")
    assert relations["has"].traits.inverse_of == "of"
    assert (relations["has"].domain_type, relations["has"].range_type) == ("Dog", "Tail")
    assert relations["legs"].traits.functional
    assert relations["eats"].traits.inverse_functional
    assert relations["is_a"].traits.hierarchical


def test_options_of_restrictions_and_relations() -> None:
    assert ("Dog", "has", "Collar") in short(rdf(OWL, restrictions=("on_class", "optional")))
    assert not {"Bone", "Food"} & {key[2] for key in short(rdf(OWL, restrictions=("value",)))}
    assert {key[1] for key in short(rdf(OWL, relations=("is_a",)))} == {"is_a"}
    assert f"{E}rex" not in rdf(OWL, individuals=False).entities
    named = rdf("e:a e:b e:c .", relation_names={f"{E}b": "is near"})
    assert set(named.relations) == {"is_near"}


def test_plain_triples_and_literals() -> None:
    text = (
        'e:a e:likes e:b ; e:height 1.5 ; e:said "bonjour"@fr ; e:text "{}" ; e:born "1900-01-01"^^xsd:date .'.replace(
            "{}", "x" * 200
        )
    )
    literals = {key for key in short(rdf(text)) if key[1] != "likes"}
    assert literals == {("a", "height", '"1.5"^^decimal'), ("a", "born", '"1900-01-01"^^date')}
    assert ("a", "said", '"bonjour"@fr') in short(rdf(text, literals="all"))
    assert short(rdf(text, literals="none")) == {("a", "likes", "b")}
    assert rdf("e:a e:note 5 . e:C a owl:Class ; e:note 6 .").facts == {}, "said of a class, so a remark"


def test_two_predicates_of_one_name_stay_two() -> None:
    folded = rdf("e:a e:part e:b ; <http://x.org/part> e:b ; <http://x.org/broader> e:b ; skos:broader e:b .")
    assert set(folded.relations) == {
        "part (http://e.org/part)",
        "part (http://x.org/part)",
        "broader (http://x.org/broader)",
        "broader",
    }


def test_annotations_by_option() -> None:
    text = "e:by a owl:AnnotationProperty . e:a e:by e:b ; <http://purl.org/dc/terms/creator> e:c ; rdfs:seeAlso e:d ."
    assert rdf(text).facts == {}
    assert {key[1] for key in rdf(text, annotations=True).facts} == {"by", "creator"}


def test_obo_addresses_are_short_and_opaque_properties_take_their_label() -> None:
    folded = rdf(
        "obo:RO_0002202 a owl:ObjectProperty ; rdfs:label 'develops from' . obo:CL_0000001 a owl:Class ;"
        "rdfs:label 'cell' ; rdfs:subClassOf obo:CL_0000002, [ a owl:Restriction ; owl:onProperty obo:RO_0002202 ;"
        "owl:someValuesFrom obo:UBERON_0000001 ] ."
    )
    assert set(folded.facts) == {
        ("CL:0000001", "is_a", "CL:0000002"),
        ("CL:0000001", "develops_from", "UBERON:0000001"),
    }


def test_uids_by_prefix_only_where_that_is_unambiguous() -> None:
    text = "e:a e:b e:c ; e:b <http://other.org/x> ; e:b <http://e.org/deeper/y> ."
    assert set(rdf(text, uids="curie").facts) == {
        ("e:a", "b", "e:c"),
        ("e:a", "b", "http://other.org/x"),
        ("e:a", "b", "http://e.org/deeper/y"),
    }
    again = "@prefix e: <http://other.org/> . e:x e:b e:y ."
    both = read("rdf", ("a.ttl", PREFIXES + text), ("b.ttl", again), uids="curie")
    assert all("://" in end for key in both.facts for end in (key[0], key[2])), "the prefix has two meanings"


def test_blank_nodes_have_uids_that_depend_on_what_is_said_only() -> None:
    text = 'e:a e:lives [ e:street "Elm St" ; e:next [ e:street "Oak St" ] ] . e:b e:lives [ e:street "Elm St" ] .'
    folded = rdf(text)
    blank = {uid for uid in folded.uids if uid.startswith("_:")}
    assert len(blank) == 3
    lines = serialize(parse(PREFIXES + text, format=RdfFormat.TURTLE), format=RdfFormat.N_TRIPLES)
    assert lines is not None
    shuffled = lines.decode().splitlines()
    random.Random(7).shuffle(shuffled)  # noqa: S311
    renamed = "\n".join(shuffled).replace("_:", "_:other")
    other = read("rdf", ("g.nt", renamed))
    assert other.digest == folded.digest
    assert other.names == folded.names
    dropped = rdf(text, blank_nodes="reject")
    assert not any("_:" in end for key in dropped.facts for end in key)
    assert len(dropped.rejections) == 5


@pytest.mark.parametrize("limit", [0, loading.MAX_IN_MEMORY], ids=["disk", "memory"])
def test_every_notation_gives_the_same_graph(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MAX_IN_MEMORY", limit)
    for text in (SKOS, OWL):
        wanted = rdf(text)
        for ending, syntax in (
            (".nt", RdfFormat.N_TRIPLES),
            (".nq", RdfFormat.N_QUADS),
            (".trig", RdfFormat.TRIG),
            (".rdf", RdfFormat.RDF_XML),
            (".jsonld", RdfFormat.JSON_LD),
            (".owl", RdfFormat.RDF_XML),
        ):
            content = serialize(
                (
                    quad.triple if syntax != RdfFormat.N_QUADS else quad
                    for quad in parse(PREFIXES + text, format=RdfFormat.TURTLE)
                ),
                format=syntax,
            )
            assert content is not None
            got = read("rdf", (f"g{ending}", content))
            assert (got.digest, got.names, got.relations) == (wanted.digest, wanted.names, wanted.relations), ending
            assert sorted(r.reason for r in got.rejections) == sorted(r.reason for r in wanted.rejections)


def test_files_form_one_graph_in_any_order() -> None:
    parts = [
        (f"{number}.ttl", PREFIXES + part + ".")
        for number, part in enumerate((SKOS + OWL).split(" .\n"))
        if part.strip()
    ]
    wanted = got = rdf(SKOS + OWL)
    for seed in range(3):
        random.Random(seed).shuffle(parts)  # noqa: S311
        got = read("rdf", *parts)
        assert (got.digest, got.names, got.relations) == (wanted.digest, wanted.names, wanted.relations)
    assert all(rejection.place.file.endswith(".ttl") and rejection.place.record for rejection in got.rejections)


def test_named_graphs() -> None:
    text = "e:one { e:a e:b e:c } e:two { e:a e:b e:d . e:a e:b e:c }"
    assert len(read("rdf", ("g.trig", PREFIXES + text)).facts) == 2
    assert short(read("rdf", ("g.trig", PREFIXES + text), graphs=(f"{E}one",))) == {("a", "b", "c")}


def test_syntax_by_option_ending_or_content() -> None:
    triple = "<http://e.org/a> <http://e.org/b> <http://e.org/c> .\n"
    for name in ("g.nt", "g", "g.owl"):
        assert len(read("rdf", (name, triple)).facts) == 1
    assert (
        len(read("rdf", ("g.json", '[{"@id": "http://e.org/a", "http://e.org/b": {"@id": "http://e.org/c"}}]')).facts)
        == 1
    )
    assert len(read("rdf", ("g.txt", triple), syntax="nt").facts) == 1
    with pytest.raises(InvalidInput, match="syntax"):
        read("rdf", ("g.csv", "a,b\n"))
    with pytest.raises(InvalidInput, match="no statement"):
        read("rdf", ("g.nt", ""))
