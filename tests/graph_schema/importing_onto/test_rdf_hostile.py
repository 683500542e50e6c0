"""RDF that is broken or means harm: named with its place, never fetched, and what is readable is read."""

from __future__ import annotations

import io
import socket
import tracemalloc
from urllib.parse import quote

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.registry import load_importer

INJECTED = "x`]->(n) DETACH DELETE n //"
XML = (
    '<?xml version="1.0"?>{doctype}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:e="http://e.org/">\n'
    '<rdf:Description rdf:about="http://e.org/a"><rdfs:label>{text}</rdfs:label>\n'
    '<e:b rdf:resource="http://e.org/c"/></rdf:Description></rdf:RDF>'
)

PLAIN_XML = XML.replace("{doctype}", "").replace("{text}", "t")


def xml(doctype: str = "", text: str = "x") -> Folded:
    return read("rdf", ("g.rdf", XML.replace("{doctype}", doctype).replace("{text}", text)))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach the network from Python fails the test; the listener below watches native code."""

    def refuse(*_: object) -> None:
        raise AssertionError("an importer opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def trap() -> socket.socket:
    """A listener that must see no connection."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.settimeout(0.05)
    return listener


def address(trap: socket.socket) -> str:
    return f"http://127.0.0.1:{trap.getsockname()[1]}/"


def assert_untouched(trap: socket.socket) -> None:
    with trap, pytest.raises(TimeoutError):
        trap.accept()


def test_remote_contexts_and_imports_are_not_fetched(trap: socket.socket) -> None:
    here = address(trap)
    good = '{"@id": "http://e.org/a", "http://e.org/b": {"@id": "http://e.org/c"}}'
    remote = f'[{good}, {{"@context": "{here}c", "@id": "x"}}]'
    folded = read("rdf", ("g.jsonld", remote))
    assert len(folded.facts) == 1
    assert folded.reasons == ["g.jsonld:1: line 1: a remote @context is not fetched; put the context into the file"]
    owl = "http://www.w3.org/2002/07/owl#"
    imports = f"<http://e.org/o> a <{owl}Ontology> ; <{owl}imports> <{here}> ."
    assert read("rdf", ("g.ttl", imports)).facts == {}
    assert_untouched(trap)


def test_xml_entities_outside_the_file_are_refused(trap: socket.socket) -> None:
    for target in ("file:///etc/hostname", address(trap)):
        folded = xml(f'<!DOCTYPE r [<!ENTITY x SYSTEM "{target}">]>', "&x;")
        assert folded.uids == set()
        assert folded.reasons == [
            "g.rdf:1: line 1: the entity 'x' stands outside the file and is not fetched; write its text into the file"
        ]
    assert xml(f'<!DOCTYPE r SYSTEM "{address(trap)}x.dtd">', "&x;").uids == set()
    assert_untouched(trap)


def test_entities_that_explode_are_refused_and_short_ones_are_not() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    nested = xml(f'<!DOCTYPE r [<!ENTITY l0 "lol">{laughs}]>', "&l11;")
    assert nested.uids == set()
    assert nested.reasons == ["g.rdf:1: line 1: the entity 'l1' holds another entity; write its text out"]
    flat = xml(f'<!DOCTYPE r [<!ENTITY a "{"x" * 900}">]>', "&a;" * 100_000)
    assert flat.reasons == ["g.rdf:2: line 2: its entities make the text grow without measure; write the texts out"]
    good = xml('<!DOCTYPE r [<!ENTITY e "Ann">]>', "&e; and &lt;co&gt;")
    assert good.names == {"http://e.org/a": "Ann and <co>"}


def test_deep_nesting_is_refused() -> None:
    deep = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:e='http://e.org/'>"
        + "<e:C><e:p>" * 50_000
    )
    assert "inside each other" in read("rdf", ("g.rdf", deep)).reasons[0]
    lists = '{"@id": "http://e.org/a", "http://e.org/p": ' + "[" * 200_000
    assert len(read("rdf", ("g.jsonld", lists)).rejections) == 1
    blank = "<http://e.org/a> <http://e.org/p> " + "[ <http://e.org/p> " * 3_000 + "1" + "]" * 3_000 + " ."
    assert read("rdf", ("g.ttl", blank)).facts


def test_expressions_nested_without_end() -> None:
    owl = "http://www.w3.org/2002/07/owl#"
    part = f"[ <{owl}intersectionOf> ( <http://e.org/B> "
    text = f"<http://e.org/A> <http://www.w3.org/2000/01/rdf-schema#subClassOf> {part * 2_000} {') ]' * 2_000} ."
    assert set(read("rdf", ("g.ttl", text)).facts) == {("http://e.org/A", "is_a", "http://e.org/B")}
    loop = f"<http://e.org/A> <http://www.w3.org/2000/01/rdf-schema#subClassOf> _:l . _:l <{owl}intersectionOf> _:x ."
    rest = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest>"
    first = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>"
    folded = read("rdf", ("g.ttl", f"{loop} _:x {first} _:l ; {rest} _:x ."))
    assert folded.facts == {}


def test_injected_text_is_only_data() -> None:
    quoted = quote(INJECTED, safe="")
    text = f'<http://e.org/a> <http://e.org/{quoted}> <http://e.org/b> ; <http://e.org/name> "{INJECTED}" .'
    folded = read("rdf", ("g.ttl", text))
    assert folded.names["http://e.org/a"] == INJECTED
    assert [key[1] for key in folded.facts] == [INJECTED.replace(" ", "_")]


def test_a_literal_of_10_mb_is_named() -> None:
    end = "<http://e.org/a> <http://e.org/p>"
    text = f'{end} "{"x" * 10_000_000}" .\n{end} <http://e.org/b> .\n'
    for name in ("g.nt", "g.ttl"):
        folded = read("rdf", (name, text))
        assert len(folded.facts) == 1
        assert folded.reasons == [
            f"{name}:1: the 'http://e.org/p' of 'http://e.org/a' has 10000000 characters, at most 10000 are allowed"
        ]
    long = f'<http://e.org/a> <http://e.org/name> "{"x" * 600}", "short" .'
    assert read("rdf", ("g.ttl", long)).names == {"http://e.org/a": "short"}
    kind = "<http://e.org/p> a <http://www.w3.org/2002/07/owl#DatatypeProperty> ."
    value = f'{kind} {end} "{"x" * 600}" .'
    assert "has 600 characters" in read("rdf", ("g.ttl", value)).reasons[0]


def test_bytes_that_are_not_utf_8_cost_a_line() -> None:
    lines = [b'<http://e.org/%d> <http://e.org/name> "n%d" .' % (n, n) for n in range(5)]
    lines[2] = b'<http://e.org/2> <http://e.org/name> "\xff\xfe" .'
    for name in ("g.nt", "g.ttl"):
        folded = read("rdf", (name, b"\n".join(lines)))
        assert len(folded.entities) == 4
        assert folded.reasons[0] == f"{name}:3: the line is not UTF-8 (byte 39)"
    broken = XML.replace("{doctype}", "").replace("{text}", "\xff").encode("latin-1")
    assert read("rdf", ("g.rdf", broken)).rejections[0].place.record == 2


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        (
            "g.nt",
            "<e:1> <e:p> <e:2> .\noops\n<e:3> <e:p> <e:4> .",
            2,
        ),
        ("g.ttl", "@prefix e: <http://e.org/> .\ne:1 e:p ] .\ne:3 e:p e:4 .\n", 1),
        ("g.jsonld", '[{"@id": "http://e.org/1", "http://e.org/p": {"@id": "http://e.org/2"}},\n{"@id" 5}]', 1),
        (
            "g.rdf",
            PLAIN_XML.replace("</rdf:RDF>", "<rdf:Description></e:X>"),
            1,
        ),
        (
            "g.rdf",
            XML.replace("{doctype}", "")
            .replace("{text}", "t")
            .replace("</rdf:RDF>", "<e:D rdf:about='a b:c'/></rdf:RDF>"),
            1,
        ),
    ],
    ids=["nt", "ttl", "jsonld", "rdfxml", "an IRI"],
)
def test_what_is_readable_around_a_syntax_error_stays(name: str, text: str, kept: int) -> None:
    folded = read("rdf", (name, text), ("other.ttl", "<http://e.org/x> <http://e.org/p> <http://e.org/y> ."))
    assert len(folded.facts) == kept + 1
    assert len(folded.rejections) == 1
    assert folded.rejections[0].place.file == name
    assert folded.rejections[0].place.record >= 2


def test_errors_without_end_are_counted() -> None:
    folded = read("rdf", ("g.nt", "oops\n" * 3_000 + "<http://e.org/x> <http://e.org/p> <http://e.org/y> .\n"))
    assert len(folded.rejections) <= 1_001


def test_statements_about_statements_are_named() -> None:
    text = "<http://e.org/a> <http://e.org/p> <<( <http://e.org/a> <http://e.org/p> <http://e.org/b> )>> ."
    assert "statement about a statement" in read("rdf", ("g.nt", text)).reasons[0]


def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(io.RawIOBase):
        """Triples that are made as they are read."""

        def __init__(self, count: int) -> None:
            self.count, self.at = count, 0

        def seek(self, _offset: int, _whence: int = 0, /) -> int:
            self.at = 0
            return 1 << 30

        def tell(self) -> int:
            return 0

        def read(self, _size: int = -1, /) -> bytes:
            numbers = range(self.at, min(self.count, self.at + 100))
            self.at += 100
            return b"".join(b"<http://e.org/%d> <http://e.org/p> <http://e.org/%d> .\n" % (n, n // 2) for n in numbers)

    def peak(count: int) -> int:
        importer = load_importer("rdf")
        tracemalloc.start()
        content: io.RawIOBase = Endless(count)
        files = [InputFile(name="g.nt", content=content)]  # type: ignore[arg-type]  # only read
        records = sum(1 for _ in importer.read(files, importer.options()))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert records == 2 * count + 1
        return found

    # Python's part: what is remembered of the last 100,000 subjects is bounded, but grows up to there
    assert peak(2_000) < 20_000_000
