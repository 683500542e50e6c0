"""Slots of prompts: whole words in any script, every mention or none, and no template out of a bare name."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest
from tests.graph_schema.sets.folding import fold

from knowledgesmith.graph_schema.importing.formats.benchmarks.slots import NoSlot, with_slots


@pytest.mark.parametrize(
    ("text", "subject", "wanted"),
    [
        (
            "Unlike Nigeria, its neighbour Niger has the capital",
            "Niger",
            "Unlike Nigeria, its neighbour {} has the capital",
        ),
        (
            "in somali markets traders from mali, whose capital is",
            "Mali",
            "in somali markets traders from {}, whose capital is",
        ),
        ("JavaScript is not Java; Java was released by", "Java", "JavaScript is not {}; {} was released by"),
        ("a romanian visitor asked for the capital of oman, which is", "Oman", None),
        ("Mali's capital is", "Mali", "{}'s capital is"),
        ("the Paris-based firm of", "Paris", "the {}-based firm of"),
        ("an anti-Paris song by", "Paris", "an anti-{} song by"),
        ("(Rome) is in", "Rome", "({}) is in"),
        ("C++ is older than C, and C was made by", "C", "C++ is older than {}, and {} was made by"),
        ("C++ was made by", "C++", "{} was made by"),
        ("7.5 is more than 7, and 7 is", "7", "7.5 is more than {}, and {} is"),
        ("Jean-Luc knows Jean, who was born in", "Jean", "Jean-Luc knows {}, who was born in"),
        ("O'Brien and Brien met in", "Brien", "O'Brien and {} met in"),
        ("Der Rhein mündet in die", "Rhein", "Der {} mündet in die"),
        ("Столица Мали — это", "Мали", "Столица {} — это"),
        ("Η πρωτεύουσα του ΜΑΛΙ είναι", "Μαλι", "Η πρωτεύουσα του {} είναι"),
        ("Türkiye'nin başkenti", "Türkiye", "{}'nin başkenti"),
        ("서울의 인구는", "서울", "{}의 인구는"),
        ("서울에서는 누가", "서울", "{}에서는 누가"),
        ("والقاهرة عاصمة", "القاهرة", "و{} عاصمة"),
        ("עיר הבירה של ובירושלים", "ירושלים", "עיר הבירה של וב{}"),
        ("マリの首都は", "マリ", "{}の首都は"),
        ("ソマリアはマリではない。マリの首都は", "マリ", "ソマリアは{}ではない。{}の首都は"),
        ("马里的首都是", "马里", "{}的首都是"),
        ("东京和东京的", "东京", "{}和{}的"),
        ("Java是谁发布的", "Java", "{}是谁发布的"),
        ("เมืองหลวงของมาลีคือ", "มาลี", "เมืองหลวงของ{}คือ"),
        ("माली की राजधानी", "माली", "{} की राजधानी"),
        ("The capital of {} is", "Mali", "The capital of {} is"),
        ("Mali lies in Africa; the capital of {} is", "Mali", "{} lies in Africa; the capital of {} is"),
        ("Ｍａｌｉ is in", "Mali", "{} is in"),
        ("Straße is in", "STRASSE", "{} is in"),
        ("The U.S.A. and U.S. are", "U.S.", "The U.S.A. and {} are"),
        ("U.S.-born and U.S., the U.S.'s", "U.S.", "{}-born and {}, the {}'s"),
        ("Ф.С.Б. и Ф.С. были", "Ф.С.", "Ф.С.Б. и {} были"),
        ("Α.Ε.Κ. και Α.Ε. ήταν", "Α.Ε.", "Α.Ε.Κ. και {} ήταν"),
        ("C++17 came after C++ was", "C++", "C++17 came after {} was"),
        ("ASP.NET runs on .NET by", ".NET", "ASP.NET runs on {} by"),
        ("U.S.의 수도는", "U.S.", "{}의 수도는"),
        ("U.S.的首都是", "U.S.", "{}的首都是"),
        ("Yahoo!was not Yahoo! of", "Yahoo!", "{}was not {} of"),
    ],
)
def test_every_whole_mention_becomes_a_slot(text: str, subject: str, wanted: str | None) -> None:
    wanted = wanted or text.replace("oman,", "{},")
    for form in ("NFC", "NFD"):
        found = with_slots(unicodedata.normalize(form, text), subject)
        assert unicodedata.normalize("NFC", found) == wanted


@pytest.mark.parametrize(
    ("text", "subject", "words"),
    [
        ("in somali markets one meets", "Mali", ("'Mali'", "'somali'")),
        ("JavaScript was made by", "Java", ("'Java'", "'JavaScript'")),
        ("C++ was made by", "C", ("'C'", "'C++'")),
        ("The U.S.A. is in", "U.S.", ("'U.S.'", "'U.S.A'")),
        ("ASP.NET was made by", ".NET", ("'.NET'", "'ASP.NET'")),
        ("Apollo-11 flew to", "Apollo", ("'Apollo'", "'Apollo-11'")),
        ("서울대학교에 있는", "서울", ("'서울'", "'서울대학교에'")),
        ("ソマリアの首都は", "マリ", ("'マリ'", "'ソマリアの首都は'")),
        ("сомалийский рынок", "Мали", ("'Мали'", "'сомалийский'")),
        ("It may be that May was born in", "May", ("'May'", "'may'")),
        ("索马里不是马里的", "马里", ("'马里'", "2 times")),
        ("The capital of Ghana is", "Mali", ("'Mali'", "does not stand")),
        ("Mali", "Mali", ("nothing but its subject",)),
        ("« Mali » ?", "Mali", ("nothing but its subject",)),
        ("{}", "Mali", ("nothing but its subject",)),
        ("{Mali} is in", "Mali", ("braces",)),
        ("A text", "", ("does not stand",)),
    ],
)
def test_what_cannot_become_a_slot_names_both_words(text: str, subject: str, words: tuple[str, ...]) -> None:
    with pytest.raises(NoSlot) as caught:
        with_slots(text, subject)
    assert [word for word in words if word not in str(caught.value)] == []


def test_no_letter_of_the_subject_stands_at_the_border_of_a_slot() -> None:
    """Random sentences over one alphabet: what is joined to a slot is no letter, and what is left holds no mention."""
    drawn = random.Random(3)  # noqa: S311
    made = 0
    for alphabet in ("abA", "абА", "ヌマリ", "αβΑ"):
        for _ in range(400):
            text = "".join(drawn.choices(f"{alphabet}  ,.'", k=24))
            subject = "".join(drawn.choices(alphabet, k=2))
            try:
                parts = with_slots(text, subject).split("{}")
            except NoSlot:
                continue
            made += 1
            assert len(parts) > 1
            assert not any(part[-1:].isalpha() for part in parts[:-1])
            assert not any(part[:1].isalpha() for part in parts[1:])
            assert subject.casefold() not in re.split(r"[ ,.']+", " ".join(parts).casefold())
    assert made > 100


CASES = [
    ("Who sells to somalis from Mali?", "Mali", True),
    ("in somali markets the tongue is", "Mali", False),
    ("Mali", "Mali", False),
    ("{}", "Mali", False),
]


@pytest.mark.parametrize("kind", ["counterfact", "zsre", "knowedit"])
def test_benchmarks_reject_the_record_and_keep_the_others(kind: str) -> None:
    records = [
        {"counterfact": {"prompt": prompt, "subject": subject, "target_new": "Dakar", "ground_truth": "Bamako"},
         "knowedit": {"prompt": prompt, "subject": subject, "target_new": "Dakar", "ground_truth": "Bamako"},
         "zsre": {"src": prompt, "subject": subject, "alt": "Dakar", "answers": ["Bamako"]}}[kind]
        for prompt, subject, _ in CASES
    ]  # fmt: skip
    folded = fold(kind, {"set.json": records})
    assert len(folded.cases) == sum(good for *_, good in CASES)
    assert [rejection.place.record for rejection in folded.rejections] == [
        number for number, (*_, good) in enumerate(CASES, start=1) if not good
    ]
    texts = [template.text for found in folded.templates.values() for template in found]
    assert texts
    assert all("{s}" in text and "li{" not in text and "Mali" not in text and text != "{s}" for text in texts)


def test_nested_counterfact_and_lre_take_no_bare_slot() -> None:
    rewrite = {
        "subject": "Mali",
        "target_new": {"str": "Dakar"},
        "target_true": {"str": "Bamako"},
        "relation_id": "P36",
    }
    prompts = ["{}", "The capital of {} is", "Mali, whose city {} is", "The capital is"]
    records = [{"case_id": n, "requested_rewrite": {**rewrite, "prompt": p}} for n, p in enumerate(prompts)]
    folded = fold("counterfact", {"set.json": records})
    assert [rejection.place.record for rejection in folded.rejections] == [1, 4]
    assert all("Mali" not in template.text for found in folded.templates.values() for template in found)
    lre = {"name": "capital", "prompt_templates": ["{}", "{}?"], "samples": [{"subject": "Mali", "object": "Bamako"}]}
    assert len(fold("lre", {"capital.json": lre}).rejections) == 1


def test_wordings_of_hops_and_ripples_that_give_no_template_are_told() -> None:
    triples = [["Q1", "P36", "Q2"], ["Q2", "P17", "Q3"]]
    named = [["Mali", "capital", "Bamako"], ["Bamako", "country", "Mali"]]
    targets = {"target_true": {"str": "Bamako", "id": "Q2"}, "target_new": {"str": "Dakar", "id": "Q9"}}
    rewrite = {"prompt": "Mali has {}", "subject": "Mali", "relation_id": "P36", **targets}
    record = {
        "case_id": 1,
        "orig": {"triples": triples, "triples_labeled": named, "edit_triples": [["Q1", "P36", "Q9"]]},
        "requested_rewrite": [rewrite],
        "single_hops": [{"cloze": "x", "answer": "y"}, {"cloze": "Bamakos land is", "question": "?", "answer": "Mali"}],
        "questions": ["Which?"],
    }
    folded = fold("mquake", {"m.json": [record]})
    texts = [template.text for found in folded.templates.values() for template in found]
    assert "{s} has {s}" in texts
    assert not any("Mali" in text or "Bamako" in text for text in texts)
    assert ["only inside 'Bamakos'" in finding.text for finding in folded.findings] == [True]
    bare = {**record, "requested_rewrite": [{**rewrite, "prompt": "{}"}]}
    assert len(fold("mquake", {"m.json": [bare]}).rejections) == 1
