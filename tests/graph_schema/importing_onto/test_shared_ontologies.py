"""Real ontologies: two notations of one give the same graph, and every known oddity is met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.importing.reading.records import FactRecord

File = Callable[[str], tuple[str, bytes]]
pytestmark = pytest.mark.shared


def kinds(folded: Folded) -> dict[str, int]:
    return dict(Counter(relation for _, relation, _ in folded.facts))


def parents(folded: Folded, relation: str) -> Counter[str]:
    return Counter(subject for subject, name, _ in folded.facts if name == relation)


def test_cell_ontology_is_one_graph_in_two_notations(shared_file: File) -> None:
    obo = read("obo", shared_file("biology/cl-basic.obo"))
    graphs = read("obograph", shared_file("biology/cl-basic.json.gz"))
    for folded in (obo, graphs):
        assert kinds(folded) == {"is_a": 3705, "develops_from": 375, "present_in_taxon": 404, "never_in_taxon": 13}
        assert len(folded.entities) == 2644
    assert obo.digest == graphs.digest
    assert obo.entities.keys() == graphs.entities.keys()
    assert obo.uids == graphs.uids
    assert obo.names == graphs.names
    assert {uid: record.aliases for uid, record in obo.entities.items()} == {
        uid: record.aliases for uid, record in graphs.entities.items()
    }
    # The notations differ in what is left out: the old ids of merged terms (alt_id) are deprecated nodes of their own
    # in OBO Graphs, and only OBO says that develops_from is transitive.
    assert len(obo.rejections) == 160
    assert len(graphs.rejections) == 236 == 160 + 76
    assert obo.relations["develops_from"].traits.transitive
    assert not graphs.relations["develops_from"].traits.transitive


def test_cell_ontology_differs_only_in_remarks(shared_file: File) -> None:
    """What is a text in OBO (``xsd:string``) but looks like an address is an address in OBO Graphs, which has no types.

    One remark stands under another predicate (``oboInOwl:seeAlso``) in OBO Graphs, which is no property there.
    """
    options = {"metadata_relations": True}
    obo = read("obo", shared_file("biology/cl-basic.obo"), **options)
    graphs = read("obograph", shared_file("biology/cl-basic.json.gz"), **options)
    only_obo, only_graphs = set(obo.facts) - set(graphs.facts), set(graphs.facts) - set(obo.facts)
    assert Counter(key[1] for key in only_obo) == {"seeAlso": 1}
    assert Counter(key[1] for key in only_graphs) == {"dc-contributor": 195, "seeAlso": 19, "depicted_by": 1}
    common = {"relations": ("is_a", "develops_from")}
    assert (
        read("obo", shared_file("biology/cl-basic.obo"), **common).digest
        == read("obograph", shared_file("biology/cl-basic.json.gz"), **common).digest
    )


def test_cell_ontology_oddities(shared_file: File) -> None:
    obo = read("obo", shared_file("biology/cl-basic.obo"), relations=("is_a", "present_in_taxon"))
    children, above = parents(obo, "is_a"), {obj for _, name, obj in obo.facts if name == "is_a"}
    assert sum(count > 1 for count in children.values()) == 922
    roots = {uid for uid in obo.entities if uid not in children and uid in above | obo.entities.keys()}
    assert len(roots) == 10
    assert all(uid.startswith("NCBITaxon:") for uid in obo.made)
    graphs = read("obograph", shared_file("biology/cl-basic.json.gz"), obsolete="keep")
    assert sum(name == uid for uid, name in graphs.names.items()) == 73, "nodes without a label are called by their id"
    assert len(graphs.entities) == 2880, "34 of the 2,914 nodes are properties"


def test_physh_is_one_graph_in_two_notations(shared_file: File) -> None:
    linked = read("rdf", shared_file("physics/physh.json.gz"))
    lines = read("rdf", shared_file("physics/physh.nt.gz"))
    assert linked.digest == lines.digest
    assert linked.names == lines.names
    assert linked.relations == lines.relations
    assert linked.uids == lines.uids
    assert sorted(r.reason for r in linked.rejections) == sorted(r.reason for r in lines.rejections)
    whole = read("rdf", shared_file("physics/physh.json.gz"), deprecated="keep", literals="none")
    assert kinds(whole)["broader"] == 3629
    assert len(whole.entities) == 3866
    assert sum(count > 1 for count in parents(whole, "broader").values()) == 230
    things = [record for record in lines.entities.values() if record.type != "Literal"]
    assert len(whole.entities) - len(things) == 9, "deprecated"
    disciplines = [record for record in whole.entities.values() if record.type == "Discipline"]
    assert len(disciplines) == 19
    assert all(record.name and record.uid not in record.name for record in disciplines), "named by PhySH's own label"


def fibo(folder: Path) -> list[tuple[str, bytes]]:
    root = folder / "economics" / "fibo"
    return [(str(path.relative_to(root)), path.read_bytes()) for path in sorted(root.rglob("*.rdf"))]


def facts_of(folded: Folded, relation: str) -> Mapping[tuple[str, str, str], FactRecord]:
    return {key: fact for key, fact in folded.facts.items() if key[1] == relation}


def test_fibo_is_one_graph_of_29_files(shared_folder: Path) -> None:
    files = fibo(shared_folder)
    folded = read("rdf", *files, deprecated="keep")
    assert len(files) == 29
    classes = [record for record in folded.entities.values() if record.type == "Class"]
    assert len(classes) == 790
    named = set(facts_of(folded, "is_a"))
    assert len(named) >= 907, "and those that definitions by intersection and union state"
    outside = {obj for _, _, obj in named} - folded.entities.keys()
    assert len(outside) == 142
    assert all(min(folded.made[uid]) and "/" not in min(folded.made[uid]) for uid in outside)
    used_by = facts_of(folded, "isUsedBy")
    countries = {key[2]: fact.object_name for key, fact in used_by.items() if "ISO3166" in key[2]}
    assert countries["https://www.omg.org/spec/LCC/Countries/ISO3166-1-CountryCodes/Sweden"] == "Sweden"
    assert not any("Ontology" in record.type for record in folded.entities.values())
    assert all(reason.partition(":")[0].endswith(".rdf") for reason in folded.reasons)
    backwards = read("rdf", *files[::-1], deprecated="keep")
    assert (backwards.digest, backwards.names) == (folded.digest, folded.names)
