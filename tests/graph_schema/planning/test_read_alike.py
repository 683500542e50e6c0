"""Entities whose names differ in signs that a text swallows: one question would be true of one, false of the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.language.filling import fill
from knowledgesmith.graph_schema.language.name_keys import name_key
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.probes.verification.verify import claim, judge
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Form, Relation, Split, Template, fact_id
from knowledgesmith.graph_schema.types.probes import ProbeKind

PAIRS = [
    ("Acme Inc.", "Acme Inc", "."),
    ("Who?", "Who", "?"),
    ("Yahoo!", "yahoo", "!"),
    ("etc…", "etc", ""),
    ("东京。", "东京", "。"),
    ("من؟", "من", "؟"),
    ("दिल्ली।", "दिल्ली", "।"),
    ("ООО Ромашка.", "ООО Ромашка", "."),
    ("Εταιρεία Α.Ε.", "Εταιρεία Α.Ε", "."),
    ("Foo,", "Foo", ","),
]


@pytest.mark.parametrize(("one", "other", "mark"), PAIRS)
def test_names_that_a_text_makes_the_same_are_neither_asked_about_nor_options(
    store: GraphStore, graph_id: str, writer: Any, one: str, other: str, mark: str
) -> None:
    """ "Ann works for Acme Inc." would be true of the one company and false of the other."""
    names = [one, other, "Zeta", "Beta", "Gamma"]
    entities = [Entity(uid=f"c{n}", name=name, type="Company") for n, name in enumerate(names)]
    entities += [Entity(uid=f"p{n}", name=f"Per{chr(97 + n)}", type="Person") for n in range(10)]
    facts = [(f"p{n}", "works_for", f"c{n % 5}") for n in range(10)]
    writer(graph_id, entities, _relations("works_for"), facts)
    data = generate(store, graph_id=graph_id)
    assert data.probes
    named = {uid for p in data.probes for uid in (p.anchor, *p.option_uids)}
    assert named.isdisjoint({"c0", "c1"})
    said = {fact_id(graph_id, f"p{n}", "works_for", uid) for n in range(10) for uid in ("c0", "c1")}
    assert all(said.isdisjoint(p.fact_ids) for p in data.probes)
    assert data.dropped["ambiguous_anchor"] > 0
    assert data.dropped["ambiguous_option"] > 0

    if not mark:  # a reader can tell the two in every text, though an answer could hardly be judged
        return
    lexicon = load_lexicon(store, graph_id=graph_id)
    (relation,) = lexicon.relations.values()
    text = Template(direction=Direction.FORWARD, split=Split.EVAL, form=Form.QUESTION, text=f"{{s}}, {{o}}{mark}")
    relation = replace(relation, templates=(*relation.templates, text))
    lexicon = Lexicon.build(graph_id=graph_id, entities=lexicon.entities, relations=[relation])
    direct, back = ("works_for",), ("~works_for",)
    made = [
        (Question(kind=ProbeKind.DIRECT, anchor="p0", path=direct, before=(), after=()), ["c0"], ["c2"]),
        (Question(kind=ProbeKind.DIRECT, anchor="p2", path=direct, before=(), after=()), ["c2"], ["c1"]),
        (Question(kind=ProbeKind.REVERSE, anchor="c1", path=back, before=(), after=()), ["p1"], ["p0"]),
        (Question(kind=ProbeKind.CONFLICT, anchor="p0", path=direct, before=(), after=(), object="c1"), [], []),
    ]
    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        for question, right, wrong in made:
            name, row = claim("it", question, right=right, wrong=wrong, lexicon=lexicon)
            assert judge(tx, name, [row], lexicon=lexicon) == {"it": "homonym"}
        question = Question(kind=ProbeKind.DIRECT, anchor="p2", path=direct, before=(), after=())
        name, row = claim("it", question, right=["c2"], wrong=["c3", "c4"], lexicon=lexicon)
        assert judge(tx, name, [row], lexicon=lexicon) == {}


NAME_PARTS = st.sampled_from(
    ["Acme", "Inc", "The", "the", "A", "Hague", ".", "?", "!", "…", ",", "”", " ", "東京", "。", "؟"]
)


@given(
    names=st.lists(st.lists(NAME_PARTS, min_size=1, max_size=4).map("".join), min_size=2, max_size=6),
    articles=st.booleans(),
)
@example(names=["The", "A"], articles=True)
@example(names=["The", ","], articles=True)
def test_whatever_a_text_makes_the_same_is_never_drawn(names: list[str], articles: bool) -> None:
    """What draws must be at least as careful as what judges, which looks at the texts."""
    entities = [Entity(uid=str(n), name=name) for n, name in enumerate(names) if name.strip()]
    text = "in the {s}, a {o}" if articles else "{s} is in {o}."
    template = Template(direction=Direction.FORWARD, split=Split.EVAL, form=Form.STATEMENT, text=text)
    lexicon = Lexicon.build(
        graph_id="g", entities=entities, relations=[Relation(name="r", rel_type="R", templates=(template,))]
    )
    drawn = {e.uid for e, ambiguous in zip(lexicon.entities, lexicon.ambiguous, strict=True) if not ambiguous}
    assert drawn.isdisjoint(lexicon.read_alike)
    for mark in (".", "?", ",", ""):
        for frame in (f"{{s}}{mark}", *([f"the {{s}}{mark}", f"a {{s}}{mark}"] if articles else [])):
            if frame not in text and mark not in ("", "?"):
                continue
            seen = Counter(name_key(fill(frame, subject=e.name)) for e in entities)
            assert all(seen[name_key(fill(frame, subject=lexicon.entity(uid).name))] == 1 for uid in drawn)


def _relations(*names: str) -> list[Relation]:
    return list(build_catalogue([Relation(name=name, rel_type="") for name in names]).values())
