"""Texts of questions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import FALSE, TRUE, Question
from knowledgesmith.graph_schema.probes.drawing.build import Builder
from knowledgesmith.graph_schema.probes.wording.grammar import grammar_faults
from knowledgesmith.graph_schema.probes.wording.phrasing import Phraser
from knowledgesmith.graph_schema.probes.wording.verbalise import choice, leaks, statement, stems
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Form, Relation, Split, Template
from knowledgesmith.graph_schema.types.probes import Context, ProbeKind


def _template(direction: Direction, form: Form, text: str, split: Split = Split.EVAL) -> Template:
    return Template(direction=direction, split=split, form=form, text=text)


AHEAD, BACK = Direction.FORWARD, Direction.REVERSE
CAPITAL = Relation(
    name="capital",
    rel_type="CAPITAL",
    templates=(
        _template(AHEAD, Form.CLOZE, "training phrasing of {s} is", Split.TRAIN),
        _template(AHEAD, Form.CLOZE, "the capital of {s} is"),
        _template(AHEAD, Form.CLOZE, "{s} is governed from"),
        _template(AHEAD, Form.CLOZE, "third {s}"),
        _template(AHEAD, Form.CLOZE, "fourth {s}"),
        _template(BACK, Form.CLOZE, "{o} is the capital of"),
        _template(AHEAD, Form.PHRASE, "the capital of {s}"),
        _template(BACK, Form.PHRASE, "the country whose capital is {o}"),
        _template(AHEAD, Form.QUESTION, "What is the capital of {s}?"),
        _template(AHEAD, Form.STATEMENT, "{o} is the capital of {s}."),
    ),
)
CONTINENT = Relation(
    name="continent",
    rel_type="CONTINENT",
    templates=(_template(AHEAD, Form.CLOZE, "the continent of {s} is"),),
)
LEXICON = Lexicon.build(
    graph_id="g",
    entities=[
        Entity(uid="nl", name="the Netherlands", type="Country", domain="geography"),
        Entity(uid="fr", name="France", type="Country", domain="geography"),
        Entity(uid="am", name="Amsterdam", type="City", domain="geography"),
        Entity(uid="pa", name="Paris", type="City", domain="geography"),
        Entity(uid="eu", name="Europe", type="Continent", domain="geography"),
        Entity(uid="as", name="Asia", type="Continent", domain="geography"),
        Entity(uid="br", name="{o} of {s}", type="Country", domain="geography"),
    ],
    relations=[CAPITAL, CONTINENT],
)


def _question(kind: ProbeKind, anchor: str, *path: str, answer: str = "am", obj: str = "") -> Question:
    return Question(kind=kind, anchor=anchor, path=path, before=(answer,), after=(answer,), object=obj)


def _texts(question: Question, options: tuple[str, ...] = ()) -> list[str]:
    return [stem.text for stem in stems(question, lexicon=LEXICON, options=options)]


def test_direct_uses_three_evaluation_clozes() -> None:
    assert _texts(_question(ProbeKind.DIRECT, "nl", "capital")) == [
        "The capital of the Netherlands is",
        "the Netherlands is governed from",
        "Third the Netherlands",
    ]


NAMES = (
    "eBay",
    "iPhone",
    "ßtest",
    "ǆ",
    "ﬁsh",
    "istanbul",
    "the Beatles",
    "de Gaulle",
    "école",
    "éa",
    "яндекс",
    "x",
    "t",
)
OPENINGS = ("{s} stands in", "the {s} stands in", "a {s} stands in", "in {s} stands", "it is known that {s} stands in")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("opening", OPENINGS)
def test_no_text_of_any_kind_changes_a_name_that_opens_it(name: str, opening: str) -> None:
    backward = opening.replace("{s}", "{o}")
    relation = Relation(
        name="r",
        rel_type="R",
        templates=(
            _template(AHEAD, Form.CLOZE, opening),
            _template(BACK, Form.CLOZE, backward),
            _template(AHEAD, Form.QUESTION, f"{opening} what?"),
            _template(AHEAD, Form.STATEMENT, f"{opening} {{o}}."),
            _template(AHEAD, Form.PHRASE, opening),
            _template(BACK, Form.PHRASE, backward),
        ),
    )
    entities = [Entity(uid=uid, name=text) for uid, text in (("a", name), ("b", "B1"), ("c", "C1"), ("d", "D1"))]
    lexicon = Lexicon.build(graph_id="g", entities=entities, relations=[relation])
    one = lexicon.entity("a").name
    bulk = Phraser(lexicon, limit=0)
    asked = [
        (_question(ProbeKind.DIRECT, "a", "r", answer="b"), ()),
        (_question(ProbeKind.CONTEXTUAL, "a", "r", answer="b"), ()),
        (_question(ProbeKind.REVERSE, "a", "~r", answer="b"), ()),
        (_question(ProbeKind.COMPARISON, "a", "r", answer="b"), ("b", "c")),
        (_question(ProbeKind.CONFLICT, "a", "r", answer=TRUE, obj="b"), ()),
        (_question(ProbeKind.MULTI_HOP, "a", "r", "r", answer="c"), ()),
        (_question(ProbeKind.MULTI_HOP, "a", "~r", "r", "~r", answer="d"), ()),
    ]
    seen = 0
    for question, options in asked:
        found = stems(question, lexicon=lexicon, options=options)
        names = [lexicon.entity(uid).name for uid in options]
        assert [stem.text for stem in bulk.stems(question, names)] == [stem.text for stem in found]
        for stem in found:
            for text in filter(None, (stem.text, stem.counter)):
                seen += 1
                assert one in text
                assert text[:1].isupper() or text.startswith(one)
    assert seen
    assert one in statement(relation, subject=one, obj="B1")


def test_a_phrase_that_opens_a_sentence_gets_its_capital() -> None:
    texts = _texts(_question(ProbeKind.MULTI_HOP, "nl", "capital", "~capital", answer="nl"))
    assert texts == ["The capital of the Netherlands is the capital of"]


def test_reverse_and_missing_templates() -> None:
    assert _texts(_question(ProbeKind.REVERSE, "am", "~capital")) == ["Amsterdam is the capital of"]
    assert _texts(_question(ProbeKind.REVERSE, "eu", "~continent")) == []


def test_chains_nest_phrases_in_both_directions() -> None:
    assert _texts(_question(ProbeKind.MULTI_HOP, "am", "~capital", "continent", answer="eu")) == [
        "The continent of the country whose capital is Amsterdam is"
    ]
    assert _texts(_question(ProbeKind.MULTI_HOP, "am", "~capital", "capital", "~capital", answer="nl")) == [
        "The capital of the country whose capital is Amsterdam is the capital of"
    ]
    assert _texts(_question(ProbeKind.MULTI_HOP, "fr", "continent", "~capital")) == []


def test_a_nested_phrase_does_not_repeat_articles_or_nouns() -> None:
    def lexicon(phrase: str, *clozes: str) -> Lexicon:
        texts = [_template(AHEAD, Form.CLOZE, text) for text in clozes]
        inner = Relation(name="inner", rel_type="I", templates=(_template(AHEAD, Form.PHRASE, phrase),))
        outer = Relation(name="outer", rel_type="O", templates=tuple(texts))
        return Lexicon.build(graph_id="g", entities=LEXICON.entities, relations=[inner, outer])

    def text(known: Lexicon) -> list[str]:
        question = _question(ProbeKind.MULTI_HOP, "fr", "inner", "outer", answer="eu")
        return [stem.text for stem in stems(question, lexicon=known)]

    assert text(lexicon("the money of {s}", "In the {s} one reads")) == ["In the money of France one reads"]
    assert text(lexicon("a company in {s}", "The company {s} makes", "What is made by {s} is")) == [
        "What is made by a company in France is"
    ]
    assert text(lexicon("a company in {s}", "The {s} makes")) == []


def test_comparisons_stand_in_both_orders() -> None:
    assert _texts(_question(ProbeKind.COMPARISON, "nl", "capital"), ("am", "pa")) == [
        "What is the capital of the Netherlands? Amsterdam or Paris? Answer:",
        "What is the capital of the Netherlands? Paris or Amsterdam? Answer:",
    ]
    assert _texts(_question(ProbeKind.COMPARISON, "nl", "continent"), ("eu", "as")) == []


def test_statements_are_judged() -> None:
    question = _question(ProbeKind.CONFLICT, "nl", "capital", answer=FALSE, obj="pa")
    assert _texts(question) == ["Paris is the capital of the Netherlands. True or false? Answer:"]
    (built,) = Builder(lexicon=LEXICON, seed=0).build(question)
    assert dict(zip(built.probe.option_uids, built.probe.options, strict=True)) == {TRUE: "True", FALSE: "False"}
    assert [built.probe.option_uids[n] for n in built.before] == [FALSE]


def test_braces_in_a_name_stay_what_they_are() -> None:
    assert _texts(_question(ProbeKind.DIRECT, "br", "capital"))[0] == "The capital of {o} of {s} is"
    assert statement(CAPITAL, subject="{o}", obj="{s}") == "{s} is the capital of {o}."
    assert statement(CONTINENT, subject="a", obj="b") == ""


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("The capital of Mexico is", "mexico", True),
        ("The capital of Mexicali is", "mexico", False),
        ("The sign of boron is", "b", False),
        ("C++ or Rust?", "c++", True),
        ("anything", "", False),
        ("北京市的首都是", "北京", True),
        ("南京的首都是", "北京", False),
        ("東京都の花は", "東京", True),
        ("แม่น้ำกรุงเทพคือ", "กรุงเทพ", True),
        ("서울의 강은", "서울", True),
        ("عاصمة والقاهرة هي", "القاهرة", True),
        ("Die Hauptstadt von Österreichs", "österreich", False),
        ("🙂 or 🙃?", "🙂", True),
    ],
)
def test_a_leak_is_a_whole_word(text: str, name: str, found: bool) -> None:
    assert leaks(text, [name]) is found


def test_a_stem_with_its_answer_is_dropped_and_counted() -> None:
    lexicon = Lexicon.build(
        graph_id="g",
        entities=[
            Entity(uid="mx", name="Mexico", type="Country"),
            Entity(uid="mc", name="Mexico City", type="City"),
            Entity(uid="pa", name="Paris", type="City"),
        ],
        relations=[CAPITAL],
    )
    builder = Builder(lexicon=lexicon, seed=0)
    assert builder.build(_question(ProbeKind.REVERSE, "mc", "~capital", answer="mx")) == []
    assert builder.dropped == {"no_distractor": 1}
    more = [*lexicon.entities, Entity(uid="fr", name="France", type="Country")]
    builder = Builder(lexicon=Lexicon.build(graph_id="g", entities=more, relations=[CAPITAL]), seed=0)
    assert builder.build(_question(ProbeKind.REVERSE, "mc", "~capital", answer="mx")) == []
    assert builder.dropped == {"leak": 1}


def test_a_contextual_probe_also_stands_behind_something_irrelevant() -> None:
    sentences = [("Paris is in France.", "geography"), ("Amsterdam has Au.", "chemistry"), ("Gold is Au.", "chemistry")]
    question = Question(
        kind=ProbeKind.CONTEXTUAL,
        anchor="nl",
        path=("capital",),
        before=("am",),
        after=("am",),
        context=Context.SAME_SUBJECT,
    )
    plain, prefixed = Builder(lexicon=LEXICON, seed=0, sentences=sentences).build(question)
    assert plain.probe.prefix == ""
    assert prefixed.probe.text == f"Gold is Au. {plain.probe.stem}"
    assert plain.probe.id != prefixed.probe.id
    assert plain.probe.options == prefixed.probe.options


def test_texts_of_a_script_without_blanks_are_joined_without_them() -> None:
    probe = Builder(lexicon=LEXICON, seed=0).build(_question(ProbeKind.DIRECT, "br", "capital"))[0].probe
    here = replace(probe, stem="日本的首都是", prefix="中国的首都是北京。")
    assert here.text == "中国的首都是北京。日本的首都是"
    assert "missing_punctuation" not in set(grammar_faults(here))
    small = replace(here, stem="eBay is in", prefix="")
    assert list(grammar_faults(small)) == ["lower_case_start"]
    assert list(grammar_faults(small, names=["", "eBay"])) == []
    assert "missing_punctuation" in set(grammar_faults(replace(here, prefix="中国的首都是北京")))
    assert replace(probe, stem="It is", prefix="So “yes.”").text == "So “yes.” It is"
    assert choice("日本——首都？", "东京", "北京") == "日本——首都？东京／北京："
    assert choice("Where is it?", "Rome", "Bonn") == "Where is it? Rome or Bonn? Answer:"
