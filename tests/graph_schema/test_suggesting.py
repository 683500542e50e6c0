"""Suggested traits are what a brute-force count over the facts says, and only what facts allow can be accepted."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from itertools import product

import pytest

from knowledgesmith.graph_schema.errors import GraphNotFound, InvalidCatalogue, InvalidInput, RelationNotFound
from knowledgesmith.graph_schema.graphs import get_graph, load_catalogue
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.lifecycle.check import check_graph
from knowledgesmith.graph_schema.store import GraphStore
from knowledgesmith.graph_schema.suggesting.accept import Acceptance, accept
from knowledgesmith.graph_schema.suggesting.homonyms import homonyms
from knowledgesmith.graph_schema.suggesting.suggest import TraitKind, suggest, wilson

Triple = tuple[str, str, str]
Key = tuple[TraitKind, str, tuple[str, ...]]


def _import(store: GraphStore, graph_id: str, entities: str, facts: Iterable[Triple]) -> None:
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
    import_graph(store, graph_id=graph_id, files=files)


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


def _family(store: GraphStore, graph_id: str) -> None:
    facts = [(child, "child_of", parent) for child, parent in FAMILY]
    facts += [(parent, "parent_of", child) for child, parent in FAMILY]
    facts += [("ann", "grandchild_of", "cleo"), ("dan", "grandchild_of", "finn")]
    facts += [("gus", "likes", "hal"), ("hal", "likes", "gus"), ("ann", "likes", "gus"), ("ann", "likes", "hal")]
    _import(store, graph_id, PEOPLE, facts)


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


def test_accepted_traits_change_the_catalogue_and_nothing_else(store: GraphStore, graph_id: str) -> None:
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
    assert accept(store, graph_id, wanted) == after
    assert get_graph(store, graph_id) == before
    assert check_graph(store, graph_id).sound
    declared = {s.relation for s in suggest(store, graph_id, min_support=1) if s.declared}
    assert {"child_of", "grandchild_of", "likes"} <= declared


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
    assert [h.label for h in homonyms(store, graph_id, skip=1, limit=5)] == ["Bobby"]


def test_wilson_is_the_textbook_interval() -> None:
    low, high = wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(0, 10)[0] == pytest.approx(0.0)
