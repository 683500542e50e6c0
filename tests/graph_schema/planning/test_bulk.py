"""Bulk sets: what a block draws is what one question draws, whatever the block; and what people asked for, no more."""

from __future__ import annotations

import gc
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledgesmith.graph_schema.errors import EntityNotFound, InvalidInput, ProbeSetEmpty, RelationNotFound
from knowledgesmith.graph_schema.graphs.levels import rebuild_levels
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.blocks import Blocks
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, Question, Scope, ask
from knowledgesmith.graph_schema.probes.drawing.draw import OPTIONS, draw_distractors, draw_key, permutation
from knowledgesmith.graph_schema.probes.drawing.vector_draw import NOBODY, Wanted, draw_many, shuffle
from knowledgesmith.graph_schema.probes.generation.gc_tuning import SeldomCollected
from knowledgesmith.graph_schema.probes.generation.generate import generate_file, generate_in_memory
from knowledgesmith.graph_schema.probes.generation.options import OptionDrawer
from knowledgesmith.graph_schema.probes.generation.request import BulkProgress, BulkRequest
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.verification.verify import claim, judge
from knowledgesmith.graph_schema.probes.wording.verbalise import stems
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, Triple, close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Level, Relation, Split, Traits
from knowledgesmith.graph_schema.types.probes import ProbeKind

NAMES = st.sampled_from(["Ur", "ur", "Eridu", "Kish", "Lagash", "Mari", "Nippur", "Susa", "Uruk", "Akkad", "Assur"])


@given(
    names=st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=2)), min_size=2, max_size=70),
    seed=st.integers(0, 9),
    count=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_many_draws_are_the_single_ones(names: list[tuple[str, list[str]]], seed: int, count: int) -> None:
    """Homonyms, shared aliases, small and large pools: the same distractors in the same order."""
    entities = [
        Entity(uid=f"u{n:03}", name=name if n % 3 else f"{name} {n}", type="City", aliases=tuple(aliases))
        for n, (name, aliases) in enumerate(names)
    ]
    relation = Relation(name="r", rel_type="R")
    lexicon = Lexicon.build(graph_id="g", entities=entities, relations=[relation])
    pool = np.array(sorted(list(range(len(entities))) * (1 + seed % 2)), dtype=np.int64)
    keys = np.array([draw_key(seed, str(n)) for n in range(12)], dtype=np.uint64)
    shown = np.array([n % len(entities) for n in range(12)], dtype=np.int64)
    banned = (np.arange(12), (np.arange(12) * 7) % len(entities))
    drawn = draw_many(lexicon, Wanted(pool=pool, shown=shown, banned=banned, keys=keys, count=count))
    mixed = shuffle(np.concatenate([shown[:, None], drawn], axis=1), keys)
    for row in range(12):
        excluded = [entities[int(banned[1][row])].uid]
        one = draw_distractors(
            lexicon,
            pool=pool.tolist(),
            shown=[lexicon.entities[int(shown[row])].uid],
            excluded=excluded,
            count=count,
            key=int(keys[row]),
        )
        assert [lexicon.entities[n].uid for n in drawn[row].tolist() if n != NOBODY] == one
        order = permutation(len(one) + 1, key=int(keys[row]) ^ 0x9E3779B97F4A7C15)
        options = [lexicon.entities[int(shown[row])].uid, *one]
        assert [lexicon.entities[n].uid for n in mixed[row].tolist() if n != NOBODY] == [options[n] for n in order]


def test_neither_blocks_nor_the_order_of_import_change_a_byte(
    store: GraphStore, graph_id: str, lexicon: Lexicon, writer: Any, facts: list[Triple], tmp_path: Path
) -> None:
    request = BulkRequest(graph_id=graph_id, seed=5, phrasings=0)
    seen: list[BulkProgress] = []
    one = generate_file(store, request, directory=tmp_path / "one", block=7, observe=seen.append)
    assert sum(one.counts.values()) == seen[-1].probes > 200
    assert {entry.kind for entry in seen} == set(ProbeKind)
    elements = [row["element"] for row in store.read("graphs/facts", graph_id=graph_id)]
    store.write("importing/facts_delete", graph_id=graph_id, rows=elements)
    types = {relation.name: relation.rel_type for relation in lexicon.relations.values()}
    from knowledgesmith.graph_schema.types.facts import fact_id

    rows = [[s, o, types[r], fact_id(graph_id, s, r, o), "x"] for s, r, o in sorted(set(facts), reverse=True)]
    for start in range(0, len(rows), 9):
        store.write("archive/load_facts", graph_id=graph_id, rows=rows[start : start + 9])
    two = generate_file(store, request, directory=tmp_path / "two", block=500)
    assert two == one
    name = f"{one.digest}.parquet"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert [path.name for path in (tmp_path / "one").iterdir()] == [name]


def test_the_first_phrasing_is_that_of_a_plan(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    data = generate_in_memory(store, BulkRequest(graph_id=graph_id, seed=5, phrasings=1))
    texts = {(p.kind, p.anchor, p.path, p.stem) for p in data.probes}
    scope = Scope(anchors=sorted(entity.uid for entity in lexicon.entities))
    found = 0
    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        for kind in (ProbeKind.DIRECT, ProbeKind.REVERSE, ProbeKind.MULTI_HOP, ProbeKind.CONFLICT):
            for question in ask(tx, lexicon=lexicon, scope=replace(scope, long_anchors=scope.anchors), kind=kind):
                if any((kind, question.anchor, question.path) == text[:3] for text in texts):
                    first = stems(question, lexicon=lexicon)[0].text
                    found += (kind, question.anchor, question.path, first) in texts
    assert found > 100


@pytest.mark.usefixtures("everything")
def test_a_set_holds_what_was_asked_for_and_no_more(store: GraphStore, graph_id: str, writer: Any) -> None:
    from knowledgesmith.graph_schema.catalogue.relations import build_catalogue

    relations = list(
        build_catalogue(
            [
                Relation(name="part_of", rel_type="", traits=Traits(hierarchical=True)),
                Relation(name="near", rel_type=""),
            ]
        ).values()
    )
    names = ["top", "mid1", "mid2", *(f"leaf{n}" for n in range(8)), "other", "lone"]
    facts = [("mid1", "part_of", "top"), ("mid2", "part_of", "top"), ("lone", "part_of", "other")]
    facts += [(f"leaf{n}", "part_of", f"mid{1 + n % 2}") for n in range(8)]
    facts += [(f"leaf{n}", "near", f"leaf{(n + 1) % 8}") for n in range(8)]
    lexicon = writer(graph_id, [Entity(uid=n, name=f"the {n} thing", type="T") for n in names], relations, facts)
    store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=graph_id, relations=lexicon.relations))
    kinds = (ProbeKind.DIRECT, ProbeKind.REVERSE)

    def anchors(**choice: Any) -> set[str]:
        request = BulkRequest(graph_id=graph_id, kinds=kinds, **choice)
        return {probe.anchor for probe in generate_in_memory(store, request).probes}

    assert anchors(levels=(Level.INTERMEDIATE,)) == {"mid1", "mid2"}
    assert anchors(levels=(Level.ROOT,)) == {"top", "other"}
    assert anchors(subtree="mid1") == {"mid1", "leaf0", "leaf2", "leaf4", "leaf6"}
    assert anchors(relations=("near",)) == {f"leaf{n}" for n in range(8)}
    assert anchors(subtree="mid1", relations=("part_of",), levels=(Level.LEAF,)) == {f"leaf{n}" for n in (0, 2, 4, 6)}
    with pytest.raises(EntityNotFound):
        anchors(subtree="nowhere")
    with pytest.raises(RelationNotFound):
        anchors(relations=("unheard_of",))
    with pytest.raises(InvalidInput):
        anchors(phrasings=-1)


def test_training_and_evaluation_share_no_phrasing(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    sets = {
        split: generate_in_memory(store, BulkRequest(graph_id=graph_id, phrasings=0, split=split)) for split in Split
    }
    texts = {split: {probe.stem for probe in data.probes} for split, data in sets.items()}
    assert texts[Split.TRAIN]
    assert not texts[Split.TRAIN] & texts[Split.EVAL]
    training = [t.text for r in lexicon.relations.values() for t in r.templates if t.split is Split.TRAIN]
    assert training
    patterns = [re.compile(re.sub(r"\\\{[so]\\\}", ".+", re.escape(text)) + "$", re.IGNORECASE) for text in training]
    assert not any(pattern.match(text) for pattern in patterns for text in texts[Split.EVAL])
    assert all(
        any(p.match(t.removesuffix(" True or false? Answer:")) for p in patterns) or "?" in t
        for t in texts[Split.TRAIN]
    )


def test_an_option_that_could_be_another_is_never_shown(store: GraphStore, graph_id: str, writer: Any) -> None:
    from knowledgesmith.graph_schema.catalogue.relations import build_catalogue

    relations = list(build_catalogue([Relation(name="has_capital", rel_type="")]).values())
    cities = [Entity(uid=f"c{n}", name=f"Town {n}", type="City") for n in range(12)]
    cities += [
        Entity(uid="h1", name="Springfield", type="City"),
        Entity(uid="h2", name="springfield", type="City"),
        Entity(uid="al", name="Old Town", type="City", aliases=("Town 3",)),
    ]
    lands = [Entity(uid=f"l{n}", name=f"Land {n}", type="Country") for n in range(14)]
    facts = [(f"l{n}", "has_capital", f"c{n}") for n in range(12)]
    facts += [("l12", "has_capital", "h1"), ("l13", "has_capital", "al")]
    lexicon = writer(graph_id, [*cities, *lands], relations, facts)
    data = generate_in_memory(store, BulkRequest(graph_id=graph_id, seed=2))
    assert data.dropped["ambiguous_option"] >= 1
    for probe in data.probes:
        assert not {"h1", "h2", "c3"} & set(probe.option_uids)
        assert probe.anchor not in {"h1", "h2", "c3"}
        if probe.kind is not ProbeKind.CONFLICT:
            names = [lexicon.names_of([uid]) for uid in probe.option_uids]
            assert sum(map(len, names)) == len(frozenset().union(*names))


def test_blocks_ask_what_each_kind_asks(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    """One read for several kinds finds the questions that the kinds' own queries find."""
    anchors = sorted(entity.uid for entity in lexicon.entities)
    found = 0
    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        blocks = Blocks(tx, lexicon=lexicon, keep=True)
        for kind in ProbeKind:
            scope = Scope(anchors=anchors, long_anchors=anchors)
            questions = ask(tx, lexicon=lexicon, scope=scope, kind=kind, worlds=(BEFORE,))
            assert [
                question for part in (anchors[:9], anchors[9:]) for question in blocks.questions(kind, part)
            ] == questions
            found += len(questions)
    assert found > 200


def test_the_options_alone_say_nothing(store: GraphStore, graph_id: str, writer: Any) -> None:
    """Answers of a hierarchy, where a few are right nearly everywhere, and as many false statements as true ones."""
    from knowledgesmith.graph_schema.catalogue.relations import build_catalogue

    relations = list(build_catalogue([Relation(name="part_of", rel_type="", traits=Traits(transitive=True))]).values())
    names = [f"n{n:03}" for n in range(240)]
    facts = [(names[n], "part_of", names[(n - 1) // 3]) for n in range(1, 240)]
    writer(graph_id, [Entity(uid=n, name=f"the {n} thing", type="T") for n in names], relations, facts)
    data = generate_in_memory(store, BulkRequest(graph_id=graph_id, kinds=(ProbeKind.DIRECT, ProbeKind.CONFLICT)))
    told = [probe.option_uids[probe.answers[0]] for probe in data.probes if probe.kind is ProbeKind.CONFLICT]
    assert abs(told.count("true") - told.count("false")) < 0.02 * len(told)
    offered = Counter(uid for probe in data.probes if probe.kind is ProbeKind.DIRECT for uid in probe.option_uids)
    right = Counter(
        probe.option_uids[n] for probe in data.probes if probe.kind is ProbeKind.DIRECT for n in probe.answers
    )
    often = [uid for uid, count in offered.items() if count >= 30]
    assert sum(right[uid] for uid in often) < 0.5 * sum(offered[uid] for uid in often)
    assert all(right[uid] < 0.6 * offered[uid] for uid in often)


def test_two_answers_are_two_options_and_equally_often_right(store: GraphStore, graph_id: str, writer: Any) -> None:
    """Whatever the type, and whether there is one: nothing else stands beside the two, and the common one gives way."""
    from knowledgesmith.graph_schema.catalogue.relations import build_catalogue

    relations = list(
        build_catalogue([Relation(name="gender", rel_type=""), Relation(name="friend", rel_type="")]).values()
    )
    people = [f"p{n:03}" for n in range(300)]
    facts = [(uid, "gender", "female" if n % 4 == 0 else "male") for n, uid in enumerate(people)]
    facts += [(uid, "friend", people[(n * 7 + 151) % 300]) for n, uid in enumerate(people)]
    entities = [Entity(uid=uid, name=f"the {uid} one") for uid in [*people, "male", "female"]]
    writer(graph_id, entities, relations, facts)
    data = generate_in_memory(store, BulkRequest(graph_id=graph_id, phrasings=1))
    asked = [probe for probe in data.probes if probe.path[-1] == "gender" and probe.kind is not ProbeKind.CONFLICT]
    assert {probe.option_uids for probe in asked} == {("male", "female"), ("female", "male")}
    assert data.dropped["predictable_answer"] > 300
    for kind in (ProbeKind.DIRECT, ProbeKind.COMPARISON, ProbeKind.MULTI_HOP):
        right = Counter(p.option_uids[p.answers[0]] for p in asked if p.kind is kind)
        assert right["female"] >= 70
        # the kept part of the common answer is drawn: five standard deviations of 225 draws of one third
        assert abs(right["male"] - right["female"]) < 36 * (1 + (kind is not ProbeKind.DIRECT))
    statements = Counter(
        (p.anchor, p.path, p.option_uids[p.answers[0]]) for p in data.probes if p.kind is ProbeKind.CONFLICT
    )
    assert set(statements.values()) == {1}
    assert len(statements) > 600


def _mutants(lexicon: Lexicon) -> list[tuple[str, tuple[str, list[Any]]]]:
    """Claims that are wrong in one way each, with the reason that must be found."""

    def question(kind: ProbeKind, anchor: str, *path: str, obj: str = "") -> Question:
        return Question(kind=kind, anchor=anchor, path=path, before=(), after=(), object=obj)

    def made(reason: str, about: Question, right: list[str], wrong: list[str]) -> tuple[str, tuple[str, list[Any]]]:
        return reason, claim(reason, about, right=right, wrong=wrong, lexicon=lexicon)

    direct = question(ProbeKind.DIRECT, "france", "has_capital")
    back = question(ProbeKind.REVERSE, "euro", f"{BACKWARD}uses_currency")
    chain = question(ProbeKind.MULTI_HOP, "kyoto", "city_of", "has_capital")
    return [
        made("", direct, ["paris"], ["tokyo", "lima"]),
        made("false_answer", direct, ["tokyo"], ["lima"]),
        made("true_distractor", back, ["france"], ["germany", "peru"]),
        made("no_answer", direct, [], ["lima"]),
        made("false_answer", question(ProbeKind.CONFLICT, "france", "has_capital", obj="tokyo"), ["true"], ["false"]),
        made("true_distractor", question(ProbeKind.CONFLICT, "peru", "has_capital", obj="lima"), ["false"], ["true"]),
        made("", chain, ["tokyo"], ["paris"]),
        made("false_answer", chain, ["paris"], ["tokyo"]),
        made("true_distractor", chain, ["tokyo"], ["tokyo"]),
        made("not_unique", question(ProbeKind.MULTI_HOP, "eve", "child_of", "spouse"), ["bob"], ["dan"]),
        made("not_unique", question(ProbeKind.MULTI_HOP, "ann", "spouse", "spouse"), ["ann"], ["dan"]),
        made("shortcut", question(ProbeKind.MULTI_HOP, "lyon", "city_of", "uses_currency"), ["euro"], ["yen"]),
        made("no_answer", question(ProbeKind.MULTI_HOP, "gold", "symbol", "symbol"), ["tin"], ["lead"]),
        made("false_answer", question(ProbeKind.DIRECT, "nobody", "has_capital"), ["paris"], ["lima"]),
        made("no_answer", question(ProbeKind.MULTI_HOP, "nobody", "city_of", "has_capital"), ["tokyo"], ["lima"]),
    ]


def test_the_verifier_catches_every_kind_of_lie(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        for reason, (name, row) in _mutants(lexicon):
            assert judge(tx, name, [row], lexicon=lexicon) == ({reason: reason} if reason else {}), row


@pytest.mark.usefixtures("everything")
def test_what_the_verifier_refuses_is_left_out_and_counted(
    store: GraphStore, graph_id: str, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose drawer lies about one answer loses that question alone."""
    honest = generate_in_memory(store, BulkRequest(graph_id=graph_id, kinds=(ProbeKind.DIRECT,)))
    real = OptionDrawer.draw

    def lying(self: Any, kind: ProbeKind, questions: Any) -> Any:
        drawn = real(self, kind, questions)
        return replace(drawn, answers=[(drawn.answers[0] + 1) % 2, *drawn.answers[1:]])

    monkeypatch.setattr(OptionDrawer, "draw", lying)
    data = generate_in_memory(store, BulkRequest(graph_id=graph_id, kinds=(ProbeKind.DIRECT,)))
    assert data.dropped["false_answer"] == 1
    lost = {probe.anchor + probe.path[0] for probe in honest.probes} - {p.anchor + p.path[0] for p in data.probes}
    assert len(lost) == 1


def test_a_graph_without_probes_is_an_error(store: GraphStore, graph_id: str, writer: Any, tmp_path: Path) -> None:
    writer(graph_id, [Entity(uid="a", name="A"), Entity(uid="b", name="B")], [], [])
    with pytest.raises(ProbeSetEmpty):
        probe_set.generate_set(store, BulkRequest(graph_id=graph_id), directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_purposes_differ() -> None:
    assert draw_key(0, "a") ^ OPTIONS != draw_key(0, "a")


def test_overlapping_runs_leave_the_collector_as_it_was() -> None:
    before = gc.get_threshold()
    with SeldomCollected(), pytest.raises(ZeroDivisionError):
        raise ZeroDivisionError
    both = SeldomCollected()
    with both:
        with both:
            assert gc.get_threshold()[0] > before[0]
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before
