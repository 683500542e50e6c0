"""``ksmith relations``."""

from __future__ import annotations

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._types.catalogue import Relation, Suggestion, Trait
from knowledgesmith.client.cli._output import table
from knowledgesmith.client.cli._session import Session, common


@click.command(help="List the relations of a graph, or what its facts suggest about them.")
@click.argument("graph_id", metavar="GRAPH")
@click.option("--suggest", is_flag=True, help="Show suggested traits; nothing is applied.")
@click.option("--accept", "accepted", multiple=True, metavar="TRAIT", help="Declare a trait as --suggest writes it.")
@click.option("--withdraw", "withdrawn", multiple=True, metavar="TRAIT", help="Take an accepted trait back.")
@click.option("--min-support", type=click.IntRange(1), default=10, show_default=True, help="Cases that must agree.")
@click.option(
    "--min-confidence", type=click.FloatRange(0, 1, min_open=True), default=0.9, show_default=True, help="Their share."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@common
def relations(
    session: Session,
    *,
    graph_id: str,
    suggest: bool,
    accepted: tuple[str, ...],
    withdrawn: tuple[str, ...],
    min_support: int,
    min_confidence: float,
    limit: int,
) -> None:
    """List, suggest, accept or withdraw."""
    if suggest + bool(accepted) + bool(withdrawn) > 1:
        raise click.UsageError("--suggest, --accept and --withdraw exclude each other.")
    traits = [_trait(text, "--accept") for text in accepted]
    gone = [_trait(text, "--withdraw") for text in withdrawn]
    with session.connect() as smith:
        if gone:
            left = smith.withdraw_traits(graph_id=graph_id, traits=gone)
            session.emit(left, lambda: _withdrawn(left))
            return
        if suggest:
            found = smith.suggest_traits(
                graph_id=graph_id, min_support=min_support, min_confidence=min_confidence, limit=limit
            )
            session.emit(found, lambda: _suggestions(found))
            return
        if traits:
            listed = smith.accept_traits(graph_id=graph_id, traits=traits)
        else:
            listed = smith.list_relations(graph_id=graph_id)
    session.emit(listed, lambda: _relations(listed))


def _trait(text: str, option: str) -> Trait:
    try:
        return Trait.parse(text)
    except ValueError as error:
        raise InvalidInput(
            str(error), field=option, value=text, hint="Write it as `ksmith relations GRAPH --suggest` does."
        ) from None


def _withdrawn(left: tuple[Trait, ...]) -> RenderableType:
    told = "import the graph's files again: until then its catalogue stays as it is"
    return Group(table(("accepted traits that are left",), ((str(trait),) for trait in left)), told)


def _relations(listed: tuple[Relation, ...]) -> RenderableType:
    rows = (
        (
            relation.name,
            f"{relation.domain_type} -> {relation.range_type}",
            ", ".join(relation.traits),
            relation.templates,
        )
        for relation in listed
    )
    return table(("relation", "types", "traits", "templates#"), rows)


def _suggestions(found: tuple[Suggestion, ...]) -> RenderableType:
    rows = (
        (
            str(item.trait),
            item.support,
            item.cases,
            f"{item.support / item.cases:.3f} [{item.low:.3f}, {item.high:.3f}]",
            "declared" if item.declared else "",
            "; ".join(item.exceptions[:2]),
        )
        for item in found
    )
    columns = ("trait", "agree#", "of#", "share, 95 %", "", "exceptions")
    return Group(table(columns, rows), "accept one: ksmith relations GRAPH --accept TRAIT")
