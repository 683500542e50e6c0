"""Tables of facts as people keep them: separated text, workbooks, JSON rows; what the columns hold is told or asked.

A row is a fact (subject, relation, object), an edge (source, target), or a subject with a relation a column; a table of
nodes beside one of edges describes the ends. How each file was read is a finding of the report. Things are named by
their own text: the text is the uid, and equal texts are one entity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import ClassVar, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, fit
from knowledgesmith.graph_schema.importing.formats.rows.cells import LISTED, NESTED, Source, TextRecord, source_of
from knowledgesmith.graph_schema.importing.formats.rows.column_words import STRONG, Role, heading
from knowledgesmith.graph_schema.importing.formats.rows.text import OTHER_ENCODING, is_other_encoding
from knowledgesmith.graph_schema.importing.formats.tables.layout import (
    NAMED_BY_IDS,
    Asked,
    Header,
    Layout,
    Plan,
    header_roles,
    plan_table,
)
from knowledgesmith.graph_schema.importing.formats.tables.marks import (
    denies,
    is_direction,
    is_label,
    is_no_value,
    names_nothing,
    truth_of,
    undirected,
)
from knowledgesmith.graph_schema.importing.formats.tables.names import NO_NAMES
from knowledgesmith.graph_schema.importing.formats.tables.options import SheetOptions
from knowledgesmith.graph_schema.importing.formats.tables.report import read_as
from knowledgesmith.graph_schema.importing.formats.tables.totals import not_a_thing
from knowledgesmith.graph_schema.importing.formats.tables.ways import Ways, counted, declared
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.literals import LITERAL, is_literal, not_finite
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    DeniedRecord,
    EntityRecord,
    FactRecord,
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
)
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, problem_with

SAMPLE: Final = 500
"""Rows that are looked at to tell what the columns hold."""
DEFAULT_RELATION: Final = "related_to"
_LATE_KEYS: Final = 100
"""Keys of later rows that are named one by one."""


class SheetImporter:
    """See the module."""

    name: ClassVar[str] = "sheet"
    summary: ClassVar[str] = (
        "own tables of facts: CSV, TSV, text, Excel, OpenDocument, JSON rows; with or without a header"
    )
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
        if len(sources) > 1:
            ends = frozenset(_ends(sources, plans))
            plans = [
                plan if plan.layout is Layout.FACTS else _plan(source, options, beside=True, ends=ends)
                for source, plan in zip(sources, plans, strict=True)
            ]
        if all(plan.layout is Layout.NODES for plan in plans):
            raise InvalidInput(
                "the tables describe nodes, and none has facts or edges",
                field="files",
                value=files[0].name,
                hint="Add the table of edges; or --option layout=wide makes a relation of each column.",
            )
        _check_names(plans, options.name_column)
        by_name = any(plan.layout is Layout.NODES for plan in plans)
        used: dict[str, Place] = {}
        readers = [
            _Reader(source, plan, options, used, by_name=by_name) for source, plan in zip(sources, plans, strict=True)
        ]
        any_direction = any(reader.has_direction for reader in readers)
        ways = Ways([reader.directions for reader in readers if any_direction], hierarchical=options.hierarchical)
        for reader in readers:
            yield from reader.read(ways.mixed)
        yield from ways.findings(used)
        yield from declared(options, used, ways.symmetric)


def _ends(sources: Sequence[Source], plans: Sequence[Plan]) -> Iterator[str]:
    """The first subjects and objects of tables of facts."""
    for source, plan in zip(sources, plans, strict=True):
        for role in (Role.SUBJECT, Role.OBJECT):
            yield from _sampled(source, plan, role)


def _plan(source: Source, options: SheetOptions, *, beside: bool, ends: frozenset[str] | None = None) -> Plan:
    found = list(islice(source.records(), SAMPLE))
    rows = [record.cells for record in found if isinstance(record, TextRecord)]
    if found and is_other_encoding(found[0]) and options.header is not Header.NO:
        # Without its first line the next one would be taken for what names the columns
        raise InvalidInput(
            f"{source.name} is not in the encoding {options.encoding}: its first line cannot be read",
            field="options.encoding",
            value=options.encoding,
            hint=f"{OTHER_ENCODING}; or save the file as UTF-8.",
        )
    if not rows:
        raise InvalidInput(
            f"{source.name} has no row that can be read",
            field="files",
            value=source.name,
            hint=f"Check its separator (--option separator=…) and its encoding: {OTHER_ENCODING}.",
        )
    asked = Asked(
        layout=options.layout,
        header=options.header,
        columns=options.columns,
        relation=options.relation,
        name_column=options.name_column,
        nodes_beside=beside,
        ends=ends,
    )
    return plan_table(source.name, rows, asked, named=source.named)


def _check_names(plans: Sequence[Plan], asked: str) -> None:
    """Refuse a column of names that no table has."""
    named = {plan.header[position] for plan in plans if (position := plan.column(Role.NAME)) is not None}
    if asked in {"", NO_NAMES} or heading(asked) in map(heading, named):
        return
    titles = dict.fromkeys(title for plan in plans if plan.layout is not Layout.FACTS for title in plan.header if title)
    raise InvalidInput(
        "no table of things has this column beside one of their ids",
        field="options.name_column",
        value=asked,
        hint=f"Name one of {', '.join(map(quote, titles))}."
        if titles
        else "Only tables of things have names beside ids.",
    )


def _sampled(source: Source, plan: Plan, role: Role) -> list[str]:
    """The first texts of a column of facts."""
    position = plan.column(role)
    if position is None or plan.layout is not Layout.FACTS:
        return []
    rows = [record.cells for record in islice(source.records(), SAMPLE) if isinstance(record, TextRecord)]
    return [row[position] for row in rows[bool(plan.header) :] if position < len(row)]


def layout_of(file: InputFile) -> Layout | None:
    """What a row is where a file beside others can be read as a table of facts, edges or nodes; else None.

    Facts under a header that names them are facts, whatever else in the table is refused.
    """
    source: Source | None = None
    try:
        source = source_of(file)
        return _plan(source, SheetOptions(), beside=True).layout
    except InvalidInput as error:
        if source is None:
            return None
        if error.field == "options.encoding" and file.name.casefold().endswith((".csv", ".tsv", ".tab")):
            return Layout.FACTS  # a table all the same, and the option may name its encoding
        rows = [record.cells for record in islice(source.records(), SAMPLE) if isinstance(record, TextRecord)]
        return Layout.FACTS if header_roles(source.name, rows) else None


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
        subjects = _sampled(source, plan, Role.SUBJECT)
        self._has_values = not (by_name or sum(map(is_literal, subjects)) > len(subjects) / 2)
        self._labelled = any(_sampled(source, plan, Role.LABEL))
        self._facts = self._entities = self._again = self._unlabelled = 0
        self._empty: Counter[str] = Counter()
        self._nested: Counter[str] = Counter()
        self._late: Counter[str] = Counter()
        self._mixed: Set[str] = frozenset()
        self._first_row: list[str] = []
        self._titles = [relation_name(title) for title in plan.header]

    @property
    def has_direction(self) -> bool:
        """Whether rows say that they hold one way or both."""
        return self._plan.column(Role.DIRECTION) is not None

    def directions(self) -> Iterator[tuple[str, bool]]:
        """The relation of each fact, and whether it holds both ways."""
        if self._plan.layout is Layout.WIDE:
            yield from ((self._titles[position], False) for position in self._plan.values)
        elif self._plan.layout is Layout.FACTS:
            for row in self._rows():
                if isinstance(row, tuple):
                    both = self._holds_both(row[1])
                    if both is not None:
                        yield self._relation(row[1]) or DEFAULT_RELATION, both

    def read(self, mixed: Set[str]) -> Iterator[Record]:
        """Records of the rows; a row of the relations ``mixed`` that holds both ways becomes two facts."""
        self._mixed = mixed
        for row in self._rows(count=True):
            if isinstance(row, Rejection | Finding):
                yield row
                continue
            record, cells = row
            self._first_row = self._first_row or list(map(quote, cells))
            yield from self._row(self._place(record), cells, record.late or {})
        yield from self._findings()

    def _rows(self, *, count: bool = False) -> Iterator[tuple[TextRecord, list[str]] | Rejection | Finding]:
        """The rows below the header that hold anything."""
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
            if not any(cells) and not record.late:
                continue
            if header and cells == header:
                self._again += count and not pending
                pending = False
                continue
            yield record, cells

    def _place(self, record: TextRecord) -> Place:
        return Place(file=self._source.name, record=record.line)

    def _row(self, place: Place, cells: list[str], late: Mapping[str, str]) -> Iterator[Record]:
        if problem := self._no_text(cells) or self._late_role(late):
            yield Rejection(place=place, reason=problem)
        elif self._plan.layout is Layout.FACTS:
            yield from self._fact_row(place, cells)
        elif self._plan.layout is Layout.WIDE:
            yield from self._wide_row(place, cells, late)
        else:
            yield from self._node(place, cells)
        if self._plan.layout is not Layout.WIDE:
            self._late.update(key if len(self._late) < _LATE_KEYS else "…" for key, cell in late.items() if cell)

    def _no_text(self, cells: list[str]) -> str:
        """Which part of a row holds an object of JSON, or a list where one text belongs; empty where none does."""
        if not self._source.named:
            return ""
        for position, role in self._plan.roles.items():
            cell = cells[position]
            if NESTED in cell and role is not Role.IGNORE:
                return f"{role} is {cell.partition(NESTED)[2].partition(LISTED)[0]}, not a text"
            if LISTED in cell and role not in {Role.OBJECT, Role.ALIASES, Role.IGNORE}:
                return f"{role} is a list, not one text: {', '.join(map(quote, cell.split(LISTED)[:3]))}"
        return ""

    def _late_role(self, late: Mapping[str, str]) -> str:
        """Why a row cannot be read whose new key says more about its fact than was known when roles were given."""
        if self._plan.layout is not Layout.FACTS:
            return ""
        relation = () if self._plan.column(Role.RELATION) is not None else STRONG[Role.RELATION]
        for key, cell in late.items():
            if cell and (is_label(key) or is_direction(key) or heading(key) in relation):
                return f"the key {quote(key)} is new to the {SAMPLE} rows before it, and says how a row is read"
        return ""

    def _relation(self, cells: list[str]) -> str:
        position = self._plan.column(Role.RELATION)
        return relation_name(cells[position] if position is not None else "") or self._options.relation

    def _holds_both(self, cells: list[str]) -> bool | None:
        """Whether a row holds both ways; None where its direction cannot be read."""
        position = self._plan.column(Role.DIRECTION)
        return False if position is None else undirected(self._title(position), cells[position])

    def _title(self, position: int) -> str:
        return self._plan.header[position] if position < len(self._plan.header) else ""

    def _truth(self, cells: list[str]) -> bool | None:
        """Whether a row is a fact by its label; None where the label cannot be read."""
        position = self._plan.column(Role.LABEL)
        if position is None:
            return True
        if not cells[position] and not self._labelled:
            self._unlabelled += 1
            return True
        truth = truth_of(cells[position])
        return truth if truth is None else truth is not denies(self._title(position))

    def _unread(self, what: Role, cells: list[str], choices: str) -> str:
        cell = cells[self._plan.column(what) or 0]
        return f"the {what} {f'{quote(cell)} is' if cell else 'is empty:'} neither {choices}"

    def _fact_row(self, place: Place, cells: list[str]) -> Iterator[Record]:
        plan = self._plan
        roles = {role: cells[position] for position, role in plan.roles.items()}
        truth, both, relation = self._truth(cells), self._holds_both(cells), self._relation(cells)
        if truth is None:
            yield Rejection(place=place, reason=self._unread(Role.LABEL, cells, "true nor false"))
            return
        if both is None:
            yield Rejection(place=place, reason=self._unread(Role.DIRECTION, cells, "directed nor undirected"))
            return
        if not relation:
            if Role.RELATION in roles and Role.DIRECTION not in roles:
                yield Rejection(place=place, reason="relation is empty")
                return
            relation = DEFAULT_RELATION
            if Role.RELATION in roles:
                yield Finding(place=place, kind=FindingKind.DEFAULTED, text=f"no relation; it is {relation!r}")
        source = clean(roles.get(Role.SOURCE, ""))
        for text in self._objects(roles[Role.OBJECT]):
            if is_no_value(text):
                self._empty[text] += 1
                continue
            subject = self._text(roles[Role.SUBJECT])
            yield from self._statement(place, subject, relation, text, truth=truth, source=source)
            if both and relation in self._mixed and text != subject:
                yield from self._statement(place, text, relation, subject, truth=truth, source=source)

    def _statement(
        self, place: Place, subject: str, relation: str, obj: str, *, truth: bool, source: str
    ) -> Iterator[Record]:
        """A fact, or one that its label denies."""
        if truth:
            yield from self._fact(place, subject, relation, obj, source=source)
        else:
            yield DeniedRecord(place=place, subject=fit(subject), relation=relation, object=fit(obj))

    def _wide_row(self, place: Place, cells: list[str], late: Mapping[str, str]) -> Iterator[Record]:
        plan = self._plan
        subject = self._text(cells[plan.column(Role.SUBJECT) or 0])
        if not subject or not_finite(subject) or names_nothing(subject):
            yield Rejection(place=place, reason=f"no subject in {plan.name(plan.column(Role.SUBJECT) or 0)}")
            return
        name_column = plan.column(Role.NAME)
        if name_column is None and not any([cells[position] for position in plan.values] + list(late.values())):
            text = f"a row without any value is left out: {quote(subject)}"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text)
            return
        if said := not_a_thing(subject):
            yield Finding(place=place, kind=FindingKind.NOTE, text=said)
        self._entities += 1
        name = self._text(cells[name_column]) if name_column is not None else subject
        yield EntityRecord(place=place, uid=fit(subject), name=name[:MAX_NAME], domain=self._options.domain, merge=True)
        values = [(self._titles[position], cells[position]) for position in plan.values]
        for relation, cell in (*values, *((relation_name(key), cell) for key, cell in late.items())):
            if self._source.named and NESTED in cell:
                self._nested[relation] += 1
                continue
            for text in self._objects(cell) if cell else ():
                if is_no_value(text):
                    self._empty[text] += 1
                else:
                    yield from self._fact(place, subject, relation, text)

    def _node(self, place: Place, cells: list[str]) -> Iterator[Record]:
        roles = {role: self._text(cells[position]) for position, role in self._plan.roles.items()}
        uid = roles[Role.ID]
        if not uid:
            yield Rejection(place=place, reason="the node has no id")
            return
        self._entities += 1
        aliases = cells[self._plan.column(Role.ALIASES) or 0] if Role.ALIASES in roles else ""
        yield EntityRecord(
            place=place,
            uid=fit(uid),
            name=roles.get(Role.NAME) or uid[:MAX_NAME],
            type=roles.get(Role.TYPE, ""),
            domain=roles.get(Role.DOMAIN, "") or self._options.domain,
            aliases=tuple(filter(None, map(clean, aliases.replace(LISTED, "|").split("|")))),
            merge=True,
        )

    def _fact(self, place: Place, subject: str, relation: str, obj: str, *, source: str = "") -> Iterator[Record]:
        for what, text in (("subject", subject), ("object", obj)):
            if names_nothing(text) and not not_finite(text):
                yield Rejection(place=place, reason=f"{what} says that there is none: {quote(text)}")
                return
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
            said = ", ".join(f"{text} {number:,}" for text, number in self._empty.most_common(5))
            text = f"cells that say there is no value ({said})"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=self._empty.total())
        for key, number in sorted(self._late.items()):
            text = f"the key {quote(key)}, which no row before had, is no part of a fact"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=number)
        for title, number in sorted(self._nested.items()):
            text = f"{quote(title)} holds JSON objects, which are no texts"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=number)
        if self._unlabelled:
            text = "rows without a label in a column of labels without any; they are taken as facts"
            yield Finding(place=place, kind=FindingKind.DEFAULTED, text=text, count=self._unlabelled)
        if NAMED_BY_IDS in plan.why:
            text = f"{NAMED_BY_IDS}, so ids are the names; --option name_column=… says which one holds them"
            yield Finding(place=place, kind=FindingKind.NAMED_BY_ID, text=text, count=self._entities)
        if plan.layout is not Layout.WIDE:
            for position in plan.values:
                text = f"{plan.name(position)} is no part of a fact"
                yield Finding(place=place, kind=FindingKind.IGNORED, text=text)
        if plan.layout is Layout.FACTS and plan.column(Role.RELATION) is None and not self._options.relation:
            text = f"no column holds a relation, so it is {DEFAULT_RELATION!r}; --option relation=… names it"
            yield Finding(place=place, kind=FindingKind.DEFAULTED, text=text, count=max(self._facts, 1))

    def _said(self) -> str:
        nodes = self._plan.layout is Layout.NODES
        return read_as(
            self._plan,
            self._titles,
            counted(self._entities, "node") if nodes else counted(self._facts, "fact"),
            first_row=self._first_row,
            how=self._source.how,
            named=self._source.named,
        )


def relation_name(text: str) -> str:
    """A relation's name from a cell, without the signs that write chains."""
    return clean(text).replace("|", "/").lstrip("~")
