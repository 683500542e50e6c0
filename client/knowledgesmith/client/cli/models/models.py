"""``ksmith models`` and ``ksmith methods``."""

from __future__ import annotations

import json

import click

from knowledgesmith.client._json import to_plain
from knowledgesmith.client._types.enums import DType
from knowledgesmith.client.cli.shared.operations import finish, waiting
from knowledgesmith.client.cli.shared.output import plain_text, short, table
from knowledgesmith.client.cli.shared.session import Session, common

_DTYPES = [item.value.lower() for item in DType if item is not DType.UNSPECIFIED]


@click.command(help="List the models, or register one.")
@click.option("--register", "model_id", metavar="ID", help="Register a model under this id ('' for the default one).")
@click.option("--path", default="", metavar="PATH", help="Hugging Face id or directory on the server's machine.")
@click.option(
    "--dtype", type=click.Choice(_DTYPES), help="Number format of the weights; default: the server's setting."
)
@waiting
@common
def models(session: Session, *, model_id: str | None, path: str, dtype: str | None, wait: bool) -> None:
    """List the registered models; with --register add one first."""
    if (path or dtype) and model_id is None:
        raise click.UsageError(f"{'--path' if path else '--dtype'} needs --register ID.")
    with session.connect() as smith:
        if model_id is not None:
            kept_in = DType(dtype.upper()) if dtype else DType.UNSPECIFIED
            finish(
                session,
                lambda: smith.models.register(model_id=model_id, path=path, dtype=kept_in, wait=False),
                wait=wait,
            )
        found = smith.models.list()
    rows = (
        (item.id, item.path, item.architecture, item.parameters, item.dtype.lower(), short(item.weights_sha256))
        for item in found
    )
    session.emit(found, lambda: table(("model", "path", "architecture", "parameters#", "dtype", "weights"), rows))


@click.command(help="List the methods and what they accept.")
@click.argument("name", required=False)
@common
def methods(session: Session, *, name: str | None) -> None:
    """List the methods; with NAME show the JSON schema of its configuration."""
    with session.connect() as smith:
        found = [item for item in smith.models.methods() if name in (None, item.name)]
    if name and not found:
        raise click.UsageError(f"No method is called {plain_text(name)}; `ksmith methods` lists them.")
    if name and not session.as_json:
        click.echo(json.dumps(to_plain(found[0].config_schema), indent=2))
        return
    columns = ("method", "family", "accepts", "task loss", "preservation", "regulariser", "operator", "source")
    rows = (
        (
            item.name,
            item.family.lower(),
            tuple(map(str, item.accepts)),
            item.task_loss,
            item.preservation,
            item.regulariser,
            item.operator,
            item.source,
        )
        for item in found
    )
    session.emit(found, lambda: table(columns, rows))
