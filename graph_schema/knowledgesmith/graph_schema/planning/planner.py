"""The plan: what an intervention changes in the world, and every question that will be measured.

Neo4j decides what is true: one transaction holds the branch's world before and after the update, each with its
closure; the same probe queries read both; then it is rolled back. Drawing and wording happen outside, from the seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from knowledgesmith.graph_schema.errors import InvalidInput, KnowledgeSmithError, ProbeSetEmpty
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.graphs.own_uids import insert_entities
from knowledgesmith.graph_schema.planning.earlier_answers import earlier_warnings, read_earlier
from knowledgesmith.graph_schema.planning.interview import Interview
from knowledgesmith.graph_schema.planning.scope import Distances, endpoints_of, neighbourhood
from knowledgesmith.graph_schema.planning.selection import Focus, select
from knowledgesmith.graph_schema.planning.visibility import Sight, touched_ends
from knowledgesmith.graph_schema.planning.warnings import warnings_of
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.drawing.build import Builder, Built
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, permutation
from knowledgesmith.graph_schema.probes.drawing.sentences import answers_by_relation, irrelevant_sentences
from knowledgesmith.graph_schema.reasoning.explanations import cited
from knowledgesmith.graph_schema.reasoning.incremental import Placed
from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Entity, fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plan_slots import slots_of
from knowledgesmith.graph_schema.types.plans import Cited, LedgerSlot, Plan, PlanWarning, WorldChange
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Role, role_of
from knowledgesmith.graph_schema.worlds.change_checks import check_changes
from knowledgesmith.graph_schema.worlds.overlays import apply_overlay
from knowledgesmith.graph_schema.worlds.update import update_of
from knowledgesmith.graph_schema.worlds.what_if import RegionTooLarge, WorldPair, build_whole, build_worlds
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache, WorldMoved, branch_digest, stamp_of

DEFAULT_MAX_PROBES: Final = 2000
_MAX_ANCHORS: Final = 2000
_FEWEST_ANCHORS: Final = 40
_ANCHOR_SHARE: Final = 20
"""Of the entities of a group there is one in so many probes: each gives several questions."""
_TARGET_SHARE: Final = 12
"""One target in so many probes is asked about: its fact, both its objects and its statements, in several phrasings."""


_LATER: Final = frozenset({"role", "verdict_scheme", "counter_stem", "warnings"})
"""Members that the verdicts' second scheme brought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What to plan: resolved changes on a branch, whose committed interventions are given in order as ``overlay``.

    ``entities`` are those that the branch's interventions inserted, and those that this one inserts.
    """

    graph_id: str
    branch_id: str
    goal: Goal
    changes: tuple[Change, ...]
    overlay: tuple[WorldChange, ...] = ()
    entities: tuple[Entity, ...] = ()
    seed: int = 0
    max_probes: int = DEFAULT_MAX_PROBES

    @property
    def world(self) -> str:
        """Digest of what is planned upon besides the graph: the net effect of the commits, and inserted entities."""
        return branch_digest(self.overlay, self.entities)


def make_plan(store: GraphStore, request: PlanRequest, *, worlds: WorldCache | None = None) -> Plan:
    """Plan an intervention; the graph is left as it was.

    Args:
        store: the database.
        request: what to plan.
        worlds: closed worlds of earlier plans; without it the world is closed for this plan alone.

    Raises:
        InvalidInput, EntityNotFound, RelationNotFound, ConflictingChanges: the changes cannot be meant.
        FactNotFound: a fact to change does not hold on this branch.
        NothingToChange: the update leaves the world as it is.
        ProbeSetEmpty: nothing can be asked about this update.
        GraphUnavailable: the database does not answer.
    """
    if request.max_probes < 1:
        raise InvalidInput(
            "A plan needs at least one probe.", field="max_probes", value=request.max_probes, hint="Give 1 or more."
        )
    cache = worlds or WorldCache(capacity=1)
    before = cache.world(store, graph_id=request.graph_id, overlay=request.overlay, check=False)
    before = before.with_entities(request.entities)
    names = before.lexicon
    try:
        changes = check_changes(names, goal=request.goal, changes=request.changes)
    except KnowledgeSmithError:
        # what is wrong by the names of a remembered world may be right by those of an import since then
        if cache.world(store, graph_id=request.graph_id, overlay=request.overlay).stamp == before.stamp:
            raise
        return make_plan(store, request, worlds=cache)
    try:
        seen = _look(store, request=replace(request, changes=changes), before=before)
    except WorldMoved:  # an import in between, or since the last plan
        cache.world(store, graph_id=request.graph_id, overlay=request.overlay)
        return make_plan(store, request, worlds=cache)
    built = _build(seen.questions, request=request, changes=changes, lexicon=names, hops=seen.hops)
    if not built:
        raise ProbeSetEmpty(
            "No probe could be made for this update.",
            field="changes",
            value=changes[0],
            hint="Give the relation evaluation templates, or the graph more entities of the answer's type.",
        )
    probes, slots = _ledger(built, lexicon=names, hops=seen.hops, targets=target_facts(request.graph_id, changes))
    plan = Plan(
        graph_id=request.graph_id,
        graph_digest=names.graph_digest,
        branch_id=request.branch_id,
        goal=request.goal,
        seed=request.seed,
        targets=changes,
        overlay=seen.worlds.overlay,
        derived=seen.worlds.derived,
        probes=probes,
        slots=slots,
        digest="",
        cited=seen.cited,
        inserted=request.entities,
        names=_names(names, seen),
        cut=seen.worlds.cut,
        warnings=warnings_of(before, changes, probes, earlier=seen.earlier, drawn=seen.asked),
        stamp=before.stamp,
        world=request.world,
    )
    return replace(plan, digest=digest_of(plan))


def digest_of(plan: Plan) -> str:
    """SHA-256 over the plan's canonical JSON, its own digest left out."""
    read = _members if plan.verdict_scheme > 1 else _first_members
    content = read(replace(plan, digest=""))
    for name in ("digest", "stamp", "world"):
        del content[name]
    text = json.dumps(dict(sorted(content.items())), separators=(",", ":"), default=read)
    return hashlib.sha256(text.encode()).hexdigest()


def _members(value: Any) -> dict[str, Any]:
    """The members of a dataclass, without the copies that :func:`dataclasses.asdict` makes of them."""
    names, read = _reader(type(value))  # type: ignore[arg-type]  # classes are hashable
    return dict(zip(names, read(value), strict=True))


def _first_members(value: Any) -> dict[str, Any]:
    """Those that plans of the verdicts' first scheme had: their digests say nothing of the others."""
    return {name: member for name, member in _members(value).items() if name not in _LATER}


@cache
def _reader(kind: type) -> tuple[tuple[str, ...], attrgetter[tuple[Any, ...]]]:
    """Names of a dataclass's members in order, and what reads them all at once."""
    names = tuple(sorted(member.name for member in fields(kind)))
    return names, attrgetter(*names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the database said: both worlds, and the questions with their answers in both."""

    worlds: WorldPair
    cited: tuple[Cited, ...]
    hops: Distances
    asked: Sequence[Change]
    questions: list[Question]
    earlier: tuple[PlanWarning, ...]


def _look(store: GraphStore, *, request: PlanRequest, before: WorldIndex) -> _Seen:
    """Everything that needs the database; by a closure of the whole graph where the update reaches very far."""
    try:
        return store.try_out(lambda tx: _look_inside(tx, request=request, before=before, whole=None))
    except RegionTooLarge:
        whole = build_whole(update_of(before, request.changes))
        return store.try_out(lambda tx: _look_inside(tx, request=request, before=before, whole=whole))


def _look_inside(tx: Transaction, *, request: PlanRequest, before: WorldIndex, whole: WorldPair | None) -> _Seen:
    if stamp_of(tx, request.graph_id) != before.stamp:
        raise WorldMoved
    insert_entities(tx, graph_id=request.graph_id, entities=request.entities)
    apply_overlay(tx, graph_id=request.graph_id, rules=before.rules, overlay=request.overlay)
    if whole is None:
        worlds = build_worlds(tx, update=update_of(before, request.changes))
    else:
        worlds = whole
        worlds.update.write(tx)
    asked = _asked_changes(request)
    hops = before.distances(endpoints_of(request.changes))
    around = neighbourhood(
        before.lexicon,
        changes=asked,
        changed=worlds.changed,
        distances=hops,
        seed=request.seed,
        limit=_group_limit(request.max_probes),
    )
    sight = Sight(
        placed=worlds.placed or Placed(tx=tx, before=before),
        before=before,
        after=worlds.after,
        touched=touched_ends((c.subject, c.relation, c.object) for c in worlds.changed),
    )
    interview = Interview(
        tx=tx,
        lexicon=before.lexicon,
        sight=sight,
        seed=request.seed,
        changes=asked,
        limit=request.max_probes,
        walks=before.doubt_walks and before.doubt_walks.with_facts(worlds.update.asserts),
    )
    why = cited(before=before, after=worlds.after, changed=worlds.changed)
    ids = (change.fact_id for change in worlds.changed)
    earlier = earlier_warnings(
        before.lexicon,
        before=before,
        after=worlds.after,
        questions=read_earlier(tx, branch_id=request.branch_id, facts=ids) if request.overlay else (),
    )
    questions = interview.questions(around, worlds.changed)
    if stamp_of(tx, request.graph_id) != before.stamp:  # what was read may be half of the one and half of the other
        raise WorldMoved
    return _Seen(
        worlds=worlds,
        cited=why,
        hops=hops,
        asked=asked,
        questions=questions,
        earlier=tuple(earlier),
    )


def _names(lexicon: Lexicon, seen: _Seen) -> tuple[tuple[str, str], ...]:
    """Names of all entities that the changes and their proofs speak of."""
    facts: tuple[WorldChange | Cited, ...] = (*seen.worlds.changed, *seen.cited)
    uids = {fact.subject for fact in facts} | {fact.object for fact in facts}
    uids &= lexicon.index.keys()
    return tuple((uid, lexicon.entity(uid).name) for uid in sorted(uids))


def _asked_changes(request: PlanRequest) -> Sequence[Change]:
    """The targets that questions are asked about: all of them, or a drawn part where there are more than probes."""
    count = max(_FEWEST_ANCHORS, request.max_probes // _TARGET_SHARE)
    if len(request.changes) <= count:
        return request.changes
    chosen = permutation(len(request.changes), key=draw_key(request.seed, "targets"))[:count]
    return [request.changes[position] for position in sorted(chosen)]


def _group_limit(max_probes: int) -> int:
    """Most entities of a group: each gives several questions."""
    return min(_MAX_ANCHORS, max(_FEWEST_ANCHORS, max_probes // _ANCHOR_SHARE))


def _build(
    questions: Sequence[Question], *, request: PlanRequest, changes: Sequence[Change], lexicon: Lexicon, hops: Distances
) -> list[Built]:
    builder = Builder(
        lexicon=lexicon,
        seed=request.seed,
        prefer=frozenset(endpoints_of(changes)),
        sentences=irrelevant_sentences(questions, lexicon=lexicon, seed=request.seed),
        same_relation=answers_by_relation(questions),
    )
    focus = Focus(targets=frozenset((change.subject, change.relation) for change in changes))
    return select(
        questions,
        builder=builder,
        distances=hops,
        focus=focus,
        targets=len(changes),
        max_probes=request.max_probes,
    )


def _ledger(
    built: Sequence[Built], *, lexicon: Lexicon, hops: Distances, targets: Collection[str]
) -> tuple[tuple[PlannedProbe, ...], tuple[LedgerSlot, ...]]:
    """Group probes into ledger rows: nearest first, the rows of an entity together, numbered from 1."""
    keyed = sorted(
        ((_slot_key(one, lexicon, hops, targets), one) for one in built), key=lambda p: (p[0], p[1].probe.id)
    )
    probes: list[PlannedProbe] = []
    for seq, (key, group) in enumerate(groupby(keyed, key=lambda pair: pair[0]), start=1):
        reached, nearest = hops.get(key[2], (None, ""))
        probes += [
            PlannedProbe(
                probe=one.probe,
                before=one.before,
                after=one.after,
                polarity=one.question.polarity,
                role=Role(key[5]),
                hops=reached,
                nearest_target=nearest,
                asked_fact_id=key[6],
                relation=one.question.relation,
                row_seq=seq,
            )
            for _, one in group
        ]
    return tuple(probes), slots_of(probes)


def _slot_key(
    one: Built, lexicon: Lexicon, hops: Distances, targets: Collection[str]
) -> tuple[bool, int, str, str, str, str, str]:
    question = one.question
    asked = question.asked_fact(lexicon.graph_id, one.asked)
    reached = hops.get(question.anchor)
    return (
        reached is None,
        reached[0] if reached else 0,
        question.anchor,
        question.kind.value,
        question.polarity.value,
        role_of(question.kind, question.polarity, asks_target=asked in targets).value,
        asked,
    )


def target_facts(graph_id: str, changes: Iterable[Change]) -> frozenset[str]:
    """Ids of the facts that the request itself takes away or puts in."""
    return frozenset(
        fact_id(graph_id, change.subject, change.relation, uid)
        for change in changes
        for uid in (change.old_object, change.new_object)
        if uid
    )
