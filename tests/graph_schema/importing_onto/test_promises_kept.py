"""Ontologies of our own, in other languages, in the database: all that follows is there, and no distractor is true."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from tests.graph_schema.importing_onto.folding import read
from tests.graph_schema.importing_onto.test_entailments import OBO, PREFIXES, follows

from knowledgesmith.graph_schema.graphs.reading import load_catalogue
from knowledgesmith.graph_schema.importing import import_graph
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.reasoning.closure import close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.probes import Probe

WORKSHOP = OBO + "\n".join(
    f"\n[Term]\nid: N:{n}\nname: pieza {word}\nrelationship: parte_de M:{1 + n % 5}"
    for n, word in enumerate(("aleta", "biela", "culata", "disco", "eje", "faro", "guía", "hélice"))
)
NAMES = "bilgi doğa toplum hayvan bitki hukuk dil kedi köpek ağaç çiçek yasa dava ses yazı tekir van"
TOPICS = "".join(
    (
        PREFIXES,
        'e:k0 a skos:Concept ; skos:prefLabel "bilim"@tr ; skos:editorialNote [ rdf:value "baştan yazıldı"@tr ] .',
        'e:k3 skos:scopeNote [ a e:Not ; rdfs:label "kapsam"@tr ] .',
        *(
            f'e:k{n} a skos:Concept ; skos:prefLabel "{name}"@tr ; skos:broader e:k{(n - 1) // 2} .'
            for n, name in enumerate(NAMES.split(), start=1)
        ),
    )
)


@pytest.fixture(params=["obo", "rdf"])
def ontology(request: pytest.FixtureRequest) -> tuple[str, str, str, dict[str, str]]:
    """Format, file name, text and options."""
    return (
        ("obo", "taller.obo", WORKSHOP, {}) if request.param == "obo" else ("rdf", "k.ttl", TOPICS, {"language": "tr"})
    )


def wrong_options(probe: Probe) -> Iterator[tuple[str, str, str]]:
    """The facts that the wrong options of a question about one relation would state."""
    [step] = probe.path
    for number, uid in enumerate(probe.option_uids):
        if number not in probe.answers:
            ends = (uid, probe.anchor) if step.startswith("~") else (probe.anchor, uid)
            yield ends[0], step.lstrip("~"), ends[1]


def test_what_follows_is_derived_and_no_distractor_is_true(
    store: GraphStore, graph_id: str, ontology: tuple[str, str, str, dict[str, str]]
) -> None:
    kind, name, text, options = ontology
    files = [InputFile(name=name, content=io.BytesIO(text.encode()))]
    report = import_graph(store, graph_id=graph_id, files=files, format=kind, options=options)
    folded = read(kind, (name, text), **options)
    assert (report.facts_created, report.entities_created) == (len(folded.facts), len(folded.uids))
    rules = rules_of(load_catalogue(store, graph_id).values())
    derived = store.try_out(lambda tx: close(tx, graph_id=graph_id, rules=rules), timeout_s=60)
    found = follows(folded)
    assert {fact.triple for fact in derived.values()} == found - set(folded.facts)
    assert len(derived) > len(folded.facts) / 2
    probes = [probe for probe in generate(store, graph_id=graph_id, seed=5).probes if len(probe.path) == 1]
    claims = [claim for probe in probes for claim in wrong_options(probe)]
    assert len(claims) > 20
    assert [claim for claim in claims if claim in found] == []
