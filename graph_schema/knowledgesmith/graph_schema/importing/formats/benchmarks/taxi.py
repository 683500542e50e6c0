"""TAXI: things change their category, and the properties of the category must follow.

Files are told apart by their columns; tables of pandas written column by column (keys need not be contiguous), lists
and TSV are taken. ``*-type-tokens.tsv``: the tokens of each type; ``*-data.tsv``: properties of types (rows may lack
the last foil); ``edits``: a token and its new type; ``…-evaluation``: questions forward and reverse with 2 to 8
choices, for the model before (``baseline``) or after each edit.

Facts are a token's category and a category's properties. A property is composed of the category and itself, so what a
category has its members have, and an edit of the category moves the properties: what the benchmark asks about follows.
``<subj>`` as an answer stands for the subject of the edit.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    SetBuilder,
    Unusable,
    optional_text,
    probe,
    stem_of,
    text_field,
    texts_in,
)
from knowledgesmith.graph_schema.importing.reading.columnar import is_columnar
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import (
    Item,
    Shape,
    column_items,
    json_items,
    lines_of,
    objects,
    shape_of,
)
from knowledgesmith.graph_schema.importing.reading.problems import in_words
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, Place, Record, Rejection
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split, Template, Traits
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

CATEGORY: Final = "category_membership"
_SUBJECT, _ANSWER = "<subj>", "<answer>"
_ONE_PARENT: Final = Traits(functional=True, hierarchical=True)
_CATEGORY_QUERY: Final = f"a {_SUBJECT} is a kind of {_ANSWER}"


class TaxiOptions(ImportOptions):
    """None."""


@dataclass(slots=True)
class _Edit:
    """One edit, its place and the probes that were found for it."""

    place: Place
    row: dict[str, Any]
    probes: list[CaseProbe] = field(default_factory=list[CaseProbe])


class Taxi:
    """One case an edit."""

    name: ClassVar[str] = "taxi"
    summary: ClassVar[str] = "TAXI: taxonomy tables, category edits and their evaluation (TSV, column JSON)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = TaxiOptions

    def read(self, files: Sequence[InputFile], options: TaxiOptions) -> Iterator[Record]:  # noqa: ARG002
        """See ``Importer.read``. The edits and their probes are held in memory, since they lie in several files."""
        builder = SetBuilder()
        edits: dict[str, _Edit] = {}
        for file in files:
            for found in objects(_rows(file)):
                if isinstance(found, Rejection):
                    yield found
                    continue
                item, row = found
                try:
                    made = list(_row(builder, edits, item.place, row))
                except Unusable as error:
                    made = [Rejection(place=item.place, reason=str(error))]
                yield from made
        for name in sorted(edits):
            yield from _case(builder, name, edits[name])


def _rows(file: InputFile) -> Iterable[Item | Rejection]:
    shape = shape_of(file)
    if is_columnar(file):
        return json_items(file)
    if shape is None:
        return _table_rows(file)
    if shape is not Shape.OBJECT:
        return json_items(file)
    file.content.seek(0)
    try:
        table = json.loads(file.content.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return [Rejection(place=Place(file=file.name), reason=f"not JSON ({in_words(error)})")]
    if not any(isinstance(column, dict) for column in table.values()):
        return [Rejection(place=Place(file=file.name), reason="the table is not written column by column")]
    return column_items(file, table)


def _table_rows(file: InputFile) -> Iterator[Item | Rejection]:
    """Rows of a TSV file; a row may lack its last cells. The kind of thing is the first word of the file's name."""
    header: list[str] = []
    kind = stem_of(file.name).split("-", 1)[0]
    for line in lines_of(file):
        if isinstance(line, Rejection):
            yield line
            continue
        number, text = line
        cells = [cell.strip() for cell in text.split("\t")]
        place = Place(file=file.name, record=number)
        if not header:
            header = cells
        elif len(cells) > len(header):
            yield Rejection(place=place, reason=f"has {len(cells)} cells, the header has {len(header)}")
        else:
            row = dict(zip(header, cells, strict=False))
            yield Item(place=place, value={"superordinate_category": kind} | row)


def _row(builder: SetBuilder, edits: dict[str, _Edit], place: Place, row: dict[str, Any]) -> Iterator[Record]:
    if "entity_type" in row:
        yield from _tokens(builder, place, row)
        return
    if not {"property", "edit"} & row.keys():
        raise Unusable("has none of the columns entity_type, property and edit")
    if "property" in row:
        yield from _property(builder, place, row)
    if "edit" in row:
        name = f"{text_field(row, 'superordinate_category')}: {text_field(row, 'edit')}"
        yield from _category(builder, place, row, text_field(row, "subj"), text_field(row, "orig_entity"))
        yield from _category(builder, place, row, None, text_field(row, "entity"))
        edit = edits.setdefault(name, _Edit(place=place, row=row))
        # The case stands where the edit was listed, whichever file comes first.
        if "property" not in row and ("property" in edit.row or place < edit.place):
            edit.place, edit.row = place, row
        edit.probes += _probes(row) if "property" in row else ()
    elif row.get("property") == CATEGORY:
        yield from _category(builder, place, row, text_field(row, "subj"), text_field(row, "entity"))


def _tokens(builder: SetBuilder, place: Place, row: dict[str, Any]) -> Iterator[Record]:
    kind = text_field(row, "entity_type")
    for column, token in row.items():
        if column.startswith(("typical_token", "rare_token")) and isinstance(token, str) and token:
            yield from _category(builder, place, row, token, kind)


def _category(builder: SetBuilder, place: Place, row: dict[str, Any], token: str | None, kind: str) -> Iterator[Record]:
    """The token is of this type (where there is one), and the type is of the superordinate category."""
    above = text_field(row, "superordinate_category")
    chain = [above, kind, token] if token else [above, kind]
    types = ("Category", "Kind", "Token")
    entities = [
        builder.entity(place, name, type=type_, domain=above) for name, type_ in zip(chain, types, strict=False)
    ]
    yield from entities
    yield from builder.relation(place, CATEGORY, _forward(_CATEGORY_QUERY), traits=_ONE_PARENT)
    for parent, child in itertools.pairwise(entities):
        yield builder.fact(place, child, CATEGORY, parent)


def _property(builder: SetBuilder, place: Place, row: dict[str, Any]) -> Iterator[Record]:
    name = text_field(row, "property")
    if name == CATEGORY:
        return
    above = text_field(row, "superordinate_category")
    held = [(text_field(row, "entity"), text_field(row, "answer_fwd"))]
    if optional_text(row, "orig_entity") and optional_text(row, "orig_answer_fwd"):
        held.append((text_field(row, "orig_entity"), text_field(row, "orig_answer_fwd")))
    templates = [*_forward(text_field(row, "query_fwd")), *_reverse(text_field(row, "query_rev"))]
    yield from builder.relation(place, CATEGORY, _forward(_CATEGORY_QUERY), traits=_ONE_PARENT)
    yield from builder.relation(place, name, templates, traits=Traits(composed_of=(CATEGORY, name)))
    for kind, value in held:
        subject = builder.entity(place, kind, type="Kind", domain=above)
        obj = builder.entity(place, value, type="Property", domain=above)
        yield from (subject, obj, builder.fact(place, subject, name, obj))


def _forward(query: str) -> Iterator[Template]:
    if query.count(_SUBJECT) != 1 or not query.endswith(_ANSWER):
        return
    cloze = query.removesuffix(_ANSWER).rstrip().replace(_SUBJECT, "{s}")
    yield from _worded(Direction.FORWARD, Form.CLOZE, cloze)
    yield from _worded(Direction.FORWARD, Form.STATEMENT, f"{cloze} {{o}}.")


def _reverse(query: str) -> Iterator[Template]:
    if query.count(_ANSWER) == 1 and query.endswith(_SUBJECT):
        yield from _worded(Direction.REVERSE, Form.CLOZE, query.removesuffix(_SUBJECT).rstrip().replace(_ANSWER, "{o}"))


def _worded(direction: Direction, form: Form, text: str) -> Iterator[Template]:
    if set("{}") & set(text.replace("{s}", "").replace("{o}", "")):
        raise Unusable("braces in a query")
    for split, wording in ((Split.TRAIN, text), (Split.EVAL, f"It is known that {text}")):
        yield Template(direction=direction, split=split, form=form, text=wording)


def _probes(row: dict[str, Any]) -> Iterator[CaseProbe]:
    """The forward and the reverse question of an evaluated edit."""
    subject, answer = text_field(row, "subj"), text_field(row, "answer_fwd")
    polarity = Polarity.CHANGE if row.get("answer_changed") is True else Polarity.STAY
    kind = ProbeKind.DIRECT if row.get("property") == CATEGORY else ProbeKind.MULTI_HOP
    before = [optional_text(row, "orig_answer_fwd")]
    family = text_field(row, "property")
    stem = _blank(text_field(row, "query_fwd").replace(_SUBJECT, subject), _ANSWER)
    yield probe(
        kind, polarity, f"{family}:forward", stem, [answer], before=before, options=texts_in(row.get("fwd_choices"))
    )
    reverse, query = optional_text(row, "answer_rev"), optional_text(row, "query_rev")
    if not reverse or _SUBJECT not in query:  # some reverse queries of the source ask for nothing
        return
    right = subject if reverse == _SUBJECT else reverse
    stem = _blank(query.replace(_ANSWER, answer), _SUBJECT)
    yield probe(
        ProbeKind.REVERSE,
        polarity,
        f"{family}:reverse",
        stem,
        [right],
        before=[right] if polarity is Polarity.STAY else (),
        options=texts_in(row.get("rev_choices")),
    )


def _blank(query: str, asked: str) -> str:
    """A text to continue: what stands before the asked word, or the sentence with a blank where it is not the last."""
    if query.endswith(asked):
        return query.removesuffix(asked).rstrip()
    return f"Fill in the blank: {query.replace(asked, '____')}. Answer:"


def _case(builder: SetBuilder, name: str, edit: _Edit) -> Iterator[Record]:
    row, place = edit.row, edit.place
    try:
        subject, old, new = (
            builder.entity(place, text_field(row, key)).uid for key in ("subj", "orig_entity", "entity")
        )
        change = CaseChange(subject=subject, relation=CATEGORY, old_object=old, new_object=new)
        rewrite = probe(
            ProbeKind.DIRECT,
            Polarity.CHANGE,
            "rewrite",
            _blank(_CATEGORY_QUERY.replace(_SUBJECT, text_field(row, "subj")), _ANSWER),
            [text_field(row, "entity")],
            before=[text_field(row, "orig_entity")],
        )
    except Unusable as error:
        yield Rejection(place=place, reason=str(error))
        return
    probes = sorted(edit.probes, key=lambda found: (found.family, found.stem, found.answers))
    yield builder.case(place, name, Goal.EDIT, ((change,),), [rewrite, *dict.fromkeys(probes)])
