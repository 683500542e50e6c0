"""What the author of a change should know before the model is changed: what is not asked, or hard to tell (pure).

Nothing here refuses a plan. A capital that is a metal may be meant, and names that begin with each other can be told
apart; but who reads the beliefs must know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.language.unnamed import is_unnamed
from knowledgesmith.graph_schema.probes.wording.verbalise import leaks
from knowledgesmith.graph_schema.reasoning.ways_up import in_words, way_up
from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split, fact_id
from knowledgesmith.graph_schema.types.interventions import Change
from knowledgesmith.graph_schema.types.plans import PlanWarning, WarningKind
from knowledgesmith.graph_schema.types.probes import PlannedProbe, ProbeKind, Role

TIMES_LONGER: Final = 4
"""From so many times the length on, in characters, two options differ much in length,"""
LONGER: Final = 15
"""and by so many characters at least."""
MANY_WORDS: Final = 4
"""Options of at least so many words are long,"""
SHARED: Final = 0.6
"""and alike from this share of common words on."""
UNIFORM: Final = 0.95
"""From this share on the type of a relation's present ends stands for one that the catalogue does not say,"""
_FEWEST: Final = 5
"""where so many facts have one."""
_TEXTS: Final = "Read what the model says by itself (`ksmith propagation targets`) beside the beliefs."
_HINTS: Final = {
    WarningKind.PREFIX: f"Keep the default scorer, which tells them apart; a mean or a sum does not. {_TEXTS}",
    WarningKind.LENGTH: f"Keep the default scorer: a mean over tokens favours the longer option. {_TEXTS}",
    WarningKind.SHARED_WORDS: f"Keep the default scorer: a mean over tokens hardly sees what differs. {_TEXTS}",
}
_INDIRECT: Final = {ProbeKind.COMPARISON: "comparisons", ProbeKind.CONFLICT: "statements"}
"""What asks a target's fact beside direct questions."""
_HINT_UNASKED: Final = "It is planned as it stands, and no belief or verdict will say whether the model took it."
_HINT_INDIRECT: Final = (
    "It is planned as it stands: whether the model took it is judged by these alone, "
    "and `ksmith propagation targets` has no text of the model."
)
_MOST: Final = 50
"""Warnings of a plan; a batch of thousands of odd changes is odd as a whole."""


def warnings_of(
    before: WorldIndex,
    changes: Sequence[Change],
    probes: Sequence[PlannedProbe],
    *,
    earlier: Iterable[PlanWarning] = (),
    drawn: Sequence[Change] | None = None,
) -> tuple[PlanWarning, ...]:
    """All warnings of a plan, at most 50: of the changes in their order, then of what is hard to measure.

    Args:
        before: the branch's world.
        changes: what is asked for.
        probes: what will be asked about it.
        earlier: warnings of what earlier interventions of the branch expect.
        drawn: the changes that questions are asked about, where there are too many for all.
    """
    lexicon = before.lexicon
    found = [
        *unasked_warnings(lexicon, changes if drawn is None else drawn, probes),
        *uid_warnings(before, changes),
        *type_warnings(lexicon, changes, types_at=lambda name, back: before.types_at(name, back=back)),
        *ring_warnings(before, changes),
        *earlier,
        *option_warnings(lexicon, probes),
    ]
    return tuple(found[:_MOST])


TypesAt = Callable[[str, bool], Mapping[str, int]]
"""How many asserted facts of a relation have an object, or (``True``) a subject, of each type."""


def type_warnings(
    lexicon: Lexicon, changes: Iterable[Change], *, types_at: TypesAt | None = None
) -> Iterator[PlanWarning]:
    """New objects, and their subjects, of another type than the relation's.

    Where the catalogue says none, the type of nearly all present ends stands for it; where these are mixed and have the
    type too, nothing is wrong; else the old object's type counts. Entities without a type fit everywhere.
    """
    seen: TypesAt = cache(types_at) if types_at else lambda _relation, _back: {}
    for change in changes:
        relation = lexicon.relation(change.relation)
        old = lexicon.entity(change.old_object).type if change.old_object else ""
        sides = (
            (change.subject, relation.domain_type, True, ""),
            (change.new_object, relation.range_type, False, old),
        )
        for uid, declared, back, other in sides:
            entity = lexicon.entity(uid) if uid else None
            if entity is None or not entity.type or entity.type == declared:
                continue
            expected, why = (declared, "") if declared else _usual(seen(change.relation, back), entity.type, other)
            if not expected or entity.type == expected:
                continue
            side = "subjects" if back else "objects"
            yield PlanWarning(
                kind=WarningKind.TYPE,
                fact_id=_fact_of(lexicon, change),
                message=(
                    f"{_said(lexicon, change)}: {_quoted(entity.name)} is of type {_quoted(entity.type)}, "
                    f"and {side} of {relation.name} are of type {_quoted(expected)}{why}."
                ),
                hint=f"Name another entity where this one is not meant (its uid is {uid}); it is planned as it stands.",
            )


def _usual(found: Mapping[str, int], present: str, other: str) -> tuple[str, str]:
    """The type that is expected where the catalogue is silent, with what speaks for it; empty where none is."""
    known = {kind: count for kind, count in found.items() if kind}
    total = sum(known.values())
    if total < _FEWEST:
        return other, ""
    best = min(known, key=lambda kind: (-known[kind], kind))
    if known[best] >= UNIFORM * total:
        return best, f" in {known[best]:,} of {total:,} facts"
    return ("", "") if present in known else (other, "")


def unasked_warnings(
    lexicon: Lexicon, changes: Iterable[Change], probes: Iterable[PlannedProbe]
) -> Iterator[PlanWarning]:
    """Changes whose own fact no direct question asks: little or nothing says whether the model took them, and why."""
    asked: dict[str, set[ProbeKind]] = {}
    for planned in probes:
        if planned.role is Role.TARGET:
            asked.setdefault(planned.asked_fact_id, set()).add(planned.probe.kind)
    for change in changes:
        kinds: set[ProbeKind] = set()
        for uid in filter(None, (change.old_object, change.new_object)):
            kinds |= asked.get(fact_id(lexicon.graph_id, change.subject, change.relation, uid), set())
        if ProbeKind.DIRECT in kinds:
            continue
        reason = _why_unasked(lexicon, change)
        why = f", since {reason}" if reason else ""
        only = " and ".join(name for kind, name in _INDIRECT.items() if kind in kinds)
        yield PlanWarning(
            kind=WarningKind.UNASKED,
            fact_id=_fact_of(lexicon, change),
            message=(
                f"{_said(lexicon, change)}: no direct question asks this fact, only {only}{why}."
                if only
                else f"{_said(lexicon, change)}: no question asks this fact{why}."
            ),
            hint=_HINT_INDIRECT if only else _HINT_UNASKED,
        )


def _why_unasked(lexicon: Lexicon, change: Change) -> str:
    """The reason that the names and templates show; empty where they show none."""
    subject, relation = lexicon.entity(change.subject), lexicon.relation(change.relation)
    answers = [uid for uid in (change.old_object, change.new_object) if uid]
    if is_unnamed(subject.uid, subject.name):
        return f"nobody but the import calls it {_quoted(subject.name)}"
    if lexicon.is_ambiguous(change.subject):
        return f"{_quoted(subject.name)} reads as another entity's name too"
    if not relation.pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.EVAL):
        return f"{relation.name} has no phrasing for evaluation"
    if leaks(subject.name, lexicon.names_of(answers)):
        return "the question would say the answer"
    pool = lexicon.pool(answer=answers[0], relation=change.relation, reverse=False)
    others = {lexicon.entities[n].uid for n in pool if not lexicon.ambiguous[n]} - {*answers, change.subject}
    return "" if others or len(answers) > 1 else "the graph has no other entity of the answer's type"


def uid_warnings(before: WorldIndex, changes: Iterable[Change]) -> Iterator[PlanWarning]:
    """New entities that have another uid than the one that was asked for, since that stands for another entity."""
    asked = {uid: text for text, uid in before.asked.items()}
    for change in changes:
        for uid in (change.subject, change.new_object):
            if (text := asked.pop(uid, "")) and (entity := before.lexicon.entity(uid)):
                yield PlanWarning(
                    kind=WarningKind.UID,
                    fact_id=_fact_of(before.lexicon, change),
                    message=(
                        f"The uid {_quoted(text)} stands for another entity of this graph, inserted elsewhere or "
                        f"retired: {_quoted(entity.name)} has the uid {_quoted(uid)}."
                    ),
                    hint=f"On this branch {_quoted(text)} finds it too; rows and probes name {_quoted(uid)}.",
                )


def ring_warnings(before: WorldIndex, changes: Iterable[Change]) -> Iterator[PlanWarning]:
    """New facts that put an entity below itself in the hierarchy, with the way that closes the ring."""
    lexicon = before.lexicon
    hierarchical = [name for name, relation in lexicon.relations.items() if relation.traits.hierarchical]
    for change in changes:
        if not change.new_object or change.relation not in hierarchical:
            continue
        transitive = lexicon.relation(change.relation).traits.transitive and len(hierarchical) == 1
        if transitive and before.find((change.new_object, change.relation, change.subject)) is None:
            continue  # the closure says so at once
        way = way_up(before, hierarchical=hierarchical, start=change.new_object, end=change.subject)
        if way:
            names = [lexicon.entity(uid).name for uid in (change.subject, *way)]
            yield PlanWarning(
                kind=WarningKind.RING,
                fact_id=_fact_of(lexicon, change),
                message=f"{_said(lexicon, change)}: the hierarchy then leads back to itself, {in_words(names)}.",
                hint="Change what lies on this way first, or choose an object outside it; it is planned as it stands.",
            )


def option_warnings(lexicon: Lexicon, probes: Iterable[PlannedProbe]) -> Iterator[PlanWarning]:
    """Targets whose answers are hard to tell from another option; one warning a fact and sort, with an example."""
    counted: dict[tuple[str, WarningKind], tuple[PlannedProbe, str, str, int]] = {}
    for planned in probes:
        if planned.role is not Role.TARGET or planned.probe.kind is ProbeKind.CONFLICT:
            continue
        for kind, one, other in _hard(planned):
            key = (planned.asked_fact_id, kind)
            first, left, right, count = counted.get(key, (planned, one, other, 0))
            counted[key] = (first, left, right, count + 1)
    for (fact, kind), (planned, one, other, count) in counted.items():
        subject = lexicon.entity(planned.probe.anchor).name
        yield PlanWarning(
            kind=kind,
            fact_id=fact,
            message=f"{subject} {planned.relation}: {_words(kind, one, other)}",
            hint=_HINTS[kind],
            probes=count,
        )


def _hard(planned: PlannedProbe) -> Iterator[tuple[WarningKind, str, str]]:
    """Pairs of options of which one is an old or a new answer, the first of every sort."""
    options = planned.probe.options
    answers = {*planned.before, *planned.after}
    seen: set[WarningKind] = set()
    for left, right in combinations(range(len(options)), 2):
        if not answers & {left, right}:
            continue
        short, long = sorted((options[left], options[right]), key=len)
        for kind in sorts_of(short, long):
            if kind not in seen:
                seen.add(kind)
                yield kind, short, long


def sorts_of(short: str, long: str) -> list[WarningKind]:
    """Why two options are hard to tell apart; nothing for most."""
    one, other = short.casefold().strip(), long.casefold().strip()
    if other.startswith(one):
        return [WarningKind.PREFIX]
    found: list[WarningKind] = []
    if len(other) >= TIMES_LONGER * len(one) and len(other) - len(one) >= LONGER:
        found.append(WarningKind.LENGTH)
    if _alike(one.split(), other.split()):
        found.append(WarningKind.SHARED_WORDS)
    return found


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    if min(len(one), len(other)) < MANY_WORDS:
        return False
    words, more = set(one), set(other)
    return len(words & more) >= SHARED * len(words | more)


def _words(kind: WarningKind, one: str, other: str) -> str:
    match kind:
        case WarningKind.PREFIX:
            return f"the option {_quoted(one)} is the beginning of the option {_quoted(other)}."
        case WarningKind.LENGTH:
            return f"the options {_quoted(one)} and {_quoted(other)} differ much in length."
        case _:
            return f"the options {_quoted(one)} and {_quoted(other)} share most of their words."


def _fact_of(lexicon: Lexicon, change: Change) -> str:
    return fact_id(lexicon.graph_id, change.subject, change.relation, change.new_object or change.old_object)


def _said(lexicon: Lexicon, change: Change) -> str:
    subject = lexicon.entity(change.subject).name
    return f"{subject} {change.relation} {lexicon.entity(change.new_object or change.old_object).name}"


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”"
