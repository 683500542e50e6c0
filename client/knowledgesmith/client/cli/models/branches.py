"""``ksmith branch``."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._types.models import Branch, Revision
from knowledgesmith.client.cli.shared.deletions import deleted, forced
from knowledgesmith.client.cli.shared.operations import finish, waiting
from knowledgesmith.client.cli.shared.output import short, table
from knowledgesmith.client.cli.shared.session import Session, common


@click.group(help="Create, list, show, select and delete branches.")
def branch() -> None:
    """Lines of model states."""


@branch.command(help="Open a branch for a graph on a model's base weights.")
@click.argument("branch_id", metavar="BRANCH")
@click.option("--model", "model_id", required=True, metavar="ID", help="A registered model.")
@click.option("--graph", "graph_id", required=True, metavar="ID", help="The graph whose world it tells.")
@click.option("--select", is_flag=True, help="Its beliefs stand on the graph's entities from now on.")
@common
def create(session: Session, *, branch_id: str, model_id: str, graph_id: str, select: bool) -> None:
    """Open a branch."""
    with session.connect() as smith:
        made = smith.branches.create(branch_id=branch_id, model_id=model_id, graph_id=graph_id, select=select)
    session.emit(made, lambda: branch_table([made]))


@branch.command(help="Delete a branch; its model stays.")
@click.argument("branch_id", metavar="BRANCH")
@forced
@waiting
@common
def delete(session: Session, *, branch_id: str, force: bool, wait: bool) -> None:
    """Delete a branch."""
    with session.connect() as smith:
        done = finish(session, lambda: smith.branches.delete(branch_id=branch_id, force=force, wait=False), wait=wait)
    session.emit(done, lambda: deleted("branch", done))


@branch.command("list", help="List the branches.")
@click.option("--graph", "graph_id", default="", metavar="ID", help="Only of this graph.")
@common
def list_(session: Session, *, graph_id: str) -> None:
    """List branches."""
    with session.connect() as smith:
        found = smith.branches.list(graph_id=graph_id)
    session.emit(found, lambda: branch_table(found))


@branch.command(help="Show a branch and its revisions, head first.")
@click.argument("branch_id", metavar="BRANCH")
@common
def show(session: Session, *, branch_id: str) -> None:
    """Show a branch."""
    with session.connect() as smith:
        found = smith.branches.get(branch_id=branch_id)
        revisions = smith.branches.revisions(branch_id=branch_id)
    session.emit(
        {"branch": found, "revisions": revisions}, lambda: Group(branch_table([found]), revision_table(revisions))
    )


@branch.command(help="Put a branch's beliefs on its graph's entities; once more for the selected one, anew.")
@click.argument("branch_id", metavar="BRANCH")
@waiting
@common
def select(session: Session, *, branch_id: str, wait: bool) -> None:
    """Select a branch."""
    with session.connect() as smith:
        found = finish(session, lambda: smith.branches.select(branch_id=branch_id, wait=False), wait=wait)
    session.emit(found, lambda: branch_table([found]))


def branch_table(found: Sequence[Branch]) -> RenderableType:
    """One line a branch."""
    rows = (
        (
            item.id,
            item.graph_id,
            item.model_id,
            short(item.head_revision_id),
            len(item.intervention_ids),
            item.busy_intervention_id,
        )
        for item in found
    )
    return table(("branch", "graph", "model", "head", "interventions#", "busy with"), rows)


def revision_table(found: Sequence[Revision]) -> RenderableType:
    """Revisions with their digests."""
    rows = (
        (
            item.id,
            short(item.parent_revision_id),
            item.intervention_id,
            short(item.artefact_sha256),
            short(item.weights_sha256),
            item.create_time,
        )
        for item in found
    )
    return table(("revision", "parent", "intervention", "artefact", "weights", "made"), rows)
