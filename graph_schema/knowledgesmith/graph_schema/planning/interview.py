"""The questions of a plan: which are asked around an update, and what both worlds answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from knowledgesmith.graph_schema.doubts.walks import DoubtWalks
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.planning.scope import Neighbourhood
from knowledgesmith.graph_schema.planning.visibility import Sight
from knowledgesmith.graph_schema.probes.asking.questions import Question, Scope, ask, types_with
from knowledgesmith.graph_schema.probes.drawing.doubted import doubted
from knowledgesmith.graph_schema.probes.drawing.draw import draw_distractors, draw_key, permutation, sample
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, Triple
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.facts import Direction, Form
from knowledgesmith.graph_schema.types.interventions import Change
from knowledgesmith.graph_schema.types.plans import WorldChange
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_FALSE_STATEMENTS: Final = 6
_FEW_STATEMENTS: Final = 40
_STATEMENT_SHARE: Final = 4
"""Statements that change, and true ones that stay, are at most one in so many probes: they are one kind of six."""
_LONG_ANCHORS: Final = 40
_FEW: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """Asks both worlds of one transaction.

    Args:
        tx: the transaction that holds the update.
        lexicon: the graph's names.
        sight: what the questions can see of the closure.
        seed: of every draw.
        changes: the targets.
        limit: most probes of the plan, which bounds the statements that are asked about.
        walks: where doubts lead over the facts of both worlds; ``None`` where nothing is doubtful.
    """

    tx: Transaction
    lexicon: Lexicon
    sight: Sight
    seed: int
    changes: Sequence[Change]
    limit: int
    walks: DoubtWalks | None = None

    def questions(self, around: Neighbourhood, changed: Sequence[WorldChange]) -> list[Question]:
        """All questions around an update, by kind and key."""
        rest = sorted({*around.near, *around.far})
        few = sample(rest, max(_FEW, len(rest) // 4), key=draw_key(self.seed, "few"))
        long_anchors = sample(list(around.changed), _LONG_ANCHORS, key=draw_key(self.seed, "long"))
        narrow = sorted({*around.endpoints, *around.changed, *few})
        far_reaching = sorted({*around.endpoints, *long_anchors})
        moved = self._look_along(around.anchors, narrow, far_reaching)
        direct = self._ask(ProbeKind.DIRECT, Scope(anchors=around.anchors))
        found = {
            ProbeKind.DIRECT: direct,
            ProbeKind.REVERSE: self._ask(ProbeKind.REVERSE, Scope(anchors=around.anchors)),
            ProbeKind.MULTI_HOP: self._chains(narrow, far_reaching, moved),
            ProbeKind.COMPARISON: _comparisons(direct, narrow),
            ProbeKind.CONTEXTUAL: self._contextual(around, direct),
            ProbeKind.CONFLICT: self._conflict(direct, changed),
        }
        contextual = {(q.anchor, q.path) for q in found[ProbeKind.CONTEXTUAL]}
        return [
            question
            for kind in ProbeKind
            for question in found[kind]
            if kind is not ProbeKind.DIRECT
            or question.polarity is Polarity.CHANGE
            or (question.anchor, question.path) not in contextual
        ]

    def _ask(self, kind: ProbeKind, scope: Scope) -> list[Question]:
        """Questions about single facts; where no change touches the anchor, one world answers for both."""
        found = ask(self.tx, lexicon=self.lexicon, scope=scope, kind=kind, moved=self.sight.touched)
        return doubted(self.walks, self.sight.asked(found))

    def _look_along(self, anchors: Sequence[str], narrow: Sequence[str], far_reaching: Sequence[str]) -> set[str]:
        """Show the anchors, and the inner entities of chains: only where a step with a single answer leads to them.

        Returns:
            Starts of chains that may differ between the worlds.
        """
        names = {relation.rel_type: relation.name for relation in self.lexicon.relations.values()}
        forward = {names[t] for t in types_with(self.lexicon, Direction.FORWARD, Form.PHRASE)}
        backward = {names[t] for t in types_with(self.lexicon, Direction.REVERSE, Form.PHRASE)}
        first = {uid: self.sight.onward(uid, forward=forward, backward=backward) for uid in narrow}
        inner = sorted({uid for uid in far_reaching for uid in first[uid]})
        second = {uid: self.sight.onward(uid, forward=forward, backward=backward) for uid in inner}
        self.sight.show(anchors, steps={uid for ends in (*first.values(), *second.values()) for uid in ends})
        touched, long_anchors = self.sight.touched, set(far_reaching)
        return {
            uid
            for uid in narrow
            if not touched.isdisjoint({uid, *first[uid]})
            or (uid in long_anchors and any(not touched.isdisjoint(second[end]) for end in first[uid]))
        }

    def _chains(self, narrow: Sequence[str], far_reaching: Sequence[str], moved: Collection[str]) -> list[Question]:
        """Chains of two facts, and of three from what is far-reaching."""
        found = ask(
            self.tx,
            lexicon=self.lexicon,
            scope=Scope(anchors=narrow, long_anchors=far_reaching),
            kind=ProbeKind.MULTI_HOP,
            moved=moved,
            follow=self.sight.show_chains,
        )
        return doubted(self.walks, found)

    def _contextual(self, around: Neighbourhood, direct: Sequence[Question]) -> list[Question]:
        """Questions that should stay; those that change are DIRECT ones already."""
        subjects = sorted({change.subject for change in self.changes})
        scope = Scope(
            anchors=sorted({*subjects, *around.siblings, *around.far}),
            subjects=subjects,
            relations=sorted({change.relation for change in self.changes}),
            domains=sorted({self.lexicon.entity(uid).domain for uid in around.endpoints}),
        )
        stay = {(question.anchor, question.path) for question in direct if question.polarity is Polarity.STAY}
        found = ask(self.tx, lexicon=self.lexicon, scope=scope, kind=ProbeKind.CONTEXTUAL, worlds=(BEFORE,))
        return doubted(self.walks, [question for question in found if (question.anchor, question.path) in stay])

    def _conflict(self, direct: Sequence[Question], changed: Sequence[WorldChange]) -> list[Question]:
        """Statements: the targets, what else changes (of very much, a drawn part), and some that keep their truth."""
        index = self.lexicon.index
        known = {(c.subject, c.relation, c.object) for c in changed if c.subject in index and c.object in index}
        targets = {(c.subject, c.relation, obj) for c in self.changes for obj in (c.old_object, c.new_object)} & known
        rest = sorted(known - targets)
        most = max(_FEW_STATEMENTS, self.limit // _STATEMENT_SHARE)
        if len(rest) > most:
            chosen = permutation(len(rest), key=draw_key(self.seed, "changed statements"))[:most]
            rest = [rest[position] for position in chosen]
        statements = sorted({*targets, *rest, *self._statements(direct)})
        self.sight.show_facts(statements)
        scope = Scope(anchors=(), statements=statements)
        return doubted(self.walks, ask(self.tx, lexicon=self.lexicon, scope=scope, kind=ProbeKind.CONFLICT))

    def _statements(self, direct: Sequence[Question]) -> Iterable[Triple]:
        """Statements that should keep their truth: drawn true ones, and false ones about the same questions."""
        stay = [question for question in direct if question.polarity is Polarity.STAY]
        most = max(2 * _FALSE_STATEMENTS, min(_FALSE_STATEMENTS * len(self.changes), self.limit // _STATEMENT_SHARE))
        count = min(len(stay), most, self.limit)
        keys = {repr(question.key): question for question in stay}
        for chosen in sample(sorted(keys), count, key=draw_key(self.seed, "statements")):
            question = keys[chosen]
            yield (question.anchor, question.relation, question.before[0])
            drawn = draw_distractors(
                self.lexicon,
                pool=self.lexicon.pool(answer=question.before[0], relation=question.relation, reverse=False),
                shown=(),
                excluded={*question.before, *question.doubtful, question.anchor},
                count=1,
                key=draw_key(self.seed, "false", *question.parts),
            )
            for uid in drawn:
                yield (question.anchor, question.relation, uid)


def _comparisons(direct: Iterable[Question], anchors: Iterable[str]) -> list[Question]:
    """The same questions and answers as direct ones, asked with two options."""
    wanted = set(anchors)
    return [replace(question, kind=ProbeKind.COMPARISON) for question in direct if question.anchor in wanted]
