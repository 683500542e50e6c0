"""A small world of countries, cities and a family, whose closure can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue, to_properties
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.probes.guessing import balancing
from knowledgesmith.graph_schema.probes.guessing.clues import Clues
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Form, Relation, Split, Template, Traits, fact_id

Oracle = Callable[[Iterable[Triple], Sequence[Relation]], set[Triple]]
Writer = Callable[[str, Sequence[Entity], Sequence[Relation], Sequence[Triple]], Lexicon]

COUNTRIES = {
    "France": ("Paris", "Europe", "euro", "Lyon"),
    "Germany": ("Berlin", "Europe", "euro", "Hamburg"),
    "Japan": ("Tokyo", "Asia", "yen", "Kyoto"),
    "China": ("Beijing", "Asia", "yuan", "Shanghai"),
    "Peru": ("Lima", "America", "sol", "Cusco"),
    "Kenya": ("Nairobi", "Africa", "shilling", "Mombasa"),
}
FAMILY = {"Ann": "Bob", "Carla": "Dan"}
ELEMENTS = {"gold": "Au", "iron": "Fe", "tin": "Sn", "lead": "Pb", "silver": "Ag"}


def templates_of(noun: str, phrase: str = "", reverse: str = "", reverse_phrase: str = "") -> tuple[Template, ...]:
    def make(direction: Direction, split: Split, form: Form, text: str) -> Template:
        return Template(direction=direction, split=split, form=form, text=text)

    ahead, back, ev, tr = Direction.FORWARD, Direction.REVERSE, Split.EVAL, Split.TRAIN
    rows = [
        make(ahead, tr, Form.CLOZE, f"As we learn, the {noun} of {{s}} is"),
        make(ahead, tr, Form.STATEMENT, f"Everybody says the {noun} of {{s}} is {{o}}."),
        make(ahead, ev, Form.CLOZE, f"the {noun} of {{s}} is"),
        make(ahead, ev, Form.CLOZE, f"When asked for the {noun} of {{s}}, say"),
        make(ahead, ev, Form.STATEMENT, f"the {noun} of {{s}} is {{o}}."),
        make(ahead, ev, Form.QUESTION, f"What is the {noun} of {{s}}?"),
        make(ahead, ev, Form.PHRASE, phrase or f"the {noun} of {{s}}"),
    ]
    if reverse:
        rows.append(make(back, ev, Form.CLOZE, reverse))
    if reverse_phrase:
        rows.append(make(back, ev, Form.PHRASE, reverse_phrase))
    return tuple(rows)


def atlas_relations() -> list[Relation]:
    """The relations of the small world."""

    def relation(name: str, traits: Traits, templates: tuple[Template, ...]) -> Relation:
        return Relation(name=name, rel_type="", traits=traits, templates=templates)

    one = Traits(functional=True)
    return list(
        build_catalogue(
            [
                relation(
                    "capital_of",
                    Traits(functional=True, inverse_functional=True, inverse_of="has_capital"),
                    templates_of("state led from", phrase="the country led from {s}", reverse="{o} is led from"),
                ),
                relation(
                    "has_capital",
                    Traits(functional=True, inverse_functional=True, inverse_of="capital_of"),
                    templates_of(
                        "capital", reverse="{o} is the capital of", reverse_phrase="the land whose capital is {o}"
                    ),
                ),
                relation("on_continent", one, templates_of("continent", reverse="One country of {o} is")),
                relation("uses_currency", one, templates_of("currency", reverse="The {o} is the money of")),
                relation("located_in", Traits(transitive=True), templates_of("place", reverse="In {o} one finds")),
                relation("city_currency", Traits(composed_of=("city_of", "uses_currency")), templates_of("city money")),
                relation("city_of", one, templates_of("country", reverse="A city of {o} is")),
                relation("spouse", Traits(symmetric=True, functional=True), templates_of("spouse")),
                relation(
                    "child_of", Traits(inverse_of="parent_of"), templates_of("parent", reverse="A child of {o} is")
                ),
                relation("parent_of", Traits(), templates_of("child")),
                relation("symbol", Traits(functional=True, inverse_functional=True), templates_of("symbol")),
            ]
        ).values()
    )


def atlas_entities() -> list[Entity]:
    """The entities of the small world."""

    def make(name: str, kind: str, domain: str, *aliases: str) -> Entity:
        return Entity(uid=name.casefold(), name=name, type=kind, domain=domain, aliases=aliases)

    rows: dict[str, Entity] = {}
    for country, (capital, continent, currency, city) in COUNTRIES.items():
        for name, kind in ((country, "Country"), (capital, "City"), (city, "City"), (continent, "Continent")):
            rows[name] = make(name, kind, "geography")
        rows[currency] = make(currency, "Currency", "geography")
    for name in ("Ann", "Bob", "Carla", "Dan", "Eve", "Finn"):
        rows[name] = make(name, "Person", "people")
    for element, symbol in ELEMENTS.items():
        rows[element] = make(element, "Element", "chemistry")
        rows[symbol] = make(symbol, "Symbol", "chemistry")
    return list(rows.values())


def atlas_facts() -> list[Triple]:
    """The asserted facts of the small world."""
    rows: list[Triple] = []
    for country, (capital, continent, currency, city) in COUNTRIES.items():
        land = country.casefold()
        rows += [
            (land, "has_capital", capital.casefold()),
            (land, "on_continent", continent.casefold()),
            (land, "uses_currency", currency),
            (land, "located_in", continent.casefold()),
            (city.casefold(), "located_in", land),
            (city.casefold(), "city_of", land),
            (capital.casefold(), "city_of", land),
        ]
    rows += [(one.casefold(), "spouse", other.casefold()) for one, other in FAMILY.items()]
    rows += [("ann", "parent_of", "eve"), ("eve", "child_of", "bob"), ("finn", "child_of", "eve")]
    rows += [(element, "symbol", symbol.casefold()) for element, symbol in ELEMENTS.items()]
    return rows


def write_graph(
    store: GraphStore, graph_id: str, entities: Sequence[Entity], relations: Sequence[Relation], facts: Sequence[Triple]
) -> Lexicon:
    """Store a graph as the importer would, without its checks."""
    types = {relation.name: relation.rel_type for relation in relations}

    def work(tx: Transaction) -> None:
        tx.rows("archive/load_begin", graph_id=graph_id, archive="")
        describe(tx, graph_id, digest="d" * 64)
        tx.rows("graphs/relations_replace", graph_id=graph_id, rows=[to_properties(relation) for relation in relations])
        rows = [[e.uid, e.name, e.type, e.domain, list(e.aliases), False] for e in entities]
        tx.rows("archive/load_entities", graph_id=graph_id, rows=rows)
        tx.rows(
            "archive/load_facts",
            graph_id=graph_id,
            rows=[[s, o, types[r], fact_id(graph_id, s, r, o), "test"] for s, r, o in sorted(set(facts))],
        )

    store.write_transaction(work)
    return load_lexicon(store, graph_id=graph_id)


def describe(tx: Transaction, graph_id: str, *, digest: str) -> None:
    """Give a graph of ``write_graph`` a digest, as the end of a load or of an import does."""
    properties = {"digest": digest, "source": "test"}
    tx.rows("archive/load_end", graph_id=graph_id, archive="", properties=properties)


def closure_by_hand(facts: Iterable[Triple], relations: Sequence[Relation]) -> set[Triple]:
    """Naive forward chaining until nothing new follows: what must come out, however slowly."""
    known = set(facts)
    traits = {relation.name: relation.traits for relation in relations}
    inverses = {n: t.inverse_of for n, t in traits.items() if t.inverse_of}
    inverses |= {other: name for name, other in inverses.items()}
    size = -1
    while size < len(known):
        size = len(known)
        fresh: set[Triple] = set()
        for s, r, o in known:
            fresh |= {(s, above, o) for above in traits[r].sub_of}
            if traits[r].symmetric:
                fresh.add((o, r, s))
            if r in inverses:
                fresh.add((o, inverses[r], s))
            for s2, r2, o2 in known:
                if s2 != o or s == o or s2 == o2:
                    continue
                if r == r2 and traits[r].transitive:
                    fresh.add((s, r, o2))
                fresh |= {(s, name, o2) for name, t in traits.items() if (r, r2) in t.chains}
        known |= {fact for fact in fresh if fact[0] != fact[2]}
    return known


@pytest.fixture
def oracle() -> Oracle:
    """Brute-force closure in Python."""
    return closure_by_hand


@pytest.fixture
def writer(store: GraphStore) -> Writer:
    """Writes a graph given as pure values."""

    def write(
        graph_id: str, entities: Sequence[Entity], relations: Sequence[Relation], facts: Sequence[Triple]
    ) -> Lexicon:
        return write_graph(store, graph_id, entities, relations, facts)

    return write


@pytest.fixture
def relations() -> list[Relation]:
    """Relations of the small world."""
    return atlas_relations()


@pytest.fixture
def facts() -> list[Triple]:
    """Asserted facts of the small world."""
    return atlas_facts()


@pytest.fixture
def lexicon(store: GraphStore, graph_id: str) -> Lexicon:
    """The small world, written to the database."""
    return write_graph(store, graph_id, atlas_entities(), atlas_relations(), atlas_facts())


@pytest.fixture
def dump(store: GraphStore, graph_id: str) -> Callable[[], str]:
    """Everything the graph's facts consist of, as text, to compare before and after."""

    def take() -> str:
        return json.dumps([sorted(map(str, row.items())) for row in store.read("graphs/facts", graph_id=graph_id)])

    return take


def keep_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing out for fairness."""

    def kept(clues: Clues) -> NDArray[np.bool_]:
        return np.ones(len(clues), dtype=np.bool_)

    def evenly_placed(_clues: Clues, stays: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return stays

    monkeypatch.setattr(balancing, "kept", kept)
    monkeypatch.setattr(balancing, "evenly_placed", evenly_placed)


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out for fairness: for tests of what a run asks and verifies."""
    keep_everything(monkeypatch)
