"""Wordings of relations between the wire and the graph: what is used, where it comes from, an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.catalogue.corrected_wordings import Correction
from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.language.filling import fill, opened
from knowledgesmith.graph_schema.language.joining import joined
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split
from knowledgesmith.server.wire.conversions import check_text
from knowledgesmith.server.wire.enums import missing, to_wire
from knowledgesmith.v1 import catalogue_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from knowledgesmith.graph_schema.types.facts import Relation, Template

_USES: Final = {
    (Direction.FORWARD, Form.CLOZE): pb.WORDING_USE_DIRECT,
    (Direction.REVERSE, Form.CLOZE): pb.WORDING_USE_REVERSE,
    (Direction.FORWARD, Form.QUESTION): pb.WORDING_USE_QUESTION,
    (Direction.REVERSE, Form.QUESTION): pb.WORDING_USE_REVERSE_QUESTION,
    (Direction.FORWARD, Form.STATEMENT): pb.WORDING_USE_STATEMENT,
    (Direction.FORWARD, Form.PHRASE): pb.WORDING_USE_PHRASE,
    (Direction.REVERSE, Form.PHRASE): pb.WORDING_USE_REVERSE_PHRASE,
    (Direction.REVERSE, Form.STATEMENT): pb.WORDING_USE_REVERSE_STATEMENT,
}
_MEANT: Final = {use: meant for meant, use in _USES.items()}
_MOST: Final = 32


def wordings_to(relation: Relation, example: tuple[str, str] | None) -> Iterator[pb.Wording]:
    """Every wording that is used, what is asked first; ``example`` are the names of a fact's subject and object."""
    for split in (Split.EVAL, Split.TRAIN):
        for (direction, form), use in _USES.items():
            for template in relation.pick(direction=direction, form=form, split=split):
                yield pb.Wording(
                    use=use,
                    training=split is Split.TRAIN,
                    text=template.text,
                    origin=to_wire(pb.WordingOrigin, template.origin),
                    example=_example(template, *example) if example else "",
                )


def is_chained(relation: Relation) -> bool:
    """Whether a question over several facts can lead through the relation, in either direction."""
    return any(relation.pick(direction=d, form=Form.PHRASE, split=Split.EVAL) for d in Direction)


def corrections_from(relation: str, given: Sequence[pb.WordingCorrection]) -> list[Correction]:
    """What a request corrects."""
    if len(given) > _MOST:
        raise TooLarge(f"more than {_MOST} corrections", field="corrections", value=len(given))
    return [_correction(relation, one, f"corrections[{number}]") for number, one in enumerate(given)]


def _correction(relation: str, one: pb.WordingCorrection, field: str) -> Correction:
    if one.use not in _MEANT:
        raise missing(pb.WordingUse, f"{field}.use")
    direction, form = _MEANT[one.use]
    return Correction(
        relation=relation,
        direction=direction,
        split=Split.TRAIN if one.training else Split.EVAL,
        form=form,
        text=check_text(one.text, f"{field}.text") if one.text else "",
    )


def _example(template: Template, subject: str, obj: str) -> str:
    text = fill(opened(template.text), subject=subject, obj=obj)
    if template.form is not Form.CLOZE:
        return text
    return joined(text, f"[{obj if template.direction is Direction.FORWARD else subject}]")
