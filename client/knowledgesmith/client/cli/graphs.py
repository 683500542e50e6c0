"""``ksmith import`` and ``ksmith graphs``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._types.enums import FileRole
from knowledgesmith.client._types.graphs import Graph, GraphFile, ImportResult
from knowledgesmith.client.cli._output import counts, short, table
from knowledgesmith.client.cli._session import Session, common

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(help="Import a graph from CSV or JSONL files, or a bundled one.")
@click.argument("files", nargs=-1, type=_FILE)
@click.option("--graph-id", default="", metavar="ID", help="Id of the graph; a bundled one has its own.")
@click.option("--bundled", metavar="NAME", help="Import a graph that ships with the server, e.g. atlas.")
@click.option("--entities", multiple=True, type=_FILE, help="A file of entities.")
@click.option("--relations", multiple=True, type=_FILE, help="A file of the relation catalogue.")
@click.option("--facts", multiple=True, type=_FILE, help="A file of facts.")
@click.option("--templates", multiple=True, type=_FILE, help="A file of templates.")
@click.option("--source", default="", help="Where the graph comes from.")
@click.option("--dry-run", is_flag=True, help="Check and report, write nothing.")
@common
def import_(
    session: Session,
    *,
    files: tuple[Path, ...],
    graph_id: str,
    bundled: str | None,
    source: str,
    dry_run: bool,
    **roles: tuple[Path, ...],
) -> None:
    """Import a graph, all or nothing; FILES are named entities…, relations…, facts… or templates…."""
    chosen = graph_files(files, roles)
    if bundled and (chosen or dry_run):
        raise click.UsageError("--bundled takes neither files nor --dry-run.")
    if not bundled and not (chosen and graph_id):
        raise click.UsageError("Give --graph-id and files, or --bundled atlas.")
    with session.connect() as smith:
        if bundled:
            result = smith.import_bundled(name=bundled, graph_id=graph_id)
        else:
            result = smith.import_graph(graph_id=graph_id, files=chosen, source=source, validate_only=dry_run)
    session.emit(result, lambda: _show(result, dry_run=dry_run))


def graph_files(files: tuple[Path, ...], roles: dict[str, tuple[Path, ...]]) -> list[GraphFile]:
    """The files with their roles, from names and from options.

    Raises:
        InvalidInput: a name tells neither role nor format.
    """
    try:
        named = [GraphFile.guess(file) for file in files]
        return named + [GraphFile.of(path, FileRole(role.upper())) for role, paths in roles.items() for path in paths]
    except ValueError as error:
        raise InvalidInput(str(error), hint="Or say what it holds: --entities, --relations, --facts.") from None


@click.command(help="List the graphs.")
@common
def graphs(session: Session) -> None:
    """List the graphs with their counts."""
    with session.connect() as smith:
        found = list(smith.list_graphs())
    session.emit(found, lambda: _table(found))


def _table(found: list[Graph]) -> RenderableType:
    columns = ("graph", "entities#", "levels", "facts#", "relations#", "domains", "head branch", "digest")
    return table(
        columns,
        (
            (
                graph.graph_id,
                graph.entities,
                counts(graph.entities_by_level),
                graph.facts,
                graph.relations,
                counts(graph.entities_by_domain),
                graph.head_branch,
                short(graph.digest),
            )
            for graph in found
        ),
    )


def _show(result: ImportResult, *, dry_run: bool) -> RenderableType:
    report = result.report
    rows = (
        ("entities", report.entities_created, report.entities_matched, report.entities_retired),
        ("facts", report.facts_created, report.facts_matched, report.facts_removed),
    )
    verb = "checked, nothing written" if dry_run else "imported"
    head = f"graph {result.graph.graph_id}: {verb} in {report.seconds:.1f} s, {report.relations} relations"
    return Group(head, table(("", "new#", "known#", "gone#"), rows))
