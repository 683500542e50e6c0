"""OBO: what a term says, what is left out, and one bad line that costs one line."""

from __future__ import annotations

import io
import random
import re
import tracemalloc

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import Place
from knowledgesmith.graph_schema.importing.recognising import recognise
from knowledgesmith.graph_schema.importing.registry import load_importer

HEADER = "format-version: 1.2\nontology: toy\ndefault-namespace: toys\n"
TYPEDEFS = """
[Typedef]
id: part_of
name: part of
name: part_of
xref: BFO:0000050
is_transitive: true
inverse_of: has_part

[Typedef]
id: has_part
name: has part

[Typedef]
id: RO:0002202
name: develops from
transitive_over: part_of

[Typedef]
id: found_in
is_metadata_tag: true
is_class_level: true

[Typedef]
id: contributor
is_metadata_tag: true
"""
TERMS = """
[Term]
id: T:1
name: limb
synonym: "extremity" EXACT []
synonym: "arm or leg" NARROW [T:src]

[Term]
id: T:2
name: hand
namespace: parts
is_a: T:1 {is_inferred="true"} ! limb
relationship: part_of T:3 {source="a", other="b"} ! arm, of a person
relationship: BFO:0000050 OTHER:9 ! body ! seen
relationship: RO:0002202 T:5
relationship: found_in TAXON:1 ! people
relationship: contributor WHO:1 ! nobody
xref: X:1

[Term]
id: T:3
name: arm
def: "It {has} braces." [T:src]
intersection_of: T:1
intersection_of: part_of OTHER:9 ! body
comment: a remark ! with a mark

[Term]
id: T:4
name: obsolete paw
is_a: T:1
is_obsolete: true

[Term]
id: T:5
is_a: T:4 ! obsolete paw
is_a: T:1
"""
DOCUMENT = HEADER + TYPEDEFS + TERMS


def obo(text: str | bytes, **options: object) -> Folded:
    return read("obo", ("toy.obo", text), **options)


def test_terms_become_entities_and_lines_become_facts() -> None:
    folded = obo(DOCUMENT)
    assert folded.names == {"T:1": "limb", "T:2": "hand", "T:3": "arm", "T:5": "T:5"}
    assert set(folded.facts) == {
        ("T:2", "is_a", "T:1"),
        ("T:5", "is_a", "T:1"),
        ("T:2", "part_of", "T:3"),
        ("T:2", "part_of", "OTHER:9"),
        ("T:2", "develops_from", "T:5"),
        ("T:2", "found_in", "TAXON:1"),
    }
    assert folded.entities["T:1"].aliases == ("extremity",)
    assert folded.entities["T:1"].domain == "toys"
    assert folded.entities["T:2"].domain == "parts"
    assert folded.entities["T:1"].type == "Class"


def test_targets_outside_the_file_take_their_name_from_the_comment() -> None:
    folded = obo(DOCUMENT)
    assert folded.made == {"OTHER:9": {"body ! seen"}, "TAXON:1": {"people"}}
    nameless = obo(HEADER + "\n[Term]\nid: T:1\nname: x\nis_a: NCBITaxon:9606\n")
    assert nameless.made == {"NCBITaxon:9606": {""}}, "staging then takes the id"


def test_obsolete_terms_are_named_skipped_or_kept() -> None:
    named = obo(DOCUMENT)
    line = DOCUMENT.splitlines().index("id: T:4")
    assert str(named.rejections[0].place) == f"toy.obo:{line}"
    assert [reason.partition(": ")[2] for reason in named.reasons] == [
        "'T:4' is obsolete",
        "'T:5' is_a 'T:4': the object is obsolete",
    ]
    assert obo(DOCUMENT, obsolete="skip").rejections == []
    kept = obo(DOCUMENT, obsolete="keep")
    assert ("T:5", "is_a", "T:4") in kept.facts
    assert kept.names["T:4"] == "obsolete paw"


def test_traits_of_typedefs() -> None:
    relations = obo(DOCUMENT).relations
    assert relations["is_a"].traits.hierarchical
    assert relations["is_a"].traits.transitive
    assert relations["part_of"].traits.transitive
    assert relations["part_of"].traits.inverse_of == "has_part"
    assert relations["develops_from"].traits.composed_of == ("develops_from", "part_of")
    over_is_a = (("is_a", "develops_from"), ("develops_from", "is_a"))
    assert relations["develops_from"].traits.compositions == over_is_a
    assert relations["found_in"].traits.chains == (), "a tag says nothing of every member of the class"
    assert obo(DOCUMENT, inherited=False).relations["part_of"].traits.chains == ()
    assert "contributor" not in relations


def test_traits_that_contradict_each_other_are_named_and_the_catalogue_stays_good() -> None:
    folded = obo(
        HEADER
        + "\n[Typedef]\nid: p\nis_transitive: true\nis_functional: true\nholds_over_chain: q r\nholds_over_chain: a b\n"
        + "inverse_of: q\n\n[Typedef]\nid: r\ninverse_of: q\n\n[Typedef]\nid: s\nholds_over_chain: s s\n"
        + "is_symmetric: true\ninverse_of: s\n\n[Term]\nid: T:1\nname: n\nrelationship: p T:1\nrelationship: q T:1\n"
        + "relationship: r T:1\nrelationship: s T:1\n",
        hierarchical=("is_a", "s"),
    )
    assert folded.relations["p"].traits.chains == (("a", "b"), ("q", "r"))
    assert folded.relations["p"].traits.inverse_of == "q"
    assert folded.relations["r"].traits.inverse_of is None
    assert folded.relations["s"].traits.transitive
    assert not folded.relations["s"].traits.hierarchical
    assert len(folded.rejections) == 3
    assert all(rejection.place.record > 0 for rejection in folded.rejections)


def test_two_relations_of_one_name_stay_two() -> None:
    folded = obo(
        HEADER
        + "\n[Typedef]\nid: A:1\nname: part of\n\n[Typedef]\nid: B:1\nname: part of\n\n[Term]\nid: T:1\nname: n\n"
        + "relationship: A:1 T:1\nrelationship: B:1 T:1\n"
    )
    assert set(folded.relations) == {"part_of (A:1)", "part_of (B:1)"}


def test_options() -> None:
    scopes = obo(DOCUMENT, synonyms=("EXACT", "NARROW")).entities["T:1"]
    assert scopes.aliases == ("arm or leg", "extremity")
    assert obo(DOCUMENT, namespace="type").entities["T:2"].type == "parts"
    logical = obo(DOCUMENT, logical_definitions=True)
    assert {("T:3", "is_a", "T:1"), ("T:3", "part_of", "OTHER:9")} <= set(logical.facts)
    assert ("T:2", "contributor", "WHO:1") in obo(DOCUMENT, metadata_relations=True).facts
    assert {key[1] for key in obo(DOCUMENT, relations=("is_a",)).facts} == {"is_a"}
    with pytest.raises(ValueError, match="extra"):
        obo(DOCUMENT, colour="red")


def test_instances_and_statements_beside_relationships() -> None:
    folded = obo(
        HEADER
        + "\n[Term]\nid: T:1\nname: city\nequivalent_to: T:0\ndisjoint_from: T:9\n\n[Instance]\nid: I:1\nname: Rome\n"
        + "instance_of: T:1 ! city\nrelationship: near I:2 ! Ostia\nproperty_value: found_in TAXON:1\n"
        + "\n[Typedef]\nid: found_in\nis_metadata_tag: true\nis_class_level: true\n"
    )
    assert set(folded.facts) == {
        ("T:0", "equivalent_to", "T:1"),
        ("T:1", "disjoint_from", "T:9"),
        ("I:1", "instance_of", "T:1"),
        ("I:1", "near", "I:2"),
        ("I:1", "found_in", "TAXON:1"),
    }
    assert folded.entities["I:1"].type == "Individual"
    assert folded.made["I:2"] == {"Ostia"}
    assert folded.relations["disjoint_from"].traits.symmetric


def test_a_bad_line_costs_that_line_and_a_bad_frame_that_frame() -> None:
    bad = (
        HEADER
        + "\n[Term]\nid: T:1\nname: one\nsynonym: no quotes\nbogus: x\nis_a: T:2\n"
        + "\n[Term]\nname: no id\n\n[Nonsense]\nid: T:7\n\n[Term]\nid: not an id\nname: x\n"
        + "\n[Term]\nid: T:2\nname: two\n"
    )
    folded = obo(bad)
    assert folded.names == {"T:1": "one", "T:2": "two"}
    assert set(folded.facts) == {("T:1", "is_a", "T:2")}
    lines = list[str](bad.splitlines())
    wrong: list[str] = ["synonym: no quotes", "bogus: x", "[Nonsense]"]
    assert {lines.index(text) + 1 for text in wrong} <= {rejection.place.record for rejection in folded.rejections}
    assert len(folded.rejections) == 5


def test_hostile_bytes_are_named_and_the_rest_is_read() -> None:
    injected = "x`}) DETACH DELETE n //"
    text = (
        f"{HEADER}\n[Term]\nid: T:1\nname: {injected}\nrelationship: a`]->()//b T:2\n\n[Term]\nid: T:2\nname: ".encode()
        + b"\xff\xfe\nis_a: T:1\n\n[Term]\nid: T:3\nname: "
        + b"x" * 10_000_000
        + b"\nis_a: T:1\n\n[Term]\nid: T:4\nname: "
        + b"y" * 600
        + b"\n\n[Term]\nid: T:5\nname: last\n"
    )
    folded = obo(text)
    assert folded.names["T:1"] == injected
    assert ("T:1", "a`]->()//b", "T:2") in folded.facts
    assert folded.names["T:5"] == "last"
    assert folded.names["T:3"] == "T:3"
    assert [reason.partition(": ")[2] for reason in folded.reasons] == [
        "the line is not UTF-8 (byte 7)",
        "the line is longer than 1048576 bytes",
        "the name of 'T:4' has 600 characters, at most 500 are allowed; its id is used instead",
    ]
    assert [rejection.place.record for rejection in folded.rejections][:2] == [12, 17]


def test_a_file_without_frames_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"toy\.obo"):
        obo("uid,name\na,b\n")


def test_the_order_of_terms_and_files_does_not_matter() -> None:
    frames = (TYPEDEFS + TERMS).split("\n\n")
    wanted = obo(DOCUMENT)
    for seed in range(4):
        random.Random(seed).shuffle(frames)  # noqa: S311
        half = len(frames) // 2
        files = [
            (f"{name}.obo", HEADER + "\n\n" + "\n\n".join(part))
            for name, part in (("a", frames[:half]), ("b", frames[half:]))
        ]
        got = read("obo", *files)
        assert got.digest == wanted.digest
        assert (got.names, got.relations, got.made) == (wanted.names, wanted.relations, wanted.made)


def test_other_line_ends_a_byte_order_mark_and_comments() -> None:
    text = "\ufeff! made by hand\n" + DOCUMENT.replace("[Term]", "! a line of remark\n[Term] ! here")
    folded = obo(text.replace("\n", "\r\n"))
    assert folded.digest == obo(DOCUMENT).digest
    assert not any(re.search("parse", reason) for reason in folded.reasons)


def test_memory_is_bounded_by_a_frame() -> None:
    class Endless(io.RawIOBase):
        """Terms that are made as they are read."""

        def __init__(self, count: int) -> None:
            self.count, self.at = count, 0

        def seek(self, _offset: int, _whence: int = 0, /) -> int:
            self.at = 0
            return 0

        def readline(self, _size: int | None = -1, /) -> bytes:
            number, line = divmod(self.at, 4)
            self.at += 1
            lines = (b"[Term]\n", b"id: T:%d\n" % number, b"name: n\n", b"is_a: T:%d\n" % (number // 2))
            return lines[line] if number < self.count else b""

    def peak(count: int) -> int:
        importer = load_importer("obo")
        tracemalloc.start()
        files = [InputFile(name="x", content=Endless(count))]  # type: ignore[arg-type]  # only read line by line
        records = sum(1 for _ in importer.read(files, importer.options()))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert records == 2 * count + 1
        return found

    assert peak(1_000) < 1.5 * peak(100) + 100_000


def test_it_is_found_by_its_ending() -> None:
    files = [InputFile(name=name, content=io.BytesIO((HEADER + TYPEDEFS).encode())) for name in ("A.OBO", "b.obo")]
    assert recognise(files).importer.name == "obo"
    assert Place(file="a.obo", record=3) < Place(file="a.obo", record=4)
