"""Mappings: documents that say which columns or paths of foreign tables are entities, facts and relations.

A mapping is YAML or JSON::

    files:
      - match: countries*.json          # by name or role; the first that fits is used
        entities:
          - uid: cca3                   # a path: keys parted by dots, * = every value, @key = the key of an ``each``
            name: name.common
            type: Country               # a constant; {path: …} reads it from the record
            facts:
              - relation: borders
                object: borders         # a uid
              - relation: language
                each: languages.*
                object: {path: "@key"}
                name: ""                # the element itself
                make: {type: Language, prefix: "language:"}
    relations:
      - name: borders
        symmetric: true
        train: ["{s} borders"]

Names in a mapping are only compared with keys and names of files; they never become a path, a query or code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Self, cast

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.facts import Direction, Form, Relation, Split, Template, Traits
from knowledgesmith.graph_schema.importing.importer import InputFile
from knowledgesmith.graph_schema.importing.problems import in_words

MAX_BYTES: Final = 1 << 18
"""Longest document (256 KiB)."""
_FOLDER: Final = "knowledgesmith.graph_schema.importing"
_RAW: Final = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Case(StrEnum):
    """How letters are changed."""

    KEEP = "keep"
    TITLE = "title"
    LOWER = "lower"
    UPPER = "upper"


class TableFormat(StrEnum):
    """How a file is written; ``AUTO`` asks its ending, then its first bytes."""

    AUTO = "auto"
    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    PARQUET = "parquet"


class Pick(BaseModel):
    """Where a text is and what is done to it, in this order: after, before, split, words, case, map, prefix.

    Attributes:
        path: keys down to the value; several values where it names a list or ``*``.
        after: keep what stands behind the last of these signs (nothing where they lack).
        before: keep what stands before the first of these signs.
        split: part the text here.
        words: underscores become blanks.
        map: replaces whole texts.
        prefix: put in front.
        skip: texts that mean nothing (an empty one always does).
        unless: patterns (``*``, ``?``, ``[0-9]``) of texts that are rejected and reported.
    """

    model_config = _RAW

    path: str = ""
    after: str = ""
    before: str = ""
    split: str = ""
    words: bool = False
    case: Case = Case.KEEP
    map: Mapping[str, str] = Field(default_factory=dict[str, str])
    prefix: str = ""
    skip: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


def _pick(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _picks(value: Any) -> Any:
    if value is None:
        return ()
    return tuple(_pick(item) for item in (cast("list[Any]", value) if isinstance(value, list | tuple) else [value]))


def _texts(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


APick = Annotated[Pick, BeforeValidator(_pick)]
SomePicks = Annotated[tuple[Pick, ...], BeforeValidator(_picks)]
ConstantOrPick = str | Pick
Conditions = Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_texts)]]


class Make(BaseModel):
    """Makes an entity of a fact's object; entities of one uid merge.

    The uid is ``prefix``, the text of ``scope`` in the record (so that equal names of different things stay apart), and
    the object's text, normalised.
    """

    model_config = _RAW

    type: str = ""
    domain: str = ""
    prefix: str = ""
    scope: APick | None = None
    aliases: SomePicks = ()


class FactMap(BaseModel):
    """A fact for every object found. Paths below ``each`` start at its element.

    Attributes:
        relation: name of the relation, a constant.
        object: uid (or, with ``by_name``, name) of an entity that exists; with ``make`` what its uid is made of.
        each: path to elements; empty = the record itself.
        name: name of a made entity; the object's text by default.
        reverse: the object is the fact's subject.
        where: path to allowed texts; all must hold.
    """

    model_config = _RAW

    relation: str = Field(min_length=1)
    object: APick
    each: str = ""
    name: APick | None = None
    make: Make | None = None
    by_name: bool = False
    reverse: bool = False
    where: Conditions = Field(default_factory=dict[str, tuple[str, ...]])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.make is None and self.name is not None:
            raise ValueError("name is for made entities: add make")
        if self.make is not None and self.by_name:
            raise ValueError("by_name and make exclude each other")
        return self


class EntityMap(BaseModel):
    """One entity of a record; without ``name`` it only refers to one that exists, as the subject of facts.

    ``name`` lists picks of which the first that gives a text counts; ``scope`` is as in ``Make``. A record without a
    uid is rejected, unless the entity is ``optional``.
    """

    model_config = _RAW

    uid: APick
    scope: APick | None = None
    name: SomePicks = ()
    type: ConstantOrPick = ""
    domain: ConstantOrPick = ""
    aliases: SomePicks = ()
    merge: bool = False
    optional: bool = False
    where: Conditions = Field(default_factory=dict[str, tuple[str, ...]])
    facts: tuple[FactMap, ...] = ()


class Join(BaseModel):
    """Adds columns of another file under the key ``into``, where both have the same text in ``key``."""

    model_config = _RAW

    match: str
    key: str
    columns: tuple[str, ...] = Field(min_length=1)
    into: str


class FileMap(BaseModel):
    """What the records of a file are. ``path`` leads to the list in a JSON file.

    ``recurse`` is the path, within a record, to records of the same kind: a tree of any depth is read with one mapping.
    Below it ``@parent`` is the record above (``object: "@parent.id"``), ``@key`` the key under which a record stands
    where the path ends with ``*``, and ``@value`` a record that is a bare text.
    """

    model_config = _RAW

    match: str = "*"
    format: TableFormat = TableFormat.AUTO
    path: str = ""
    recurse: str = ""
    encoding: str = "utf-8"
    delimiter: str = Field(default="", max_length=1)
    join: tuple[Join, ...] = ()
    entities: tuple[EntityMap, ...] = Field(min_length=1)

    def fits(self, file: InputFile) -> bool:
        """Whether the file's role or name (case aside, folders left out) is meant."""
        name = file.name.replace("\\", "/").rpartition("/")[2].casefold()
        return self.match == file.role or fnmatchcase(name, self.match.casefold())


class RelationMap(BaseModel):
    """A relation with its traits and phrasings.

    ``train`` and ``eval`` are texts: with both ends a statement, with a question mark at the end a question, else a
    cloze; naming only ``{o}`` it asks backwards. ``phrases`` are noun phrases for chains.
    """

    model_config = _RAW

    name: str = Field(min_length=1)
    domain_type: str = ""
    range_type: str = ""
    functional: bool = False
    inverse_functional: bool = False
    symmetric: bool = False
    transitive: bool = False
    hierarchical: bool = False
    inverse_of: str = ""
    composed_of: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    eval: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    def relation(self) -> Relation:
        """The catalogue entry."""
        traits = Traits(
            functional=self.functional,
            inverse_functional=self.inverse_functional,
            symmetric=self.symmetric,
            transitive=self.transitive,
            hierarchical=self.hierarchical,
            inverse_of=self.inverse_of or None,
            composed_of=self.composed_of,
        )
        templates = (
            *(_template(text, Split.TRAIN) for text in self.train),
            *(_template(text, Split.EVAL) for text in self.eval),
            *(_template(text, Split.EVAL, form=Form.PHRASE) for text in self.phrases),
        )
        return Relation(
            name=self.name,
            rel_type="",
            domain_type=self.domain_type,
            range_type=self.range_type,
            traits=traits,
            templates=templates,
        )


class MappingDocument(BaseModel):
    """A whole mapping."""

    model_config = _RAW

    title: str = ""
    files: tuple[FileMap, ...] = Field(min_length=1)
    relations: tuple[RelationMap, ...] = ()


def _template(text: str, split: Split, *, form: Form | None = None) -> Template:
    if form is None:
        both = "{s}" in text and "{o}" in text
        form = Form.STATEMENT if both else Form.QUESTION if text.endswith("?") else Form.CLOZE
    direction = Direction.FORWARD if "{s}" in text else Direction.REVERSE
    return Template(direction=direction, split=split, form=form, text=text)


@cache
def shipped_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with the package, sorted."""
    folder = files(_FOLDER).joinpath("mappings")
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def load_mapping(given: str | Mapping[str, Any]) -> MappingDocument:
    """A mapping by its name, or from its text (YAML or JSON) or from its content.

    Raises:
        InvalidInput: there is none of this name, or the document is not a mapping; the field names the wrong part.
    """
    if not isinstance(given, str):
        return _validated(given)
    text = given.strip()
    if text in shipped_mappings():
        return parse_mapping(files(_FOLDER).joinpath("mappings", f"{text}.yaml").read_text(encoding="utf-8"))
    if not set(text) & set(":{"):
        raise InvalidInput(
            "there is no mapping of this name",
            field="options.mapping",
            value=text,
            hint=f"Use one of {', '.join(shipped_mappings())}, or give a mapping document.",
        )
    return parse_mapping(text)


def parse_mapping(text: str) -> MappingDocument:
    """A mapping from its YAML or JSON text.

    Raises:
        InvalidInput: it is too long, not YAML, uses anchors, or is not a mapping.
    """
    if len(text.encode()) > MAX_BYTES:
        raise InvalidInput(f"the mapping has more than {MAX_BYTES} bytes", field="options.mapping")
    try:
        # Aliases can make a short document endless; nothing here needs them.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.BaseLoader)):
            raise InvalidInput("anchors and aliases are not allowed", field="options.mapping", hint="Write it out.")
        # The base loader reads texts only: "no" stays the name of a country, "on" that of a column.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes nothing but texts, lists, mappings
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(
            f"the mapping is not YAML: {_fault(error)}", field="options.mapping", hint="Check its indents and colons."
        ) from error
    return _validated(content)


def _fault(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem or error.context}"
    return in_words(error)


def _validated(content: object) -> MappingDocument:
    try:
        return MappingDocument.model_validate(content)
    except ValidationError as error:
        problems: Sequence[Any] = error.errors()
        first = problems[0]
        where = ".".join(str(part) for part in first["loc"])
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InvalidInput(
            f"the mapping is wrong: {first['msg']}{more}",
            field=f"options.mapping.{where}"[:200].rstrip("."),
            value=first.get("input"),
            hint="Correct this part of the mapping.",
        ) from error
