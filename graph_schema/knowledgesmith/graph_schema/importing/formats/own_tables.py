"""The project's own tables: entities, relations, facts and templates, one file or more each, told by role or name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import islice
from pathlib import PurePosixPath
from typing import ClassVar, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rows.rows import (
    ENDINGS,
    Columns,
    Row,
    TableFormat,
    format_of,
    header_fits,
    read_rows,
)
from knowledgesmith.graph_schema.importing.formats.tables.fields import Fields
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    EntityRecord,
    FactRecord,
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
    RelationRecord,
    TemplateRecord,
)
from knowledgesmith.graph_schema.types.facts import Direction, Form, Relation, Split, Template, Traits


class FileRole(StrEnum):
    """What a table holds."""

    ENTITIES = "entities"
    RELATIONS = "relations"
    FACTS = "facts"
    TEMPLATES = "templates"


_LOOKED_AT: Final = 50
"""First rows of a file without a header that may show its columns."""
_FLAGS: Final = ("functional", "inverse_functional", "symmetric", "transitive", "hierarchical")
_TEMPLATE_KEYS: Final = frozenset({"direction", "split", "form", "text"})
_COLUMNS: Final[Mapping[FileRole, Columns]] = {
    FileRole.ENTITIES: Columns(
        allowed=frozenset({"uid", "name", "type", "domain", "aliases"}), required=("uid", "name")
    ),
    FileRole.RELATIONS: Columns(
        allowed=frozenset(
            {
                *("name", "rel_type", "domain_type", "range_type", "inverse_of", "composed_of", "compositions"),
                *("sub_of", *_FLAGS),
            }
        ),
        required=("name",),
    ),
    FileRole.FACTS: Columns(
        allowed=frozenset({"subject", "relation", "object", "source"}), required=("subject", "relation", "object")
    ),
    FileRole.TEMPLATES: Columns(
        allowed=_TEMPLATE_KEYS | {"relation"}, required=("relation", "direction", "split", "form", "text")
    ),
}
_ORDER: Final = (FileRole.RELATIONS, FileRole.ENTITIES, FileRole.TEMPLATES, FileRole.FACTS)


class TablesOptions(ImportOptions):
    """None: the roles say it all."""


class TablesImporter:
    """Reads the four tables. Facts name entities by uid, or by a name that only one entity has.

    Without a relations table, the relations are those that the facts name, with no traits; with one, a fact of another
    relation is rejected.
    """

    name: ClassVar[str] = "tables"
    summary: ClassVar[str] = "tables of entities, relations, facts and templates (CSV, TSV, JSONL, Parquet)"
    endings: ClassVar[tuple[str, ...]] = tuple(ENDINGS)
    options: ClassVar[type[ImportOptions]] = TablesOptions

    @staticmethod
    def knows(file: InputFile) -> bool:
        """Whether a file's role, or its name and ending, is one of these tables."""
        if file.role:
            return file.role in set(FileRole)
        return PurePosixPath(file.name).suffix.lower() in ENDINGS and role_of(file) is not None

    @staticmethod
    def describe(files: Sequence[InputFile]) -> bool:
        """Whether files that are known describe more than facts, by the columns that these tables have."""
        known = [(file, role) for file in files if (role := role_of(file)) is not None]
        fitting = [role for file, role in known if file.role or header_fits(file, _COLUMNS[role])]
        return FileRole.ENTITIES in fitting or (len(fitting) == len(files) and set(fitting) != {FileRole.FACTS})

    @staticmethod
    def holds_facts(file: InputFile) -> bool:
        """Whether a file of any name can be read as a table of facts, by its ending and its columns."""
        if PurePosixPath(file.name).suffix.lower() not in ENDINGS:
            return False
        if format_of(file.name) in {TableFormat.JSONL, TableFormat.PARQUET}:
            rows = islice(read_rows(file, _COLUMNS[FileRole.FACTS]), _LOOKED_AT)
            return any(isinstance(row, Row) for row in rows)
        return header_fits(file, _COLUMNS[FileRole.FACTS])

    def read(self, files: Sequence[InputFile], options: TablesOptions) -> Iterator[Record]:  # noqa: ARG002 - protocol
        """Records of the tables.

        Raises:
            InvalidInput: a file has neither a role nor a name that tells it.
        """
        roles = [(file, _require_role(file)) for file in files]
        return self._read(roles)

    def _read(self, roles: list[tuple[InputFile, FileRole]]) -> Iterator[Record]:
        described = any(role is FileRole.ENTITIES for _, role in roles)
        if not described:
            text = "no table of entities: the ends of facts are named by their own text"
            yield Finding(place=Place(file="(no file)"), kind=FindingKind.DEFAULTED, text=text)
        declared: set[str] | None = None
        for wanted in _ORDER:
            for file, role in roles:
                if role is not wanted:
                    continue
                if role is FileRole.FACTS:
                    yield from _facts(file, declared, create_missing=not described)
                elif role is FileRole.RELATIONS:
                    declared = set() if declared is None else declared
                    yield from _relations(file, declared)
                else:
                    yield from _entities(file) if role is FileRole.ENTITIES else _templates(file)


def role_of(file: InputFile) -> FileRole | None:
    """The role of a file: the one it was given, else the one its name starts with."""
    if file.role:
        return FileRole(file.role) if file.role in set(FileRole) else None
    stem = PurePosixPath(file.name).name.lower()
    return next((role for role in FileRole if stem.startswith(role.value)), None)


def _require_role(file: InputFile) -> FileRole:
    role = role_of(file)
    if role is None:
        raise InvalidInput(
            "the name or role of a table tells what it holds",
            field="files",
            value=file.role or file.name,
            hint=f"Let the name start with one of {', '.join(FileRole)}, give that role, or name another format.",
        )
    return role


def _rejected(row: Row, problems: Sequence[str]) -> Rejection:
    return Rejection(place=row.place, reason="; ".join(problems))


def _entities(file: InputFile) -> Iterator[Record]:
    for row in read_rows(file, _COLUMNS[FileRole.ENTITIES]):
        if isinstance(row, Rejection):
            yield row
            continue
        fields = Fields(row.values)
        record = EntityRecord(
            place=row.place,
            uid=fields.text("uid"),
            name=fields.text("name"),
            type=fields.text("type"),
            domain=fields.text("domain"),
            aliases=fields.texts("aliases"),
        )
        yield _rejected(row, fields.problems) if fields.problems else record


def _relations(file: InputFile, declared: set[str]) -> Iterator[Record]:
    columns = _COLUMNS[FileRole.RELATIONS]
    if format_of(file.name) in {TableFormat.JSONL, TableFormat.PARQUET}:
        columns = replace(columns, allowed=columns.allowed | {"templates"})
    for row in read_rows(file, columns):
        if isinstance(row, Rejection):
            yield row
            continue
        fields = Fields(row.values)
        flags = {flag: fields.flag(flag) for flag in _FLAGS}
        relation = Relation(
            name=fields.text("name"),
            rel_type=fields.text("rel_type"),
            domain_type=fields.text("domain_type"),
            range_type=fields.text("range_type"),
            traits=Traits(
                **flags,
                inverse_of=fields.text("inverse_of") or None,
                composed_of=_pair(fields),
                compositions=_pairs(fields),
                sub_of=fields.texts("sub_of"),
            ),
            templates=tuple(_embedded_templates(fields)),
        )
        if fields.problems:
            yield _rejected(row, fields.problems)
            continue
        declared.add(relation.name)
        yield RelationRecord(place=row.place, relation=relation)


def _pair(fields: Fields) -> tuple[str, ...]:
    """``composed_of``: unlike other lists it may name one relation twice (father of a father)."""
    value = fields.values.get("composed_of")
    doubled = value.split("|") if isinstance(value, str) else value
    parts = fields.texts("composed_of")
    return parts * 2 if isinstance(doubled, list) and len(doubled) == 2 and len(parts) == 1 else parts


def _pairs(fields: Fields) -> tuple[tuple[str, ...], ...]:
    """``compositions``: pairs as ``composed_of`` writes them, separated by semicolons or in a list."""
    value = fields.values.get("compositions")
    items = value.split(";") if isinstance(value, str) else value if isinstance(value, list) else []
    if not isinstance(value, str | list | None) or not all(isinstance(item, str) for item in items):
        fields.problems.append(f"compositions is not a list of pairs first|second: {quote(value)}")
        return ()
    texts = (str(item) for item in items)
    return tuple(tuple(part.strip() for part in text.split("|")) for text in texts if text.strip())


def _embedded_templates(fields: Fields) -> Iterator[Template]:
    items = fields.values.get("templates")
    if items is None:
        return
    if not isinstance(items, list):
        fields.problems.append(f"templates is not a list: {quote(items)}")
        return
    for item in items:
        if not isinstance(item, dict) or set(item) - _TEMPLATE_KEYS:
            fields.problems.append(f"a template is an object of direction, split, form, text: {quote(item)}")
            continue
        inner = Fields({str(key): value for key, value in item.items()})
        template = _template(inner)
        fields.problems += inner.problems
        if template is not None:
            yield template


def _templates(file: InputFile) -> Iterator[Record]:
    for row in read_rows(file, _COLUMNS[FileRole.TEMPLATES]):
        if isinstance(row, Rejection):
            yield row
            continue
        fields = Fields(row.values)
        relation, template = fields.text("relation"), _template(fields)
        if template is None or fields.problems:
            yield _rejected(row, fields.problems)
        else:
            yield TemplateRecord(place=row.place, relation=relation, template=template)


def _template(fields: Fields) -> Template | None:
    direction = fields.choice("direction", Direction)
    split = fields.choice("split", Split)
    form = fields.choice("form", Form)
    text = fields.text("text")
    if direction is None or split is None or form is None or fields.problems:
        return None
    return Template(direction=direction, split=split, form=form, text=text)


def _facts(file: InputFile, declared: set[str] | None, *, create_missing: bool) -> Iterator[Record]:
    for row in read_rows(file, _COLUMNS[FileRole.FACTS]):
        if isinstance(row, Rejection):
            yield row
            continue
        fields = Fields(row.values)
        relation = fields.text("relation")
        record = FactRecord(
            place=row.place,
            subject=fields.text("subject"),
            relation=relation,
            object=fields.text("object"),
            source=fields.text("source"),
            by_name=True,
            create_missing=create_missing,
        )
        if fields.problems:
            yield _rejected(row, fields.problems)
        elif declared is not None and relation not in declared:
            yield _rejected(row, [f"unknown relation {quote(relation)}; declare it in the relations file"])
        else:
            yield record
