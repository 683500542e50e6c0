"""Tables of facts as people keep them: separated text, workbooks, JSON rows; what the columns hold is told or asked.

A row is a fact (subject, relation, object), an edge (source, target), or a subject with a relation a column; a table of
nodes beside one of edges describes the ends. How each file was read is a finding of the report. Things are named by
their own text: the text is the uid, and equal texts are one entity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import ClassVar, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.facts import Relation, Traits
from knowledgesmith.graph_schema.importing.formats.literals import LITERAL, is_literal, not_finite
from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, fit
from knowledgesmith.graph_schema.importing.formats.table_cells import LISTED, Source, TextRecord, source_of
from knowledgesmith.graph_schema.importing.formats.table_layout import Asked, Header, Layout, Plan, plan_table
from knowledgesmith.graph_schema.importing.formats.table_words import Role
from knowledgesmith.graph_schema.importing.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.problems import quote
from knowledgesmith.graph_schema.importing.records import (
    DeniedRecord,
    EntityRecord,
    FactRecord,
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
    RelationRecord,
)
from knowledgesmith.graph_schema.text_checks import MAX_NAME, problem_with

SAMPLE: Final = 500
"""Rows that are looked at to tell what the columns hold."""
DEFAULT_RELATION: Final = "related_to"
_EMPTY: Final = frozenset({"-", "--", "\u2013", "\u2014", "?", "n/a", "N/A", "#N/A", "null", "NULL", "NaN", "nan"})
_TRUE: Final = frozenset({"1", "true", "+1", "1.0"})


class SheetOptions(ImportOptions):
    """What a table does not say by itself."""

    columns: tuple[str, ...] = ()
    """What the columns hold, from the left: ``subject``, ``relation``, ``object``, ``source`` (of the fact), ``label``
    (true or false), ``direction``; ``-`` leaves one out. Empty = told from the header or the rows."""
    header: Header = Header.AUTO
    """Whether the first row names the columns: ``auto``, ``yes`` or ``no``."""
    layout: Layout = Layout.AUTO
    """A row is a fact (``facts``), a subject with a relation a column (``wide``), or a node of edges (``nodes``)."""
    separator: str = ""
    """Between columns; empty = told from the rows. ``tab`` is a tab."""
    encoding: str = "utf-8"
    """Of all text files."""
    relation: str = ""
    """Relation of a table that has a subject and an object only."""
    split: str = ""
    """Sign between several objects in one cell; empty = a cell is one object."""
    sheet: str = ""
    """Name of a workbook's sheet; empty = its first one that is not empty."""
    hierarchical: tuple[str, ...] = ()
    """Relations from child to parent."""
    transitive: tuple[str, ...] = ()
    """Relations that are transitive."""
    symmetric: tuple[str, ...] = ()
    """Relations that are symmetric."""
    functional: tuple[str, ...] = ()
    """Relations with one object for each subject."""
    domain: str = ""
    """Domain of the entities that a table of nodes or a wide table describes."""


class SheetImporter:
    """See the module."""

    name: ClassVar[str] = "sheet"
    summary: ClassVar[str] = "own tables of facts: CSV, TSV, text, Excel, JSON rows; with or without a header"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = SheetOptions

    def read(self, files: Sequence[InputFile], options: SheetOptions) -> Iterator[Record]:
        """Records of the tables (see ``Importer``).

        Raises:
            InvalidInput: what a table holds cannot be told; the hint names the options that say it.
        """
        sources = [
            source_of(file, separator=options.separator, encoding=options.encoding, sheet=options.sheet)
            for file in files
        ]
        plans = [_plan(source, options, beside=len(sources) > 1) for source in sources]
        if all(plan.layout is Layout.NODES for plan in plans):
            raise InvalidInput(
                "the tables describe nodes, and none has facts or edges",
                field="files",
                value=files[0].name,
                hint="Add the table of edges; or --option layout=wide makes a relation of each column.",
            )
        by_name = any(plan.layout is Layout.NODES for plan in plans)
        used: dict[str, Place] = {}
        for source, plan in zip(sources, plans, strict=True):
            yield from _Reader(source, plan, options, used, by_name=by_name).read()
        yield from _relations(options, used)


def _plan(source: Source, options: SheetOptions, *, beside: bool) -> Plan:
    rows = [record.cells for record in islice(source.records(), SAMPLE) if isinstance(record, TextRecord)]
    if not rows:
        raise InvalidInput(
            f"{source.name} has no row", field="files", value=source.name, hint="Check its encoding and separator."
        )
    asked = Asked(
        layout=options.layout,
        header=options.header,
        columns=options.columns,
        relation=options.relation,
        nodes_beside=beside,
    )
    return plan_table(source.name, rows, asked, named=source.named)


def _numbers_are_subjects(source: Source, plan: Plan) -> bool:
    position = plan.column(Role.SUBJECT)
    rows = [record.cells for record in islice(source.records(), SAMPLE) if isinstance(record, TextRecord)]
    if position is None or plan.layout is not Layout.FACTS:
        return False
    subjects = [row[position] for row in rows[bool(plan.header) :] if position < len(row)]
    return sum(map(is_literal, subjects)) > len(subjects) / 2


def is_table(file: InputFile, options: SheetOptions, *, beside: bool) -> bool:
    """Whether a file can be read as a table of facts, edges or nodes."""
    try:
        _plan(source_of(file), options, beside=beside)
    except InvalidInput:
        return False
    return True


def _relations(options: SheetOptions, used: dict[str, Place]) -> Iterator[Record]:
    """What the options say about relations."""
    spoken = {*options.hierarchical, *options.transitive, *options.symmetric, *options.functional}
    if unknown := sorted(spoken - used.keys()):
        raise InvalidInput(
            "no row has this relation",
            field="options",
            value=unknown[0],
            hint=f"Name relations as the table does: {', '.join(sorted(used)[:10])}.",
        )
    for name in sorted(spoken):
        traits = Traits(
            functional=name in options.functional,
            symmetric=name in options.symmetric,
            transitive=name in options.transitive,
            hierarchical=name in options.hierarchical,
        )
        yield RelationRecord(place=used[name], relation=Relation(name=name, rel_type="", traits=traits))


class _Reader:
    """Turns the rows of one file into records."""

    def __init__(
        self, source: Source, plan: Plan, options: SheetOptions, used: dict[str, Place], *, by_name: bool
    ) -> None:
        self._source = source
        self._plan = plan
        self._options = options
        self._used = used
        self._by_name = by_name
        # Where numbers are the subjects, or name nodes, they are ids
        self._has_values = not (by_name or _numbers_are_subjects(source, plan))
        self._facts = self._entities = self._empty = self._again = 0
        self._first_row: list[str] = []
        self._titles = [relation_name(title) for title in plan.header]

    def read(self) -> Iterator[Record]:
        header = list(self._plan.header)
        pending = bool(header)
        for record in self._source.records():
            if isinstance(record, Rejection | Finding):
                yield record
                continue
            cells = [*record.cells, *[""] * self._plan.width]
            if any(cells[self._plan.width :]):
                place = self._place(record)
                reason = f"has {len(record.cells)} cells, the table has {self._plan.width} columns"
                yield Rejection(place=place, reason=reason)
                continue
            cells = cells[: self._plan.width]
            if not any(cells):
                continue
            if header and cells == header:
                self._again += not pending
                pending = False
                continue
            self._first_row = self._first_row or list(map(quote, cells))
            yield from self._row(self._place(record), cells)
        yield from self._findings()

    def _place(self, record: TextRecord) -> Place:
        return Place(file=self._source.name, record=record.line)

    def _row(self, place: Place, cells: list[str]) -> Iterator[Record]:
        if self._plan.layout is Layout.FACTS:
            yield from self._fact_row(place, cells)
        elif self._plan.layout is Layout.WIDE:
            yield from self._wide_row(place, cells)
        else:
            yield from self._node(place, cells)

    def _fact_row(self, place: Place, cells: list[str]) -> Iterator[Record]:
        roles = {role: cells[position] for position, role in self._plan.roles.items()}
        label = roles.get(Role.LABEL, "").casefold()
        relation = relation_name(roles.get(Role.RELATION, "")) or self._options.relation
        if not relation:
            if Role.RELATION in roles and Role.DIRECTION not in roles:
                yield Rejection(place=place, reason="relation is empty")
                return
            relation = DEFAULT_RELATION
            if Role.RELATION in roles:
                yield Finding(place=place, kind=FindingKind.DEFAULTED, text=f"no relation; it is {relation!r}")
        subject = self._text(roles[Role.SUBJECT])
        for text in self._objects(roles[Role.OBJECT]):
            if label and label not in _TRUE:
                yield DeniedRecord(place=place, subject=fit(subject), relation=relation, object=fit(text))
                continue
            yield from self._fact(place, subject, relation, text, source=clean(roles.get(Role.SOURCE, "")))

    def _wide_row(self, place: Place, cells: list[str]) -> Iterator[Record]:
        plan = self._plan
        subject = self._text(cells[plan.column(Role.SUBJECT) or 0])
        if not subject or not_finite(subject):
            yield Rejection(place=place, reason=f"no subject in {plan.name(plan.column(Role.SUBJECT) or 0)}")
            return
        name_column = plan.column(Role.NAME)
        name = self._text(cells[name_column]) if name_column is not None else subject
        yield EntityRecord(place=place, uid=fit(subject), name=name[:MAX_NAME], domain=self._options.domain, merge=True)
        for position in plan.values:
            if cells[position] in _EMPTY:
                self._empty += 1
                continue
            for text in self._objects(cells[position]) if cells[position] else ():
                yield from self._fact(place, subject, self._titles[position], text)

    def _node(self, place: Place, cells: list[str]) -> Iterator[Record]:
        roles = {role: self._text(cells[position]) for position, role in self._plan.roles.items()}
        uid = roles[Role.ID]
        if not uid:
            yield Rejection(place=place, reason="the node has no id")
            return
        self._entities += 1
        yield EntityRecord(
            place=place,
            uid=fit(uid),
            name=roles.get(Role.NAME) or uid[:MAX_NAME],
            type=roles.get(Role.TYPE, ""),
            domain=roles.get(Role.DOMAIN, "") or self._options.domain,
            aliases=tuple(filter(None, (part.strip() for part in roles.get(Role.ALIASES, "").split("|")))),
            merge=True,
        )

    def _fact(self, place: Place, subject: str, relation: str, obj: str, *, source: str = "") -> Iterator[Record]:
        for what, text in (("subject", subject), ("object", obj)):
            if not_finite(text):
                yield Rejection(place=place, reason=f"{what} is no finite number: {quote(text)}")
                return
            if problem := problem_with(text, limit=MAX_NAME):
                yield Rejection(place=place, reason=f"{what} {problem}{f': {quote(text)}' if text else ''}")
                return
        self._facts += 1
        first = self._used.get(relation)
        if first is None or place < first:
            self._used[relation] = place
        if self._has_values and is_literal(obj):
            yield EntityRecord(place=place, uid=obj, name=obj, type=LITERAL, merge=True)
        yield FactRecord(
            place=place,
            subject=fit(subject),
            relation=relation,
            object=fit(obj),
            source=source,
            by_name=self._by_name,
            create_missing=True,
        )

    def _objects(self, cell: str) -> list[str]:
        parts = cell.split(LISTED) if LISTED in cell else [cell]
        if self._options.split:
            parts = [piece for part in parts for piece in part.split(self._options.split)]
        texts = [self._text(part) for part in parts]
        return [text for text in texts if text] or texts[:1]

    @staticmethod
    def _text(cell: str) -> str:
        return clean(cell)

    def _findings(self) -> Iterator[Finding]:
        plan, place = self._plan, Place(file=self._source.name)
        yield Finding(place=place, kind=FindingKind.READ_AS, text=self._said(), count=1)
        if self._again:
            text = "rows that repeat the header"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=self._again)
        if self._empty:
            text = "cells that say there is no value (-, ?, n/a, null, NaN)"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=self._empty)
        if plan.layout is not Layout.WIDE:
            for position in plan.values:
                text = f"{plan.name(position)} is no part of a fact"
                yield Finding(place=place, kind=FindingKind.IGNORED, text=text)
        if plan.layout is Layout.FACTS and plan.column(Role.RELATION) is None and not self._options.relation:
            text = f"no column holds a relation, so it is {DEFAULT_RELATION!r}; --option relation=… names it"
            yield Finding(place=place, kind=FindingKind.DEFAULTED, text=text, count=max(self._facts, 1))

    def _said(self) -> str:
        plan = self._plan
        if plan.layout is Layout.WIDE:
            subject = plan.column(Role.SUBJECT) or 0
            relations = ", ".join(self._titles[position] for position in plan.values[:5])
            more = f" and {len(plan.values) - 5} more" if len(plan.values) > 5 else ""
            what = f"a subject a row, {plan.name(subject)}; a relation a column: {relations}{more}"
        else:
            order = list(Role)
            roles = sorted(plan.roles.items(), key=lambda item: order.index(item[1]))
            what = ", ".join(f"{role}={plan.name(position)}" for position, role in roles)
        number = _counted(self._entities, "node") if plan.layout is Layout.NODES else _counted(self._facts, "fact")
        shown = ", ".join(self._first_row[:4])
        header = "first row taken as header" if plan.header else f"no header, the first row is data ({shown})"
        if self._source.named:
            header = "columns are named by keys"
        return f"{what}; {number}; {header}; {self._source.how}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def relation_name(text: str) -> str:
    """A relation's name from a cell, without the signs that write chains."""
    return clean(text).replace("|", "/").lstrip("~")
