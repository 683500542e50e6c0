"""The real files: what their readers find, oddities included. Skipped where the shared folder is missing."""

from __future__ import annotations

import pytest
from tests.graph_schema.sets.folding import fold, shared

pytestmark = pytest.mark.shared


def test_counterfact_has_doubles_conflicts_and_a_self_target() -> None:
    folded = fold("counterfact", shared("edit/counterfact/*"))
    folded.check()
    assert (len(folded.cases), len(folded.rejections)) == (10_000, 0)
    changes = [case.rounds[0][0] for case in folded.cases.values()]
    assert len({(c.subject, c.relation, c.new_object) for c in changes}) < len(changes)
    assert any(change.subject == change.new_object for change in changes)
    assert "the" in folded.relations


def test_zsre_answers_are_the_truth() -> None:
    folded = fold("zsre", shared("edit/zsre/*"))
    folded.check()
    assert len(folded.cases) + len(folded.rejections) == 500
    assert not any(probe.stem.startswith("nq question") for case in folded.cases.values() for probe in case.probes)


def test_conflictedit_keeps_ids_labels_and_misspelt_templates() -> None:
    files = shared(*(f"edit/conflictedit/{name}*" for name in ("reverse", "easy", "conflict_prompts")))
    folded = fold("conflictedit", files)
    folded.check()
    assert (len(folded.cases), len(folded.rejections)) == (4_000, 0)
    assert all(len(case.rounds) == 2 for case in folded.cases.values())
    assert any("creater" in template.text for template in folded.templates["creator"])


def test_taxi_joins_edits_and_evaluation() -> None:
    folded = fold("taxi", shared("edit/taxi/*.json*", "edit/taxi/taxonomy/*"))
    folded.check()
    assert (len(folded.cases), folded.rejections) == (736, [])
    probes = [probe for case in folded.cases.values() for probe in case.probes]
    assert not any("<subj>" in text for probe in probes for text in (probe.stem, *probe.answers))
    assert {len(probe.options) for probe in probes if probe.family.endswith("forward")} >= {2, 3, 4, 8}


def test_lre_relations() -> None:
    folded = fold("lre", shared("edit/lre-relations/*/*.json"))
    folded.check()
    assert (len(folded.relations), len(folded.rejections)) == (20, 0)
    assert len(folded.facts) > 4_700


def test_unlearning_sets() -> None:
    tofu = fold("tofu", shared("unlearn/tofu/*"))
    tofu.check()
    assert (len(tofu.facts), len(tofu.cases), tofu.rejections) == (700, 301, [])
    assert sum(entity.type == "Refusal" for entity in tofu.entities.values()) == 100
    undo = fold("knowundo", shared("unlearn/knowundo-privacy/*"))
    undo.check()
    assert (len(undo.facts), len(undo.cases), undo.rejections) == (841, 401, [])


def test_templates_alone_are_no_data() -> None:
    folded = fold("mquake", shared("edit/mquake-prompts/templates/*"))
    assert not folded.entities


def test_countries() -> None:
    folded = fold("mapped", shared("kg/economics/countries.json"), {"mapping": "countries"})
    folded.check()
    assert not folded.rejections
    counts = {name: sum(fact[1] == name for fact in folded.facts) for name in folded.relations}
    assert counts["country_code"] == 250
    assert counts["subregion"] == 245
    assert ("LKA", "borders", "IND") in folded.facts
    assert ("IND", "borders", "LKA") not in folded.facts
    capitals = [s for s, r, _ in folded.facts if r == "capital"]
    assert (250 - len(set(capitals)), sum(capitals.count(s) == 3 for s in set(capitals))) == (5, 2)
    assert 250 - len({s for s, r, _ in folded.facts if r == "currency"}) == 4


def test_elements() -> None:
    folded = fold("mapped", shared("kg/physics/PeriodicTableJSON.json"), {"mapping": "periodic_table"})
    folded.check()
    assert any("'5000 BC' at 'discovered_by'" in reason for reason in folded.reasons())
    assert sum("'category'" in reason for reason in folded.reasons()) == 9
    assert ("element:Fe", "category", "category:transition metal") in folded.facts


def test_battles() -> None:
    files = shared("kg/history/cdb90/battle*s.csv", "kg/history/cdb90/commanders.csv")
    files.pop("battle_durations.csv")
    folded = fold("mapped", files, {"mapping": "cdb90"})
    folded.check()
    assert [(r.place.file, r.place.record) for r in folded.rejections] == [
        ("commanders.csv", 644),
        ("commanders.csv", 670),
    ]
    won = {s for s, r, _ in folded.facts if r == "won_by"}
    assert len(won) <= 398
    assert folded.entities["battle:1"].name == "Nieuport"
    assert folded.entities["battle:1"].aliases == ("Battle of Nieuwpoort",)
    roman = fold("mapped", files, {"mapping": "cdb90", "encoding": "mac-roman"})
    assert "Émile Fayolle" in {alias for entity in roman.entities.values() for alias in entity.aliases}


def test_triples() -> None:
    words = fold("triples", shared("kg/general/wn18rr/*"), {"hierarchical": "_hypernym", "name_until": ","})
    assert (len(words.facts), len(words.entities), len(words.relations)) == (93_003, 40_943, 11)
    assert not words.rejections
    people = fold("triples", shared("kg/history/fb13/*"), {"false_triples": "count"})
    assert len(people.facts) == 5_908
    assert (people.denied, people.reasons()) == (5_908, [])
