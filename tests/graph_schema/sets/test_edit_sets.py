"""Readers of editing benchmarks, on hand-written records of each source's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.graph_schema.sets.folding import fold

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import relation_of, uid_of
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe
from knowledgesmith.graph_schema.language.text_checks import MAX_UID
from knowledgesmith.graph_schema.types.facts import Form, Split
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind


def _family(probes: Any, family: str) -> list[CaseProbe]:
    return [probe for probe in probes if probe.family == family]


FLAT = {
    "case_id": 7,
    "prompt": "The native tongue of Ada Blum is",
    "subject": "Ada Blum",
    "target_new": "Welsh",
    "ground_truth": "German",
    "rephrase_prompt": "At home Ada Blum always spoke",
    "locality_prompt": "Otto Rank spoke",
    "locality_ground_truth": "German",
}


def test_counterfact_flat() -> None:
    other = FLAT | {"case_id": 8, "subject": "ada  blum", "prompt": "ada  blum speaks", "ground_truth": "german"}
    folded = fold("counterfact", {"cf.json": [FLAT, other]})
    folded.check()
    assert folded.facts == {("ada blum", "native tongue", "german"), ("ada blum", "speaks", "german")}
    case = folded.cases["cf:7"]
    change = CaseChange(subject="ada blum", relation="native tongue", old_object="german", new_object="welsh")
    assert (case.rounds, case.goal, case.place.record) == (((change,),), Goal.EDIT, 1)
    (rewrite,), (rephrase,), (local,) = (_family(case.probes, f) for f in ("rewrite", "rephrase", "locality"))
    assert (rewrite.stem, rewrite.answers, rewrite.answers_before) == (FLAT["prompt"], ("Welsh",), ("German",))
    assert rephrase.polarity is Polarity.CHANGE
    assert (local.polarity, local.answers) == (Polarity.STAY, ("German",))
    assert "The native tongue of {s} is" in folded.texts("native tongue", Split.TRAIN)
    assert "It is known that the native tongue of {s} is" in folded.texts("native tongue", Split.EVAL)


def test_counterfact_oddities() -> None:
    """Fragments, subjects inside, doubles, two targets for one prompt, a target that is the subject."""
    records = [
        FLAT | {"prompt": "Ada Blum, the", "case_id": 1},
        FLAT | {"prompt": "What does Ada Blum speak? It is", "case_id": 2},
        FLAT,
        FLAT,
        FLAT | {"case_id": 9, "target_new": "Irish"},
        FLAT | {"case_id": 10, "target_new": "Ada Blum"},
        FLAT | {"case_id": 11, "prompt": "Nobody speaks"},
        FLAT | {"case_id": 12, "target_new": ""},
        FLAT | {"case_id": 13, "subject": ["no", "text"]},
        "no object",
    ]
    folded = fold("counterfact", {"cf.json": records})
    folded.check()
    assert {"the", "what does speak it is", "native tongue"} <= set(folded.relations)
    assert {"cf:7", "cf:7#4", "cf:9", "cf:10"} <= set(folded.cases)
    assert folded.cases["cf:10"].rounds[0][0].new_object == folded.cases["cf:10"].rounds[0][0].subject
    reasons = folded.reasons()
    assert len(reasons) == 4
    assert "does not stand in the prompt" in reasons[0]
    assert reasons[3].startswith("cf.json:10: not a JSON object")


def test_counterfact_nested() -> None:
    record = {
        "case_id": 3,
        "requested_rewrite": {
            "prompt": "The native tongue of {} is",
            "relation_id": "P103",
            "target_new": {"str": "Welsh", "id": "Q9309"},
            "target_true": {"str": "German", "id": "Q188"},
            "subject": "Ada Blum",
        },
        "paraphrase_prompts": ["Ada Blum spoke"],
        "neighborhood_prompts": ["Otto Rank spoke", "Ida Tal spoke"],
        "attribute_prompts": ["Dylan Rees spoke"],
        "generation_prompts": ["Ada Blum grew up"],
    }
    folded = fold("counterfact", {"cf.json": json.dumps(record)})
    folded.check()
    assert folded.facts == {("ada blum", "P103", "german")}
    probes = folded.cases["cf:3"].probes
    assert [probe.answers for probe in _family(probes, "neighborhood")] == [("German",), ("German",)]
    assert [probe.answers for probe in _family(probes, "attribute")] == [("Welsh",)]
    assert _family(probes, "generation")[0].answers == ()


def test_zsre() -> None:
    record = {
        "subject": "Blum AG",
        "src": "What does Blum AG make?",
        "pred": "wood",
        "rephrase": "What product is made by Blum AG?",
        "alt": "clocks",
        "answers": ["hinges", "Hinges", "drawers"],
        "loc": "nq question: who wrote faust",
        "loc_ans": "Goethe",
        "cond": "wood >> clocks || What does Blum AG make?",
    }
    folded = fold("zsre", {"zsre.jsonl": "\n".join(json.dumps(r) for r in (record, record | {"alt": ""}))})
    folded.check()
    assert folded.facts == {("blum ag", "what does make", obj) for obj in ("hinges", "drawers")}
    case = folded.cases["zsre:1"]
    assert case.rounds[0][0] == CaseChange(
        subject="blum ag", relation="what does make", old_object="hinges", new_object="clocks"
    )
    (local,) = _family(case.probes, "locality")
    assert (local.stem, local.answers) == ("who wrote faust? The answer is", ("Goethe",))
    assert "wood" not in folded.entities
    assert folded.reasons() == ["zsre.jsonl:2: no text in 'alt' or 'target_new'"]
    assert folded.texts("what does make", Split.TRAIN, Form.QUESTION) == ["What does {s} make?"]


def _relation(pid: str, label: str, prompt: str, query: str) -> dict[str, str]:
    return {"id": pid, "label": label, "prompt": prompt, "query": query}


FATHER = _relation("P22", "father", "The father of {} is", "Who is the father of {}?")
CHILD = _relation("P40", "child", "The child of {} is", "Who is the child of {}?")


def _item(number: int) -> dict[str, str]:
    return {"id": f"Q{number}", "label": f"Person {number}"}


def _edit(relation: dict[str, str], subject: int, old: int, new: int) -> dict[str, Any]:
    parts = {"relation": relation, "subject": _item(subject), "object": _item(old), "new_object": _item(new)}
    return {key: value for key, value in parts.items() if key != "new_object" or new}


def test_conflictedit_edits_are_rounds() -> None:
    record = {
        "rule": "P40>P22",
        "triples": [_edit(CHILD, 1, 2, 0), _edit(FATHER, 2, 1, 0)],
        "prerequisites": [],
        "type": "reverse",
        "edits": [_edit(CHILD, 1, 2, 3), _edit(FATHER, 3, 1, 4)],
    }
    coverage = {
        "triples": [_edit(FATHER, 7, 8, 0)],
        "type": "coverage",
        "edits": [_edit(FATHER, 7, 8, 9), _edit(FATHER, 7, 9, 1)],
    }
    wordings = {"P22": ["{}'s dad is", "The father of {} is", "no slot", "{} and {}"]}
    folded = fold("conflictedit", {"prompts.json": wordings, "edits.json": [record, coverage]})
    folded.check()
    assert folded.facts == {("Q1", "child", "Q2"), ("Q2", "father", "Q1"), ("Q7", "father", "Q8")}
    case = folded.cases["edits:1"]
    assert [(c.subject, c.old_object, c.new_object) for (c,) in case.rounds] == [("Q1", "Q2", "Q3"), ("Q3", "Q1", "Q4")]
    (last,) = folded.cases["edits:2"].probes
    assert (last.answers, last.answers_before) == (("Person 1",), ("Person 8",))
    assert "{s}'s dad is" in folded.texts("father", Split.EVAL)
    assert folded.texts("father", Split.TRAIN).count("The father of {s} is") == 1


def test_roundedit_goes_away_and_back() -> None:
    record = {"type": "1-2@P40", "edit": _edit(CHILD, 1, 2, 3), "true_objects": [_item(2), _item(5)]}
    folded = fold("conflictedit", {"easy.json": [record]})
    folded.check()
    (case,) = folded.cases.values()
    assert [(c.old_object, c.new_object) for (c,) in case.rounds] == [("Q2", "Q3"), ("Q3", "Q2")]
    assert folded.facts == {("Q1", "child", "Q2"), ("Q1", "child", "Q5")}
    assert [(probe.family, probe.answers) for probe in case.probes] == [
        ("edited_object", ("Person 2",)),
        ("other_true_objects", ("Person 5",)),
    ]


MQUAKE = {
    "case_id": 15,
    "requested_rewrite": [
        {
            "prompt": "{} plays the sport of",
            "relation_id": "P641",
            "target_new": {"str": "curling", "id": "Q2"},
            "target_true": {"str": "chess", "id": "Q1"},
            "subject": "Team T",
            "question": "Which sport does Team T play?",
        }
    ],
    "questions": ["Where does the sport of Team T come from?"],
    "answer": "India",
    "answer_alias": ["Bharat"],
    "new_answer": "Scotland",
    "new_answer_alias": [],
    "single_hops": [
        {"question": "Which sport does Team T play?", "cloze": "Team T plays the sport of", "answer": "chess"},
        {
            "question": "Where is chess from?",
            "cloze": "chess comes from",
            "answer": "India",
            "answer_alias": ["Bharat"],
        },
    ],
    "new_single_hops": [
        {"question": "Which sport does Team T play?", "cloze": "Team T plays the sport of", "answer": "curling"},
        {"question": "Where is curling from?", "cloze": "curling comes from", "answer": "Scotland"},
    ],
    "orig": {
        "triples": [["Q9", "P641", "Q1"], ["Q1", "P495", "Q668"]],
        "triples_labeled": [["Team T", "sport", "chess"], ["chess", "country of origin", "India"]],
        "new_triples": [["Q9", "P641", "Q2"], ["Q2", "P495", "Q22"]],
        "new_triples_labeled": [["Team T", "sport", "curling"], ["curling", "country of origin", "Scotland"]],
        "edit_triples": [["Q9", "P641", "Q2"]],
    },
}


def test_mquake() -> None:
    templates = {"P495": "[X] was created in the country of __", "P641": ["[X] is about the sport __"]}
    folded = fold("mquake", {"cf.json": [MQUAKE], "cloze.json": templates})
    folded.check()
    assert folded.facts == {
        ("Q9", "sport", "Q1"),
        ("Q1", "country of origin", "Q668"),
        ("Q2", "country of origin", "Q22"),
    }
    case = folded.cases["cf:15"]
    assert case.rounds == ((CaseChange(subject="Q9", relation="sport", old_object="Q1", new_object="Q2"),),)
    (hop,) = _family(case.probes, "multi_hop")
    assert (hop.kind, hop.answers, hop.answers_before) == (ProbeKind.MULTI_HOP, ("Scotland",), ("India", "Bharat"))
    changed, kept = _family(case.probes, "single_hops")
    assert (changed.polarity, changed.answers, changed.answers_before) == (Polarity.CHANGE, ("curling",), ("chess",))
    assert (kept.polarity, kept.answers) == (Polarity.STAY, ("India", "Bharat"))
    assert "{s} comes from" in folded.texts("country of origin", Split.TRAIN)
    assert "{s} was created in the country of" in folded.texts("country of origin", Split.EVAL)


def _query(prompt: str, subject: str, relation: str, answers: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "prompt": prompt,
        "answers": [{"value": name, "aliases": aliases} for name, aliases in answers.items()],
        "query_type": "regular",
        "subject_id": subject,
        "relation": relation,
        "target_ids": [f"Q{uid_of(name)}" for name in answers],
        "phrase": None,
    }


def test_rippleedits() -> None:
    mother = _query("The name of the mother of Ada Blum is", "Q5", "MOTHER", {"Eva Blum": ["Eva"]})
    record = {
        "example_type": "popular",
        "edit": {
            "prompt": "The name of the country of citizenship of Ada Blum is Syria.",
            "subject_id": "Q5",
            "relation": "COUNTRY_OF_CITIZENSHIP",
            "target_id": "Q858",
            "original_fact": {
                "prompt": "The name of the country of citizenship of Ada Blum is Switzerland.",
                "subject_id": "Q5",
                "relation": "COUNTRY_OF_CITIZENSHIP",
                "target_id": "Q39",
            },
        },
        "Relation_Specifity": [{"test_queries": [mother], "test_condition": "OR", "condition_queries": [mother]}],
        "Logical_Generalization": [
            {"test_queries": [_query("Ada Blum may vote in", "Q5", "VOTE", {"Damascus": []})], "condition_queries": []}
        ],
    }
    inserted = {"example_type": "recent", "edit": {k: v for k, v in record["edit"].items() if k != "original_fact"}}  # type: ignore[attr-defined]
    folded = fold("rippleedits", {"popular.json": [record, inserted, {"edit": {"prompt": "no"}}]})
    folded.check()
    assert folded.names("Q5", "Q858", "Q39") == ["Ada Blum", "Syria", "Switzerland"]
    assert folded.facts == {("Q5", "COUNTRY_OF_CITIZENSHIP", "Q39"), ("Q5", "MOTHER", "Qeva blum")}
    case = folded.cases["popular:1"]
    assert (case.rounds[0][0].old_object, case.rounds[0][0].new_object) == ("Q39", "Q858")
    assert _family(case.probes, "Relation_Specifity")[0].answers == ("Eva Blum", "Eva")
    assert _family(case.probes, "Logical_Generalization")[0].kind is ProbeKind.MULTI_HOP
    assert folded.cases["popular:2"].rounds[0][0].old_object == ""
    assert "The name of the country of citizenship of {s} is" in folded.texts("COUNTRY_OF_CITIZENSHIP", Split.TRAIN)
    assert len(folded.rejections) == 1


def test_knowedit_sets() -> None:
    side = {
        "portability": {"Reasoning": [{"prompt": ["Whose port is Ayr?"], "ground_truth": [["Scots", "The Scots"]]}]},
        "locality": {"Relation_Specificity": [{"prompt": "Ayr is near", "ground_truth": "Troon"}]},
    }
    triple = {"subject": "Ayr", "prompt": "The mayor of Ayr is", "target_new": "Jo", **side}
    files = {
        "recent.json": [triple],
        "counterfact.json": [triple | {"ground_truth": [["Kim", "Kimberley"]], "rephrase": ["Ayr is led by"]}],
        "zsre.json": [triple | {"prompt": "Who leads Ayr?", "ground_truth": ["Kim"]}],
        "wikibio.json": [{"concept": "ida", "text": "About Ida.", "labels": "She sang.", **side}],
        "convsent.jsonl": json.dumps({"ent": "Rain", "pos": ["Lovely."], "neg": ["Awful."]}),
        "sanitation.json": {
            "K_F": [{"question": "Who hid?", "ground_truth": "Max", "target_new": "Unknown"}],
            "K_R": [{"question": "Who sang?", "ground_truth": "Ida"}],
        },
    }
    folded = fold("knowedit", files)
    folded.check()
    assert folded.cases["recent:1"].rounds[0][0].old_object == ""
    case = folded.cases["counterfact:1"]
    assert case.rounds[0][0].old_object == "kim"
    assert _family(case.probes, "rewrite")[0].answers_before == ("Kim", "Kimberley")
    assert _family(case.probes, "Reasoning")[0].answers == ("Scots", "The Scots")
    assert _family(case.probes, "Relation_Specificity")[0].polarity is Polarity.STAY
    assert folded.cases["wikibio:1"].rounds[0][0].relation == "biography"
    assert {"convsent:1-positive", "convsent:1-negative"} <= set(folded.cases)
    assert folded.cases["convsent:1-negative"].probes[0].answers == ("Awful.",)
    forget = folded.cases["sanitation:1"]
    assert (forget.goal, forget.rounds[0][0].new_object) == (Goal.UNLEARN, "")
    assert len(folded.cases["sanitation:all"].probes) == 2
    assert ("ayr", "mayor", "kim") in folded.facts


def test_lre() -> None:
    relation = {
        "name": "person sister",
        "prompt_templates": ["{}'s sister is", "no slot"],
        "prompt_templates_zs": ["{}'s sister is", "Who is {}'s sister? It is"],
        "properties": {"domain_name": "person", "range_name": "person", "symmetric": True},
        "samples": [
            {"subject": "Ada", "object": "Ida"},
            {"subject": "", "object": "Ida"},
            {"subject": "Eva", "object": 5},
        ],
    }
    folded = fold("lre", {"sister.json": relation})
    folded.check()
    assert folded.facts == {("ada", "person sister", "ida"), ("eva", "person sister", "5")}
    assert folded.relations["person sister"].traits.symmetric
    assert folded.texts("person sister", Split.EVAL) == ["Who is {s}'s sister? It is"]
    assert folded.reasons() == ["sister.json:2: no text in 'subject'"]
    assert fold("lre", {"x.json": [{"name": "y"}]}).rejections[0].place.record == 1


TAXI_EDIT = {
    "entity": "dog",
    "orig_entity": "cat",
    "token_type": "typical",
    "subj": "Manx",
    "edit": "Manx -> dog",
    "edit_type": "category membership",
    "superordinate_category": "animal",
}
TAXI_ASKED = TAXI_EDIT | {
    "property": "makes_sound",
    "query_fwd": "a sound a <subj> makes is <answer>",
    "query_rev": "<answer> is a sound made by a <subj>",
    "answer_changed": True,
    "fwd_choices": ["bark", "meow"],
    "rev_choices": ["Manx", "Jersey"],
    "answer_fwd": "bark",
    "answer_rev": "<subj>",
    "orig_answer_fwd": "meow",
    "orig_answer_rev": "<subj>",
}


def _columns(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    names = sorted({name for row in rows.values() for name in row})
    return {name: {key: row[name] for key, row in rows.items() if name in row} for name in names}


def test_taxi() -> None:
    kept = TAXI_ASKED | {"property": "has", "answer_changed": False, "query_rev": "<answer> and <answer>"}
    files = {
        "edits-evaluation.json": _columns({"3": TAXI_ASKED, "41": kept}),
        "edits.json": _columns({"0": TAXI_EDIT}),
        "animal-type-tokens.tsv": "entity_type\ttypical_token1\trare_token1\ncat\tManx\tPersian\n",
        "animal-data.tsv": (
            "entity\tproperty\tquery_fwd\tquery_rev\tanswer_fwd\tanswer_rev\tfoil1\tfoil2\tfoil3\n"
            "dog\tcan\t<subj> can <answer>\tone that can <answer> is a <subj>\tswim\t<subj>\tfly\trun\n"
            "dog\tcan\n"
            "a\tb\tc\td\te\tf\tg\th\ti\tj\n"
        ),
    }
    folded = fold("taxi", files)
    folded.check()
    category = "category_membership"
    assert ("manx", category, "cat") in folded.facts
    assert ("cat", category, "animal") in folded.facts
    assert ("dog", "makes_sound", "bark") in folded.facts
    assert ("cat", "makes_sound", "meow") in folded.facts
    assert ("dog", "can", "swim") in folded.facts
    assert folded.relations["can"].traits.composed_of == (category, "can")
    (case,) = folded.cases.values()
    assert (case.id, case.place.file) == ("edits:animal: Manx -> dog", "edits.json")
    assert case.rounds == ((CaseChange(subject="manx", relation=category, old_object="cat", new_object="dog"),),)
    forward, reverse = (_family(case.probes, f"makes_sound:{way}")[0] for way in ("forward", "reverse"))
    assert (forward.stem, forward.answers, forward.answers_before) == ("a sound a Manx makes is", ("bark",), ("meow",))
    assert (reverse.stem, reverse.answers, reverse.options) == (
        "bark is a sound made by a",
        ("Manx",),
        ("Manx", "Jersey"),
    )
    assert _family(case.probes, "has:forward")[0].polarity is Polarity.STAY
    assert not _family(case.probes, "has:reverse")
    assert [reason.split(":")[1] for reason in folded.reasons()] == ["3", "4"]


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("The mother tongue of {} is", "mother tongue"),
        ("{} is owned by", "is owned by"),
        ("{}, the", "the"),
        ("{}'s capital is", "capital"),
        ("What is {}?", "what is"),
        ("In {}, they understand", "in they understand"),
    ],
)
def test_relations_are_named_by_their_prompt(prompt: str, name: str) -> None:
    assert relation_of(prompt) == name


def test_names_that_say_the_same_are_one_uid() -> None:
    assert uid_of(" São\u00a0Paulo\n") == uid_of("são paulo")
    assert uid_of("ﬁne") == "fine"
    long = uid_of("x" * 600)
    assert len(long) <= MAX_UID
    assert long != uid_of("x" * 401)


@pytest.mark.parametrize("name", ["counterfact", "zsre", "mquake", "rippleedits", "conflictedit", "lre", "knowedit"])
def test_hostile_files_are_refused_or_named(name: str) -> None:
    with pytest.raises(InvalidInput, match="not JSON"):
        fold(name, {"x.json": "MATCH (n) DETACH DELETE n"})
    deep = "[" * 50_000
    for content in (
        deep,
        '[{"prompt": "x"',
        '[{"prompt": "\ud800"}]'.encode("utf-8", "surrogatepass"),
        "[1, [], null]",
    ):
        folded = fold(name, {"x.json": content})
        assert folded.rejections
        assert not folded.entities
    nasty: list[Any] = [
        None,
        {},
        {"prompt": 5},
        {"requested_rewrite": []},
        {"edit": []},
        {"orig": "x"},
        {"name": {}},
        {"src": [1]},
    ]
    assert len(fold(name, {"x.json": nasty}).rejections) == len(nasty)
