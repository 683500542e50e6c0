"""``ksmith graph …``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._types.graphs import (
    ArchiveSummary,
    CheckReport,
    Difference,
    Graph,
    GraphDiff,
    GraphVersion,
    LoadedArchive,
)
from knowledgesmith.client.cli.shared.deletions import deleted, forced
from knowledgesmith.client.cli.shared.numbers import POSITIVE
from knowledgesmith.client.cli.shared.operations import finish, left_running, only_begun, progress, waiting
from knowledgesmith.client.cli.shared.output import counts, levels, short, table
from knowledgesmith.client.cli.shared.session import Session, common

_graph = click.argument("graph_id", metavar="GRAPH")
_ENDING = ".ksmith"


@click.group(help="Show, compare, check, delete, export and load graphs.")
def graph() -> None:
    """One graph and its life."""


@graph.command(help="Show a graph with its counts.")
@_graph
@common
def show(session: Session, *, graph_id: str) -> None:
    """Show a graph."""
    with session.connect() as smith:
        found = smith.graphs.get(graph_id=graph_id)
    session.emit(found, lambda: _describe(found))


@graph.command(help="List the versions of a graph: what each import changed.")
@_graph
@common
def versions(session: Session, *, graph_id: str) -> None:
    """List versions, newest first."""
    with session.connect() as smith:
        found = smith.graphs.versions(graph_id=graph_id)
    session.emit(found, lambda: _versions(found))


@graph.command(help=f"Compare two graphs, or a graph with an archive (a file named …{_ENDING}).")
@click.argument("left", metavar="GRAPH")
@click.argument("right", metavar="GRAPH_OR_ARCHIVE")
@waiting
@common
def diff(session: Session, *, left: str, right: str, wait: bool) -> None:
    """Compare entities and facts; exit code 0 either way."""
    with session.connect() as smith:
        if right.endswith(_ENDING):
            found = finish(session, lambda: smith.archives.diff(graph_id=left, path=right, wait=False), wait=wait)
        else:
            found = finish(
                session, lambda: smith.graphs.diff(left_graph_id=left, right_graph_id=right, wait=False), wait=wait
            )
    session.emit(found, lambda: _diff(found))


@graph.command(help="Check everything that must hold of a stored graph; exit code 1 when something is wrong.")
@_graph
@waiting
@common
def check(session: Session, *, graph_id: str, wait: bool) -> None:
    """Check a graph."""
    with session.connect() as smith:
        report = finish(session, lambda: smith.graphs.check(graph_id=graph_id, wait=False), wait=wait)
    session.emit(report, lambda: _check(report))
    if not report.sound:
        click.get_current_context().exit(1)


@graph.command(help="List names and aliases that several entities share.")
@_graph
@click.option("--limit", type=POSITIVE, default=50, show_default=True)
@common
def homonyms(session: Session, *, graph_id: str, limit: int) -> None:
    """List shared names, the most shared first."""
    with session.connect() as smith:
        found = smith.catalogue.homonyms(graph_id=graph_id, limit=limit)
    rows = ((item.label, item.entities, ", ".join(item.uids[:5]), item.differs) for item in found)
    session.emit(found, lambda: table(("name or alias", "entities#", "uids", "spelt differently by"), rows))


@graph.command(help="Delete a graph. A deletion that was cut off is finished by asking again.")
@_graph
@forced
@waiting
@common
def delete(session: Session, *, graph_id: str, force: bool, wait: bool) -> None:
    """Delete a graph."""
    with session.connect() as smith:
        done = finish(session, lambda: smith.graphs.delete(graph_id=graph_id, force=force, wait=False), wait=wait)
    session.emit(done, lambda: deleted("graph", done))


@graph.command(help="Write a graph and everything that stands on it to one archive.")
@_graph
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--with-artefacts", is_flag=True, help="Put the weights of its revisions into it too.")
@waiting
@common
def export(session: Session, *, graph_id: str, file: Path | None, with_artefacts: bool, wait: bool) -> None:
    """Export to FILE, or to GRAPH.ksmith in this folder; an archive that is only begun is fetched by ``download``."""
    target = file or Path(f"{Path(graph_id).name}{_ENDING}")
    with session.connect() as smith, progress(session) as report:
        begun = smith.archives.create(graph_id=graph_id, with_artefacts=with_artefacts, wait=False)
        if not wait:
            only_begun(session, [begun])
        with left_running(session, begun, f"graph download {begun.name} {shlex.quote(str(target))}"):
            made = smith.archives.download(operation=begun.name, path=target, progress=report)
    session.emit(made, lambda: _exported(made, target))


@graph.command(help="Fetch an archive that an export only began, or that was interrupted.")
@click.argument("name", metavar="OPERATION")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common
def download(session: Session, *, name: str, file: Path) -> None:
    """Wait until the archive of an operation is written, and fetch it into FILE."""
    with session.connect() as smith, progress(session) as report:
        made = smith.archives.download(operation=name, path=file, progress=report)
    session.emit(made, lambda: _exported(made, file))


@graph.command(help="Load an archive into a database that lacks its graph.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--graph-id", default="", metavar="ID", help="Another id for the graph; only with --graph-only.")
@click.option("--graph-only", is_flag=True, help="Leave probe sets and interventions out.")
@waiting
@common
def load(session: Session, *, file: Path, graph_id: str, graph_only: bool, wait: bool) -> None:
    """Load as a whole or not at all."""
    with session.connect() as smith:
        done = finish(
            session,
            lambda: smith.archives.load(path=file, graph_id=graph_id, graph_only=graph_only, wait=False),
            wait=wait,
        )
    session.emit(done, lambda: _loaded(done))


def _describe(found: Graph) -> RenderableType:
    return Group(
        f"graph {found.id}, digest {found.digest}",
        f"{found.entities:,} entities: {levels(found.entities_by_level)}",
        f"{found.facts:,} facts, {found.relations:,} relations; domains: {counts(found.entities_by_domain)}",
        f"from: {found.source or 'not said'}; selected branch: {found.head_branch_id or 'none'}",
    )


def _versions(found: Sequence[GraphVersion]) -> RenderableType:
    columns = ("version#", "imported", "format", "source", "entities +#", "-#", "facts +#", "-#", "runs#", "digest")
    rows = (
        (
            version.number,
            version.import_time,
            version.format,
            version.source,
            version.entities_created,
            version.entities_retired,
            version.facts_created,
            version.facts_removed,
            version.interventions,
            short(version.digest),
        )
        for version in found
    )
    return table(columns, rows)


def _diff(found: GraphDiff) -> RenderableType:
    head = f"{found.left} ({short(found.left_digest)}) -> {found.right} ({short(found.right_digest)})"
    if found.equal:
        return Group(head, "nothing differs")
    kinds = (("relations", found.relations), ("entities", found.entities), ("facts", found.facts))
    rows = ((name, kind.same, kind.added, kind.removed, kind.changed) for name, kind in kinds)
    parts: list[RenderableType] = [head, table(("", "same#", "new#", "gone#", "changed#"), rows)]
    if found.by_relation:
        lines = ((one.relation, one.added, one.removed) for one in found.by_relation)
        parts.append(table(("relation", "new facts#", "gone facts#"), lines))
    parts += [line for name, kind in kinds for line in _examples(name, kind)]
    return Group(*parts)


def _examples(name: str, kind: Difference) -> list[str]:
    signs = (("+", kind.added_examples), ("-", kind.removed_examples), ("~", kind.changed_examples))
    return [f"{sign} {name}: {example}" for sign, examples in signs for example in examples]


def _check(report: CheckReport) -> RenderableType:
    rows = ((result.name, result.rule, result.looked_at, result.broken) for result in report.results)
    verdict = "sound" if report.sound else "NOT sound"
    parts: list[RenderableType] = [table(("check", "rule", "looked at#", "broken#"), rows)]
    for result in report.results:
        parts += [
            f"{result.name}: {finding.subject}: found {finding.found}; expected {finding.expected}"
            for finding in result.findings
        ]
        if result.broken > len(result.findings):
            parts.append(f"{result.name}: and {result.broken - len(result.findings):,} more")
        if result.broken:
            parts.append(f"{result.name}: {result.hint}")
    return Group(*parts, f"graph {report.graph_id}, digest {short(report.digest)}: {verdict}")


def _exported(made: ArchiveSummary, target: Path) -> RenderableType:
    return Group(f"{target}: graph {made.graph_id}, {made.size:,} bytes, manifest {short(made.sha256)}", _rows(made))


def _loaded(done: LoadedArchive) -> RenderableType:
    verb = "was loaded already; nothing was done" if done.already_there else f"is loaded, with {done.files} files"
    return Group(f"graph {done.graph_id} {verb}", _rows(done.summary))


def _rows(summary: ArchiveSummary) -> RenderableType:
    return table(("member", "rows#"), ((name, rows) for name, rows in sorted(summary.rows.items()) if rows))
