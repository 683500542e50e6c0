"""A fact that connects the ends of a chain is a shortcut whichever end it starts from."""

from __future__ import annotations

import pytest
from tests.graph_schema.planning.conftest import templates_of, write_graph
from tests.graph_schema.propagation.conftest import open_branch, planned
from tests.names import fresh_graph

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.graphs.lexicon import load_lexicon
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.probes.verification.verify import verify
from knowledgesmith.graph_schema.reasoning.closure import BEFORE
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation, Traits
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

COUNT = 5
CHAIN = ("lies_in", "main_river")


def ring(store: GraphStore, *, shift: int) -> str:
    """City n lies in land n, whose main river n passes city n + shift."""
    graph_id = fresh_graph(__name__)
    kinds = ("City", "Land", "River")
    entities = [Entity(uid=f"{k}{n}".lower(), name=f"{k}{n}", type=k) for k in kinds for n in range(COUNT)]
    words = {"lies_in": "country", "main_river": "main river", "passes": "town"}
    relations = build_catalogue(
        [
            Relation(name=name, rel_type="", traits=Traits(functional=True), templates=templates_of(noun))
            for name, noun in words.items()
        ]
    )
    facts = [
        fact
        for n in range(COUNT)
        for fact in (
            (f"city{n}", "lies_in", f"land{n}"),
            (f"land{n}", "main_river", f"river{n}"),
            (f"river{n}", "passes", f"city{(n + shift) % COUNT}"),
        )
    ]
    write_graph(store, graph_id, entities, list(relations.values()), facts)
    return graph_id


@pytest.mark.parametrize(("shift", "asked"), [(0, False), (1, True)])
def test_a_fact_back_to_the_start_makes_a_chain_no_question(store: GraphStore, shift: int, asked: bool) -> None:
    graph_id = ring(store, shift=shift)
    data = generate(store, graph_id=graph_id, kinds=(ProbeKind.MULTI_HOP,))
    assert any(probe.path == CHAIN for probe in data.probes) == asked
    assert "shortcut" not in data.dropped
    probe = Probe(
        id="claimed",
        kind=ProbeKind.MULTI_HOP,
        anchor="city0",
        path=CHAIN,
        chain_length=2,
        stem="",
        options=("x", "y"),
        option_uids=("river0", "river1"),
        answers=(0,),
        template="",
        fact_ids=(),
    )
    question = Question(kind=ProbeKind.MULTI_HOP, anchor="city0", path=CHAIN, before=(), after=())
    with store.what_if() as tx:
        failed = verify(tx, lexicon=load_lexicon(store, graph_id=graph_id), probes=[(probe, question)], world=BEFORE)
    assert failed == ({} if asked else {"claimed": "shortcut"})


def test_a_chain_that_gets_a_shortcut_is_not_asked(store: GraphStore) -> None:
    graph_id = ring(store, shift=1)
    open_branch(store, graph_id, graph_id)
    change = Change(subject="river0", relation="passes", old_object="city1", new_object="city0")
    plan = planned(store, graph_id, goal=Goal.EDIT, changes=[change])
    chains = {(p.probe.anchor, p.probe.path) for p in plan.probes if p.probe.kind is ProbeKind.MULTI_HOP}
    assert chains
    assert ("city0", CHAIN) not in chains
