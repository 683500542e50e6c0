"""How a table was read, in one line of the report: its columns, what was guessed, and how to say otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from knowledgesmith.graph_schema.importing.formats.rows.column_words import Role
from knowledgesmith.graph_schema.importing.formats.tables.header import Evidence
from knowledgesmith.graph_schema.importing.formats.tables.layout import ASSUMED, NAMES_GUESSED, Layout, Plan


def read_as(plan: Plan, titles: Sequence[str], number: str, *, first_row: Sequence[str], how: str, named: bool) -> str:
    """What a table's columns hold, how many facts came of it, and whether its first row names them.

    Args:
        plan: how it was read.
        titles: of the columns, as relations are called.
        number: of facts or nodes, in words.
        first_row: its first texts that are data.
        how: how it is written.
        named: keys name the columns.
    """
    what = _wide(plan, titles) if plan.layout is Layout.WIDE else _roles(plan)
    if plan.header:
        why = next((note for note in plan.why if note in set(Evidence) - {Evidence.NAMED}), "")
        header = "first row taken as header" + (f" ({why}; --option header=no if it is data)" if why else "")
    else:
        shown = ", ".join(first_row[:4])
        header = f"no header seen (--option header=yes where there is one), the first row is data ({shown})"
        what += f" ({ASSUMED})" if ASSUMED in plan.why else ""
    return f"{what}; {number}; {'columns are named by keys' if named else header}; {how}"


def _wide(plan: Plan, titles: Sequence[str]) -> str:
    subject = plan.column(Role.SUBJECT) or 0
    relations = ", ".join(titles[position] for position in plan.values[:5])
    more = f" and {len(plan.values) - 5} more" if len(plan.values) > 5 else ""
    name = plan.column(Role.NAME)
    named = "" if name is None else f", named by {plan.name(name)}{_guess(plan)}"
    return f"a subject a row, {plan.name(subject)}{named}; a relation a column: {relations}{more}"


def _roles(plan: Plan) -> str:
    order = list(Role)
    roles = sorted(plan.roles.items(), key=lambda item: order.index(item[1]))
    return ", ".join(
        f"{role}={plan.name(position)}{_guess(plan) if role is Role.NAME else ''}" for position, role in roles
    )


def _guess(plan: Plan) -> str:
    return f" ({NAMES_GUESSED})" if NAMES_GUESSED in plan.why else ""
