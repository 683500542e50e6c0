"""What is wrong with an RDF file is told by its line, in plain words, with the way out; no parser's own words."""

from __future__ import annotations

import re

import pytest
from tests.graph_schema.importing_onto.folding import read

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rdf.faults import fault

HEAD = "@prefix e: <http://e.org/> .\ne:a e:p e:b .\n"
XML_HEAD = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">\n'
    '<rdf:Description rdf:about="http://e.org/a"><e:p rdf:resource="http://e.org/b"/></rdf:Description>\n'
)
TRIPLE = "<http://e.org/a> <http://e.org/p> <http://e.org/b> .\n"
JSON_HEAD = '[{"@id": "http://e.org/a", "http://e.org/p": {"@id": "http://e.org/b"}},\n\n'
RAW = re.compile(
    r"parser|code point|token|\bevent\b|expected|surrogate|rdf object|rdf predicate|keyword|must be|\bnone\b\W*$"
    r"|SyntaxError|Error\b|\\u|error while|well-formed|mismatched|undefined entity",
    re.IGNORECASE,
)
SPOILED: list[tuple[str, str, int, str]] = [
    ("a.ttl", HEAD + 'e:größe e:p "x .\n', 3, "not closed"),
    ("a.ttl", HEAD + "e:a e:p '''x\ny .\n", 3, "not closed"),
    ("a.ttl", HEAD + "e:a e:p e:b\ne:c e:d e:e .\n", 4, "dot"),
    ("a.ttl", HEAD + "f:a e:p e:b .\n", 3, "prefix 'f:' is not declared"),
    ("a.ttl", HEAD + "学:a e:p e:b .\n", 3, "prefix '学:' is not declared"),
    ("a.ttl", HEAD + "<http://e.org/ a> e:p e:b .\n", 3, "address"),
    ("a.ttl", HEAD + "<http://[x> e:p e:b .\n", 3, "address"),
    ("a.ttl", HEAD + "e:a e:p 'x'@123 .\n", 3, "language"),
    ("a.ttl", HEAD + "e:a e:p e:b , .\n", 3, "object"),
    ("a.ttl", HEAD + "e:a 'الاسم' e:b .\n", 3, "predicate"),
    ("a.ttl", HEAD + "hello world .\n", 3, "subject"),
    ("a.ttl", HEAD + "@prefix e <http://e.org/> .\n", 3, "declaration"),
    ("a.ttl", HEAD + 'e:a e:p "\\z" .\n', 3, "backslash"),
    ("a.ttl", HEAD + 'e:a e:p "\\uD800" .\n', 3, "backslash"),
    ("a.ttl", HEAD + "e:a e:p 12e .\n", 3, "number"),
    ("a.ttl", HEAD + "e:a e:p [ e:q e:r .\n", 3, "bracket"),
    ("a.ttl", HEAD + "e:a e:p e:b", 3, "ends in the middle"),
    ("a.trig", HEAD + "e:g { e:a e:p e:b e:c e:d }\n", 3, "line"),
    ("a.nt", TRIPLE + "<http://e.org/a> <http://e.org/p> b .\n", 2, "object"),
    ("a.nt", TRIPLE + "<http://e.org/a> <p> <http://e.org/b> .\n", 2, "address is not whole"),
    ("a.nq", TRIPLE + TRIPLE.replace(" .", "") + TRIPLE, 3, "dot"),
    (
        "a.rdf",
        XML_HEAD + '<rdf:Description rdf:about="http://e.org/ a"><e:p>x</e:p></rdf:Description></rdf:RDF>',
        3,
        "add",
    ),
    ("a.rdf", XML_HEAD + "\n<rdf:Description><e:p>x</e:q></rdf:Description></rdf:RDF>", 4, "tag"),
    ("a.rdf", XML_HEAD + "\n\n<rdf:Description rdf:ID='1 2'><e:p>x</e:p></rdf:Description></rdf:RDF>", 5, "rdf:ID"),
    ("a.rdf", XML_HEAD + "<f:Straße/></rdf:RDF>", 3, "prefix 'f:' is not declared"),
    ("a.rdf", XML_HEAD + "<rdf:Description rdf:about='x' rdf:ID='y'/></rdf:RDF>", 3, "exclude each other"),
    ("a.rdf", XML_HEAD + "text</rdf:RDF>", 3, "text"),
    ("a.rdf", XML_HEAD + "<rdf:li/></rdf:RDF>", 3, "cannot stand here"),
    ("a.rdf", XML_HEAD + "&uuml;</rdf:RDF>", 3, "behind & is not declared"),
    ("a.rdf", XML_HEAD + "<e:x a=b/></rdf:RDF>", 3, "XML"),
    ("a.rdf", XML_HEAD, 3, "not closed"),
    ("a.rdf", XML_HEAD + "</rdf:RDF><e:x/>", 3, "behind the end"),
    ("a.jsonld", JSON_HEAD + '{"@id": 5}]', 3, "'@id'"),
    ("a.jsonld", JSON_HEAD + '{"@context": {"@vocab": 5}, "@id": "http://e.org/c"}]', 3, "'@vocab'"),
    ("a.jsonld", JSON_HEAD + '{"@id": "http://e.org/c",}]', 3, "JSON"),
    ("a.jsonld", JSON_HEAD + '{"@context": "http://127.0.0.1:9/c", "@id": "http://e.org/c"}]', 3, "not fetched"),
]


@pytest.mark.parametrize(("name", "text", "line", "said"), SPOILED)
def test_a_fault_names_its_line_what_is_wrong_and_the_way_out(name: str, text: str, line: int, said: str) -> None:
    folded = read("rdf", (name, text))
    reason = next(reason for reason in folded.reasons if "; " in reason)
    assert reason.startswith(f"{name}:{line}: line {line}")
    what, _, way_out = reason.partition("; ")
    assert said in what
    assert len(way_out) > 10
    assert not RAW.search(reason.removeprefix(name))
    assert ("http://e.org/a", "p", "http://e.org/b") in folded.facts


@pytest.mark.parametrize("notation", ["nt", "nq", "ttl", "trig", "rdfxml", "jsonld"])
def test_what_no_rule_knows_still_names_the_notation_and_a_way_out(notation: str) -> None:
    said = fault(ValueError("Zyx 0x7f <NoneType>\nsecond"), notation)
    assert "NoneType" not in said
    assert "; " in said


def test_a_base_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(InvalidInput) as caught:
        read("rdf", ("a.ttl", HEAD), base="no base")
    assert not RAW.search(str(caught.value.args[0]).partition("[")[0])
    assert caught.value.field == "options.base"
    assert "http://" in (caught.value.hint or "")
