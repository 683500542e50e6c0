"""An open quote or address of Turtle costs its statement alone; what is whole is left as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse, serialize
from tests.graph_schema.importing_onto.folding import read

from knowledgesmith.graph_schema.importing.formats.rdf.open_texts import OpenTexts

HEAD = "@prefix e: <http://e.org/> .\ne:a e:p e:b .\n"
FAULTS = [
    ('e:x e:p "offen .', "text"),
    ("e:x e:p '开着 .", "text"),
    ('e:x e:p "a"b" .', "text"),
    ('e:x e:p "open\\" .', "text"),
    ("e:x e:p <http://e.org/open .", "address"),
    ("<http://e.org/x e:p e:o .", "address"),
    ('e:x e:q "whole", "open ;\n  e:r e:s ;\n  e:q "whole" .', "text"),
    ('e:x e:q "open ;\n  e:r """long\n . \nand whole""" .', "text"),
]
WHOLE = [
    'e:x e:p """a\n"quoted" \'text\' . \n""" .',
    "e:x e:p '''it's\nopen''', \"b\" .",
    'e:x e:p "it\'s" . # a remark with 5" and <this',
    'e:x e:p <http://e.org/a#b>, "#", <http://e.org/it\'s> .',
    'e:x e:p "\\"", "\\\\", \'\\\'\' .',
    "e:x\\#y e:p e:o\\'s .",
    'e:x e:p """""", "" , \'\' .',
    'e:x e:p """a\\"""b""" .',
    "e:x e:p 1 . # it's",
]


def _lines(count: int, name: str) -> str:
    return "".join(f'e:{name}{n} e:p e:{name}{n + 1} ; e:said "{n}" .\n' for n in range(count))


@pytest.mark.parametrize("ending", ["ttl", "trig"])
@pytest.mark.parametrize(("bad", "what"), FAULTS)
def test_what_is_open_costs_its_statement_alone(ending: str, bad: str, what: str) -> None:
    folded = read("rdf", (f"a.{ending}", f"{HEAD}{bad}\n{_lines(3, 'm')}{bad}\n{_lines(3, 'n')}"))
    subjects = {subject for subject, relation, _ in folded.facts if relation == "p"}
    wanted = {f"http://e.org/{name}" for name in ("a", "m0", "m1", "m2", "n0", "n1", "n2")}
    assert subjects == wanted
    lines = bad.count("\n") + 1
    told = [re.match(r"[^:]+:(\d+): line \d+: an? (text|address) begins here", reason) for reason in folded.reasons]
    assert [found and (int(found[1]), found[2]) for found in told] == [(3, what), (6 + lines, what)]
    if lines > 1:
        assert f"lost up to line {2 + lines}" in folded.reasons[0]


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_a_long_text_that_never_ends_says_how_much_is_lost(quotes: str) -> None:
    folded = read("rdf", ("a.ttl", f"{HEAD}e:x e:p {quotes}open .\n{_lines(7, 'm')}"))
    assert {subject for subject, _, _ in folded.facts} == {"http://e.org/a"}
    assert len(folded.reasons) == 1
    assert folded.reasons[0].startswith("a.ttl:3: line 3: a text in three quotes begins here")
    assert "7 lines behind it are lost" in folded.reasons[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", WHOLE)
def test_what_is_whole_stays(text: str, end: str) -> None:
    whole = f"{HEAD}{text}\n{_lines(2, 'm')}".replace("\n", end)
    assert [reason for reason in read("rdf", ("a.ttl", whole)).reasons if "is empty" not in reason] == []
    assert _checked(whole) == whole


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    texts=st.lists(st.text(st.sampled_from("ab \"'\\<>#.\n\r\t{}"), max_size=12), min_size=1, max_size=6),
    form=st.sampled_from([RdfFormat.TURTLE, RdfFormat.TRIG]),
)
def test_what_a_writer_wrote_stays(texts: list[str], form: RdfFormat) -> None:
    triples = [
        Triple(NamedNode(f"http://e.org/{n}#s"), NamedNode("http://e.org/p"), Literal(t)) for n, t in enumerate(texts)
    ]
    written = serialize(triples, format=form, prefixes={"e": "http://e.org/"})
    assert written is not None
    text = written.decode()
    assert _checked(text) == text
    # long forms of the same texts, which people write
    escaped = [text.replace("\\", "\\\\").replace("'", "\\'") for text in texts if "\r" not in text]
    longer = "".join(f"<http://e.org/{n}#s> <http://e.org/p> '''{text}''' .\n" for n, text in enumerate(escaped))
    assert _checked(longer) == longer
    assert len(list(parse(longer, format=RdfFormat.TURTLE))) == len(escaped)


def _checked(text: str) -> str:
    told: list[str] = []
    checker = OpenTexts(lambda line, words: told.append(f"{line}: {words}"))
    lines = text.encode().split(b"\n")
    found = b"\n".join(checker.checked(number, line) for number, line in enumerate(lines, start=1))
    checker.close(len(lines))
    assert told == []
    return found.decode()
