"""N-Triples and N-Quads are read by line: a bad line costs itself alone, and is told in words of its own notation."""

from __future__ import annotations

import re

import pytest
from tests.graph_schema.importing_onto.folding import read

NAMES = {
    "english": ("Velmouth", "an open text"),
    "german": ("Öhringen", 'ein 5\\" breiter Text'),
    "chinese": ("青岭", "开着的文字"),
    "arabic": ("وادي", "نص مفتوح"),
}
BAD = [
    '<http://e.org/x> <http://e.org/p> "{text} .',
    '<http://e.org/x> <http://e.org/p> "{text}\\" .',
    '<http://e.org/x> <http://e.org/p> "a"{text}" .',
    "<http://e.org/x> <http://e.org/p> '{text}' .",
    "<http://e.org/x> <http://e.org/p> {text} .",
    '"{text}" <http://e.org/p> <http://e.org/y> .',
    '<http://e.org/x> "{text}" <http://e.org/y> .',
    "<http://e.org/{text} y> <http://e.org/p> <http://e.org/y> .",
    '<http://e.org/x> <http://e.org/p> "{text}"@ .',
    '<http://e.org/x> <http://e.org/p> "{text}"^^xsd:int .',
    '<http://e.org/x> <http://e.org/p> "{text}"^^ .',
    "<http://e.org/x> <http://e.org/p> .",
    "<http://e.org/x> <http://e.org/p> ex:a/b .",
    "{{ {text} }}",
    "{text}",
    "@prefix e: <http://e.org/> .",
    "<{text}> <http://e.org/p> <http://e.org/y> .",
]
FOREIGN = re.compile(r"element|attribute|\btag\b|XML|JSON|known prefix|property|properties", re.IGNORECASE)


@pytest.mark.parametrize("language", sorted(NAMES))
@pytest.mark.parametrize("ending", ["nt", "nq"])
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_line_costs_itself_alone(language: str, ending: str, bad: str) -> None:
    name, text = NAMES[language]
    good = [f"<http://e.org/{name}{n}> <http://e.org/p> <http://e.org/{name}{n + 1}> ." for n in range(6)]
    spoilt, remark = bad.format(text=text), '# a remark with 5" in it'
    lines = [*good[:2], spoilt, good[2], remark, *good[3:5], spoilt, good[5]]
    folded = read("rdf", (f"a.{ending}", "\n".join(lines) + "\n"))
    assert {f"http://e.org/{name}{n}" for n in range(6)} <= {subject for subject, _, _ in folded.facts}
    told = [reason for reason in folded.reasons if reason.startswith(f"a.{ending}:")]
    assert [reason.split(":")[1] for reason in told] == ["3", "8"]
    for reason in told:
        assert not FOREIGN.search(reason.removeprefix(f"a.{ending}"))
        assert "; " in reason


@pytest.mark.parametrize("text", ['a\\"b', "a # b", "C:\\\\", "<a>", '5\\" # \\"'])
def test_texts_that_look_open_are_whole(text: str) -> None:
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    lines = f'<http://e.org/#a> {label} "{text}" . # 5" wide\n<http://e.org/#a> <http://e.org/p> <http://e.org/b> .\n'
    folded = read("rdf", ("a.nt", lines))
    assert folded.reasons == []
    assert len(folded.facts) == 1


@pytest.mark.parametrize("ending", ["ttl", "trig"])
@pytest.mark.parametrize(
    "bad", ["e:a e:p 'x\ny' .", "e:a e:p e:b/c .", "e:a e:p 'x'^^ .", "@forSome x .", "e:a e:p e:b ) ."]
)
def test_no_words_of_other_notations(ending: str, bad: str) -> None:
    head = "@prefix e: <http://e.org/> .\ne:a e:q e:b .\n"
    folded = read("rdf", (f"a.{ending}", f"{head}{bad}\ne:c e:q e:d .\n"))
    assert folded.reasons
    for reason in folded.reasons:
        assert not re.search(r"element|attribute|\btag\b|XML|JSON", reason, re.IGNORECASE), reason
