"""Wordings derived from strangers' relation names: a sentence where the grammar is sure, else a plain frame."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.graph_schema.catalogue import english
from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates, framed
from knowledgesmith.graph_schema.catalogue.relation_names import parse_name
from knowledgesmith.graph_schema.catalogue.relations import build_catalogue, from_properties, to_properties
from knowledgesmith.graph_schema.catalogue.templates import problem_with_template, shared_text
from knowledgesmith.graph_schema.catalogue.wording_clashes import alike
from knowledgesmith.graph_schema.language.filling import fill
from knowledgesmith.graph_schema.language.spans import holds
from knowledgesmith.graph_schema.probes.wording.verbalise import judged
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Relation, Split, Template

FORWARD, REVERSE = Direction.FORWARD, Direction.REVERSE


def said(name: str, direction: Direction, form: Form, *, split: Split = Split.EVAL) -> list[str]:
    found = derive_templates(name)
    return [
        fill(t.text, subject="S", obj="O") for t in found if (t.direction, t.form, t.split) == (direction, form, split)
    ]


def origin(name: str) -> Origin:
    (found,) = {t.origin for t in derive_templates(name)}
    return found


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("resided_at", "S resided at O."),
        ("died_in", "S died in O."),
        ("served_in", "S served in O."),
        ("playedFor", "S played for O."),
        ("graduated-from", "S graduated from O."),
        ("born_in", "S was born in O."),
        ("founded_by", "S was founded by O."),
        ("played_by", "S is played by O."),
        ("composed_of", "S is composed of O."),
        ("used_in", "S is used in O."),
        ("is_found_beside", "S is found beside O."),
        ("native_to", "S is native to O."),
        ("older than", "S is older than O."),
        ("near", "S is near O."),
        ("capital_of", "S is the capital of O."),
        ("isStageOf", "S is a stage of O."),
        ("is_element_of", "S is an element of O."),
        ("north_of", "S is north of O."),
        ("worksFor", "S works for O."),
        ("treats_disease", "S treats the disease O."),
        ("/people/person/place_of_birth", "The place of birth of S is O."),
        ("born_in_city", "S was born in the city O."),
        ("schema:birthPlace", "The birth place of S is O."),
        ("http://example.org/terms#birthPlace", "The birth place of S is O."),
        ("BIRTH_PLACE", "The birth place of S is O."),
        ("hasDNASequence", "The DNA sequence of S is O."),
        ("official languages", "The official languages of S include O."),
        ("children", "The children of S include O."),
        # what somebody or something is to the other, with "is" before it
        ("isEvidenceFor", "S is evidence for O."),
        ("is_evidence_of", "S is evidence of O."),
        ("isPriceFor", "S is a price for O."),
        ("isPrimaryContractFor", "S is a primary contract for O."),
        ("isEstimatedValueOf", "S is an estimated value of O."),
        ("is_exposed_party_in", "S is an exposed party in O."),
        ("regulatesSupplyOf", "S regulates supply of O."),
        # what "of" would give another meaning, or no place
        ("has_concept", "S has O as a concept."),
        ("hasPriceAtMaturity", "S has O as a price at maturity."),
        ("hasRating", "The rating of S is O."),
        ("hasFunding", "The funding of S is O."),
        ("never_in_taxon", "S is never found in the taxon O."),
        ("member_of_domain_region", "S has the regional term O."),
        ("member_meronym", "S has the member O."),
        ("defined_in_relation_to", "S is defined in relation to O."),
    ],
)
def test_a_name_whose_grammar_is_sure_becomes_a_sentence(name: str, sentence: str) -> None:
    assert said(name, FORWARD, Form.STATEMENT, split=Split.TRAIN) == [sentence]
    assert origin(name) is Origin.DERIVED


@pytest.mark.parametrize(
    "name",
    [
        # small words that make no clause
        *("what_is_part", "is_what_of", "what", "never_in_place", "not_part_of", "has_many", "has", "can", "likes_to"),
        # a verb or a noun, an active or a passive form: both are possible
        *(
            "works",
            "records",
            "founded",
            "created",
            "lives",
            "assessed_against",
            "served_with",
            "resided_by",
            "live_in",
        ),
        # nothing that a preposition could follow
        *("is_active", "is_owed", "isCallable", "exclude_from_indexing", "gets_energy", "has_exposure_to"),
        # the rest of a verb
        *("has_won", "hasTaken", "has_written", "hasLived", "has_been", "has_as_of_date"),
        # either end of "of"
        *(
            "member_of_team",
            "part_of_series",
            "main_topic_of",
            "head_of_state",
            "head_of_department",
            "mother_of_child",
            "person father",
        ),
        # abbreviations, codes, signs
        *("dob", "P31", "wdt:P31", "method+", "method-", "-method", "🙂", "123 things", "?", "_"),
        # other languages, in this script and in others
        # words that are English and another language's too, each with a meaning of its own
        *("war", "arm", "son", "brand", "rate", "Brand", "WAR", "stage", "era", "data", "Stadium", "mode", "part"),
        *("island", "race", "course", "comment", "roof", "god", "time", "mayor", "surface", "Produktion", "funktion"),
        *("son stage", "rate war"),
        *("capital_de", "hauptstadtVon", "lugar_de_nacimiento", "né_à", "moneda", "Währung", "naissance", "ciudad"),
        *("首都", "夫人の名", "عاصمة", "столица", "เมืองหลวง", "수도", "राजधानी", "בירה"),
    ],
)
def test_what_is_not_sure_is_a_frame_that_claims_no_grammar(name: str) -> None:
    assert origin(name) is Origin.FRAME
    words = parse_name(name).own_text
    for text in (*said(name, FORWARD, Form.CLOZE), *said(name, FORWARD, Form.CLOZE, split=Split.TRAIN)):
        assert not text.startswith("S"), "a change made with the subject as the first word does not carry elsewhere"
        if f"value of “{words}”" in text:
            continue
        mark = re.match(r"1\. |1、|• |•|2\) |2）", text)
        assert mark is not None
        bare = text[mark.end() :]
        assert words in bare
        assert bare.startswith("S")
        rest = bare.replace(words, "", 1).replace("S", "", 1)
        assert not re.search(r"\w", rest), text  # nothing but the two and marks
    assert not said(name, FORWARD, Form.PHRASE) + said(name, REVERSE, Form.PHRASE)
    statements = [t.text for t in derive_templates(name) if t.form is Form.STATEMENT]
    assert all(framed(text) or "value of “" in text for text in statements)


@pytest.mark.parametrize(
    "name", ["member_of_domain", "main_topic_of", "is_what_of", "has_exposure_to", "has_as_of_date"]
)
def test_a_preposition_does_not_lead_on_to_the_object(name: str) -> None:
    """ "Ethnic slur — member of domain usage: wop" reads as if the slur were the member."""
    words = name.replace("_", " ")
    for text in (t.text for t in derive_templates(name)):
        assert f"value of “{words}”" in text, "a quoted label claims no grammar"
    assert said(name, FORWARD, Form.CLOZE, split=Split.TRAIN)[0] == f"The value of “{words}” for S is"
    assert said(name, REVERSE, Form.QUESTION) == [f"What fits the blank? The value of “{words}” for ___ is O."]


@pytest.mark.parametrize(
    "name", ["首都", "عاصمة", "столица", "capital_de", "hauptstadtVon", "moneda", "né_à", "ciudad"]
)
def test_no_english_stands_around_a_name_of_another_language(name: str) -> None:
    words = parse_name(name).text
    for template in derive_templates(name):
        rest = re.sub(r"\{[so]\}", "", template.text).replace(words, "")
        assert not re.search(r"[A-Za-z]", rest), template.text


@pytest.mark.parametrize("name", ["首都", "夫人の名", "メートル"])
def test_a_frame_in_chinese_or_japanese_has_their_marks_and_no_blanks(name: str) -> None:
    for template in derive_templates(name):
        assert " " not in template.text
        assert not set(":.?|()") & set(template.text)


NAMES = st.one_of(
    st.text(min_size=1, max_size=40).filter(
        lambda name: name.strip() and not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", name)
    ),
    st.lists(
        st.sampled_from(sorted(english.NOUNS | english.PREPOSITIONS | english.NO_MODIFIERS | english.EVENTS)),
        min_size=1,
        max_size=4,
    ).map("_".join),
)


@given(NAMES)
def test_any_name_gets_valid_phrasings_and_training_never_holds_evaluation(name: str) -> None:
    templates = derive_templates(name)
    assert not [problem for t in templates if (problem := problem_with_template(t))]
    assert not shared_text(templates)
    for split, form in itertools.product(Split, (Form.CLOZE, Form.STATEMENT, Form.QUESTION)):
        assert [t for t in templates if (t.direction, t.split, t.form) == (FORWARD, split, form)]
    if not re.search(r"\w", parse_name(name).text):
        return  # a name without a word leaves nothing but the subject
    trained = [fill(t.text, subject="zz", obj="qq") for t in templates if t.split is Split.TRAIN]
    asked = [
        fill(t.text, subject="zz", obj="qq") for t in templates if t.split is Split.EVAL and t.form is not Form.PHRASE
    ]
    assert not [(one, other) for one in trained for other in asked if holds(one, other)]


@given(st.lists(st.sampled_from(sorted(english.NO_MODIFIERS)), min_size=1, max_size=3).map(" ".join))
def test_small_words_alone_never_make_a_noun_phrase(name: str) -> None:
    assert not said(name, FORWARD, Form.PHRASE)


def test_words_of_one_list_do_not_contradict_another() -> None:
    assert not english.EVENTS & english.STATES
    assert english.EVENTS | english.STATES >= english.PASSIVE_ONLY
    assert not english.PASSIVE_ONLY & english.ACTIVE_PAST


def test_a_denied_frame_is_still_clear() -> None:
    stem = judged("Fact: {s} — founded: {o}.", "t", subject="Ann Bell", obj="the Mill")
    assert stem.text == "Fact: Ann Bell — founded: the Mill. True or false? Answer:"
    assert stem.counter == "This is not true: Ann Bell — founded: the Mill. True or false? Answer:"
    sure = judged("It is known that {s} is near {o}.", "t", subject="A", obj="B")
    assert sure.counter == "It is not true that it is known that A is near B. True or false? Answer:"


def relation(name: str, *templates: Template) -> Relation:
    return Relation(name=name, rel_type="", templates=templates)


@pytest.mark.parametrize(
    "names",
    [
        ("has method", "has-method", "HAS_METHOD", "method", "method+", "method-"),
        ("größe", "Größe", "GRÖSSE"),
        ("is_a", "subclass_of", "kind of"),
        ("related", "see_also"),
        ("首都", "首_都"),
        ("🙂", "🙃", "!"),
    ],
)
def test_different_relations_are_never_asked_about_in_the_same_words(names: tuple[str, ...]) -> None:
    for order in itertools.islice(itertools.permutations(names), 6):
        catalogue = build_catalogue(map(relation, order))
        assert alike(catalogue) == {}
        texts = [t.text for r in catalogue.values() for t in r.templates if t.split is Split.EVAL]
        assert len(texts) == len(set(texts))
    alone = build_catalogue([relation(names[0])])[names[0]]
    assert alone.templates == derive_templates(names[0])


def test_what_somebody_gave_is_reported_and_not_changed() -> None:
    mine = Template(direction=FORWARD, split=Split.EVAL, form=Form.CLOZE, text="The way of {s} is")
    catalogue = build_catalogue([relation("method+", mine), relation("method-", mine), relation("other")])
    assert alike(catalogue) == {"method+": ("method-",), "method-": ("method+",)}
    assert mine in catalogue["method+"].templates


def test_names_that_differ_in_nothing_to_be_seen_are_reported() -> None:
    one, other = (unicodedata.normalize(form, "né à") for form in ("NFC", "NFD"))
    assert set(alike(build_catalogue(map(relation, (one, other))))) == {one, other}


def test_where_a_template_comes_from_is_stored() -> None:
    mine = Template(direction=FORWARD, split=Split.EVAL, form=Form.CLOZE, text="{s} pays with the")
    stored = from_properties(to_properties(build_catalogue([relation("currency", mine)])["currency"]))
    assert {(t.text == mine.text, t.origin) for t in stored.templates} == {
        (True, Origin.GIVEN),
        (False, Origin.DERIVED),
    }
    earlier = to_properties(stored) | {"templates": '[["forward", "eval", "cloze", "{s} is"]]'}
    assert [t.origin for t in from_properties(earlier).templates] == [Origin.GIVEN]


@pytest.mark.parametrize("name", sorted(english.ELSEWHERE))
def test_a_word_of_two_languages_is_english_only_beside_a_word_that_is_sure(name: str) -> None:
    assert name in english.NOUNS or english.verb(name) or english.is_noun(name), "no list would take it for English"
    assert origin(name) is Origin.FRAME
    assert all(not re.search(r"Fact|blank|value", t.text) for t in derive_templates(name)), "the frame has no English"


@pytest.mark.parametrize("name", ["birth_rate", "war_of", "brand_name", "region", "album", "continent", "population"])
def test_what_means_the_same_everywhere_or_stands_beside_english_is_a_sentence(name: str) -> None:
    assert origin(name) is Origin.DERIVED


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        *(("Hauptstadt", "Hauptstadt"), ("Wohnort", "Wohnort"), ("Größe", "Größe"), ("Столица", "Столица")),
        *(("ist_Hauptstadt_von", "ist Hauptstadt von"), ("ist Hauptstadt von", "ist Hauptstadt von")),
        *(("hatHauptstadt", "hat Hauptstadt"), ("istHauptstadtVon", "ist Hauptstadt von")),
        *(("hauptstadtVon", "hauptstadt von"), ("lugarDeNacimiento", "lugar de nacimiento")),
        *(("LugarDeNacimiento", "Lugar de nacimiento"), ("LUGAR_DE_NACIMIENTO", "lugar de nacimiento")),
        *(("schema:Wohnort", "Wohnort"), ("http://example.org/begriffe#Wohnort", "Wohnort")),
    ],
)
def test_a_name_that_is_not_surely_english_keeps_its_capitals(name: str, shown: str) -> None:
    """German writes its nouns so; a capital that only parts the words of a name is none of the word's."""
    for template in derive_templates(name):
        assert shown in template.text


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    [
        ("has_stage", "Which of these is the stage of S?", "Who or what has O as the stage?"),
        ("has_stages", "Which of these is among the stages of S?", "Who or what has O among the stages?"),
        ("has_concept", "Which of these is a concept that S has?", "Who or what has O as a concept?"),
        ("treats_disease", "Which of these is a disease that S treats?", "Who or what treats the disease O?"),
        ("member_meronym", "Which of these is a member that S has?", "What has the member O?"),
        (
            "never_in_taxon",
            "Which of these is a taxon that S is never found in?",
            "What is never found in the taxon O?",
        ),
        (
            "address_line_1",
            "Which of these is the value of “address line 1” for S?",
            "What fits the blank? The value of “address line 1” for ___ is O.",
        ),
        (
            "registers",
            "Which of these is the value of “registers” for S?",
            "What fits the blank? The value of “registers” for ___ is O.",
        ),
    ],
)
def test_questions_are_whole_and_name_what_is_asked_for(name: str, forward: str, backward: str) -> None:
    assert said(name, FORWARD, Form.QUESTION) == [forward]
    assert said(name, REVERSE, Form.QUESTION) == [backward]


def test_what_leads_on_is_one_thing_though_its_name_is_in_the_plural() -> None:
    """ "The terms of X is" would not do."""
    assert said("has_terms", FORWARD, Form.PHRASE) == ["the one among the terms of S"]
    assert said("has_term", FORWARD, Form.PHRASE) == ["the term of S"]


@pytest.mark.parametrize("name", ["religion", "has_stage", "children", "registers", "member_of_team", "treats"])
def test_no_wording_says_its_or_whose(name: str) -> None:
    """A subject may be a person or a thing."""
    texts = [t.text for t in derive_templates(name) if t.form is not Form.PHRASE]
    assert not [text for text in texts if re.search(r"\b(its|whose)\b", text, re.IGNORECASE)]


def test_an_english_name_loses_the_capitals_of_its_notation() -> None:
    assert "It is known that the value of “member of team” for S is" in said("Member_Of_Team", FORWARD, Form.CLOZE)
    assert "The birth place of S is O." in said("Birth_Place", FORWARD, Form.STATEMENT, split=Split.TRAIN)
