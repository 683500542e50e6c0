"""Tables of rates and of targets, and what must be known to read them: scheme, health, chance, placebo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from knowledgesmith.client._types.enums import Role, Verdict
from knowledgesmith.client._types.events import BeliefChange
from knowledgesmith.client._types.propagation import Propagation, PropagationGroup, Rate
from knowledgesmith.client._types.questions import ProbeEvidence
from knowledgesmith.client.cli.shared.output import plain_text, rate, signed, table

OLD_SCHEME: Final = "verdicts of scheme 1 (targets not told apart)"
_NO_PLACEBO: Final = (
    "no placebo was run on this branch, so the noise is unknown (measure it: --method placebo --hold, then discard)"
)
_ROLES: Final = {
    Role.TARGET: "targets",
    Role.FOLLOWS: "follows",
    Role.STAYS: "stays",
    Role.UNSPECIFIED: "changes",
}
_SAME: Final = " "


def role_name(role: Role) -> str:
    """A role as the tables call it."""
    return _ROLES[role]


def change_role(change: BeliefChange) -> str:
    """What a ledger row asks about; where targets were not told apart, whether it should change or stay."""
    if change.role is Role.UNSPECIFIED:
        return f"should {change.polarity.lower()}"
    return role_name(change.role)


def notes(*, verdict_scheme: int, withheld: str, placebo_id: str) -> list[Text]:
    """Lines below a table of rates."""
    lines = [f"placebo: {placebo_id}" if placebo_id else _NO_PLACEBO]
    if verdict_scheme == 1:
        lines.append(OLD_SCHEME)
    return [Text(plain_text(line), style="dim") for line in lines] + ([Text(_withheld(withheld))] if withheld else [])


def _withheld(reason: str) -> str:
    return plain_text(f"rates of targets and of what follows are withheld: {reason}")


def group_table(found: Propagation, by: str, *, title: str = "") -> RenderableType:
    """One line a rate, targets first; the rates of a group stand together."""
    columns = (by, "role", "rows#", "?entities#", "before#", "after#", "change#", "rate", "value", "chance", "placebo")
    lines = [line for group in found.groups for line in _lines(group)]
    shown = table((*columns, "?ineligible#"), lines, title=title)
    about = notes(
        verdict_scheme=found.verdict_scheme, withheld=found.withheld, placebo_id=found.placebo_intervention_id
    )
    return Group(shown, *about)


def _lines(group: PropagationGroup) -> list[tuple[object, ...]]:
    head: tuple[object, ...] = (
        group.key.lower() if group.key in Role.__members__ else group.key,
        role_name(group.role),
        group.rows,
        group.entities,
        group.mean_before,
        group.mean_after,
        signed(group.mean_delta),
    )
    rates: Mapping[str, Rate | None] = group.rates or {"": None}
    found: list[tuple[object, ...]] = []
    for name, value in rates.items():
        first = not found
        found.append(
            (
                *(head if first else (_SAME,) * len(head)),
                name,
                rate(value) if value else None,
                share(value.chance) if value else None,
                share(value.placebo) if value else None,
                group.ineligible if first else _SAME,
            )
        )
    return found


def rates_line(group: PropagationGroup) -> str:
    """All rates of a group in one cell."""
    return "; ".join(
        f"{name} {rate(value)}, chance {share(value.chance)}, placebo {share(value.placebo)}"
        for name, value in group.rates.items()
    )


def share(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.0f} %"


def target_table(found: Sequence[ProbeEvidence], *, title: str = "targets") -> RenderableType:
    """What the model says of the request's own facts, before and after, beside its beliefs and the verdict."""
    columns = ("question", "says before", "says after", "old answer", "new answer", "verdict", "?note")
    lines = (
        (
            one.text,
            quoted(one.text_before),
            quoted(one.text_after),
            _moved(one.p_old_before, one.p_old_after, one.answers_before),
            _moved(one.p_new_before, one.p_new_after, one.answers_after),
            one.verdict.lower().replace("_", " ") if one.verdict is not Verdict.UNSPECIFIED else None,
            marks(one),
        )
        for one in found
    )
    return table(columns, lines, title=title)


def quoted(text: str | None) -> str | None:
    """A text as the model said it, in quotes; nothing where none was taken."""
    return None if text is None else f"“{text.strip()}”"


def marks(one: ProbeEvidence) -> str:
    """Where ways to ask the same do not agree."""
    found = [
        *(["text ≠ choice"] if one.text_disagrees else []),
        *(["scorers differ"] if one.scorers_disagree else []),
    ]
    return ", ".join(found)


def _moved(before: float, after: float, answers: Sequence[str]) -> str | None:
    return f"{', '.join(answers)} {before:.2f} → {after:.2f}" if answers else None
