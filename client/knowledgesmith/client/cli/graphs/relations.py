"""``ksmith relations``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._types.catalogue import (
    Relation,
    Suggestion,
    Trait,
    Wording,
    WordingCorrection,
)
from knowledgesmith.client._types.enums import WordingOrigin, WordingUse
from knowledgesmith.client.cli.shared.numbers import POSITIVE, SHARE, Whole
from knowledgesmith.client.cli.shared.output import table
from knowledgesmith.client.cli.shared.session import Session, common

_USES: Final[Mapping[str, tuple[WordingUse, bool, str]]] = {
    "direct": (WordingUse.DIRECT, False, "asks for the object; the answer follows"),
    "reverse": (WordingUse.REVERSE, False, "asks for the subject; the answer follows"),
    "question": (WordingUse.QUESTION, False, "question before two objects to choose from"),
    "statement": (WordingUse.STATEMENT, False, "sentence that is judged true or false"),
    "phrase": (WordingUse.PHRASE, False, "noun phrase for the object; chains lead through it"),
    "reverse-phrase": (WordingUse.REVERSE_PHRASE, False, "noun phrase for the subject; chains lead back through it"),
    "train-direct": (WordingUse.DIRECT, True, "prompt that an edit is trained with; never asked"),
    "train-statement": (WordingUse.STATEMENT, True, "sentence that is trained with; never asked"),
}
"""By the option's name."""
_NAMES: Final = {(use, training): name for name, (use, training, _) in _USES.items()}
_ORIGINS: Final = {
    WordingOrigin.GIVEN: "given",
    WordingOrigin.CORRECTED: "corrected",
    WordingOrigin.DERIVED: "derived",
    WordingOrigin.FRAME: "plain frame",
}
_EXPLAINED: Final = (
    "given: by the files; derived: from the name, whose grammar is sure; plain frame: the name as it stands, where no "
    "grammar is sure"
)


def _corrections(command: Any) -> Any:
    """Add an option for every wording that can be corrected."""
    for name, (_, _, what) in reversed(list(_USES.items())):
        slots = "{s} and {o}" if "statement" in name else "{o}" if name.startswith("reverse") else "{s}"
        text = f"Correct the {what}. The text names {slots}; an empty one takes the correction back."
        command = click.option(f"--{name}", name.replace("-", "_"), metavar="TEXT", help=text)(command)
    return command


@click.command(help="List relations and how questions word them; correct wordings, accept traits.")
@click.argument("graph_id", metavar="GRAPH")
@click.argument("relation", metavar="[RELATION]", required=False, default="")
@_corrections
@click.option("--wordings", "every", is_flag=True, help="Show every wording of every relation.")
@click.option("--suggest", is_flag=True, help="Show suggested traits; nothing is applied.")
@click.option("--accept", "accepted", multiple=True, metavar="TRAIT", help="Declare a trait as --suggest writes it.")
@click.option("--withdraw", "withdrawn", multiple=True, metavar="TRAIT", help="Take an accepted trait back.")
@click.option("--min-support", type=POSITIVE, default=10, show_default=True, help="Cases that must agree.")
@click.option("--min-confidence", type=SHARE, default=0.9, show_default=True, help="Their share.")
@click.option("--limit", type=Whole(1, 10_000), default=200, show_default=True)
@common
def relations(
    session: Session,
    *,
    graph_id: str,
    relation: str,
    every: bool,
    suggest: bool,
    accepted: tuple[str, ...],
    withdrawn: tuple[str, ...],
    min_support: int,
    min_confidence: float,
    limit: int,
    **texts: str | None,
) -> None:
    """List, correct, suggest, accept or withdraw."""
    corrections = _corrected(texts)
    if suggest + bool(accepted) + bool(withdrawn) + bool(corrections) > 1:
        raise click.UsageError("--suggest, --accept, --withdraw and corrections exclude each other.")
    if corrections and not relation:
        raise click.UsageError(
            "name the relation whose wording is corrected: ksmith relations GRAPH RELATION --direct …"
        )
    traits = [_trait(text, "--accept") for text in accepted]
    gone = [_trait(text, "--withdraw") for text in withdrawn]
    with session.connect() as smith:
        if gone:
            left = smith.catalogue.withdraw(graph_id=graph_id, traits=gone)
            session.emit(left, lambda: _withdrawn(left))
            return
        if suggest:
            found = smith.catalogue.suggest(
                graph_id=graph_id, min_support=min_support, min_confidence=min_confidence, limit=limit
            )
            session.emit(found, lambda: _suggestions(found))
            return
        if corrections:
            one = smith.catalogue.correct_wordings(graph_id=graph_id, relation=relation, corrections=corrections)
            session.emit(one, lambda: Group(*_every(one)))
            return
        if traits:
            smith.catalogue.accept(graph_id=graph_id, traits=traits)
        listed = smith.catalogue.relations(graph_id=graph_id, relation=relation, with_wordings=True)
    session.emit(listed, lambda: _relations(listed, graph_id, every=every or bool(relation)))


def _corrected(texts: Mapping[str, str | None]) -> list[WordingCorrection]:
    return [
        WordingCorrection(use=use, training=training, text=text)
        for name, (use, training, _) in _USES.items()
        if (text := texts.get(name.replace("-", "_"))) is not None
    ]


def _trait(text: str, option: str) -> Trait:
    try:
        return Trait.parse(text)
    except ValueError as error:
        raise InvalidInput(
            str(error), field=option, value=text, hint="Write it as `ksmith relations GRAPH --suggest` does."
        ) from None


def _withdrawn(left: Sequence[Trait]) -> RenderableType:
    told = "import the graph's files again: until then its catalogue stays as it is"
    return Group(table(("accepted traits that are left",), ((str(trait),) for trait in left)), told)


def _relations(listed: Sequence[Relation], graph_id: str, *, every: bool) -> RenderableType:
    rows = (
        (
            relation.name,
            f"{relation.domain_type} -> {relation.range_type}",
            ", ".join(relation.traits),
            _origins(relation.wordings),
            _first(relation, WordingUse.DIRECT),
            _first(relation, WordingUse.REVERSE),
            "yes" if relation.chained else "no noun form",
        )
        for relation in listed
    )
    shown = table(("relation", "types", "traits", "wording", "asks", "asks back", "chained"), rows)
    blocks = [block for relation in listed for block in _every(relation)] if every else []
    return Group(shown, *blocks, *_notes(listed, graph_id))


def _notes(listed: Sequence[Relation], graph_id: str) -> Iterator[str]:
    yield _EXPLAINED
    apart = [relation.name for relation in listed if not relation.chained]
    if apart:
        yield f"{len(apart)} of {len(listed)} relations have no noun form: no chain of facts leads through them"
    for relation in listed:
        if relation.worded_like:
            others = ", ".join(relation.worded_like)
            yield f"{relation.name} is asked about in the same words as {others}: correct one of them"
    yield f'correct a wording: ksmith relations {graph_id} RELATION --direct "… {{s}} …"'


def _every(relation: Relation) -> Iterator[RenderableType]:
    """All wordings of one relation: what is asked, then what is trained with."""
    rows = ((_use(wording), _ORIGINS[wording.origin], wording.text, wording.example) for wording in relation.wordings)
    yield table(("use", "from", "text", "example"), rows, title=relation.name)


def _use(wording: Wording) -> str:
    plain = wording.use.lower().replace("_", "-")
    return _NAMES.get((wording.use, wording.training), f"train-{plain}" if wording.training else plain)


def _origins(wordings: Sequence[Wording]) -> str:
    """Where the wordings that are asked come from, the most frequent first."""
    found = [_ORIGINS[wording.origin] for wording in wordings if not wording.training]
    return ", ".join(sorted(set(found), key=lambda origin: (-found.count(origin), origin)))


def _first(relation: Relation, use: WordingUse) -> str:
    """The first wording that is asked, filled where there is a fact."""
    found = next((w for w in relation.wordings if w.use is use and not w.training), None)
    return "not asked" if found is None else found.example or found.text


def _suggestions(found: Sequence[Suggestion]) -> RenderableType:
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
