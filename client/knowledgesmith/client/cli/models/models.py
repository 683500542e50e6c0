"""``ksmith models`` and ``ksmith methods``."""

from __future__ import annotations

import json

import click

from knowledgesmith.client.cli.shared.output import plain_text, short, table
from knowledgesmith.client.cli.shared.session import Session, common

DTYPE_HELP = "float32, bfloat16, float16 or float64; default: the server's setting."


@click.command(help="List the models, or register one.")
@click.option("--register", "model_id", metavar="ID", help="Register a model under this id ('' for the default one).")
@click.option("--path", default="", metavar="PATH", help="Hugging Face id or directory on the server's machine.")
@click.option("--dtype", default="", metavar="DTYPE", help=DTYPE_HELP)
@common
def models(session: Session, *, model_id: str | None, path: str, dtype: str) -> None:
    """List the registered models; with --register add one first."""
    if (path or dtype) and model_id is None:
        raise click.UsageError(f"{'--path' if path else '--dtype'} needs --register ID.")
    with session.connect() as smith:
        if model_id is not None:
            smith.register_model(model_id=model_id, path=path, dtype=dtype)
        found = list(smith.list_models())
    rows = (
        (item.id, item.path, item.architecture, item.parameters, item.dtype, short(item.weights_sha256))
        for item in found
    )
    session.emit(found, lambda: table(("model", "path", "architecture", "parameters#", "dtype", "weights"), rows))


@click.command(help="List the methods and what they accept.")
@click.argument("name", required=False)
@common
def methods(session: Session, *, name: str | None) -> None:
    """List the methods; with NAME show the JSON schema of its configuration."""
    with session.connect() as smith:
        found = [item for item in smith.list_methods() if name in (None, item.name)]
    if name and not found:
        raise click.UsageError(f"No method is called {plain_text(name)}; `ksmith methods` lists them.")
    if name and not session.as_json:
        click.echo(json.dumps(json.loads(found[0].config_schema_json or "{}"), indent=2))
        return
    columns = ("method", "family", "accepts", "task loss", "preservation", "regulariser", "operator", "source")
    rows = (
        (
            item.name,
            item.family,
            item.accepts,
            item.task_loss,
            item.preservation,
            item.regulariser,
            item.operator,
            item.source,
        )
        for item in found
    )
    session.emit(found, lambda: table(columns, rows))
