"""``ksmith demo``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

import click

from knowledgesmith.client.cli.shared.numbers import Whole
from knowledgesmith.client.cli.shared.output import console
from knowledgesmith.client.demo import Settings, tell


@click.command(help="Tell the whole story once, on the bundled graph and model.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), default=Path(".cache/demo"))
@click.option("--facts", type=Whole(1, 30), default=8, show_default=True, help="Facts to change a branch.")
@click.option("--edit-method", default="alphaedit", show_default=True)
@click.option("--unlearn-method", default="alphaedit", show_default=True)
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Where to draw the HTML page.")
def demo(*, data_dir: Path, facts: int, edit_method: str, unlearn_method: str, picture: Path | None) -> None:
    """Run the demo on a server of its own below DATA_DIR."""
    settings = Settings(
        data_dir=data_dir.resolve(),
        facts=facts,
        edit_method=edit_method,
        unlearn_method=unlearn_method,
        picture=picture,
    )
    # a terminated demo must still stop its server
    before = signal.signal(signal.SIGTERM, _end)
    try:
        tell(settings=settings, out=console())
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)
