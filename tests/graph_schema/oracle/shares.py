"""What a set may leave out since it would be told by its options alone: common answers, by brute force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from tests.graph_schema.oracle.judge import Judge
from tests.graph_schema.oracle.reasoning import Triple

from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

ENOUGH = 8
"""Questions that ask for the same from which on shares of answers count."""
FEW = 6
"""Of so few different answers, the rarest may be given up."""
Right = frozenset[str]


@dataclass(frozen=True, eq=False)
class Shares:
    """Questions that ask for the same thing, by their last step and length."""

    judge: Judge

    @cached_property
    def _truth(self) -> frozenset[Triple]:
        return self.judge.truths[0]

    @cached_property
    def questions(self) -> dict[tuple[str, int], list[Right]]:
        """The right answers of every question; chains of one length are taken together, whatever their last step."""
        found: dict[tuple[str, str], set[str]] = {}
        for s, r, o in self._truth:
            found.setdefault((r, s), set()).add(o)
            found.setdefault((f"~{r}", o), set()).add(s)
        asked: dict[tuple[str, int], list[Right]] = {}
        for (step, _), right in sorted(found.items()):
            asked.setdefault((step, 1), []).append(frozenset(right))
        for length in (2, 3):
            asked["", length] = [frozenset(nodes[-1:]) for nodes in self.judge.chains(self._truth, length)]
        return asked

    @cache  # noqa: B019 - a judge lives as long as its test
    def same(self, step: str, length: int, kind: str) -> list[Right]:
        """Questions that ask for an entity of this type in the same way."""
        entities = self.judge.graph.entities
        asked = self.questions.get((step if length == 1 else "", length), [])
        return [right for right in asked if any(entities[uid].type == kind for uid in right)]

    def own(self, probe: Probe, answer: str) -> Right | None:
        """Who may stand beside the answer; ``None`` where anybody of its type may."""
        kind = self.judge.graph.entities[answer].type
        same = self.same(probe.path[-1], len(probe.path), kind)
        if len(same) < ENOUGH:
            return None
        alone = frozenset(uid for right in same if len(right) == 1 for uid in right)
        return alone if len(alone) > FEW and probe.kind is not ProbeKind.MULTI_HOP else frozenset()

    def predictable(self, step: str, length: int, right: Iterable[str], taken: Iterable[str]) -> bool:
        """Whether a question may be left out: its answer is common, or the other answers cannot stand beside it."""
        banned = {*right, *taken}
        return any(self._common(step, length, uid, banned) for uid in right)

    def _common(self, step: str, length: int, answer: str, banned: set[str]) -> bool:
        same = self.same(step, length, self.judge.graph.entities[answer].type)
        others = frozenset().union(*same)
        often = sum(answer in right for right in same) > 1
        return len(same) >= ENOUGH and (often or len(others) <= FEW or not self._apart(others - banned, answer))

    def _apart(self, uids: Iterable[str], answer: str) -> set[str]:
        judge = self.judge
        return {u for u in uids if not judge.ambiguous(u) and judge.surfaces(u).isdisjoint(judge.surfaces(answer))}

    def scarce(self, subject: str, relation: str, objects: set[str]) -> bool:
        """Whether the false statements may be fewer than the true ones."""
        entities = self.judge.graph.entities
        taken = {subject, *objects, *self.judge.may_be(subject, (relation,))}
        for kind in {entities[uid].type for uid in objects}:
            same = self.same(relation, 1, kind)
            everyone = {uid for uid, entity in entities.items() if entity.type == kind}
            free = (frozenset().union(*same) if len(same) >= ENOUGH else everyone) - taken
            if sum(not self.judge.ambiguous(uid) for uid in free) < 2 * len(objects):
                return True
        return False
