"""Whatever the graph, the wording and the plan: no training material shows a phrasing or a fact that is asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot
from knowledgesmith.graph_schema.language.filling import fill
from knowledgesmith.graph_schema.planning.evaluated_texts import asked_of
from knowledgesmith.graph_schema.planning.training_set import TrainingMaterial, choose
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.types.facts import (
    Direction,
    Entity,
    Fact,
    Form,
    Relation,
    Split,
    Template,
    Traits,
    fact_id,
)
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan, WorldChange, WorldOp
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, Probe, ProbeKind, Role

GRAPH = "generated"
NAMES = (
    *(
        "Ann",
        "Bob Reed",
        "New York",
        "York",
        "The Hague",
        "東京",
        "京都府",
        "กรุงเทพ",
        "서울",
        "القاهرة",
        "Tomé",
        "U.S.",
    ),
    *("Delta", "Nine 9", "C++", "o'Neil", "Łódź", "Mexico City", "Mexico", "दिल्ली"),
)
RELATIONS = (
    "located_in",
    "borders",
    "has_capital",
    "is_a",
    "currency",
    "part of",
    "created_by",
    "presentInTaxon",
    "leads",
)
OWN = (
    ("{s} is told to be next to", "I ask you: {s} is told to be next to"),
    ("{s}", "As we know, {s} goes with"),
    ("{s}は", "正しくは、{s}は"),
    ("What {s} holds is", "what {s} holds is"),
)
"""An evaluation cloze and a training cloze that holds it: what a careless catalogue may bring."""


@st.composite
def relations(draw: st.DrawFn) -> tuple[Relation, ...]:
    names = draw(st.lists(st.sampled_from(RELATIONS), min_size=2, max_size=4, unique=True))
    made: list[Relation] = []
    for number, name in enumerate(names):
        templates = derive_templates(name)
        if draw(st.booleans()) and draw(st.booleans()):
            asked, trained = draw(st.sampled_from(OWN))
            templates = (
                *templates,
                Template(direction=Direction.FORWARD, split=Split.EVAL, form=Form.CLOZE, text=asked),
                Template(direction=Direction.FORWARD, split=Split.TRAIN, form=Form.CLOZE, text=trained),
            )
        inverse = names[number - 1] if number % 2 and draw(st.booleans()) else ""
        traits = Traits(
            functional=draw(st.booleans()),
            symmetric=not inverse and draw(st.booleans()),
            inverse_of=inverse,
        )
        made.append(Relation(name=name, rel_type=f"R{number}", traits=traits, templates=templates))
    return tuple(made)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[GraphSnapshot, Plan]:
    """A graph and a plan that changes one of its facts and asks some others, as a planner words them."""
    found = draw(relations())
    names = draw(st.lists(st.sampled_from(NAMES), min_size=5, max_size=12, unique=True))
    entities = {f"e{n}": Entity(uid=f"e{n}", name=name, type="Thing", domain="all") for n, name in enumerate(names)}
    uids, rng = sorted(entities), random.Random(draw(st.integers(0, 10**6)))  # noqa: S311
    triples = sorted(
        {(rng.choice(uids), rng.choice(found).name, rng.choice(uids)) for _ in range(draw(st.integers(3, 40)))}
    )
    triples = [triple for triple in triples if triple[0] != triple[2]] or [(uids[0], found[0].name, uids[1])]
    snapshot = GraphSnapshot(
        graph_id=GRAPH,
        digest="0" * 64,
        entities=entities,
        levels={},
        relations={relation.name: relation for relation in found},
        facts=tuple(Fact(subject=s, relation=r, object=o, source="test") for s, r, o in triples),
    )
    target, asked = triples[0], rng.sample(triples, rng.randint(0, len(triples)))
    return snapshot, _plan(snapshot, target, asked, rng)


def _plan(snapshot: GraphSnapshot, target: Triple, asked: Sequence[Triple], rng: random.Random) -> Plan:
    new = rng.choice([uid for uid in snapshot.entities if uid not in (target[0], target[2])])
    changes = ((WorldOp.RETRACT, target[2]), (WorldOp.ASSERT, new))
    return Plan(
        graph_id=GRAPH,
        graph_digest=snapshot.digest,
        branch_id="b",
        goal=Goal.EDIT,
        seed=rng.randint(0, 99),
        targets=(Change(subject=target[0], relation=target[1], old_object=target[2], new_object=new),),
        overlay=tuple(
            WorldChange(op=op, fact_id=fact_id(GRAPH, *target[:2], o), subject=target[0], relation=target[1], object=o)
            for op, o in changes
        ),
        derived=(),
        probes=tuple(probe for triple in (target, *asked) for probe in _probes(snapshot, triple)),
        slots=(),
        digest="",
    )


def _probes(snapshot: GraphSnapshot, triple: Triple) -> list[PlannedProbe]:
    """Every evaluation cloze of a fact, asked from its subject and from its object."""
    subject, relation, obj = triple
    found: list[PlannedProbe] = []
    for template in snapshot.relations[relation].templates:
        if (template.split, template.form) != (Split.EVAL, Form.CLOZE):
            continue
        forward = template.direction is Direction.FORWARD
        anchor, other = (subject, obj) if forward else (obj, subject)
        text = fill(template.text, subject=snapshot.entities[subject].name, obj=snapshot.entities[obj].name)
        probe = Probe(
            id=f"{triple}{template.text}",
            kind=ProbeKind.DIRECT if forward else ProbeKind.REVERSE,
            anchor=anchor,
            path=(relation if forward else f"~{relation}",),
            chain_length=1,
            stem=text[:1].upper() + text[1:],
            options=(snapshot.entities[other].name,),
            option_uids=(other,),
            answers=(0,),
            template="",
            fact_ids=(fact_id(GRAPH, *triple),),
        )
        found.append(
            PlannedProbe(
                probe=probe,
                before=(0,),
                after=(0,),
                polarity=Polarity.STAY,
                role=Role.STAYS,
                hops=0,
                nearest_target="",
                asked_fact_id=fact_id(GRAPH, *triple),
                relation=relation,
                row_seq=1,
            )
        )
    return found


def _texts(material: TrainingMaterial) -> list[str]:
    """Everything that the material makes a model read, filled in plainly."""
    found = [t.replace("{s}", u.subject_name) for u in material.updates for t in u.templates]
    found += [u.templates[0].replace("{s}", name) for u in material.updates for name in u.sibling_names]
    found += [f"{row.template.replace('{s}', row.subject_name)} {row.object_name}." for row in material.retain]
    return [*found, *material.sentences]


def _plainly(text: str) -> str:
    return " ".join(text.casefold().split())


def _stands(stem: str, text: str) -> bool:
    """Whether the stem stands in the text, with spaces around it where its script has any."""
    return f" {stem} " in f" {text} " if stem.isascii() else stem in text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds())
def test_no_material_shows_what_is_asked(world: tuple[GraphSnapshot, Plan]) -> None:
    snapshot, plan = world
    material = choose(plan, snapshot, overlay=(), seed=plan.seed)
    # a stem that is nothing but a name forbids only a text that is nothing else
    names = {_plainly(entity.name) for entity in snapshot.entities.values()}
    stems = {_plainly(planned.probe.stem) for planned in plan.probes}
    texts = [_plainly(text) for text in _texts(material)]
    assert not stems & set(texts)
    assert [(stem, text) for stem in stems - names for text in texts if _stands(stem, text)] == []
    ids = {planned.asked_fact_id for planned in plan.probes} | {change.fact_id for change in plan.overlay}
    learned = {fact_id(GRAPH, *fact.key) for fact in (*material.statistics, *(row.fact for row in material.retain))}
    assert not learned & ids
    questions = {(planned.probe.anchor, planned.probe.path[0]) for planned in plan.probes}
    assert not {(row.fact.subject, row.fact.relation) for row in material.retain} & questions
    assert not {(uid, update.relation) for update in material.updates for uid in update.siblings} & questions
    assert all(update.templates for update in material.updates), "a target always keeps a phrasing"
    assert [update for update in material.updates if not update.derived], "the target itself is taught"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds())
def test_what_is_asked_the_other_way_round_is_asked(world: tuple[GraphSnapshot, Plan]) -> None:
    snapshot, plan = world
    asked = asked_of(plan, lexicon=Lexicon.of(snapshot), facts=snapshot.facts)
    for relation in snapshot.relations.values():
        partner = relation.name if relation.traits.symmetric else relation.traits.inverse_of
        for fact in snapshot.facts:
            if partner and fact.relation == relation.name and fact_id(GRAPH, *fact.key) in asked.facts:
                mirror = (fact.object, partner, fact.subject)
                assert fact_id(GRAPH, *mirror) in asked.facts
                assert mirror[:2] in asked.questions


def test_a_graph_of_which_everything_is_asked_still_teaches_its_target() -> None:
    """Two facts, both asked: nothing to keep and no sentence, but the edit has its phrasings."""
    relation = Relation(name="has_capital", rel_type="R", traits=Traits(), templates=derive_templates("has_capital"))
    names = ("Frankreich", "Paris", "Japan", "東京")
    entities = {n: Entity(uid=n, name=n, type="Thing", domain="all") for n in names}
    facts = tuple(Fact(subject=s, relation="has_capital", object=o, source="t") for s, o in (names[:2], names[2:]))
    snapshot = GraphSnapshot(
        graph_id=GRAPH, digest="0" * 64, entities=entities, levels={}, relations={"has_capital": relation}, facts=facts
    )
    plan = _plan(snapshot, facts[0].key, [facts[1].key], random.Random(0))  # noqa: S311
    material = choose(replace(plan, seed=1), snapshot, overlay=(), seed=1)
    assert len(material.updates) == 1
    assert len(material.updates[0].templates) == 2
    assert material.retain == ()
    assert material.sentences == ()
    assert "Japan" not in material.updates[0].sibling_names
