"""The plan: what an intervention changes in the world, and every question that will be measured.

Neo4j decides what is true: one transaction holds the branch's world before and after the update, each with its
closure; the same probe queries read both; then it is rolled back. Drawing and wording happen outside, from the seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any, Final

from knowledgesmith.graph_schema.change_checks import check_changes
from knowledgesmith.graph_schema.closure import Triple, rules_of
from knowledgesmith.graph_schema.errors import InvalidInput, ProbeSetEmpty
from knowledgesmith.graph_schema.interventions import Change, Goal
from knowledgesmith.graph_schema.plan_slots import slots_of
from knowledgesmith.graph_schema.plan_types import LedgerSlot, Plan, WorldChange
from knowledgesmith.graph_schema.probes.build import Builder, Built
from knowledgesmith.graph_schema.probes.draw import draw_distractors, draw_key, sample
from knowledgesmith.graph_schema.probes.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.probes.questions import Question, Scope, ask
from knowledgesmith.graph_schema.probes.scope import Distances, Neighbourhood, endpoints_of, neighbourhood
from knowledgesmith.graph_schema.probes.select import Focus, select
from knowledgesmith.graph_schema.probes.sentences import answers_by_relation, irrelevant_sentences
from knowledgesmith.graph_schema.probes.types import PlannedProbe, Polarity, ProbeKind
from knowledgesmith.graph_schema.store import GraphStore, Transaction
from knowledgesmith.graph_schema.what_if import WorldPair, apply_overlay, build_worlds, distances

DEFAULT_MAX_PROBES: Final = 2000
_FALSE_STATEMENTS: Final = 6
_MAX_ANCHORS: Final = 2000
_LONG_ANCHORS: Final = 40
_FEW: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What to plan: resolved changes on a branch, whose committed interventions are given in order as ``overlay``."""

    graph_id: str
    branch_id: str
    goal: Goal
    changes: tuple[Change, ...]
    overlay: tuple[WorldChange, ...] = ()
    seed: int = 0
    max_probes: int = DEFAULT_MAX_PROBES


def make_plan(store: GraphStore, request: PlanRequest, *, lexicon: Lexicon | None = None) -> Plan:
    """Plan an intervention; the graph is left as it was.

    Args:
        store: the database.
        request: what to plan.
        lexicon: the graph's names, where the caller has read them already.

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
    names = lexicon or load_lexicon(store, graph_id=request.graph_id)
    changes = check_changes(names, goal=request.goal, changes=request.changes)
    resolved = replace(request, changes=changes)
    worlds, hops, questions = store.try_out(lambda tx: _look(tx, request=resolved, lexicon=names))
    built = _build(questions, request=request, changes=changes, lexicon=names, hops=hops)
    if not built:
        raise ProbeSetEmpty(
            "No probe could be made for this update.",
            field="changes",
            value=changes[0],
            hint="Give the relation evaluation templates, or the graph more entities of the answer's type.",
        )
    probes, slots = _ledger(built, lexicon=names, hops=hops)
    plan = Plan(
        graph_id=request.graph_id,
        graph_digest=names.graph_digest,
        branch_id=request.branch_id,
        goal=request.goal,
        seed=request.seed,
        targets=changes,
        overlay=worlds.overlay,
        derived=worlds.derived,
        probes=probes,
        slots=slots,
        digest="",
    )
    return replace(plan, digest=digest_of(plan))


def digest_of(plan: Plan) -> str:
    """SHA-256 over the plan's canonical JSON, its own digest left out."""
    content: dict[str, Any] = asdict(plan)
    del content["digest"]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _look(tx: Transaction, *, request: PlanRequest, lexicon: Lexicon) -> tuple[WorldPair, Distances, list[Question]]:
    """Everything that needs the database: both worlds, hops, and the answers in both."""
    rules = rules_of(lexicon.relations.values())
    apply_overlay(tx, graph_id=request.graph_id, rules=rules, overlay=request.overlay)
    hops = distances(tx, lexicon=lexicon, sources=endpoints_of(request.changes))
    worlds = build_worlds(tx, lexicon=lexicon, rules=rules, changes=request.changes)
    around = neighbourhood(
        lexicon,
        changes=request.changes,
        changed=worlds.changed,
        distances=hops,
        seed=request.seed,
        limit=min(_MAX_ANCHORS, max(request.max_probes, 40)),
    )
    return worlds, hops, _questions(tx, request=request, lexicon=lexicon, worlds=worlds, around=around)


def _questions(
    tx: Transaction, *, request: PlanRequest, lexicon: Lexicon, worlds: WorldPair, around: Neighbourhood
) -> list[Question]:
    changed = [
        (c.subject, c.relation, c.object) for c in worlds.changed if c.subject in lexicon and c.object in lexicon
    ]
    long_anchors = sample(list(around.changed), _LONG_ANCHORS, key=draw_key(request.seed, "long"))
    rest = sorted({*around.near, *around.far})
    few = sample(rest, max(_FEW, len(rest) // 4), key=draw_key(request.seed, "few"))
    everywhere = Scope(anchors=around.anchors)
    narrow = Scope(
        anchors=sorted({*around.endpoints, *around.changed, *few}),
        long_anchors=sorted({*around.endpoints, *long_anchors}),
    )
    scopes = {
        ProbeKind.DIRECT: everywhere,
        ProbeKind.REVERSE: everywhere,
        ProbeKind.MULTI_HOP: narrow,
        ProbeKind.COMPARISON: narrow,
    }
    found = {kind: ask(tx, lexicon=lexicon, scope=scope, kind=kind) for kind, scope in scopes.items()}
    found[ProbeKind.CONTEXTUAL] = _contextual(tx, request=request, lexicon=lexicon, around=around)
    statements = sorted({*changed, *_statements(found[ProbeKind.DIRECT], request=request, lexicon=lexicon)})
    found[ProbeKind.CONFLICT] = ask(
        tx, lexicon=lexicon, scope=Scope(anchors=(), statements=statements), kind=ProbeKind.CONFLICT
    )
    contextual = {(q.anchor, q.path) for q in found[ProbeKind.CONTEXTUAL]}
    return [
        question
        for kind in ProbeKind
        for question in found[kind]
        if kind is not ProbeKind.DIRECT
        or question.polarity is Polarity.CHANGE
        or (question.anchor, question.path) not in contextual
    ]


def _contextual(tx: Transaction, *, request: PlanRequest, lexicon: Lexicon, around: Neighbourhood) -> list[Question]:
    """Questions that should stay; those that change are DIRECT ones already."""
    subjects = sorted({change.subject for change in request.changes})
    scope = Scope(
        anchors=sorted({*subjects, *around.siblings, *around.far}),
        subjects=subjects,
        relations=sorted({change.relation for change in request.changes}),
        domains=sorted({lexicon.entity(uid).domain for uid in around.endpoints}),
    )
    found = ask(tx, lexicon=lexicon, scope=scope, kind=ProbeKind.CONTEXTUAL)
    return [question for question in found if question.polarity is Polarity.STAY]


def _statements(direct: Sequence[Question], *, request: PlanRequest, lexicon: Lexicon) -> Iterable[Triple]:
    """Statements that should keep their truth: drawn true ones, and false ones about the same questions."""
    stay = [question for question in direct if question.polarity is Polarity.STAY]
    count = min(len(stay), max(2 * _FALSE_STATEMENTS, _FALSE_STATEMENTS * len(request.changes)))
    keys = {repr(question.key): question for question in stay}
    for chosen in sample(sorted(keys), count, key=draw_key(request.seed, "statements")):
        question = keys[chosen]
        yield (question.anchor, question.relation, question.before[0])
        drawn = draw_distractors(
            lexicon,
            pool=lexicon.pool(answer=question.before[0], relation=question.relation, reverse=False),
            shown=(),
            excluded={*question.before, question.anchor},
            count=1,
            key=draw_key(request.seed, "false", *question.parts),
        )
        for uid in drawn:
            yield (question.anchor, question.relation, uid)


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
    built: Sequence[Built], *, lexicon: Lexicon, hops: Distances
) -> tuple[tuple[PlannedProbe, ...], tuple[LedgerSlot, ...]]:
    """Group probes into ledger rows: nearest first, the rows of an entity together, numbered from 1."""
    keyed = sorted(((_slot_key(one, lexicon, hops), one) for one in built), key=lambda p: (p[0], p[1].probe.id))
    probes: list[PlannedProbe] = []
    for seq, (key, group) in enumerate(groupby(keyed, key=lambda pair: pair[0]), start=1):
        reached, nearest = hops.get(key[2], (None, ""))
        probes += [
            PlannedProbe(
                probe=one.probe,
                before=one.before,
                after=one.after,
                polarity=one.question.polarity,
                hops=reached,
                nearest_target=nearest,
                asked_fact_id=key[5],
                relation=one.question.relation,
                row_seq=seq,
            )
            for _, one in group
        ]
    return tuple(probes), slots_of(probes)


def _slot_key(one: Built, lexicon: Lexicon, hops: Distances) -> tuple[bool, int, str, str, str, str]:
    question = one.question
    reached = hops.get(question.anchor)
    return (
        reached is None,
        reached[0] if reached else 0,
        question.anchor,
        question.kind.value,
        question.polarity.value,
        question.asked_fact(lexicon.graph_id, one.asked),
    )
