"""What a method may learn from: the updates in training phrasings, and facts to keep that no probe of the plan asks.

Pure selection over a graph in memory; the text of a request is composed from it elsewhere. What a planned probe asks
(:mod:`evaluated_texts`: facts, questions, phrasings) is in none of the rows, neutral questions and sentences, so that a
measurement after the update is not a measurement of what was trained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Final

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates
from knowledgesmith.graph_schema.catalogue.relation_names import parse_name
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.language.filling import fill, opened
from knowledgesmith.graph_schema.language.spans import Phrases
from knowledgesmith.graph_schema.planning.evaluated_texts import Asked, asked_of
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, sample
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Direction, Fact, Form, Relation, Split, fact_id
from knowledgesmith.graph_schema.types.plans import Plan, WorldChange, WorldOp

RETAIN_PER_UPDATE: Final = 12
STATISTICS: Final = 600
_CORPUS_SEED: Final = 0
"""Of the draw of a graph's sentences, which no plan decides: so their statistics serve every plan."""
MAX_SIBLINGS: Final = 16
MAX_CANDIDATES: Final = 64
OTHER_RELATIONS: Final = 4
_FRAMES: Final = ("* {s} – {n}:", "* {s} ({n}):")
"""Training phrasings of last resort; ``{n}`` is the relation's name in words."""


class RetainScope(StrEnum):
    """How a fact to keep relates to its update."""

    SAME_SUBJECT = "same_subject"
    SAME_RELATION = "same_relation"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingUpdate:
    """One fact to install, replace or erase (``new`` empty); ``derived`` when it only follows from the targets.

    ``templates`` are forward training clozes with ``{s}`` once. ``siblings`` are uids of subjects of the same type
    without the old fact that no probe asks this question of, kin within two hops last; ``candidates`` are names of
    objects that the relation could have, the old and the new one among them. ``others`` are training clozes of other
    relations that the subject has, each with the name to be asked about: of another subject of the type that no probe
    asks this of, else the type in words; never the subject's own.
    """

    fact_id: str
    relation: str
    subject: str
    old: str
    new: str
    subject_name: str
    subject_type: str
    old_name: str
    new_name: str
    old_aliases: tuple[str, ...]
    templates: tuple[str, ...]
    siblings: tuple[str, ...]
    sibling_names: tuple[str, ...]
    candidates: tuple[str, ...]
    derived: bool
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainFact:
    """A fact to keep, with a training cloze (``{s}`` once) and the names to fill in."""

    fact: Fact
    scope: RetainScope
    template: str
    subject_name: str
    object_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMaterial:
    """Everything that a request for a method is composed of.

    ``forbidden`` are the phrasings that no text may hold which a method makes of these (with a prefix, say).
    ``corpus`` are sentences of the graph that no plan chose: ``sentences`` are these, as far as the plan asks none of
    them, and as many others in their place. No method may see it; statistics over it serve every plan of the graph.
    """

    updates: tuple[TrainingUpdate, ...]
    retain: tuple[RetainFact, ...]
    statistics: tuple[Fact, ...]
    sentences: tuple[str, ...]
    forbidden: Phrases
    corpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """The branch's asserted facts with their lookups, and what the plan asks and changes."""

    lexicon: Lexicon
    seed: int
    asked: Asked
    changing: frozenset[str]
    targets: frozenset[str]
    facts: tuple[Fact, ...]
    by_subject: Mapping[str, Sequence[Fact]]
    by_relation: Mapping[str, Sequence[Fact]]
    neighbours: Mapping[str, frozenset[str]]


def training_material(
    store: GraphStore,
    plan: Plan,
    snapshot: GraphSnapshot,
    *,
    seed: int,
    retain_per_update: int = RETAIN_PER_UPDATE,
    statistics: int = STATISTICS,
) -> TrainingMaterial:
    """Choose what a method may learn from, for a plan on its branch.

    Args:
        store: read once, for what the branch's committed interventions changed.
        plan: the plan.
        snapshot: the graph of the plan.
        seed: of every draw.
        retain_per_update: facts to keep for each update; half of them about the same subject where there are enough.
        statistics: most facts whose sentences stand for what the model must keep in general.

    Raises:
        GraphUnavailable: the database does not answer.
    """
    return choose(
        plan,
        snapshot,
        overlay=branches.overlay(store, plan.branch_id),
        seed=seed,
        retain_per_update=retain_per_update,
        statistics=statistics,
    )


def choose(
    plan: Plan,
    snapshot: GraphSnapshot,
    *,
    overlay: Sequence[WorldChange],
    seed: int,
    retain_per_update: int = RETAIN_PER_UPDATE,
    statistics: int = STATISTICS,
    exclude: Collection[Triple] = (),
) -> TrainingMaterial:
    """The pure part of :func:`training_material`.

    ``overlay`` is what the branch changed before this plan; ``exclude`` are further facts that nothing may show.
    """
    world = _world(plan, snapshot, overlay, seed, exclude)
    allowed = [fact for fact in world.facts if _id(world, fact.key) not in world.asked.facts]
    updates = tuple(_updates(plan, world))
    ranked = _ranked(world, snapshot.facts)
    kept = _stated(world, ranked, allowed, statistics)
    return TrainingMaterial(
        updates=updates,
        retain=_retain(updates, world, allowed, retain_per_update),
        statistics=tuple(fact for fact, _ in kept),
        sentences=tuple(sentence for _, sentence in kept),
        forbidden=world.asked.phrases,
        corpus=_corpus(world, ranked, statistics),
    )


def _world(
    plan: Plan, snapshot: GraphSnapshot, overlay: Sequence[WorldChange], seed: int, exclude: Collection[Triple]
) -> _World:
    lexicon = Lexicon.of(snapshot)
    found = {fact.key: fact for fact in snapshot.facts}
    for change in overlay:
        key = (change.subject, change.relation, change.object)
        if change.op is WorldOp.RETRACT:
            found.pop(key, None)
        elif change.relation in lexicon.relations:
            found[key] = Fact(subject=key[0], relation=key[1], object=key[2], source="overlay")
    facts = tuple(found[key] for key in sorted(found) if key[0] in lexicon and key[2] in lexicon)
    by_subject: dict[str, list[Fact]] = {}
    by_relation: dict[str, list[Fact]] = {}
    neighbours: dict[str, set[str]] = {}
    for fact in facts:
        by_subject.setdefault(fact.subject, []).append(fact)
        by_relation.setdefault(fact.relation, []).append(fact)
        neighbours.setdefault(fact.subject, set()).add(fact.object)
        neighbours.setdefault(fact.object, set()).add(fact.subject)
    return _World(
        lexicon=lexicon,
        seed=seed,
        asked=asked_of(plan, lexicon=lexicon, facts=facts, exclude=exclude),
        changing=frozenset(change.relation for change in (*plan.overlay, *plan.derived)),
        targets=frozenset(target.subject for target in plan.targets),
        facts=facts,
        by_subject=by_subject,
        by_relation=by_relation,
        neighbours={uid: frozenset(others) for uid, others in neighbours.items()},
    )


def _id(world: _World, triple: Triple) -> str:
    return fact_id(world.lexicon.graph_id, *triple)


def _train(world: _World, relation: str) -> tuple[str, ...]:
    """Training clozes of a relation that name the subject once."""
    found = world.lexicon.relations[relation].pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.TRAIN)
    return tuple(template.text for template in found if template.text.count("{s}") == 1)


def _phrasings(world: _World, relation: str, name: str) -> tuple[str, ...]:
    """Training clozes in which no evaluation phrasing stands once ``name`` is filled in.

    A relation may be trained with words that its inverse is evaluated by. Where all of its own are such, the one that
    would be derived from its name takes their place, else a plain frame; empty only where even that is asked.
    """
    found = tuple(text for text in _train(world, relation) if _permitted(world, fill(text, subject=name)))
    if found:
        return found
    derived = [
        template.text
        for template in derive_templates(relation)
        if (template.direction, template.form, template.split) == (Direction.FORWARD, Form.CLOZE, Split.TRAIN)
    ]
    words = relation.replace("_", " ")
    spare = (*derived, *(frame.replace("{n}", words) for frame in _FRAMES))
    return tuple(text for text in spare if _permitted(world, fill(text, subject=name)))[:1]


def _permitted(world: _World, text: str) -> bool:
    return not world.asked.phrases.held_by(text)


def _keepable(world: _World, fact: Fact) -> bool:
    """Whether a fact can be retained: its question is not asked, and a phrasing of it is free."""
    return (fact.subject, fact.relation) not in world.asked.questions and bool(_retained(world, fact))


def _updates(plan: Plan, world: _World) -> Iterable[TrainingUpdate]:
    """The targets, then what else changes, an old and a new object of one question together."""
    changed = sorted((*plan.overlay, *plan.derived), key=lambda c: (c.subject, c.relation, c.object, c.op))
    gone = {(c.subject, c.relation, c.object) for c in changed if c.op is WorldOp.RETRACT}
    new = {(c.subject, c.relation, c.object) for c in changed if c.op is WorldOp.ASSERT}
    for target in plan.targets:
        old = target.old_object or _displaced(target.subject, target.relation, gone, world)
        gone.discard((target.subject, target.relation, old))
        new.discard((target.subject, target.relation, target.new_object))
        yield from _update(world, (target.subject, target.relation), old, target.new_object, derived=False)
    for question in sorted({triple[:2] for triple in gone | new}):
        olds = sorted(o for s, r, o in gone if (s, r) == question)
        news = sorted(o for s, r, o in new if (s, r) == question)
        pairs = (
            [(olds[0], news[0])] if len(olds) == len(news) == 1 else [(o, "") for o in olds] + [("", o) for o in news]
        )
        for old, obj in pairs:
            yield from _update(world, question, old, obj, derived=True)


def _displaced(subject: str, relation: str, gone: Iterable[Triple], world: _World) -> str:
    """The object that an insertion into a functional relation pushes out."""
    if not world.lexicon.relations[relation].traits.functional:
        return ""
    return next((o for s, r, o in sorted(gone) if (s, r) == (subject, relation)), "")


def _update(world: _World, question: tuple[str, str], old: str, new: str, *, derived: bool) -> Iterable[TrainingUpdate]:
    cancellation.check()
    subject, relation = question
    lexicon = world.lexicon
    if any(uid and uid not in lexicon for uid in (subject, old, new)):
        return
    entity = lexicon.entity(subject)
    templates = _phrasings(world, relation, entity.name)
    if not templates:
        return
    siblings = _siblings(world, subject, relation, old, template=templates[0])
    yield TrainingUpdate(
        fact_id=_id(world, (subject, relation, old or new)),
        relation=relation,
        subject=subject,
        old=old,
        new=new,
        subject_name=entity.name,
        subject_type=entity.type,
        old_name=lexicon.entity(old).name if old else "",
        new_name=lexicon.entity(new).name if new else "",
        old_aliases=lexicon.entity(old).aliases if old else (),
        templates=templates,
        siblings=tuple(siblings),
        sibling_names=tuple(lexicon.entity(uid).name for uid in siblings),
        candidates=_candidates(world, relation, [uid for uid in (old, new) if uid], subject),
        derived=derived,
        others=tuple(islice(_others(world, subject, relation), OTHER_RELATIONS)),
    )


def _others(world: _World, subject: str, relation: str) -> Iterable[tuple[str, str]]:
    """Training clozes of the subject's other relations, in drawn order, with a name that stands in for the subject.

    A relation that the plan changes anywhere is none of them: a method that keeps what it says would keep what changes.
    """
    own = {fact.relation for fact in world.by_subject.get(subject, ())} - {relation} - world.changing
    for name in sample(sorted(own), len(own), key=draw_key(world.seed, "others", subject, relation)):
        for template in _train(world, name):
            if found := _stand_in(world, subject, name, template):
                yield template, found
                break


def _stand_in(world: _World, subject: str, relation: str, template: str) -> str:
    """Whom to ask a cloze about in place of a subject; empty where an evaluation asks what would come of it."""
    lexicon, type_ = world.lexicon, world.lexicon.entity(subject).type
    held = sorted({fact.subject for fact in world.by_relation[relation]} - {subject})
    known = [uid for uid in held if lexicon.entity(uid).type == type_ and not lexicon.is_ambiguous(uid)]
    free = [uid for uid in known if uid not in world.targets and (uid, relation) not in world.asked.questions]
    drawn = sample(free, len(free), key=draw_key(world.seed, "stand-in", subject, relation))
    names = (lexicon.entity(uid).name for uid in drawn)
    kind = (f"This {' '.join(parse_name(type_).words)}",) if type_ else ()
    return next((name for name in (*names, *kind) if _permitted(world, fill(template, subject=name))), "")


def _siblings(world: _World, subject: str, relation: str, old: str, *, template: str) -> list[str]:
    lexicon = world.lexicon
    holders = {fact.subject for fact in world.by_relation.get(relation, ()) if fact.object == old}
    kin = world.neighbours.get(subject, frozenset())
    kin |= frozenset().union(*(world.neighbours[uid] for uid in kin)) if kin else frozenset()
    others = sorted(
        lexicon.entities[position].uid
        for position in lexicon.ranges[lexicon.entity(subject).type]
        if lexicon.entities[position].uid not in {subject, *holders}
    )
    usable = [uid for uid in others if not lexicon.is_ambiguous(uid) and (uid, relation) not in world.asked.questions]
    drawn = sample(usable, len(usable), key=draw_key(world.seed, "siblings", subject, relation))
    ranked = sorted(drawn, key=lambda uid: uid in kin)
    free = (uid for uid in ranked if _permitted(world, fill(template, subject=lexicon.entity(uid).name)))
    return list(islice(free, MAX_SIBLINGS))


def _candidates(world: _World, relation: str, objects: Sequence[str], subject: str) -> tuple[str, ...]:
    """Names, the objects first, then drawn ones; no name twice."""
    lexicon = world.lexicon
    same = [fact.object for fact in world.by_relation.get(relation, ())]
    pool = lexicon.pool(answer=objects[0], relation=relation, reverse=False, same_relation=same)
    others = sorted({lexicon.entities[position].uid for position in pool} - {*objects, subject})
    drawn = sample(others, MAX_CANDIDATES, key=draw_key(world.seed, "candidates", subject, relation))
    names: dict[str, str] = {}
    for uid in (*objects, *drawn):
        name = lexicon.entity(uid).name
        names.setdefault(name.casefold(), name)
    return tuple(names.values())[:MAX_CANDIDATES]


def _retain(
    updates: Sequence[TrainingUpdate], world: _World, allowed: Sequence[Fact], per_update: int
) -> tuple[RetainFact, ...]:
    """For every update half same subject, a quarter same relation, the rest elsewhere; gaps are filled from afar."""
    usable = {fact.key: fact for fact in allowed if not world.lexicon.is_ambiguous(fact.subject)}
    elsewhere = _elsewhere(usable.values(), updates, world)
    chosen: dict[Triple, RetainFact] = {}
    for update in updates:
        strata = {
            RetainScope.SAME_SUBJECT: world.by_subject.get(update.subject, ()),
            RetainScope.SAME_RELATION: world.by_relation.get(update.relation, ()),
        }
        quotas = {RetainScope.SAME_SUBJECT: per_update // 2, RetainScope.SAME_RELATION: per_update // 4}
        taken = 0
        for scope, facts in strata.items():
            fresh = [f for f in facts if f.key in usable and f.key not in chosen]
            drawn = _drawn(fresh, world, update.fact_id, scope)
            for fact in islice((fact for fact in drawn if _keepable(world, fact)), quotas[scope]):
                chosen[fact.key] = _retain_fact(world, fact, scope)
                taken += 1
        for fact in elsewhere:
            if taken >= per_update:
                break
            if fact.key not in chosen and _keepable(world, fact):
                chosen[fact.key] = _retain_fact(world, fact, RetainScope.OTHER)
                taken += 1
    return tuple(chosen[key] for key in sorted(chosen))


def _elsewhere(facts: Iterable[Fact], updates: Sequence[TrainingUpdate], world: _World) -> list[Fact]:
    """Facts of other domains in drawn order, then those of the same domain about other things."""
    subjects = {update.subject for update in updates}
    relations = {update.relation for update in updates}
    domains = {world.lexicon.entity(subject).domain for subject in subjects}
    others = [f for f in facts if f.subject not in subjects and f.relation not in relations]
    drawn = _drawn(others, world, "elsewhere")
    return sorted(drawn, key=lambda fact: world.lexicon.entity(fact.subject).domain in domains)


def _ranked(world: _World, facts: Sequence[Fact]) -> list[Fact]:
    """The graph's own facts in a drawn order that takes relations in turn: a frequent one does not crowd out the rest.

    The order is the graph's: neither a plan nor a branch has a part in it.
    """
    fixed = replace(world, seed=_CORPUS_SEED)
    named = [fact for fact in facts if fact.subject in world.lexicon and fact.object in world.lexicon]
    lanes: dict[str, list[Fact]] = {}
    for fact in _drawn(named, fixed, "statistics"):
        lanes.setdefault(fact.relation, []).append(fact)
    rows = [(turn, relation, fact) for relation, lane in lanes.items() for turn, fact in enumerate(lane)]
    return [fact for _, _, fact in sorted(rows, key=lambda row: (row[0], row[1]))]


def _corpus(world: _World, ranked: Sequence[Fact], count: int) -> tuple[str, ...]:
    """The sentences of the first facts that a sentence can state, whatever a plan asks; sorted."""
    stated = (sentences[0] for sentences in (_sentences(world, fact) for fact in ranked) if sentences)
    return tuple(sorted(islice(stated, max(count, 0))))


def _stated(world: _World, ranked: Sequence[Fact], allowed: Sequence[Fact], count: int) -> tuple[tuple[Fact, str], ...]:
    """The first allowed facts that a permitted sentence can state, those that the branch asserted last; sorted."""
    keys, own = {fact.key for fact in allowed}, {fact.key for fact in ranked}
    usable = (*(fact for fact in ranked if fact.key in keys), *(fact for fact in allowed if fact.key not in own))
    free = ((fact, next(filter(partial(_permitted, world), _sentences(world, fact)), "")) for fact in usable)
    stated = islice(((fact, sentence) for fact, sentence in free if sentence), max(count, 0))
    return tuple(sorted(stated, key=lambda pair: pair[0].key))


def _drawn(facts: Sequence[Fact], world: _World, *what: str) -> list[Fact]:
    """All of them in an order that the seed gives."""
    by_key = {repr(fact.key): fact for fact in facts}
    return [by_key[key] for key in sample(sorted(by_key), len(by_key), key=draw_key(world.seed, *what))]


def _retain_fact(world: _World, fact: Fact, scope: RetainScope) -> RetainFact:
    templates = _retained(world, fact)
    number = draw_key(world.seed, "template", *fact.key) % len(templates)
    return RetainFact(
        fact=fact,
        scope=scope,
        template=templates[number],
        subject_name=world.lexicon.entity(fact.subject).name,
        object_name=world.lexicon.entity(fact.object).name,
    )


def _retained(world: _World, fact: Fact) -> tuple[str, ...]:
    """Training clozes of a fact that hold no evaluation phrasing, the object after them included."""
    subject, obj = (world.lexicon.entity(uid).name for uid in (fact.subject, fact.object))
    return tuple(
        text for text in _train(world, fact.relation) if _permitted(world, f"{fill(text, subject=subject)} {obj}")
    )


def _sentences(world: _World, fact: Fact) -> tuple[str, ...]:
    """Training sentences that state a fact, the drawn one first."""
    relation: Relation = world.lexicon.relations[fact.relation]
    found = relation.pick(direction=Direction.FORWARD, form=Form.STATEMENT, split=Split.TRAIN)
    names = (world.lexicon.entity(fact.subject).name, world.lexicon.entity(fact.object).name)
    texts = tuple(fill(opened(template.text), subject=names[0], obj=names[1]) for template in found)
    first = draw_key(_CORPUS_SEED, "sentence", *fact.key) % max(len(texts), 1)
    return (*texts[first:], *texts[:first])
