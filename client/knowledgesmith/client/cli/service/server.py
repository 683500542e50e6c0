"""``ksmith up``, ``down`` and ``status``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._own_settings import DEFAULT_TARGET
from knowledgesmith.client._types.status import ServerStatus
from knowledgesmith.client.cli.models.branches import branch_table
from knowledgesmith.client.cli.shared.output import spaced, table
from knowledgesmith.client.cli.shared.session import Session, common
from knowledgesmith.client.local_server import DEFAULT_METRICS, own_server

_DTYPES = "float32, bfloat16, float16 or float64; default: KSMITH_DTYPE, else float32"
data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Where the server keeps everything."
)


@click.command(help="Start a server of your own.")
@click.option("--listen", default="", metavar="HOST:PORT", help=f"gRPC address; default: {DEFAULT_TARGET}.")
@click.option("--metrics", default="", metavar="HOST:PORT", help=f"Prometheus address; default: {DEFAULT_METRICS}.")
@click.option(
    "--device", default="", metavar="DEVICE", help="cpu, cuda, cuda:1 …; default: KSMITH_DEVICE, else the best."
)
@click.option("--dtype", default="", metavar="DTYPE", help=f"Of models registered without one: {_DTYPES}.")
@data_dir_option
@common
def up(session: Session, *, listen: str, metrics: str, device: str, dtype: str, data_dir: Path | None) -> None:
    """Start a detached server process and wait until it serves."""
    server = own_server(data_dir=data_dir, target=listen, metrics=metrics, device=device, dtype=dtype)
    running = server.start(on_start=lambda: session.note(f"starting a server (log: {server.log})"))
    session.emit(running, lambda: f"serving at {running.target} (pid {running.pid})")


@click.command(help="Stop it.")
@data_dir_option
@common
def down(session: Session, *, data_dir: Path | None) -> None:
    """Stop the server of a data directory and wait until it has ended."""
    stopped = own_server(data_dir=data_dir).stop()
    session.emit(stopped, lambda: f"stopped (pid {stopped.pid})")


@click.command(help="What the server holds and does.")
@common
def status(session: Session) -> None:
    """Show health, database, graphs, models, branches and running interventions."""
    with session.connect() as smith:
        found = smith.status()
    session.emit(found, lambda: _show(found))


def _show(found: ServerStatus) -> RenderableType:
    database = f"{found.connection.uri} ({'embedded' if found.connection.embedded else 'external'})"
    parts: list[RenderableType] = [f"server   {found.target}  {found.health}", f"Neo4j    {database}"]
    if found.graphs:
        rows = ((graph.id, graph.entities, graph.facts, graph.relations) for graph in found.graphs)
        parts.append(table(("graph", "entities#", "facts#", "relations#"), rows))
    if found.models:
        rows_of_models = (
            (model.id, model.architecture, model.parameters, model.dtype.lower()) for model in found.models
        )
        parts.append(table(("model", "architecture", "parameters#", "dtype"), rows_of_models))
    if found.branches:
        parts.append(branch_table(found.branches))
    if found.running:
        interventions = (
            (
                intervention.id,
                intervention.spec.branch_id,
                intervention.spec.goal.lower(),
                spaced(intervention.state),
                spaced(intervention.phase),
            )
            for intervention in found.running
        )
        parts.append(table(("intervention", "branch", "goal", "state", "phase"), interventions))
    return Group(*parts)
