"""Things of RDF without an address: what their files call them is asked, what was invented for them is not."""

from __future__ import annotations

import io

import pytest
from tests.graph_schema.importing_onto.folding import read

from knowledgesmith.graph_schema.graphs.lexicon import load_lexicon
from knowledgesmith.graph_schema.importing import InputFile, import_graph
from knowledgesmith.graph_schema.language.unnamed import invented_name, is_unnamed
from knowledgesmith.graph_schema.probes.generation.generate import generate_in_memory
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.storage.store import GraphStore

PEOPLE = ("Ada", "Bela", "Cleo", "Dora", "Edo", "Finn")
TOWNS = ("Ulm", "Bern", "Graz", "Lyon", "Turin", "Gent")


def _text() -> str:
    prefixes = "@prefix e: <http://e.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    lines = [
        f"e:{who} e:lives_at [ a e:House ; e:in_town e:{town} ] ; e:admires e:{PEOPLE[n - 1]} ; "
        f'e:owns [ a e:Boat ; rdfs:label "the Gull of {who}" ; e:lies_in e:{town} ] .'
        for n, (who, town) in enumerate(zip(PEOPLE, TOWNS, strict=True))
    ]
    return prefixes + "\n".join(lines)


@pytest.mark.parametrize("kind", ["", "House", "owl thing"])
def test_an_invented_name_is_known_and_no_other(kind: str) -> None:
    uid = "_:0123456789abcdef"
    assert is_unnamed(uid, invented_name(uid, kind))
    assert not is_unnamed("http://e.org/0123456789", invented_name(uid, kind))
    assert not is_unnamed(uid, "the Gull")
    assert not is_unnamed(uid, "unnamed road")


def test_the_report_says_it() -> None:
    folded = read("rdf", ("own.ttl", _text()))
    assert sum(is_unnamed(uid, name) for uid, name in folded.names.items()) == len(PEOPLE)
    said = [finding for finding in folded.findings if "no question will name it" in finding.text]
    assert [finding.count for finding in said] == [len(PEOPLE)]


def test_no_question_names_what_has_no_name(store: GraphStore, graph_id: str) -> None:
    import_graph(store, graph_id=graph_id, files=[InputFile(name="own.ttl", content=io.BytesIO(_text().encode()))])
    lexicon = load_lexicon(store, graph_id=graph_id)
    unnamed = {entity.uid for entity in lexicon.entities if is_unnamed(entity.uid, entity.name)}
    assert len(unnamed) == len(PEOPLE)
    data = generate_in_memory(store, BulkRequest(graph_id=graph_id))
    assert any("Gull" in probe.text for probe in data.probes)
    for probe in data.probes:
        assert probe.anchor not in unnamed
        assert unnamed.isdisjoint(probe.option_uids)
        assert "unnamed" not in probe.text + " ".join(probe.options)
