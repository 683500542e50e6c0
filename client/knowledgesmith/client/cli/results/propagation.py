"""``ksmith propagation``: rates by group and ledger rows; further questions are its subcommands."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import RenderableType

from knowledgesmith.client._cypher import pasteable
from knowledgesmith.client._types.enums import ChangeFilter, Grouping
from knowledgesmith.client._types.events import BeliefChange
from knowledgesmith.client._types.propagation import PastedQuery
from knowledgesmith.client.cli.shared.groups import DefaultGroup
from knowledgesmith.client.cli.shared.numbers import POSITIVE
from knowledgesmith.client.cli.shared.output import signed, table
from knowledgesmith.client.cli.shared.rates import change_role, group_table
from knowledgesmith.client.cli.shared.session import Session, common

_GROUPINGS = [item.value.lower() for item in Grouping if item is not Grouping.UNSPECIFIED]


@click.group(
    cls=DefaultGroup,
    default="rows",
    help="What an intervention moved, how far, and what it broke.",
    epilog="`ksmith propagation INTERVENTION` means `ksmith propagation rows INTERVENTION`.",
)
def propagation() -> None:
    """Questions to the ledger."""


@propagation.command(help="Rates by role and by hop, level, kind, relation or domain; or ledger rows.")
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option("--by", type=click.Choice(_GROUPINGS), default="hop", show_default=True, help="Rates grouped by this.")
@click.option("--top", "only", flag_value="TOP", help="List the rows that moved most instead.")
@click.option("--collateral", "only", flag_value="COLLATERAL", help="List what should have stayed and did not.")
@click.option("--residual", "only", flag_value="RESIDUAL", help="List what should have changed and did not.")
@click.option("--conflicts", "only", flag_value="CONFLICT", help="List what the model says both ways.")
@click.option("--limit", type=POSITIVE, default=20, show_default=True, help="At most so many rows.")
@click.option("--cypher", "as_cypher", is_flag=True, help="Print the query to paste into any Neo4j tool.")
@common
def rows(session: Session, *, intervention_id: str, by: str, only: str | None, limit: int, as_cypher: bool) -> None:
    """Rates with 95 % intervals by group, or ledger rows."""
    with session.connect() as smith:
        if only:
            wanted = ChangeFilter(only)
            listed = smith.propagation.changes(intervention_id=intervention_id, filter=wanted, limit=limit)
            emit(session, listed.changes, (listed.query,), change_table(listed.changes), as_cypher=as_cypher)
        else:
            found = smith.propagation.rates(intervention_id=intervention_id, group_by=Grouping(by.upper()))
            shown = group_table(found, by)
            more = {
                "placebo_intervention_id": found.placebo_intervention_id,
                "withheld": found.withheld,
                "verdict_scheme": found.verdict_scheme,
            }
            emit(session, found.groups, (found.query,), shown, as_cypher=as_cypher, **more)


def emit(
    session: Session,
    value: object,
    queries: Sequence[PastedQuery],
    shown: RenderableType,
    *,
    as_cypher: bool,
    **more: object,
) -> None:
    """Print an answer, or the queries that gave it; ``more`` stands beside the result in JSON."""
    if as_cypher and not session.as_json:
        click.echo("\n\n".join(pasteable(query) for query in queries))
    else:
        found = {"query": queries[0]} if len(queries) == 1 else {"queries": list(queries)}
        session.emit({"result": value, **more, **found}, lambda: shown)


def change_table(changes: Sequence[BeliefChange], *, title: str = "") -> RenderableType:
    """One row a ledger row."""
    columns = ("seq#", "entity", "relation", "kind", "role", "hops#", "before#", "after#", "change#")
    lines = (
        (
            change.sequence,
            change.entity_name or change.entity_uid,
            change.relation,
            change.kind.lower(),
            change_role(change),
            change.hops,
            change.before,
            change.after,
            signed(change.delta),
        )
        for change in changes
    )
    return table(columns, lines, title=title)
