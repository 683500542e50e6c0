"""Graphs drawn at random: odd names, homonyms, cycles, loops, several parents, traits within the catalogue's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st
from tests.graph_schema.oracle.reasoning import Triple

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.errors import InvalidCatalogue
from knowledgesmith.graph_schema.types.facts import Entity, Relation, Traits

NAMES: Final = [
    *("Ann", "ann", "Bob", "New York", "York", "ß", "SS", "İstanbul", "{s}", "{o} of {s}", "a|b", "0"),
    *("שלום עולם", "مرحبا", "\u202eabc\u202c", "e\u0301t\u00e9", "\u00e9te\u0301", "नमस्ते", "東京"),
    *(
        "👩\u200d👩\u200d👧",
        "🇫🇷",
        "\U0001d518",
        "x" * 200,
        "ä" * 199 + "z",
        "'}) DETACH DELETE n //",
        "$graph_id",
        "`A`",
    ),
]
UIDS: Final = ("e1", "e2", "e3", "é4", "e 5", "🙂6", "e'7", "e8")
_KINDS: Final = ("City", "City", "Person")
_TRAITS: Final = (
    Traits(),
    Traits(functional=True),
    Traits(inverse_functional=True),
    Traits(functional=True, inverse_functional=True),
    Traits(symmetric=True),
    Traits(symmetric=True, functional=True),
    Traits(symmetric=True, transitive=True),
    Traits(transitive=True),
    Traits(hierarchical=True),
    Traits(hierarchical=True, transitive=True),
    Traits(hierarchical=True, functional=True),
)


TELLING: Final = (
    *("part_of", "has_part", "is_a", "located_in", "contains", "father_of", "child_of", "parent_of", "ancestor_of"),
    *("born_in", "precedes", "followed_by", "likes", "Likes", "similar_to", "regulates", "positively_regulates"),
    *("instance_of", "narrower", "same_as", "has_colour"),
)
"""Names that let suspect more than the traits say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What is imported, in the order of its rows."""

    entities: Sequence[Entity]
    relations: Sequence[Relation]
    facts: Sequence[Triple]


@st.composite
def entity_lists(draw: st.DrawFn) -> list[Entity]:
    """Five to eight entities; names and aliases come from one list, so that some are shared."""
    count = draw(st.integers(5, len(UIDS)))
    return [
        Entity(
            uid=uid,
            name=draw(st.sampled_from(NAMES)),
            type=draw(st.sampled_from(_KINDS)),
            domain=draw(st.sampled_from(["here", "there"])),
            aliases=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=1))),
        )
        for uid in UIDS[:count]
    ]


@st.composite
def relation_lists(draw: st.DrawFn) -> list[Relation]:
    """Two to four relations, of plain names or telling ones, whose traits a catalogue may have together."""
    plain = st.just(["r0", "r1", "r2", "r3"])
    names = draw(plain | st.lists(st.sampled_from(TELLING), min_size=4, max_size=4, unique=True))
    chosen = [Relation(name=names[0], rel_type="", traits=draw(st.sampled_from(_TRAITS)))]
    for name in names[1 : draw(st.integers(2, 4))]:
        new = Relation(name=name, rel_type="", traits=draw(trait_sets(name, [relation.name for relation in chosen])))
        try:
            build_catalogue([*chosen, new])
        except InvalidCatalogue:
            new = Relation(name=new.name, rel_type="")
        chosen.append(new)
    return chosen


@st.composite
def trait_sets(draw: st.DrawFn, name: str, others: Sequence[str]) -> Traits:
    """Traits of one more relation beside others, which a catalogue may not take."""
    traits = draw(st.sampled_from(_TRAITS))
    shape = draw(st.sampled_from(["plain", "inverse", "composed", "over", "below"] if others else ["plain"]))
    if shape == "inverse" and not traits.symmetric:
        return Traits(functional=traits.functional, inverse_of=draw(st.sampled_from(others)))
    if shape == "composed":
        parts = (draw(st.sampled_from(others)), draw(st.sampled_from(others)))
        return Traits(hierarchical=traits.hierarchical, composed_of=parts)
    if shape == "over":  # as an all-some relation over is_a
        other = draw(st.sampled_from(others))
        return Traits(transitive=traits.transitive, compositions=((name, other), (other, name)))
    return replace(traits, sub_of=(draw(st.sampled_from(others)),)) if shape == "below" else traits


def _ways(fact: Triple, catalogue: dict[str, Relation]) -> list[Triple]:
    s, r, o = fact
    traits = catalogue[r].traits
    other = r if traits.symmetric else traits.inverse_of
    return [fact, (o, other, s)] if other else [fact]


def _allowed(facts: Sequence[Triple], catalogue: dict[str, Relation]) -> list[Triple]:
    """The facts that an import takes: no own parents, one object of a functional relation, however it is written."""
    kept: list[Triple] = []
    taken: dict[tuple[str, str, str], str] = {}
    for fact in facts:
        if fact[0] == fact[2] and any(catalogue[r].traits.hierarchical for _, r, _ in _ways(fact, catalogue)):
            continue
        claims: dict[tuple[str, str, str], str] = {}
        for s, r, o in _ways(fact, catalogue):
            if catalogue[r].traits.functional:
                claims["object", r, s] = o
            if catalogue[r].traits.inverse_functional:
                claims["subject", r, o] = s
        if all(taken.get(key, value) == value for key, value in claims.items()):
            taken |= claims
            kept.append(fact)
    return kept


@st.composite
def graphs(draw: st.DrawFn) -> Drawn:
    """A small graph that can be imported."""
    entities, relations = draw(entity_lists()), draw(relation_lists())
    uids, names = [entity.uid for entity in entities], [relation.name for relation in relations]
    triples = st.tuples(st.sampled_from(uids), st.sampled_from(names), st.sampled_from(uids))
    facts = _allowed(draw(st.lists(triples, min_size=5, max_size=14)), build_catalogue(relations))
    return Drawn(entities=entities, relations=relations, facts=facts)
