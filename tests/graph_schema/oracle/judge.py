"""Judges probes one by one against worlds closed by brute force."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from tests.graph_schema.oracle.doubting import doubtful_facts
from tests.graph_schema.oracle.reasoning import Triple
from tests.graph_schema.oracle.worlds import World

from knowledgesmith.graph_schema.doubts.closure import Doubts
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Form, Split, fact_id
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

TRUE, FALSE = "true", "false"
LITERAL = "Literal"


def seen(text: str) -> str:
    """What a reader sees of a text: neither letter case, nor signs that show nothing, nor how letters are composed."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf" and c not in "\ufe0e\ufe0f")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What is true in one or two worlds of the same entities, and which options may stand in a probe.

    ``worlds`` is (now,) or (before, after). ``own`` may name the only entities that stand beside an answer.
    """

    worlds: Sequence[World]
    own: Callable[[Probe, str], frozenset[str] | None] = lambda _probe, _answer: None

    @property
    def graph(self) -> World:
        return self.worlds[0]

    @cached_property
    def truths(self) -> list[frozenset[Triple]]:
        """Closed facts of each world; loops are never asked about."""
        return [frozenset(fact for fact in world.true if fact[0] != fact[2]) for world in self.worlds]

    @cached_property
    def doubts(self) -> Doubts:
        """What the names of the relations let suspect."""
        return Doubts(relations=self.graph.relations)

    @cached_property
    def _possible(self) -> tuple[frozenset[Triple], frozenset[Triple]]:
        """What is true or may be in any of the worlds, or in both together, as a last step and inside a path."""
        known = {fact for world in self.worlds for fact in world.facts}
        found = (doubtful_facts(self.doubts, known, near=near) for near in (False, True))
        last, inside = (frozenset(fact for fact in facts if fact[0] != fact[2]) for facts in found)
        return last, inside

    def may_be(self, anchor: str, path: Sequence[str]) -> frozenset[str]:
        """Where a path may lead; nowhere if nothing about it is doubtful."""
        if self.doubts.doubtful.isdisjoint(step.removeprefix("~") for step in path):
            return frozenset()
        last, inside = self._possible
        middle = self._along(anchor, path[:-1], inside)[-1] if path[1:] else {anchor}
        return frozenset().union(*(self.ends(uid, path[-1], last) for uid in middle))

    def may_follow(self, nodes: Sequence[str], truth: frozenset[Triple]) -> frozenset[str]:
        """Where any path along these entities may lead."""
        steps = [
            {r for s, r, o in truth if (s, o) == pair} | {f"~{r}" for s, r, o in truth if (o, s) == pair}
            for pair in pairwise(nodes)
        ]
        return frozenset().union(*(self.may_be(nodes[0], path) for path in product(*steps)))

    # -- names --------------------------------------------------------------------------------------------------

    def surfaces(self, uid: str) -> frozenset[str]:
        return frozenset(seen(name) for name in self.graph.entities[uid].names)

    def ambiguous(self, uid: str) -> bool:
        """Whether another entity bears the name, as its own or as an alias."""
        name = seen(self.graph.entities[uid].name)
        return any(name in self.surfaces(other) for other in self.graph.entities if other != uid)

    def says(self, text: str, uids: Iterable[str]) -> bool:
        """Whether a name or alias of an entity stands in the text as words of its own."""
        folded = seen(text)
        names = {name for uid in uids for name in self.surfaces(uid)}
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) for name in names)

    # -- answers ------------------------------------------------------------------------------------------------

    def ends(self, start: str, step: str, truth: frozenset[Triple]) -> frozenset[str]:
        """Where one step of a path leads."""
        name = step.removeprefix("~")
        if step.startswith("~"):
            return frozenset(s for s, r, o in truth if (r, o) == (name, start))
        return frozenset(o for s, r, o in truth if (s, r) == (start, name))

    def walk(self, probe: Probe, truth: frozenset[Triple]) -> list[frozenset[str]]:
        """Entities after each step."""
        return self._along(probe.anchor, probe.path, truth)

    def _along(self, anchor: str, path: Sequence[str], truth: frozenset[Triple]) -> list[frozenset[str]]:
        reached: list[frozenset[str]] = []
        here = frozenset({anchor})
        for step in path:
            here = frozenset().union(*(self.ends(uid, step, truth) for uid in here))
            reached.append(here)
        return reached

    def statement(self, probe: Probe) -> Triple:
        """The fact that a CONFLICT probe states, found by its id."""
        wanted = probe.fact_ids[0]
        found = [
            (probe.anchor, probe.path[0], uid)
            for uid in self.graph.entities
            if fact_id(self.graph.graph_id, probe.anchor, probe.path[0], uid) == wanted
        ]
        assert len(found) == 1, probe
        return found[0]

    def answers(self, probe: Probe, truth: frozenset[Triple]) -> frozenset[str]:
        """Right answers of a probe in one world."""
        if probe.kind is ProbeKind.CONFLICT:
            return frozenset({TRUE if self.statement(probe) in truth else FALSE})
        return self.walk(probe, truth)[-1] - {probe.anchor}

    # -- options ------------------------------------------------------------------------------------------------

    def check_options(self, probe: Probe, right: Iterable[frozenset[str]]) -> None:
        """Options are distinct, of the right type, false where they claim to be, as many as the graph offers."""
        uids, all_right = probe.option_uids, frozenset().union(*right)
        assert len(uids) == len(set(uids)) == len(probe.options)
        assert len({text.casefold() for text in probe.options}) == len(uids) >= 2, probe
        if probe.kind is ProbeKind.CONFLICT:
            assert set(uids) == {TRUE, FALSE}
            anchor, name, stated = self.statement(probe)
            assert not self.ambiguous(stated)
            if all(FALSE in answers for answers in right):
                assert stated not in self.may_be(anchor, (name,)), f"may be true: {probe}"
            return
        assert probe.options == tuple(self.graph.entities[uid].name for uid in uids)
        shown = [uid for uid in uids if uid in all_right]
        kinds = {self.graph.entities[uid].type for uid in shown}
        for position, uid in enumerate(uids):
            others = frozenset().union(*(self.surfaces(other) for other in uids[:position]))
            assert self.surfaces(uid).isdisjoint(others), f"two options share a name: {probe}"
            assert uid != probe.anchor, probe
            if uid not in all_right:
                assert uid not in self.may_be(probe.anchor, probe.path), f"may be true: {uid} in {probe}"
                assert LITERAL in kinds or self.graph.entities[uid].type in kinds, probe
                name = self.graph.entities[uid].name.casefold()
                assert all(name not in self.surfaces(answer) for answer in all_right), f"reads as an answer: {probe}"
        assert len(uids) <= probe.kind.arity
        if len(uids) < probe.kind.arity and LITERAL not in kinds and len(kinds) == 1:
            left = {uid for uid in self.legal(probe, shown, all_right) - set(uids) if not self.ambiguous(uid)}
            taken = frozenset().union(*(self.surfaces(uid) for uid in {*uids, *all_right}))
            assert all(not self.surfaces(uid).isdisjoint(taken) for uid in left), f"too few options: {probe}"

    def legal(self, probe: Probe, shown: Sequence[str], right: frozenset[str]) -> set[str]:
        """Entities that may stand as false options: of the first answer's type, false in every world."""
        kind = self.graph.entities[shown[0]].type
        along = {probe.anchor, *right, *self.may_be(probe.anchor, probe.path)}
        for truth in self.truths:
            if probe.kind is ProbeKind.MULTI_HOP:
                along |= set().union(*self.walk(probe, truth))
        own = self.own(probe, shown[0])
        legal = {uid for uid, entity in self.graph.entities.items() if entity.type == kind} - along
        return legal if own is None else legal & own

    # -- one probe ----------------------------------------------------------------------------------------------

    def check(self, probe: Probe, claimed: Sequence[Sequence[int]]) -> None:
        """Everything about a probe but its wording; ``claimed`` are its right options in each world."""
        assert not self.ambiguous(probe.anchor), probe
        assert probe.chain_length == len(probe.path)
        right = [self.answers(probe, truth) for truth in self.truths]
        for indices, answers in zip(claimed, right, strict=True):
            assert {probe.option_uids[n] for n in indices} == answers & set(probe.option_uids), probe
        assert any(claimed), probe
        self.check_options(probe, right)
        if probe.kind is ProbeKind.MULTI_HOP:
            self._check_chain(probe)
        elif probe.kind is not ProbeKind.CONFLICT:
            self._check_facts(probe, right)
        if probe.kind not in {ProbeKind.CONFLICT, ProbeKind.COMPARISON}:
            shown = frozenset().union(*right) & set(probe.option_uids)
            assert not self.says(probe.stem, shown), f"the stem says the answer: {probe}"

    def _check_facts(self, probe: Probe, right: Sequence[frozenset[str]]) -> None:
        name = probe.path[0].removeprefix("~")
        backward = probe.path[0].startswith("~")
        shown = [uid for uid in probe.option_uids if uid in frozenset().union(*right)]
        ends = [(uid, probe.anchor) if backward else (probe.anchor, uid) for uid in shown]
        assert set(probe.fact_ids) == {fact_id(self.graph.graph_id, s, name, o) for s, o in ends}, probe

    def _check_chain(self, probe: Probe) -> None:
        """Where a world has the whole chain, every step has one answer, nothing repeats, and there is no shortcut."""
        whole = 0
        for truth in self.truths:
            reached = self.walk(probe, truth)
            if not reached[-1]:
                continue
            whole += 1
            assert self.is_proper(probe.anchor, probe.path, truth), probe
            nodes = [next(iter(step)) for step in reached]
            for start, end, step in zip((probe.anchor, *nodes), nodes, probe.path, strict=False):
                s, o = (end, start) if step.startswith("~") else (start, end)
                assert fact_id(self.graph.graph_id, s, step.removeprefix("~"), o) in probe.fact_ids
        assert whole, probe

    def is_proper(self, anchor: str, path: Sequence[str], truth: frozenset[Triple]) -> bool:
        """Whether a chain is a question: one answer a step, all entities different, no fact between start and end."""
        nodes = [anchor]
        for step in path:
            ends = self.ends(nodes[-1], step, truth)
            if len(ends) != 1:
                return False
            nodes += ends
        direct = any({s, o} == {anchor, nodes[-1]} for s, _, o in truth)
        return len(set(nodes)) == len(nodes) and not direct

    def has_noun(self, step: str) -> bool:
        """Whether a step can stand inside a chain: its relation has a noun form in that direction."""
        direction = Direction.REVERSE if step.startswith("~") else Direction.FORWARD
        relation = self.graph.relations[step.removeprefix("~")]
        return bool(relation.pick(direction=direction, form=Form.PHRASE, split=Split.EVAL))

    def chains(self, truth: frozenset[Triple], length: int) -> set[tuple[str, ...]]:
        """Entities along every proper chain of this length that can be put into words, the anchor first."""
        steps = [sign + name for name in self.graph.relations for sign in ("", "~")]
        found: set[tuple[str, ...]] = set()

        def grow(nodes: tuple[str, ...]) -> None:
            if len(nodes) == length + 1:
                if not any({s, o} == {nodes[0], nodes[-1]} for s, _, o in truth):
                    found.add(nodes)
                return
            for step in steps:
                if len(nodes) < length and not self.has_noun(step):
                    continue
                ends = self.ends(nodes[-1], step, truth)
                if len(ends) == 1 and not ends & set(nodes):
                    grow((*nodes, *ends))

        for uid in self.graph.entities:
            grow((uid,))
        return found


def named(uid: str, name: str = "", kind: str = "Thing", *, domain: str = "", aliases: Sequence[str] = ()) -> Entity:
    """An entity of tests."""
    return Entity(uid=uid, name=name or uid, type=kind, domain=domain, aliases=tuple(aliases))
