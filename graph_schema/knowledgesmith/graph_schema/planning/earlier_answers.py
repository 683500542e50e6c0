"""Whose answers a plan changes: questions of a branch's earlier interventions that get another answer.

Every intervention measured its questions against the answers that its own plan expected. A later one on the same branch
may change them, several facts away; who compares the two must know. A plan says so and is not refused: the later word
counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD
from knowledgesmith.graph_schema.reasoning.after_world import ClosedWorld
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.plans import PlanWarning, WarningKind
from knowledgesmith.graph_schema.types.probes import Polarity

_NAMED: Final = 3
"""Answers that a warning names."""
_HINT: Final = (
    "It is planned as it stands: keep the two apart when you compare what they changed, or roll the earlier one back."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A question of an earlier intervention with the answers it expects, as uids among its options."""

    intervention: str
    anchor: str
    path: tuple[str, ...]
    options: frozenset[str]
    expected: frozenset[str]
    polarity: Polarity
    fact_id: str
    probes: int


def read_earlier(tx: Transaction, *, branch_id: str, facts: Iterable[str]) -> list[Earlier]:
    """Questions of the branch's committed interventions that rest on one of the facts; the last committed first."""
    rows = tx.rows("planning/earlier", branch_id=branch_id, facts=dict.fromkeys(facts, True))
    return [_earlier(row) for row in rows]


def _earlier(row: Mapping[str, Any]) -> Earlier:
    return Earlier(
        intervention=row["id"],
        anchor=row["anchor"],
        path=tuple(row["path"]),
        options=frozenset(row["options"]),
        expected=frozenset(row["after"]),
        polarity=Polarity(row["polarity"]),
        fact_id=row["asked"],
        probes=row["probes"],
    )


def earlier_warnings(
    lexicon: Lexicon, *, before: ClosedWorld, after: ClosedWorld, questions: Iterable[Earlier]
) -> Iterator[PlanWarning]:
    """A warning for every question that an earlier intervention meant to change and that gets another answer now.

    Of the questions that an intervention expected to stay, one stands for all.

    Args:
        lexicon: the graph's names.
        before: the branch's world now.
        after: the world that the plan leads to.
        questions: from :func:`read_earlier`.
    """
    stays: dict[str, list[tuple[Earlier, frozenset[str]]]] = {}
    for one in questions:
        if answers(before, one.anchor, one.path) & one.options != one.expected:
            continue  # something in between changed it already
        found = answers(after, one.anchor, one.path)
        if found & one.options == one.expected:
            continue
        if one.polarity is Polarity.CHANGE:
            yield _warning(lexicon, one, found, probes=one.probes)
        else:
            stays.setdefault(one.intervention, []).append((one, found))
    for group in stays.values():
        one, found = group[0]
        yield _warning(lexicon, one, found, probes=sum(other.probes for other, _ in group))


def answers(world: ClosedWorld, anchor: str, path: Sequence[str]) -> frozenset[str]:
    """Where a path leads from an entity in a world; itself left out."""
    here = {anchor}
    for step in path:
        name = step.removeprefix(BACKWARD)
        if step.startswith(BACKWARD):
            here = {held.triple[0] for uid in here for held in world.subjects(name, uid)}
        else:
            here = {held.triple[2] for uid in here for held in world.objects(uid, name)}
    return frozenset(here - {anchor})


def _warning(lexicon: Lexicon, one: Earlier, found: frozenset[str], *, probes: int) -> PlanWarning:
    expects = "expects" if one.polarity is Polarity.CHANGE else "expects unchanged"
    asked = f"{_name(lexicon, one.anchor)} {' '.join(one.path)}"
    return PlanWarning(
        kind=WarningKind.EARLIER,
        fact_id=one.fact_id,
        message=(
            f"Intervention {one.intervention} {expects} for {asked}: {_names(lexicon, one.expected)}; "
            f"this plan makes it {_names(lexicon, found)}."
        ),
        hint=_HINT,
        probes=probes,
    )


def _names(lexicon: Lexicon, uids: Iterable[str]) -> str:
    names = sorted(_name(lexicon, uid) for uid in uids)
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*(f"“{name}”" for name in names[:_NAMED]), *more]) or "no answer"


def _name(lexicon: Lexicon, uid: str) -> str:
    return lexicon.entity(uid).name if uid in lexicon else uid
