"""A family, a map and a taxonomy: a graph whose closure, levels and cuts are written down by hand."""

from __future__ import annotations

from typing import Final

from tests.graph_schema.oracle.judge import named
from tests.graph_schema.oracle.reasoning import Triple

from knowledgesmith.graph_schema.types.facts import Entity, Level, Relation, Traits


def _facts(text: str) -> frozenset[Triple]:
    rows = [line.split() for line in text.strip().splitlines()]
    return frozenset((subject, relation, obj) for subject, relation, obj in rows)


ENTITIES: Final[list[Entity]] = [
    *(named(uid, uid.title(), "Person", domain="kinship") for uid in ("ann", "abe", "bea", "cal", "dan", "eva", "fay")),
    *(named(uid, uid.title(), "City", domain="geography") for uid in ("paris", "rome", "tokyo", "lyon", "oslo")),
    *(named(uid, uid.title(), "Country", domain="geography") for uid in ("france", "italy", "japan", "norway", "peru")),
    *(named(uid, uid.title(), "Continent", domain="geography") for uid in ("europe", "asia", "america", "africa")),
    named("croix", "Croix-Rousse", "Quarter", domain="geography"),
    named("trastevere", "Trastevere", "Quarter", domain="geography"),
    *(
        named(uid, uid, "Kind", domain="taxonomy")
        for uid in ("poodle", "dog", "cat", "mammal", "pet", "animal", "fish")
    ),
]

RELATIONS: Final[list[Relation]] = [
    Relation(name="parent_of", rel_type="", traits=Traits(inverse_of="child_of")),
    Relation(name="child_of", rel_type=""),
    Relation(name="spouse", rel_type="", traits=Traits(symmetric=True, functional=True)),
    Relation(name="grandparent_of", rel_type="", traits=Traits(composed_of=("parent_of", "parent_of"))),
    Relation(name="capital_of", rel_type="", traits=Traits(functional=True, inverse_of="has_capital")),
    Relation(name="has_capital", rel_type="", traits=Traits(functional=True)),
    Relation(name="in_continent", rel_type="", traits=Traits(functional=True)),
    Relation(name="capital_continent", rel_type="", traits=Traits(composed_of=("capital_of", "in_continent"))),
    Relation(name="located_in", rel_type="", traits=Traits(transitive=True)),
    Relation(name="is_a", rel_type="", traits=Traits(transitive=True, hierarchical=True)),
]

ASSERTED: Final = _facts("""
ann parent_of bea
bea parent_of cal
dan child_of bea
ann spouse abe
eva spouse dan
paris capital_of france
rome capital_of italy
tokyo capital_of japan
oslo capital_of norway
france in_continent europe
italy in_continent europe
norway in_continent europe
japan in_continent asia
peru in_continent america
croix located_in lyon
lyon located_in france
france located_in europe
trastevere located_in rome
poodle is_a dog
dog is_a mammal
dog is_a pet
cat is_a mammal
mammal is_a animal
pet is_a animal
fish is_a animal
""")

FIRST: Final = _facts("""
bea child_of ann
cal child_of bea
bea parent_of dan
abe spouse ann
dan spouse eva
ann grandparent_of cal
france has_capital paris
italy has_capital rome
japan has_capital tokyo
norway has_capital oslo
paris capital_continent europe
rome capital_continent europe
oslo capital_continent europe
tokyo capital_continent asia
croix located_in france
lyon located_in europe
poodle is_a mammal
poodle is_a pet
dog is_a animal
cat is_a animal
""")
"""Follows in one step."""

SECOND: Final = _facts("""
ann grandparent_of dan
croix located_in europe
poodle is_a animal
""")
"""Follows in two steps; nothing needs three."""

LEVELS: Final = {
    "animal": (Level.ROOT, 0),
    "mammal": (Level.INTERMEDIATE, 1),
    "pet": (Level.INTERMEDIATE, 1),
    "fish": (Level.LEAF, 1),
    "dog": (Level.INTERMEDIATE, 2),
    "cat": (Level.LEAF, 2),
    "poodle": (Level.LEAF, 3),
    "paris": (Level.LEAF, None),
}

CUTS: Final[list[tuple[Triple, frozenset[Triple]]]] = [
    # one fact in both proofs, over mammal and over pet
    (("poodle", "is_a", "animal"), _facts("poodle is_a dog")),
    # bea is Ann's child whatever happens to Dan: two other facts rest on that, one on this
    (("ann", "grandparent_of", "dan"), _facts("dan child_of bea")),
    # Italy's and Norway's continents are facts of their own; what rests on the capital is one inverse
    (("paris", "capital_continent", "europe"), _facts("france in_continent europe")),
    # said the other way round
    (("bea", "child_of", "ann"), _facts("ann parent_of bea")),
    (("france", "has_capital", "paris"), _facts("paris capital_of france")),
    # asserted and alone
    (("croix", "located_in", "lyon"), _facts("croix located_in lyon")),
]
"""A fact to unlearn, and what must be retracted for it."""

HOPS: Final = {"paris": 0, "france": 0, "lyon": 1, "europe": 1, "croix": 2, "italy": 2, "norway": 2, "rome": 3}
"""From Paris and France over asserted facts."""
