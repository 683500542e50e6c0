"""Corrects wordings of a graph one by one, and finds facts to show them with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from knowledgesmith.graph_schema.catalogue.corrected_wordings import Correction, parse_corrections
from knowledgesmith.graph_schema.catalogue.relations import from_properties
from knowledgesmith.graph_schema.catalogue.templates import problem_with_template, shared_text
from knowledgesmith.graph_schema.errors import GraphNotFound, InvalidInput, RelationNotFound
from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Direction, Form, Relation, Split, Template

_SHOWN: Final = 20_000
"""Facts that are looked at for examples of all relations at once."""
_ALL: Final = 1 << 40


def correct(store: GraphStore, graph_id: str, corrections: Sequence[Correction]) -> dict[str, Relation]:
    """Note corrections, or take them back where the text is empty, and return the catalogue as it is now.

    Raises:
        GraphNotFound: there is no graph of this id.
        GraphIncomplete: it is being imported, or its import was cut off.
        RelationNotFound: the catalogue has no such relation.
        InvalidInput: there is nothing to correct, a text does not fit its use, would be trained and asked, or there is
            no correction to take back.
    """
    if not corrections:
        raise InvalidInput("nothing is corrected", field="corrections", hint="Give at least one text.")
    return store.write_transaction(lambda tx: _correct(tx, graph_id, corrections))


def _correct(tx: Transaction, graph_id: str, corrections: Sequence[Correction]) -> dict[str, Relation]:
    """Under the graph's lock, so that no import comes in between."""
    rows = tx.rows("suggesting/lock", graph_id=graph_id)
    require_graph(tx, graph_id)
    if not rows:
        raise GraphNotFound("there is no graph of this id", field="graph_id", value=graph_id, hint="List the graphs.")
    catalogue = _catalogue(tx, graph_id)
    stored = tx.rows("graphs/corrected_wordings", graph_id=graph_id)[0]["corrections"]
    noted = {_use(correction): correction for correction in parse_corrections(stored)}
    for correction in corrections:
        _check(correction, catalogue, taken_back=_use(correction) in noted)
        noted[_use(correction)] = correction
    kept = sorted(correction for correction in noted.values() if correction.text)
    tx.rows("graphs/correct_wordings", graph_id=graph_id, corrections=[correction.dump() for correction in kept])
    after = _catalogue(tx, graph_id)
    for name in {correction.relation for correction in corrections}:
        _check_splits(after[name])
    return after


def _catalogue(tx: Transaction, graph_id: str) -> dict[str, Relation]:
    return {row["name"]: from_properties(row) for row in tx.rows("graphs/relations", graph_id=graph_id)}


def _use(correction: Correction) -> tuple[str, Direction, Split, Form]:
    return (correction.relation, correction.direction, correction.split, correction.form)


def _check(correction: Correction, catalogue: Mapping[str, Relation], *, taken_back: bool) -> None:
    if correction.relation not in catalogue:
        raise RelationNotFound(
            "the catalogue has no such relation",
            field="relation",
            value=correction.relation,
            hint="See `ksmith relations GRAPH`.",
        )
    use = f"{correction.direction} {correction.form} ({correction.split})"
    if not correction.text:
        if not taken_back:
            raise InvalidInput(
                "there is no correction to take back", field="corrections", value=use, hint="See what is corrected."
            )
        return
    if problem := problem_with_template(correction.template):
        raise InvalidInput(
            f"the text does not fit its use: {problem}",
            field="corrections",
            value=correction.text,
            hint="{s} stands for the subject's name and {o} for the object's; the answer follows the text.",
        )


def _check_splits(relation: Relation) -> None:
    if text := shared_text(template for template in relation.templates if template in _used(relation)):
        raise InvalidInput(
            "the text would be trained and asked, so that an answer shows nothing",
            field="corrections",
            value=text,
            hint="Let the two differ in more than upper and lower case.",
        )


def _used(relation: Relation) -> frozenset[Template]:
    return frozenset(
        template
        for direction in Direction
        for form in Form
        for split in Split
        for template in relation.pick(direction=direction, form=form, split=split)
    )


def example_facts(store: GraphStore, graph_id: str, relations: Iterable[Relation]) -> dict[str, tuple[str, str]]:
    """Names of subject and object of one fact of each relation, by the relation's name.

    Of many relations at once, rare ones may lack an example; of one relation the whole graph is looked through.
    """
    names = {relation.rel_type: relation.name for relation in relations}
    limit = _SHOWN if len(names) > 1 else _ALL
    rows = store.read("graphs/example_facts", graph_id=graph_id, rel_types=sorted(names), limit=limit)
    return {names[row["rel_type"]]: (row["subject"], row["object"]) for row in rows}
