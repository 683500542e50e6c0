"""What the formats promise to follow becomes traits: over is_a, chains, subrelations, classes of individuals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import product

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.catalogue.relations import inspect_catalogue
from knowledgesmith.graph_schema.types.facts import Relation

Triple = tuple[str, str, str]
OBO = """format-version: 1.2
ontology: taller

[Typedef]
id: parte_de
name: parte de
is_transitive: true
is_a: toca

[Typedef]
id: toca
is_a: cerca

[Typedef]
id: cerca

[Typedef]
id: crece_en
transitive_over: parte_de
holds_over_chain: crece_en toca
holds_over_chain: nace crece_en

[Term]
id: M:1
name: máquina

[Term]
id: M:2
name: motor
relationship: parte_de M:1

[Term]
id: M:3
name: motor de gasolina
is_a: M:2

[Term]
id: M:4
name: bujía
relationship: parte_de M:3
relationship: cerca M:3

[Term]
id: M:5
name: rosca
relationship: parte_de M:4
is_a: M:6

[Term]
id: M:7
name: moho
relationship: crece_en M:5
"""
PREFIXES = """
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix e: <http://e.org/> .
"""
OWL = """
e:parteDe a owl:ObjectProperty , owl:TransitiveProperty .
e:maquina a owl:Class . e:motor a owl:Class . e:gasolina a owl:Class . e:bujia a owl:Class .
e:motor rdfs:subClassOf [ a owl:Restriction ; owl:onProperty e:parteDe ; owl:someValuesFrom e:maquina ] .
e:gasolina rdfs:subClassOf e:motor .
e:bujia rdfs:subClassOf [ a owl:Restriction ; owl:onProperty e:parteDe ; owl:someValuesFrom e:gasolina ] .
"""


def follows(folded: Folded) -> set[Triple]:
    """All that follows by the traits of the completed catalogue, to the end; written without a look at the product."""
    catalogue, problems = inspect_catalogue(folded.relations.values())
    assert problems == []
    facts: set[Triple] = set(folded.facts)
    while more := {new for name in catalogue for new in _once(name, catalogue, facts)} - facts:
        facts |= more
    return facts


def _once(name: str, catalogue: dict[str, Relation], facts: set[Triple]) -> Iterable[Triple]:
    traits = catalogue[name].traits
    own = [(s, o) for s, r, o in facts if r == name]
    yield from ((s, above, o) for above in traits.sub_of for s, o in own)
    if traits.symmetric:
        yield from ((o, name, s) for s, o in own)
    if traits.inverse_of:
        yield from ((o, traits.inverse_of, s) for s, o in own)
    pairs = [*traits.chains, *([(name, name)] if traits.transitive else [])]
    for first, second in pairs:
        left, right = ([(s, o) for s, r, o in facts if r == part] for part in (first, second))
        yield from ((a, name, d) for (a, b), (c, d) in product(left, right) if b == c and a != d)


def short(facts: Iterable[Triple]) -> set[Triple]:
    return {(s.rsplit("/", 1)[-1], r, o.rsplit("/", 1)[-1]) for s, r, o in facts}


def test_part_of_over_is_a_and_is_a_over_part_of() -> None:
    found = follows(read("obo", ("taller.obo", OBO)))
    assert {o for s, r, o in found if (s, r) == ("M:4", "parte_de")} == {"M:3", "M:2", "M:1"}
    assert {o for s, r, o in found if (s, r) == ("M:3", "parte_de")} == {"M:1"}
    assert {o for s, r, o in found if (s, r) == ("M:5", "parte_de")} == {"M:4", "M:3", "M:2", "M:1"}
    assert {o for s, r, o in found if (s, r) == ("M:7", "crece_en")} == {"M:6", "M:5", "M:4", "M:3", "M:2", "M:1"}
    assert ("M:1", "parte_de", "M:4") not in found
    assert ("M:2", "parte_de", "M:4") not in found


def test_a_subrelation_implies_the_used_ones_above_it() -> None:
    folded = read("obo", ("taller.obo", OBO))
    assert folded.relations["parte_de"].traits.sub_of == ("cerca", "toca"), "toca is part of a chain, so it counts"
    assert {o for s, r, o in follows(folded) if (s, r) == ("M:4", "cerca")} == {"M:3", "M:2", "M:1"}
    assert folded.relations["crece_en"].traits.chains[:3] == (
        ("crece_en", "parte_de"),
        ("crece_en", "toca"),
        ("nace", "crece_en"),
    )


def test_three_notations_promise_the_same() -> None:
    obo = OBO.split("[Term]\nid: M:7")[0]
    base = "http://purl.obolibrary.org/obo/"
    edges = [
        ("M_2", f"{base}taller#parte_de", "M_1"),
        ("M_3", "is_a", "M_2"),
        ("M_4", f"{base}taller#parte_de", "M_3"),
        ("M_4", f"{base}taller#cerca", "M_3"),
        ("M_5", f"{base}taller#parte_de", "M_4"),
        ("M_5", "is_a", "M_6"),
        ("taller#parte_de", "subPropertyOf", "taller#toca"),
        ("taller#toca", "subPropertyOf", "taller#cerca"),
    ]
    nodes = [{"id": f"{base}M_{n}", "type": "CLASS", "lbl": str(n)} for n in range(1, 7)]
    nodes += [{"id": f"{base}taller#{name}", "type": "PROPERTY"} for name in ("parte_de", "toca", "cerca")]
    graph = {"nodes": nodes, "edges": [{"sub": base + s, "pred": p, "obj": base + o} for s, p, o in edges]}
    graphs = read("obograph", ("taller.json", json.dumps({"graphs": [graph]})))
    wanted = read("obo", ("taller.obo", obo.replace("is_transitive: true\n", "")))
    assert graphs.digest == wanted.digest
    assert follows(graphs) == follows(wanted)
    assert len(follows(wanted)) > len(wanted.facts) + 4


def test_restrictions_of_owl_over_subclasses() -> None:
    found = short(follows(read("rdf", ("taller.ttl", PREFIXES + OWL))))
    assert {o for s, r, o in found if (s, r) == ("bujia", "parteDe")} == {"gasolina", "motor", "maquina"}
    assert {o for s, r, o in found if (s, r) == ("gasolina", "parteDe")} == {"maquina"}
    off = read("rdf", ("taller.ttl", PREFIXES + OWL), inherited=False)
    assert off.relations["parteDe"].traits.chains == ()


def test_statements_between_individuals_promise_nothing_of_classes() -> None:
    text = "e:a e:p e:b . e:a a e:C . e:b a e:D . e:C rdfs:subClassOf e:E . e:D rdfs:subClassOf e:F ."
    folded = read("rdf", ("i.ttl", PREFIXES + text))
    assert folded.relations["p"].traits.chains == ()
    assert {o for s, r, o in short(follows(folded)) if (s, r) == ("a", "type")} == {"C", "E"}
    obo = "[Term]\nid: C:1\nis_a: C:2\n\n[Instance]\nid: I:1\ninstance_of: C:1\nrelationship: p I:2\n"
    instances = read("obo", ("i.obo", obo))
    assert instances.relations["p"].traits.chains == ()
    assert {o for _, r, o in follows(instances) if r == "instance_of"} == {"C:1", "C:2"}


def test_inverses_of_whole_classes_do_not_turn_facts_round() -> None:
    text = (
        "format-version: 1.2\n\n[Typedef]\nid: parte_de\ninverse_of: tiene\n\n[Typedef]\nid: tiene\n\n[Term]\nid: A:1\n"
        "is_a: A:2\nrelationship: parte_de B:1\n\n[Term]\nid: B:2\nis_a: B:1\n{0}"
    )
    one = read("obo", ("i.obo", text.format("")))
    assert one.relations["parte_de"].traits.inverse_of == "tiene"
    both = read("obo", ("i.obo", text.format("relationship: tiene A:1\n")))
    assert both.relations["parte_de"].traits.inverse_of is None
    # Not every B:2 is one of those that an A:1 is part of
    assert ("A:1", "parte_de", "B:2") not in follows(both)
    assert ("B:2", "tiene", "A:2") in follows(both)


@pytest.mark.parametrize(
    ("text", "derived"),
    [
        ("e:p rdfs:subPropertyOf e:q . e:a e:p e:b . e:c e:q e:d .", ("a", "q", "b")),
        ("e:p rdfs:subPropertyOf e:m . e:m rdfs:subPropertyOf e:q . e:a e:p e:b . e:c e:q e:d .", ("a", "q", "b")),
        ("e:p owl:equivalentProperty e:q . e:a e:p e:b . e:c e:q e:d .", ("c", "p", "d")),
        ("e:p owl:propertyChainAxiom ( e:q e:r ) . e:a e:q e:b . e:b e:r e:c . e:x e:p e:y .", ("a", "p", "c")),
        ("e:p a owl:SymmetricProperty . e:a e:p e:b .", ("b", "p", "a")),
        ("e:p owl:inverseOf e:q . e:a e:p e:b .", ("b", "q", "a")),
        ("e:a owl:equivalentClass e:b . e:b rdfs:subClassOf e:c .", ("a", "is_a", "c")),
        ("e:a skos:exactMatch e:b . e:c skos:closeMatch e:d .", ("b", "closeMatch", "a")),
        (
            "e:a skos:broader e:b . e:b skos:broader e:c . e:x skos:broaderTransitive e:y .",
            ("a", "broaderTransitive", "c"),
        ),
        ("e:a skos:topConceptOf e:s . e:b skos:inScheme e:s .", ("a", "inScheme", "s")),
        ("e:a skos:broader e:b . e:b skos:broader e:c .", ("a", "broader", "c")),
        ("e:b skos:narrower e:a . e:c skos:narrower e:b .", ("a", "broader", "c")),
        ("e:a skos:broadMatch e:b . e:x skos:broader e:y .", ("a", "broader", "b")),
    ],
)
def test_what_rdf_promises(text: str, derived: Triple) -> None:
    found = short(follows(read("rdf", ("p.ttl", PREFIXES + text))))
    assert derived in found


def test_broader_only_one_step_up_where_that_is_asked_for() -> None:
    text = PREFIXES + "e:a skos:broader e:b . e:b skos:broader e:c ."
    folded = read("rdf", ("p.ttl", text), transitive_broader=False)
    assert follows(folded) == set(folded.facts)


def test_a_chain_that_no_pair_can_say_is_told() -> None:
    folded = read("rdf", ("p.ttl", PREFIXES + "e:p owl:propertyChainAxiom ( e:a e:b e:c ) . e:x e:p e:y ."))
    assert any("a chain of 3" in finding.text for finding in folded.findings)
    obo = read("obo", ("p.obo", "[Typedef]\nid: p\nholds_over_chain: a b c\n\n[Term]\nid: X:1\nrelationship: p X:2\n"))
    assert any("no chain of two" in finding.text for finding in obo.findings)
