"""``ksmith probes``."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._types.enums import Level, ProbeKind, Split
from knowledgesmith.client._types.probes import Probe, ProbeSet
from knowledgesmith.client.cli.graphs.probe_sets import (
    agreement,
    audit,
    describe,
    export,
    guess_table,
    import_,
    sample,
)
from knowledgesmith.client.cli.shared.deletions import deleted
from knowledgesmith.client.cli.shared.numbers import COUNT, POSITIVE, SEED
from knowledgesmith.client.cli.shared.operations import finish, waiting
from knowledgesmith.client.cli.shared.output import kinds, short, table
from knowledgesmith.client.cli.shared.session import Session, common

LEVELS = [level.value.lower() for level in Level if level is not Level.UNSPECIFIED]
KINDS = [kind.value.lower() for kind in ProbeKind if kind is not ProbeKind.UNSPECIFIED]


@click.group(help="Generate, show, sample, check, exchange and delete probe sets.")
def probes() -> None:
    """Questions that Cypher derives from a graph."""


@probes.command(help="Generate a seeded, verified probe set.")
@click.argument("graph_id", metavar="GRAPH")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these kinds; may be repeated.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of every draw.")
@click.option("--limit", type=COUNT, default=0, help="At most so many of each kind; 0 = all.")
@click.option("--phrasings", type=COUNT, default=3, show_default=True, help="Of a question; 0 = all.")
@click.option("--level", "levels", multiple=True, type=click.Choice(LEVELS), help="Only anchors of this level.")
@click.option("--relation", "relations", multiple=True, help="Only questions that end with this relation.")
@click.option("--subtree", default="", metavar="UID", help="Only anchors at or below this entity.")
@click.option("--split", type=click.Choice(["eval", "train"]), default="eval", show_default=True, help="Phrasings.")
@click.option("--materialise", is_flag=True, help="Also create (:Probe) nodes, at most 10,000.")
@waiting
@common
def generate(
    session: Session,
    *,
    graph_id: str,
    kinds: tuple[str, ...],
    seed: int,
    limit: int,
    phrasings: int,
    levels: tuple[str, ...],
    relations: tuple[str, ...],
    subtree: str,
    split: str,
    materialise: bool,
    wait: bool,
) -> None:
    """Generate a probe set and store it by digest."""
    wanted = [ProbeKind(kind.upper()) for kind in kinds]
    with session.connect() as smith:
        made = finish(
            session,
            lambda: smith.probe_sets.generate(
                graph_id=graph_id,
                kinds=wanted,
                seed=seed,
                limit_per_kind=limit,
                materialise=materialise,
                phrasings=phrasings,
                levels=[Level(level.upper()) for level in levels],
                relations=relations,
                subtree_uid=subtree,
                split=Split(split.upper()),
                wait=False,
            ),
            wait=wait,
        )
    session.emit(made, lambda: Group(describe(made), guess_table(made.guesses, made.left_out)))


@probes.command(help="Delete a probe set with its file.")
@click.argument("probe_set_id", metavar="PROBE_SET")
@common
def delete(session: Session, *, probe_set_id: str) -> None:
    """Delete a probe set."""
    with session.connect() as smith:
        done = smith.probe_sets.delete(probe_set_id=probe_set_id)
    session.emit(done, lambda: deleted("probe set", done))


@probes.command("list", help="List the probe sets of a graph, newest first.")
@click.argument("graph_id", metavar="GRAPH")
@click.option("--limit", type=POSITIVE, default=50, show_default=True)
@common
def list_(session: Session, *, graph_id: str, limit: int) -> None:
    """List probe sets."""
    with session.connect() as smith:
        found = smith.probe_sets.list(graph_id=graph_id, limit=limit)
    rows = (
        (item.id, item.seed, item.verified, _FAIR[item.fair], kinds(item.counts), short(item.digest)) for item in found
    )
    session.emit(found, lambda: table(("probe set", "seed#", "verified#", "fair", "kinds", "digest"), rows))


_FAIR = {True: "yes", False: "NO", None: "not judged"}


@probes.command(help="Show a probe set and its first probes.")
@click.argument("probe_set_id", metavar="PROBE_SET")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind.")
@click.option("--limit", type=POSITIVE, default=20, show_default=True)
@common
def show(session: Session, *, probe_set_id: str, kind: str | None, limit: int) -> None:
    """Show a probe set."""
    wanted = ProbeKind(kind.upper()) if kind else ProbeKind.UNSPECIFIED
    with session.connect() as smith:
        made = smith.probe_sets.get(probe_set_id=probe_set_id)
        found = smith.probe_sets.probes(probe_set_id=probe_set_id, kind=wanted, limit=limit)
    session.emit({"probe_set": made, "probes": found}, lambda: _shown(made, found))


def _shown(made: ProbeSet, found: list[Probe]) -> RenderableType:
    return Group(describe(made), probe_table(found), guess_table(made.guesses, made.left_out))


def probe_table(found: Sequence[Probe]) -> RenderableType:
    """Probes with their options, the right ones marked."""
    rows = ((item.kind.lower(), item.stem, _options(item), item.chain_length, item.hops) for item in found)
    return table(("kind", "stem", "options (✓ = right)", "facts#", "hops#"), rows)


def _options(probe: Probe) -> str:
    marks = (f"{'✓' if index in probe.answers else ''}{option}" for index, option in enumerate(probe.options))
    return " · ".join(marks)


for _command in (sample, export, import_, audit, agreement):
    probes.add_command(_command)
