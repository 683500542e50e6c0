"""Suggested traits are what a brute-force count over the facts says, and only what facts allow can be accepted."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, TraitKind
from knowledgesmith.graph_schema.catalogue.corrected_wordings import Correction
from knowledgesmith.graph_schema.errors import (
    GraphIncomplete,
    GraphNotFound,
    InvalidCatalogue,
    InvalidInput,
    RelationNotFound,
)
from knowledgesmith.graph_schema.graphs.reading import get_graph, load_catalogue, load_snapshot
from knowledgesmith.graph_schema.graphs.versions import list_versions
from knowledgesmith.graph_schema.importing import FileRole, ImportReport, InputFile, import_graph
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.maintenance.deletion import delete_graph
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.suggesting.accept import accept
from knowledgesmith.graph_schema.suggesting.correct import correct
from knowledgesmith.graph_schema.suggesting.homonyms import homonyms
from knowledgesmith.graph_schema.suggesting.suggest import suggest
from knowledgesmith.graph_schema.suggesting.withdraw import withdraw
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split
from knowledgesmith.graph_schema.types.shares import wilson_interval
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache, stamp_of

Triple = tuple[str, str, str]
Key = tuple[TraitKind, str, tuple[str, ...]]


def _import(store: GraphStore, graph_id: str, entities: str, facts: Iterable[Triple]) -> ImportReport:
    lines = "".join(f"{s},{r},{o}\n" for s, r, o in sorted(set(facts)))
    names = sorted({r for _, r, _ in facts})
    parts = {
        FileRole.ENTITIES: entities,
        FileRole.RELATIONS: "name\n" + "".join(f"{name}\n" for name in names),
        FileRole.FACTS: "subject,relation,object\n" + lines,
    }
    files = [
        InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(text.encode())) for role, text in parts.items()
    ]
    return import_graph(store, graph_id=graph_id, files=files)


def _oracle(facts: set[Triple]) -> dict[Key, tuple[int, int]]:
    """Support and cases of every trait, by loops over all facts."""
    found: dict[Key, tuple[int, int]] = {}
    names = sorted({r for _, r, _ in facts})
    pairs = {name: {(s, o) for s, r, o in facts if r == name} for name in names}
    for name in names:
        for kind, side in ((TraitKind.FUNCTIONAL, 0), (TraitKind.INVERSE_FUNCTIONAL, 1)):
            ends = {pair[side] for pair in pairs[name]}
            single = [e for e in ends if len({p[1 - side] for p in pairs[name] if p[side] == e}) == 1]
            found[kind, name, ()] = (len(single), len(ends))
        proper = {(s, o) for s, o in pairs[name] if s != o}
        mirrored = sum((o, s) in pairs[name] for s, o in proper)
        if mirrored:
            found[TraitKind.SYMMETRIC, name, ()] = (mirrored, len(proper))
    proper_pairs = {name: {(s, o) for s, o in pairs[name] if s != o} for name in names}
    for one, two in product(names, names):
        found.update(_of_pair(one, two, proper_pairs))
    return found


def _of_pair(one: str, two: str, pairs: dict[str, set[tuple[str, str]]]) -> dict[Key, tuple[int, int]]:
    found: dict[Key, tuple[int, int]] = {}
    answered = sum((o, s) in pairs[two] for s, o in pairs[one])
    if one < two and answered:
        found[TraitKind.INVERSE, one, (two,)] = (2 * answered, len(pairs[one]) + len(pairs[two]))
    ways = [(a, c) for a, b in pairs[one] for b2, c in pairs[two] if b == b2 and a != c]
    for whole in pairs:
        closed = sum(way in pairs[whole] for way in ways)
        if closed and one == two == whole:
            found[TraitKind.TRANSITIVE, whole, ()] = (closed, len(ways))
        elif closed and whole not in (one, two):
            found[TraitKind.COMPOSITION, whole, (one, two)] = (closed, len(ways))
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_those_of_a_brute_force(store: GraphStore, graph_id: str, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - not for secrets
    uids = [f"e{n}" for n in range(14)]
    facts = {(draw.choice(uids), draw.choice("pqr"), draw.choice(uids)) for _ in range(70)}
    facts |= {(o, "q", s) for s, r, o in sorted(facts) if r == "p" and draw.random() < 0.8}
    _import(store, graph_id, "uid,name\n" + "".join(f"{u},{u}\n" for u in uids), facts)
    found = suggest(store, graph_id, min_support=1, min_confidence=1e-9, limit=10_000)
    assert {
        (s.kind, s.relation, s.others): (s.support, s.cases)
        for s in found
        if s.kind not in {TraitKind.DOMAIN, TraitKind.RANGE}
    } == {key: counts for key, counts in _oracle(facts).items() if counts[0]}
    for suggestion in found:
        assert suggestion.low <= suggestion.confidence <= suggestion.high
        assert bool(suggestion.exceptions) == (suggestion.support < suggestion.cases)
        assert len(suggestion.exceptions) <= 10


FAMILY = [("ann", "bob"), ("bob", "cleo"), ("dan", "eve"), ("eve", "finn")]
PEOPLE = "uid,name,type,aliases\n" + "".join(
    f"{uid},{name},Person,{alias}\n"
    for uid, name, alias in [
        *[("ann", "Ann", ""), ("bob", "Bob", "Bobby"), ("cleo", "Cleo", ""), ("dan", "Dan", "")],
        *[("eve", "Eve", ""), ("finn", "Ann", ""), ("gus", "Gus", "Bobby"), ("hal", "Hal", "Ann")],
    ]
)


def _family(store: GraphStore, graph_id: str) -> ImportReport:
    facts = [(child, "child_of", parent) for child, parent in FAMILY]
    facts += [(parent, "parent_of", child) for child, parent in FAMILY]
    facts += [("ann", "grandchild_of", "cleo"), ("dan", "grandchild_of", "finn")]
    facts += [("gus", "likes", "hal"), ("hal", "likes", "gus"), ("ann", "likes", "gus"), ("ann", "likes", "hal")]
    return _import(store, graph_id, PEOPLE, facts)


def test_a_suggestion_names_its_exceptions_and_nothing_is_applied(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    before = load_catalogue(store, graph_id)
    found = {(s.kind, s.relation): s for s in suggest(store, graph_id, min_support=2, min_confidence=0.5)}
    assert found[TraitKind.COMPOSITION, "grandchild_of"].others == ("child_of", "child_of")
    assert found[TraitKind.INVERSE, "child_of"].others == ("parent_of",)
    assert found[TraitKind.INVERSE, "child_of"].confidence == 1.0
    assert found[TraitKind.DOMAIN, "likes"].others == ("Person",)
    assert found[TraitKind.FUNCTIONAL, "likes"].exceptions == ("ann: gus, hal",)
    assert found[TraitKind.SYMMETRIC, "likes"].exceptions == ("(ann)-[likes]->(gus)", "(ann)-[likes]->(hal)")
    assert (TraitKind.TRANSITIVE, "child_of") not in found
    assert load_catalogue(store, graph_id) == before
    with pytest.raises(GraphNotFound):
        suggest(store, "nowhere")
    with pytest.raises(InvalidInput, match="min_confidence"):
        suggest(store, graph_id, min_confidence=1.5)


def test_accepted_traits_hold_on_over_imports_with_one_digest(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    before = get_graph(store, graph_id)
    wanted = [
        Acceptance(kind=TraitKind.INVERSE, relation="child_of", others=("parent_of",)),
        Acceptance(kind=TraitKind.COMPOSITION, relation="grandchild_of", others=("child_of", "child_of")),
        Acceptance(kind=TraitKind.FUNCTIONAL, relation="child_of"),
        Acceptance(kind=TraitKind.RANGE, relation="likes", others=("Person",)),
    ]
    after = accept(store, graph_id, wanted)
    assert load_catalogue(store, graph_id) == after
    assert after["parent_of"].traits.inverse_of == "child_of"
    assert after["parent_of"].traits.inverse_functional
    assert after["grandchild_of"].traits.composed_of == ("child_of", "child_of")
    assert after["likes"].range_type == "Person"
    changed = get_graph(store, graph_id)
    assert (changed.facts, changed.entities_by_level) == (before.facts - len(FAMILY), before.entities_by_level)
    newest = list_versions(store, graph_id)[0]
    assert (newest.digest, newest.parent_digest, newest.facts_removed) == (changed.digest, before.digest, len(FAMILY))
    assert accept(store, graph_id, wanted) == after
    assert check_graph(store, graph_id).sound
    report = _family(store, graph_id)
    assert (report.facts_created, report.facts_removed, report.entities_changed) == (0, 0, 0)
    assert (report.traits_accepted, report.traits_left_out) == (len(wanted), ())
    assert load_catalogue(store, graph_id) == after
    assert get_graph(store, graph_id) == changed
    assert list_versions(store, graph_id)[0].number == newest.number
    declared = {s.relation for s in suggest(store, graph_id, min_support=1) if s.declared}
    assert {"child_of", "grandchild_of", "likes"} <= declared


SYMMETRIC = TraitKind.SYMMETRIC


@pytest.mark.parametrize(
    ("facts", "relations", "wanted", "name", "text"),
    [
        ("a currency b; c currency a", "", [(SYMMETRIC, "currency")], "currency", "One currency of {s} is"),
        ("a currency b; c currency d", "", [(SYMMETRIC, "currency")], "currency", "The currency of {s} is"),
        ("a currency b; b currency a", "", [(SYMMETRIC, "currency")], "currency", "The currency of {s} is"),
        (
            "a currency b; c used_by a",
            "",
            [(TraitKind.INVERSE, "used_by", "currency")],
            "currency",
            "One currency of {s} is",
        ),
        (
            "a currency b; c used_by d",
            "",
            [(TraitKind.INVERSE, "used_by", "currency")],
            "currency",
            "The currency of {s} is",
        ),
        (
            "a currency b; c old_currency a",
            "old_currency,currency",
            [(SYMMETRIC, "old_currency")],
            "currency",
            "One currency of {s} is",
        ),
        ("a currency b; c currency d", "", [(TraitKind.TRANSITIVE, "currency")], "currency", "One currency of {s} is"),
        (
            "a currency b; a home c; c money b",
            "",
            [(TraitKind.COMPOSITION, "currency", "home", "money"), (TraitKind.FUNCTIONAL, "currency")],
            "currency",
            "The currency of {s} is",
        ),
        ("a author_of b; b author_of c", "", [(SYMMETRIC, "author_of")], "author_of", "{s} is an author of"),
        ("a author_of b; c author_of d", "", [(SYMMETRIC, "author_of")], "author_of", "{s} is the author of"),
        (
            "a author_of b; a home c; c money b",
            "",
            [(TraitKind.COMPOSITION, "author_of", "home", "money"), (TraitKind.INVERSE_FUNCTIONAL, "author_of")],
            "author_of",
            "{s} is the author of",
        ),
        ("a currency true; b currency false", "", [(TraitKind.FUNCTIONAL, "currency")], "currency", "currency"),
    ],
)
def test_after_an_acceptance_an_equal_import_writes_nothing(
    store: GraphStore,
    graph_id: str,
    facts: str,
    relations: str,
    wanted: list[tuple[str, ...]],
    name: str,
    text: str,
) -> None:
    """The wordings promise one alone only where an import, which counts what the traits bring, promises it too."""
    parts = {
        FileRole.ENTITIES: "uid,name\n" + "".join(f"{uid},{uid.title()}\n" for uid in ["false", "true", *"abcd"]),
        FileRole.FACTS: "subject,relation,object\n"
        + "".join(",".join(fact.split()) + "\n" for fact in facts.split(";")),
        **({FileRole.RELATIONS: f"name,sub_of\ncurrency,\n{relations}\n"} if relations else {}),
    }

    def read() -> ImportReport:
        return import_graph(
            store,
            graph_id=graph_id,
            files=[
                InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(t.encode())) for role, t in parts.items()
            ],
        )

    read()
    form = Correction(
        relation=name, direction=Direction.FORWARD, split=Split.EVAL, form=Form.CLOZE, text="{s} goes with"
    )
    correct(store, graph_id, [form])  # what somebody wrote has no part in it
    for kind, relation, *others in wanted:  # one after the other: what the first one brought must not stay
        after = accept(store, graph_id, [Acceptance(kind=TraitKind(kind), relation=relation, others=tuple(others))])
        assert load_catalogue(store, graph_id) == after
        stamp, graph = store.read_transaction(lambda tx: stamp_of(tx, graph_id)), get_graph(store, graph_id)
        report = read()
        assert load_catalogue(store, graph_id) == after
        assert (report.facts_created, report.facts_removed) == (0, 0)
        assert store.read_transaction(lambda tx: stamp_of(tx, graph_id)) == stamp
        assert get_graph(store, graph_id) == graph
    texts = [template.text for template in load_catalogue(store, graph_id)[name].templates]
    assert any(text in one for one in texts), texts


def test_a_symmetric_trait_keeps_the_way_that_an_import_keeps(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    accept(store, graph_id, [Acceptance(kind=TraitKind.SYMMETRIC, relation="likes")])
    likes = [fact.key for fact in load_snapshot(store, graph_id).facts if fact.relation == "likes"]
    assert likes == [("ann", "likes", "gus"), ("ann", "likes", "hal"), ("gus", "likes", "hal")]
    digest = get_graph(store, graph_id).digest
    assert _family(store, graph_id).digest == digest


def test_an_accepted_trait_that_does_not_fit_any_more_is_named(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    wanted = [
        Acceptance(kind=TraitKind.FUNCTIONAL, relation="child_of"),
        Acceptance(kind=TraitKind.TRANSITIVE, relation="parent_of"),
        Acceptance(kind=TraitKind.SYMMETRIC, relation="likes"),
    ]
    accept(store, graph_id, wanted)
    report = _import(store, graph_id, PEOPLE, [("ann", "child_of", "bob"), ("ann", "child_of", "cleo")])
    assert report.traits_accepted == 1
    assert report.traits_left_out == (
        "likes symmetric: its relation is not there any more",
        "parent_of transitive: its relation is not there any more",
    )
    assert report.rejected == 1  # the second object, by the trait that holds on
    assert _family(store, graph_id).traits_accepted == 3


def test_a_second_type_of_an_end_is_the_one_that_stays(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    for name in ("Zebra", "Ape"):
        accept(store, graph_id, [Acceptance(kind=TraitKind.DOMAIN, relation="likes", others=(name,))])
    assert load_catalogue(store, graph_id)["likes"].domain_type == "Ape"
    report = _family(store, graph_id)
    assert (report.traits_accepted, report.traits_left_out) == (1, ())
    assert load_catalogue(store, graph_id)["likes"].domain_type == "Ape"


def test_nobody_becomes_an_own_parent_by_an_inverse(store: GraphStore, graph_id: str) -> None:
    entities = "uid,name\na,A\nb,B\n"
    parts = {
        FileRole.ENTITIES: entities,
        FileRole.RELATIONS: "name,hierarchical\nis_a,true\nhas,\n",
        FileRole.FACTS: "subject,relation,object\na,is_a,b\na,has,a\n",
    }
    files = [InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(t.encode())) for role, t in parts.items()]
    import_graph(store, graph_id=graph_id, files=files)
    with pytest.raises(InvalidCatalogue, match="a would be its own parent by has"):
        accept(store, graph_id, [Acceptance(kind=TraitKind.INVERSE, relation="has", others=("is_a",))])


def test_a_withdrawn_trait_is_gone_with_the_next_import(store: GraphStore, graph_id: str) -> None:
    declared = _family(store, graph_id)
    catalogue, graph = load_catalogue(store, graph_id), get_graph(store, graph_id)
    symmetric = Acceptance(kind=TraitKind.SYMMETRIC, relation="likes")
    functional = Acceptance(kind=TraitKind.FUNCTIONAL, relation="child_of")
    changed = accept(store, graph_id, [symmetric, functional])
    with pytest.raises(InvalidInput, match="child_of functional; likes symmetric"):
        withdraw(store, graph_id, [symmetric, Acceptance(kind=TraitKind.TRANSITIVE, relation="likes")])
    assert withdraw(store, graph_id, [symmetric]) == (functional,)
    assert load_catalogue(store, graph_id) == changed
    assert withdraw(store, graph_id, [functional]) == ()
    report = _family(store, graph_id)
    assert (report.digest, report.traits_accepted) == (declared.digest, 0)
    assert load_catalogue(store, graph_id) == catalogue
    assert get_graph(store, graph_id).facts == graph.facts
    for unknown in ([], [symmetric]):
        with pytest.raises(InvalidInput):
            withdraw(store, graph_id, unknown)
    with pytest.raises(GraphNotFound):
        withdraw(store, "nowhere", [symmetric])


def test_two_acceptances_at_once_lose_nothing(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    wanted = [Acceptance(kind=TraitKind.TRANSITIVE, relation=name) for name in ("child_of", "likes", "grandchild_of")]

    def take(item: Acceptance) -> None:
        accept(store, graph_id, [item])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(take, wanted))
    assert all(load_catalogue(store, graph_id)[item.relation].traits.transitive for item in wanted)


def test_nothing_is_accepted_while_an_import_holds_the_graph(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    lock = take_lock(store, graph_id)
    with pytest.raises(GraphIncomplete):
        accept(store, graph_id, [Acceptance(kind=TraitKind.SYMMETRIC, relation="likes")])
    lock.release(store, untouched=True)


def test_closed_worlds_follow_what_happens_to_their_graph(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    worlds = WorldCache()
    seen = [worlds.world(store, graph_id=graph_id, overlay=())]
    assert worlds.world(store, graph_id=graph_id, overlay=()) is seen[0]
    accept(store, graph_id, [Acceptance(kind=TraitKind.TRANSITIVE, relation="child_of")])
    seen.append(worlds.world(store, graph_id=graph_id, overlay=()))
    assert seen[1].find(("ann", "child_of", "cleo")) is not None
    assert seen[0].find(("ann", "child_of", "cleo")) is None
    lock = take_lock(store, graph_id)
    with pytest.raises(GraphIncomplete):  # half a graph is no world
        worlds.world(store, graph_id=graph_id, overlay=())
    lock.release(store, untouched=True)
    delete_graph(store, graph_id)
    with pytest.raises(GraphNotFound):
        worlds.world(store, graph_id=graph_id, overlay=())
    _family(store, graph_id)
    seen.append(worlds.world(store, graph_id=graph_id, overlay=()))
    assert seen[2].find(("ann", "child_of", "cleo")) is None
    assert len({world.stamp for world in seen}) == 3


def test_what_facts_break_is_not_accepted(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    before = load_catalogue(store, graph_id)
    bad: list[tuple[list[Acceptance], type[Exception], str]] = [
        ([Acceptance(kind=TraitKind.FUNCTIONAL, relation="likes")], InvalidCatalogue, "ann: gus, hal"),
        (
            [
                Acceptance(kind=TraitKind.SYMMETRIC, relation="likes"),
                Acceptance(kind=TraitKind.INVERSE_FUNCTIONAL, relation="likes"),
            ],
            InvalidCatalogue,
            "several others",
        ),
        (
            [
                Acceptance(kind=TraitKind.TRANSITIVE, relation="child_of"),
                Acceptance(kind=TraitKind.FUNCTIONAL, relation="child_of"),
            ],
            InvalidCatalogue,
            "transitive and functional",
        ),
        ([Acceptance(kind=TraitKind.INVERSE, relation="child_of", others=("x",))], RelationNotFound, "x"),
        ([Acceptance(kind=TraitKind.INVERSE, relation="child_of")], InvalidInput, "needs 1"),
        ([Acceptance(kind=TraitKind.FUNCTIONAL, relation="x")], RelationNotFound, "x"),
        ([], InvalidInput, "nothing"),
    ]
    for wanted, error, words in bad:
        with pytest.raises(error, match=words):
            accept(store, graph_id, wanted)
        assert load_catalogue(store, graph_id) == before


def test_shared_names_and_aliases_are_listed(store: GraphStore, graph_id: str) -> None:
    _family(store, graph_id)
    found = [(h.label, h.entities, h.uids) for h in homonyms(store, graph_id)]
    assert found == [("Ann", 3, ("ann", "finn", "hal")), ("Bobby", 2, ("bob", "gus"))]
    assert [h.label for h in homonyms(store, graph_id, after=(3, "Ann"), limit=5)] == ["Bobby"]


def test_wilson_is_the_textbook_interval() -> None:
    low, high = wilson_interval(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert wilson_interval(10, 10)[1] == pytest.approx(1.0)
    assert wilson_interval(0, 10)[0] == pytest.approx(0.0)
