"""Which probes a plan keeps: every change first, then near and far ones that should stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from knowledgesmith.graph_schema.planning.scope import NEAR_HOPS, Distances
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.drawing.build import Builder, Built
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key
from knowledgesmith.graph_schema.types.probes import Context, Polarity, ProbeKind

PROBES_PER_TARGET: Final = 40
FAR_SHARE: Final = 0.2
_CHANGE_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """What the targets are about, for ranking questions."""

    targets: frozenset[tuple[str, str]]
    """Subject uid and relation name of every target."""


def select(
    questions: Iterable[Question],
    *,
    builder: Builder,
    distances: Distances,
    focus: Focus,
    targets: int,
    max_probes: int,
) -> list[Built]:
    """Build probes until the budget is used: at most 60 % changes, at least 20 % far (where the graph offers them).

    A question that yields no probe gives its place to the next one.
    """
    budget = min(max_probes, PROBES_PER_TARGET * targets)
    groups: dict[str, list[Question]] = {"change": [], "near": [], "far": []}
    for question in questions:
        groups[_group(question, distances)].append(question)
    ordered = {
        name: _interleaved(group, builder=builder, distances=distances, focus=focus) for name, group in groups.items()
    }
    far_quota = max(1, round(budget * FAR_SHARE))
    change = _fill(ordered["change"], builder, round(budget * _CHANGE_SHARE), phrasings=3)
    near_quota = budget - len(change) - far_quota
    near = _fill(ordered["near"], builder, near_quota, phrasings=1)
    far = _fill(ordered["far"], builder, budget - len(change) - len(near), phrasings=1)
    room = budget - len(change) - len(near) - len(far)
    change += _fill(ordered["change"], builder, room, phrasings=3)
    return [*change, *near, *far]


def _group(question: Question, distances: Distances) -> str:
    if question.polarity is Polarity.CHANGE:
        return "change"
    if question.context is Context.OTHER_DOMAIN:
        return "far"
    reached = distances.get(question.anchor)
    return "near" if reached is not None and reached[0] <= NEAR_HOPS else "far"


def _fill(questions: Iterator[Question], builder: Builder, quota: int, *, phrasings: int) -> list[Built]:
    kept: list[Built] = []
    while len(kept) < quota:
        question = next(questions, None)
        if question is None:
            break
        kept += builder.build(question, phrasings=phrasings)[: quota - len(kept)]
    return kept


def _interleaved(
    questions: Sequence[Question], *, builder: Builder, distances: Distances, focus: Focus
) -> Iterator[Question]:
    """Targets' own questions, then the kinds in turn, each by hops and a drawn order."""
    own: list[Question] = []
    lanes: dict[tuple[str, str], list[Question]] = {}
    for question in questions:
        if question.polarity is Polarity.CHANGE and _is_own(question, focus):
            own.append(question)
        else:
            lanes.setdefault((question.kind.value, question.context.value), []).append(question)

    def order(question: Question) -> tuple[int, int, str]:
        reached = distances.get(question.anchor)
        hops = reached[0] if reached is not None else 1 << 30
        by_hops = hops if question.polarity is Polarity.CHANGE else 0
        return (by_hops, draw_key(builder.seed, "order", *question.parts), repr(question.key))

    own.sort(key=lambda q: (_KIND_ORDER[q.kind], q.key))
    turns = zip_longest(*(sorted(lane, key=order) for _, lane in sorted(lanes.items())))
    return iter([*own, *(question for turn in turns for question in turn if question is not None)])


_KIND_ORDER: Final = {kind: position for position, kind in enumerate(ProbeKind)}


def _is_own(question: Question, focus: Focus) -> bool:
    """Asks for a target itself: the question of the fact, of its object, or its statement."""
    if len(question.path) != 1:
        return False
    if question.reverse:
        answers = {*question.before, *question.after}
        return any((answer, question.relation) in focus.targets for answer in answers)
    return (question.anchor, question.relation) in focus.targets
