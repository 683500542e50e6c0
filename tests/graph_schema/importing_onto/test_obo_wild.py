"""OBO as it is about: no line costs a term its name, an alias or its place without a word."""

from __future__ import annotations

import io
import random

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.importing.formats.ontology.obo_clauses import read_synonym, read_text, read_words
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind
from knowledgesmith.graph_schema.importing.registry import load_importer

HEADER = "format-version: 1.2\nontology: haus\ndefault-namespace: dinge im haus\n"


def term(*lines: str, before: str = HEADER, **options: object) -> Folded:
    return read("obo", ("haus.obo", f"{before}\n[Term]\nid: H:1\n" + "\n".join(lines) + "\n"), **options)


def findings(text: str | bytes, **options: object) -> list[Finding]:
    importer = load_importer("obo")
    content = text if isinstance(text, bytes) else text.encode()
    files = [InputFile(name="haus.obo", content=io.BytesIO(content))]
    return [record for record in importer.read(files, importer.options(**options)) if isinstance(record, Finding)]


def kinds(found: list[Finding]) -> dict[FindingKind, int]:
    return {kind: sum(f.count for f in found if f.kind is kind) for kind in {f.kind for f in found}}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("N(4)-{beta-(1->2)}-Griff", "N(4)-{beta-(1->2)}-Griff"),
        ("{Küche}", "{Küche}"),
        ("Schlüssel {Bund}", "Schlüssel {Bund}"),
        ('Tür {source="H:9", wann=2020-01-01} ! die Tür', "Tür"),
        ('Tür {source="a ! b }"}', "Tür"),
        ("(?<=[AB])(?!P) Zange", "(?<=[AB])(?!P) Zange"),
        ("Hallo! und tschüss", "Hallo! und tschüss"),
        ("ah\\! so ! Rest", "ah! so"),
        ("\\{a\\}\\, b\\: c\\Wd\\ne", "{a}, b: c d e"),
        ("C:\\dir \\alpha", "C:\\dir \\alpha"),
        ('ein "Ding', 'ein "Ding'),
        ("名前 {名}", "名前 {名}"),
        ("مطرقة", "مطرقة"),
    ],
)
def test_names(written: str, name: str) -> None:
    folded = term(f"name: {written}")
    assert folded.names == {"H:1": name}
    assert folded.rejections == []


def test_a_name_that_a_comment_cuts_is_reported_with_what_was_cut() -> None:
    found = findings(f"{HEADER}\n[Term]\nid: H:1\nname: eins ! zwei\n")
    assert [(f.kind, f.place.record) for f in found] == [(FindingKind.NAME_CHANGED, 7)]
    assert "'eins'" in found[0].text
    assert "zwei" in found[0].text
    assert findings(f"{HEADER}\n[Term]\nid: H:1\nname: eins!zwei! drei\n") == []


@pytest.mark.parametrize(
    ("written", "alias", "told"),
    [
        ('"Hammer" EXACT []', "Hammer", False),
        ('"mället (genau)" EXACT [H:me {date=2011-09-14, lang=de}]', "mället (genau)", False),
        ('"Hammer" EXACT haus_wort [H:1, H:2 "sagt, wer" ] {q="1"} ! so', "Hammer", False),
        ('"Hammer" exact', "Hammer", False),
        ('"Hammer" EXACT', "Hammer", False),
        ('"5" Rohr" EXACT []', '5" Rohr', False),
        ('"5\\" Rohr" EXACT []', '5" Rohr', False),
        ('"a ] b" EXACT [x "y ] z"]', "a ] b", False),
        ('"槌" EXACT [参照:1]', "槌", False),
        ('"Hammer" EXACT [H:1', "Hammer", True),
        ('"Hammer EXACT []', "Hammer", True),
        ('"Hammer" EXACT [] und mehr', "Hammer", True),
    ],
)
def test_exact_synonyms(written: str, alias: str, told: bool) -> None:
    text = f"{HEADER}\n[Term]\nid: H:1\nname: n\nsynonym: {written}\n"
    assert read("obo", ("haus.obo", text)).entities["H:1"].aliases == (alias,)
    assert (FindingKind.NAME_CHANGED in kinds(findings(text))) is told


def test_synonyms_that_become_no_alias_are_counted() -> None:
    lines = 'synonym: "eng" NARROW []\nsynonym: "nah" []\nsynonym: "nah zwei"\nbroad_synonym: "weit" []\n'
    text = f'{HEADER}\n[Term]\nid: H:1\nname: n\n{lines}exact_synonym: "gleich" [H:1]\nsynonym: ohne\n'
    folded = read("obo", ("haus.obo", text))
    assert folded.entities["H:1"].aliases == ("gleich",)
    assert kinds(findings(text)) == {FindingKind.IGNORED: 4, FindingKind.DEFAULTED: 2}
    assert len(folded.rejections) == 1
    everything = read("obo", ("haus.obo", text), synonyms=("EXACT", "NARROW", "BROAD", "RELATED")).entities["H:1"]
    assert everything.aliases == ("eng", "gleich", "nah", "nah zwei", "weit")


@pytest.mark.parametrize(
    ("line", "fact", "made"),
    [
        ('is_a: H:2 {source="H:9", when="2020"} ! Werkzeug', ("H:1", "is_a", "H:2"), "Werkzeug"),
        ('is_a: H:2{source="H:9"} ! Werkzeug', ("H:1", "is_a", "H:2"), "Werkzeug"),
        ("is_a: H:2 {kaputt ! Werkzeug", ("H:1", "is_a", "H:2"), "Werkzeug"),
        ("is_a: H:2 !Werkzeug", ("H:1", "is_a", "H:2"), "Werkzeug"),
        ("is_a: H:2! Werkzeug", ("H:1", "is_a", "H:2"), "Werkzeug"),
        ("is_a:H:2", ("H:1", "is_a", "H:2"), ""),
        ("  is_a :   H:2", ("H:1", "is_a", "H:2"), ""),
        ("is_a: 道具:二 ! 道具", ("H:1", "is_a", "道具:二"), "道具"),
        ("is_a: http://purl.obolibrary.org/obo/CL_0000001 ! a", ("H:1", "is_a", "CL:0000001"), "a"),
        ('relationship: aus H:2 {all_only="true"} ! Stahl ! kalt', ("H:1", "aus", "H:2"), "Stahl ! kalt"),
        ("relationship: aus \\\n  H:2 ! Stahl", ("H:1", "aus", "H:2"), "Stahl"),
    ],
)
def test_places(line: str, fact: tuple[str, str, str], made: str) -> None:
    folded = term("name: n", line)
    assert set(folded.facts) == {fact}
    assert folded.made == {fact[2]: {made}}
    assert folded.rejections == []


def test_a_relationship_that_the_line_denies_or_does_not_finish_is_rejected() -> None:
    folded = term("name: n", 'relationship: hat H:2 {cardinality="0"}', "relationship: hat", "is_a:", "is_a: ! nichts")
    assert folded.facts == {}
    assert len(folded.rejections) == 4


def test_namespaces_with_blanks_and_empty_ones() -> None:
    folded = term("name: n", "namespace: dinge der küche ! so")
    assert folded.entities["H:1"].domain == "dinge der küche"
    assert term("name: n", "namespace:").entities["H:1"].domain == "dinge im haus"
    assert term("name: n", "namespace: werk zeug", namespace="type").entities["H:1"].type == "werk zeug"


def test_an_alternative_id_is_the_term_itself() -> None:
    text = (
        f"{HEADER}\n[Term]\nid: H:1\nname: Hammer\nalt_id: H:7\nalt_id: H:8\nalt_id: H:3\n"
        "\n[Term]\nid: H:2\nname: Stiel\nrelationship: an H:7 ! alter Name\nis_a: H:3\n"
        "\n[Term]\nid: H:3\nname: lebt selbst\n"
        "\n[Term]\nid: H:8\nname: alt\nis_obsolete: true ! weg\nreplaced_by: H:1\n"
        "\n[Term]\nid: H:4\nname: Griff\nis_a: H:8\nis_a: H:9\n"
        "\n[Term]\nid: H:9\nname: fort\nis_obsolete: true\nreplaced_by: H:2\n"
    )
    folded = read("obo", ("haus.obo", text))
    assert set(folded.facts) == {("H:2", "an", "H:1"), ("H:2", "is_a", "H:3"), ("H:4", "is_a", "H:1")}
    assert kinds(findings(text))[FindingKind.MERGED] == 2
    reasons = " ".join(folded.reasons)
    assert "'H:9' is obsolete, replaced by 'H:2'" in reasons
    assert "the object is obsolete, replaced by 'H:2'" in reasons


def test_several_names_and_doubled_lines() -> None:
    text = f"{HEADER}\n[Term]\nid: H:1\nid: H:1\nname: b\nname: a\nname: b\nis_a: H:2\nis_a: H:2\n"
    folded = read("obo", ("haus.obo", text))
    assert folded.names == {"H:1": "a"}
    assert folded.entities["H:1"].aliases == ("b",)
    assert kinds(findings(text)) == {FindingKind.SEVERAL_NAMES: 1}


def test_heads_that_are_misspelt_or_missing() -> None:
    text = (
        f'{HEADER}\n[term]\nid: H:1\nname: a\n\n  [Term] {{x="1"}} ! so\nid: H:2\nname: b\n\n'
        "id: H:3\nname: c\nis_a: H:1\n\n[Term\nid: H:4\nname: d\n\n[Annotation]\nsubject: H:1\n"
    )
    folded = read("obo", ("haus.obo", text))
    assert folded.names == {"H:1": "a", "H:2": "b", "H:3": "c", "H:4": "d"}
    assert set(folded.facts) == {("H:3", "is_a", "H:1")}
    assert kinds(findings(text)) == {FindingKind.NOTE: 2}
    assert ["Annotation" in reason for reason in folded.reasons] == [True]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_marks_and_places(end: str) -> None:
    text = f"\ufeff{HEADER}\n[Term]\nid: H:1\nname: Tür\nfarbe: rot\n\n[Term]\nid: H:2\nis_a: H:1\n".replace("\n", end)
    folded = read("obo", ("haus.obo", text))
    assert folded.names == {"H:1": "Tür", "H:2": "H:2"}
    assert set(folded.facts) == {("H:2", "is_a", "H:1")}
    assert [rejection.place.record for rejection in folded.rejections] == [8]


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_an_endless_line_costs_that_line(end: str) -> None:
    long = "x" * 3_000_000
    text = f"{HEADER}\n[Term]\nid: H:1\ncomment: {long}\nname: a\n\n[Term]\nid: H:2\nname: b\n".replace("\n", end)
    folded = read("obo", ("haus.obo", text))
    assert folded.names == {"H:1": "a", "H:2": "b"}
    assert [rejection.place.record for rejection in folded.rejections] == [7]


def test_imports_and_remarks_are_counted() -> None:
    text = (
        "format-version: 1.2\nimport: http://127.0.0.1:9/never.owl\n\n[Term]\nid: H:1\nname: a\n"
        'def: "Ein {Ding, \\"das\\" man [hat." [H:me "sagt" {source="x"}, S. 3]\ncomment: so\nxref: X:1\nxref: X:2\n'
        'intersection_of: H:2\nintersection_of: aus H:3\nproperty_value: note "x" xsd:string\n'
    )
    assert kinds(findings(text)) == {FindingKind.IGNORED: 3, FindingKind.DOCUMENTATION: 5}
    assert read("obo", ("haus.obo", text)).rejections == []


def test_no_line_stops_the_reader_and_every_one_is_read_in_linear_time() -> None:
    signs = '{}[]"!\\ ,=:\tä字x'
    shuffle = random.Random(7)  # noqa: S311
    for _ in range(1_000):
        value = "".join(shuffle.choices(signs, k=shuffle.randrange(1, 30)))
        read_text(value)
        read_words(value, 2)
        read_synonym(value)
        read_synonym(f'"{value}" EXACT []')
    for sign in ("{", '"', "!", " ", "\\", "[", "]", "{a=", '{a="', " {", " [", " !", ",", "{a=b,", '" '):
        value = sign * 20_000
        for text in (value, f'"x" EXACT {value}', f"{value}}}"):
            read_text(text)
            read_words(text, 2)
            read_synonym(text)
