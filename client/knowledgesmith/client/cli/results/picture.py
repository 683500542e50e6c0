"""``ksmith picture``."""

from __future__ import annotations

from pathlib import Path

import click

from knowledgesmith.client._picture import draw, draw_svg
from knowledgesmith.client.cli.shared.numbers import Whole
from knowledgesmith.client.cli.shared.session import Session, common


@click.command(help="Draw what an intervention moved as an HTML or SVG file.")
@click.argument("intervention_id", metavar="INTERVENTION")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; .html or .svg.")
@click.option("--entities", type=Whole(1, 1000), default=60, show_default=True, help="At most so many.")
@common
def picture(session: Session, *, intervention_id: str, out: Path | None, entities: int) -> None:
    """Write one self-contained file."""
    target = out or Path(f"propagation-{intervention_id[:8]}.html")
    if target.suffix not in (".html", ".svg"):
        raise click.UsageError("--out must end in .html or .svg.")
    with session.connect() as smith:
        found = smith.propagation.subgraph(intervention_id=intervention_id, max_entities=entities)
        intervention = smith.interventions.get(intervention_id=intervention_id)
    page = target.suffix == ".html"
    target.write_text(draw(subgraph=found, intervention=intervention) if page else draw_svg(subgraph=found), "utf-8")
    session.emit({"path": target.resolve(), "entities": len(found.nodes)}, lambda: str(target.resolve()))
