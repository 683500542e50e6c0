"""Questions: what the probe queries return for two worlds, joined by question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.reasoning.closure import AFTER, BEFORE, Triple
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.facts import Direction, Form, Relation, Split, fact_id
from knowledgesmith.graph_schema.types.probes import Context, Polarity, ProbeKind

TRUE = "true"
FALSE = "false"
BACKWARD = "~"

_known_id = lru_cache(maxsize=1 << 15)(fact_id)
"""Chains of one neighbourhood share their facts."""
QuestionKey = tuple[str, tuple[str, ...], str]
"""Anchor, path, and for a statement its object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answers of one question in one world; ``nodes`` are the entities along a chain, the end included."""

    answers: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    context: Context = Context.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with its answers before and after (the same in a bulk run).

    ``doubtful`` is what may be true beside the answers (:mod:`doubted`): no answer, and not to be called false either.
    """

    kind: ProbeKind
    anchor: str
    path: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    object: str = ""
    nodes_before: tuple[str, ...] = ()
    nodes_after: tuple[str, ...] = ()
    context: Context = Context.NONE
    doubtful: tuple[str, ...] = ()

    @property
    def polarity(self) -> Polarity:
        """CHANGE where the worlds answer differently."""
        return Polarity.STAY if self.before == self.after else Polarity.CHANGE

    @property
    def relation(self) -> str:
        """The last relation of the path."""
        return self.path[-1].removeprefix(BACKWARD)

    @property
    def reverse(self) -> bool:
        """Whether the last step is read from object to subject."""
        return self.path[-1].startswith(BACKWARD)

    @property
    def key(self) -> tuple[str, str, tuple[str, ...], str]:
        """What identifies the question, as a sort key."""
        return (self.kind.value, self.anchor, self.path, self.object)

    @property
    def parts(self) -> tuple[str, ...]:
        """The key as strings, for seeded draws."""
        return (self.kind.value, self.anchor, *self.path, self.object)

    def step(self, answer: str) -> Triple:
        """The fact that makes ``answer`` the answer of a question of one step."""
        if self.kind is ProbeKind.CONFLICT:
            return (self.anchor, self.relation, self.object)
        return (answer, self.relation, self.anchor) if self.reverse else (self.anchor, self.relation, answer)

    def facts(self, graph_id: str, answers: Iterable[str]) -> tuple[str, ...]:
        """Ids of the facts that lead to the given answers, in order of the path."""
        if len(self.path) == 1:
            return tuple(dict.fromkeys([_known_id(graph_id, *self.step(answer)) for answer in answers]))
        found: list[str] = []
        worlds = (
            (self.nodes_before,) if self.nodes_before == self.nodes_after else (self.nodes_before, self.nodes_after)
        )
        for nodes in worlds:
            for start, end, step in zip((self.anchor, *nodes), nodes, self.path, strict=False):
                ends = (end, start) if step.startswith(BACKWARD) else (start, end)
                found.append(_known_id(graph_id, ends[0], step.removeprefix(BACKWARD), ends[1]))
        return tuple(dict.fromkeys(found))

    def asked_fact(self, graph_id: str, answer: str) -> str:
        """Id of the asked fact; a chain has one of its own, made of anchor and path."""
        if len(self.path) == 1:
            return fact_id(graph_id, *self.step(answer))
        return fact_id(graph_id, self.anchor, "|".join(self.path), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which entities to ask about, and what is changed; ``anchors`` of ``None`` mean the whole graph.

    ``long_anchors`` are those of the anchors from which chains of three facts are asked too.
    """

    anchors: Sequence[str] | None = None
    long_anchors: Sequence[str] | None = None
    statements: Sequence[Triple] | None = None
    subjects: Sequence[str] | None = None
    relations: Sequence[str] = ()
    domains: Sequence[str] = ()

    def only(self, anchors: Collection[str]) -> Scope:
        """The same for some of the anchors."""
        return replace(
            self,
            anchors=[uid for uid in self.anchors or () if uid in anchors],
            long_anchors=[uid for uid in self.long_anchors or () if uid in anchors],
        )


Found = dict[QuestionKey, Answered]
Following = Callable[[int, Sequence[tuple[str, tuple[str, ...]]]], None]
Asker = Callable[[Transaction, Lexicon, Scope, int], Found]
Chain = tuple[tuple[str, ...], tuple[str, ...]]
"""Path, and the entities along it."""


def _pairs(rows: Iterable[Mapping[str, Any]], lexicon: Lexicon, *, prefix: str = "") -> Found:
    names = {relation.rel_type: relation.name for relation in lexicon.relations.values()}
    return {
        (row["anchor"], (prefix + names[question[0]],), ""): Answered(answers=tuple(sorted(question[1])))
        for row in rows
        for question in row["questions"]
    }


def _ask_direct(tx: Transaction, lexicon: Lexicon, scope: Scope, world: int) -> Found:
    rows = tx.rows("probes/direct", **_common(lexicon, scope, world))
    return _pairs(rows, lexicon)


def _ask_reverse(tx: Transaction, lexicon: Lexicon, scope: Scope, world: int) -> Found:
    rows = tx.rows("probes/reverse", **_common(lexicon, scope, world))
    return _pairs(rows, lexicon, prefix=BACKWARD)


def _ask_comparison(tx: Transaction, lexicon: Lexicon, scope: Scope, world: int) -> Found:
    rows = tx.rows("probes/comparison", **_common(lexicon, scope, world))
    return _pairs(rows, lexicon)


def _ask_contextual(tx: Transaction, lexicon: Lexicon, scope: Scope, world: int) -> Found:
    types = [lexicon.relations[name].rel_type for name in scope.relations]
    subjects = None if scope.subjects is None else list(scope.subjects)
    rows = tx.rows(
        "probes/contextual",
        **_common(lexicon, scope, world),
        subjects=subjects,
        relations=types,
        domains=list(scope.domains),
    )
    found = _pairs(rows, lexicon)
    names = {relation.rel_type: relation.name for relation in lexicon.relations.values()}
    for row in rows:
        for rel_type, _, context in row["questions"]:
            key = (row["anchor"], (names[rel_type],), "")
            found[key] = replace(found[key], context=Context(context))
    return found


def _ask_conflict(tx: Transaction, lexicon: Lexicon, scope: Scope, world: int) -> Found:
    types = {name: relation.rel_type for name, relation in lexicon.relations.items()}
    statements = None if scope.statements is None else [[s, types[r], o] for s, r, o in scope.statements]
    rows = tx.rows("probes/conflict", **_common(lexicon, scope, world), statements=statements)
    names = {rel_type: name for name, rel_type in types.items()}
    return {
        (row["anchor"], (names[rel_type],), obj): Answered(answers=(TRUE if holds else FALSE,))
        for row in rows
        for rel_type, obj, holds in row["questions"]
    }


def _ask_multi_hop(tx: Transaction, lexicon: Lexicon, scope: Scope, world: int) -> Found:
    forward = types_with(lexicon, Direction.FORWARD, Form.PHRASE)
    backward = types_with(lexicon, Direction.REVERSE, Form.PHRASE)
    ends = {
        "types": lexicon.rel_types,
        "final_forward": types_with(lexicon, Direction.FORWARD, Form.CLOZE),
        "final_backward": types_with(lexicon, Direction.REVERSE, Form.CLOZE),
    }
    params = {"graph_id": lexicon.graph_id, "world": world, "forward": forward, "backward": backward, **ends}
    anchors = None if scope.anchors is None else list(scope.anchors)
    far = None if anchors is None or scope.anchors == scope.long_anchors else list(scope.long_anchors or ())
    rows = tx.rows("probes/multi_hop", **params, anchors=anchors, far_reaching=far)
    spoken = _spoken_steps(lexicon)
    return {
        (anchor, path, ""): Answered(answers=nodes[-1:], nodes=nodes)
        for row in rows
        for anchor, chains in row["found"]
        for path, nodes in _said_once(chains, spoken)
    }


def _said_once(chains: Iterable[Sequence[str]], spoken: Mapping[str, tuple[str, str]]) -> list[Chain]:
    """Paths and entities of one anchor's chains; of two ways to say the same, the one that reads better."""
    best: dict[tuple[tuple[str, ...], tuple[str, ...]], Sequence[str]] = {}
    for chain in chains:
        half = len(chain) // 2
        meaning = (tuple([spoken[step][1] for step in chain[:half]]), tuple(chain[half:]))
        known = best.setdefault(meaning, chain)
        if known is not chain and _awkwardness(chain[:half]) < _awkwardness(known[:half]):
            best[meaning] = chain
    return [(tuple([spoken[s][0] for s in chain[: len(nodes)]]), nodes) for (_, nodes), chain in best.items()]


def _awkwardness(steps: Iterable[str]) -> tuple[int, list[tuple[str, bool]]]:
    """Fewer backward steps read better; beyond that the order is a matter of convention."""
    parts = [(step.removeprefix(BACKWARD), step.startswith(BACKWARD)) for step in steps]
    return sum(backward for _, backward in parts), parts


def _spoken_steps(lexicon: Lexicon) -> dict[str, tuple[str, str]]:
    """By relationship type with its sign: the step as it stands in paths, and what it means."""
    return {
        sign + relation.rel_type: (sign + relation.name, _meaning(sign + relation.name, lexicon.relations))
        for relation in lexicon.relations.values()
        for sign in ("", BACKWARD)
    }


def _meaning(step: str, relations: Mapping[str, Relation]) -> str:
    """One name for a step and for its inverse read the other way, so that a chain is not asked twice."""
    name = step.removeprefix(BACKWARD)
    traits = relations[name].traits
    if traits.symmetric:
        return name
    if not traits.inverse_of:
        return step
    other = traits.inverse_of if step.startswith(BACKWARD) else BACKWARD + traits.inverse_of
    return min(step, other)


def types_with(lexicon: Lexicon, direction: Direction, form: Form) -> list[str]:
    """Relationship types that have wording of a form and direction."""
    return sorted(
        relation.rel_type
        for relation in lexicon.relations.values()
        if relation.pick(direction=direction, form=form, split=Split.EVAL)
    )


def _common(lexicon: Lexicon, scope: Scope, world: int) -> dict[str, Any]:
    anchors = None if scope.anchors is None else list(scope.anchors)
    return {"graph_id": lexicon.graph_id, "world": world, "types": lexicon.rel_types, "anchors": anchors}


ASKERS: Mapping[ProbeKind, Asker] = {
    ProbeKind.DIRECT: _ask_direct,
    ProbeKind.REVERSE: _ask_reverse,
    ProbeKind.MULTI_HOP: _ask_multi_hop,
    ProbeKind.COMPARISON: _ask_comparison,
    ProbeKind.CONTEXTUAL: _ask_contextual,
    ProbeKind.CONFLICT: _ask_conflict,
}
"""One query per kind."""


def ask(
    tx: Transaction,
    *,
    lexicon: Lexicon,
    scope: Scope,
    kind: ProbeKind,
    worlds: Sequence[int] = (BEFORE, AFTER),
    moved: Collection[str] | None = None,
    follow: Following | None = None,
) -> list[Question]:
    """The questions of one kind with their answers in both worlds (or in one, for a bulk run), sorted by key.

    An absent question has no answer in that world. A chain that is a proper question in one world only (in the other
    it has a second answer, or a fact connects its ends) is left out.
    """
    before = ASKERS[kind](tx, lexicon, scope, worlds[0])
    after = before
    if len(worlds) > 1:
        part = scope if moved is None else scope.only(moved)
        after = ASKERS[kind](tx, lexicon, part, worlds[1]) if part.anchors != [] else {}
        if moved is not None:
            after |= {key: answered for key, answered in before.items() if key[0] not in moved}
    if kind is ProbeKind.MULTI_HOP and len(worlds) > 1:
        _follow_missing(tx, lexicon, before, after, follow)
    questions = [_join(kind, key, before.get(key), after.get(key)) for key in sorted(before.keys() | after.keys())]
    return [question for question in questions if _is_askable(question, lexicon)]


def _join(kind: ProbeKind, key: QuestionKey, before: Answered | None, after: Answered | None) -> Question:
    anchor, path, obj = key
    one = before or after
    return Question(
        kind=kind,
        anchor=anchor,
        path=path,
        before=before.answers if before else (),
        after=after.answers if after else (),
        object=obj,
        nodes_before=before.nodes if before else (),
        nodes_after=after.nodes if after else (),
        context=one.context if one else Context.NONE,
    )


def _is_askable(question: Question, lexicon: Lexicon) -> bool:
    """Retired entities are not asked about."""
    ends = [
        question.anchor,
        *question.nodes_before,
        *question.nodes_after,
        *([question.object] * bool(question.object)),
    ]
    if question.kind is not ProbeKind.CONFLICT:
        ends += [*question.before, *question.after]
    return all(map(lexicon.index.__contains__, ends))


def _follow_missing(tx: Transaction, lexicon: Lexicon, before: Found, after: Found, follow: Following | None) -> None:
    """Give chains that one world lacks their true state there: no answer, or no proper question."""
    types = {name: relation.rel_type for name, relation in lexicon.relations.items()}
    for world, here, there in ((BEFORE, before, after), (AFTER, after, before)):
        missing = sorted(there.keys() - here.keys())
        chains = [
            [
                position,
                anchor,
                [[types[s.removeprefix(BACKWARD)], BACKWARD if s.startswith(BACKWARD) else ""] for s in path],
            ]
            for position, (anchor, path, _) in enumerate(missing)
        ]
        if not chains:
            continue
        if follow:
            follow(world, [(anchor, path) for anchor, path, _ in missing])
        rows = tx.rows("probes/follow", graph_id=lexicon.graph_id, world=world, types=lexicon.rel_types, chains=chains)
        for row in rows:
            key = missing[row["position"]]
            if row["ends"] and (row["shortcut"] or not row["unique"]):
                del there[key]
            elif row["ends"]:
                here[key] = Answered(answers=tuple(row["ends"]), nodes=tuple(row["nodes"]))
