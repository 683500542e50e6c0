"""``ksmith graphs``."""

from __future__ import annotations

import click
from rich.console import RenderableType

from knowledgesmith.client._types.graphs import Graph
from knowledgesmith.client.cli.shared.output import counts, levels, short, table
from knowledgesmith.client.cli.shared.session import Session, common


@click.command(help="List the graphs.")
@common
def graphs(session: Session) -> None:
    """List the graphs with their counts."""
    with session.connect() as smith:
        found = smith.graphs.list()
    session.emit(found, lambda: _table(found))


def _table(found: list[Graph]) -> RenderableType:
    columns = ("graph", "entities#", "levels", "facts#", "relations#", "domains", "head branch", "digest", "state")
    return table(
        columns,
        (
            (
                graph.id,
                graph.entities,
                levels(graph.entities_by_level),
                graph.facts,
                graph.relations,
                counts(graph.entities_by_domain),
                graph.head_branch_id,
                short(graph.digest),
                "incomplete" if graph.incomplete else "ready",
            )
            for graph in found
        ),
    )
