"""``ksmith propagation``."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import RenderableType

from knowledgesmith.client._cypher import pasteable
from knowledgesmith.client._types.enums import ChangeFilter, Grouping
from knowledgesmith.client._types.events import BeliefChange
from knowledgesmith.client._types.propagation import Propagation, Query
from knowledgesmith.client.cli._output import rate, signed, table
from knowledgesmith.client.cli._session import Session, common

_GROUPINGS = [item.value.lower() for item in Grouping if item is not Grouping.UNSPECIFIED]


@click.command(help="What an intervention moved, how far, and what it broke.")
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option("--by", type=click.Choice(_GROUPINGS), default="hop", show_default=True, help="Rates grouped by this.")
@click.option("--top", "only", flag_value="TOP", help="List the rows that moved most instead.")
@click.option("--collateral", "only", flag_value="COLLATERAL", help="List what should have stayed and did not.")
@click.option("--residual", "only", flag_value="RESIDUAL", help="List what should have changed and did not.")
@click.option("--conflicts", "only", flag_value="CONFLICT", help="List what the model says both ways.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many rows.")
@click.option("--cypher", "as_cypher", is_flag=True, help="Print the query to paste into any Neo4j tool.")
@common
def propagation(
    session: Session, *, intervention_id: str, by: str, only: str | None, limit: int, as_cypher: bool
) -> None:
    """Rates with 95 % intervals by group, or ledger rows."""
    with session.connect() as smith:
        if only:
            wanted = ChangeFilter(only)
            rows = smith.list_changes(intervention_id=intervention_id, only=wanted, limit=limit)
            _emit(session, rows.changes, rows.query, change_table(rows.changes), as_cypher=as_cypher)
        else:
            found = smith.propagation(intervention_id=intervention_id, group_by=Grouping(by.upper()))
            _emit(session, found.groups, found.query, group_table(found, by), as_cypher=as_cypher)


def _emit(session: Session, value: object, query: Query, shown: RenderableType, *, as_cypher: bool) -> None:
    if as_cypher and not session.as_json:
        click.echo(pasteable(query))
    else:
        session.emit({"result": value, "query": query}, lambda: shown)


def group_table(found: Propagation, by: str, *, title: str = "") -> RenderableType:
    """One row a group."""
    columns = (by, "rows#", "entities#", "before#", "after#", "change#", "propagated", "residual", "collateral")
    rows = (
        (
            group.key,
            group.rows,
            group.entities,
            group.mean_before,
            group.mean_after,
            signed(group.mean_delta),
            rate(group.propagated),
            rate(group.residual),
            rate(group.collateral),
            group.ineligible,
        )
        for group in found.groups
    )
    return table((*columns, "ineligible#"), rows, title=title)


def change_table(changes: Sequence[BeliefChange], *, title: str = "") -> RenderableType:
    """One row a ledger row."""
    columns = ("seq#", "entity", "relation", "kind", "should", "hops#", "before#", "after#", "change#")
    rows = (
        (
            change.seq,
            change.name or change.entity,
            change.relation,
            change.kind.lower(),
            change.polarity.lower(),
            change.hops,
            change.before,
            change.after,
            signed(change.delta),
        )
        for change in changes
    )
    return table(columns, rows, title=title)
