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
      - name: lives_in_country
        composed_of: [lives_in, lies_in]        # lives_in(x, y) and lies_in(y, z): so x lives_in_country z
        compositions: [[born_in, lies_in]]      # further pairs of which it follows
        sub_of: [knows_country]                 # what holds here holds there too

Names in a mapping are only compared with keys and names of files; they never become a path, a query or code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Self, cast

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.problems import in_words, quote
from knowledgesmith.graph_schema.types.facts import Direction, Form, Relation, Split, Template, Traits

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


def _names(value: Any) -> Any:
    """Names of relations: a list, or one of them."""
    return tuple(part.strip() for part in value.split("|")) if isinstance(value, str) and value else value or ()


def _pairs(value: Any) -> Any:
    """Pairs of relations: a list of them, each a list or written as ``r1|r2``."""
    return tuple(map(_names, cast("list[Any]", value))) if isinstance(value, list | tuple) else (_names(value),)


APick = Annotated[Pick, BeforeValidator(_pick)]
SomePicks = Annotated[tuple[Pick, ...], BeforeValidator(_picks)]
ConstantOrPick = str | Pick
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Pairs = Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_pairs)]
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

    ``composed_of`` is a pair of relations of which this one follows, ``compositions`` are further pairs, and ``sub_of``
    names relations that hold wherever this one does. A pair may be written ``lives_in|lies_in``.
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
    composed_of: Names = ()
    compositions: Pairs = ()
    sub_of: Names = ()
    train: tuple[str, ...] = ()
    eval: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    @property
    def others(self) -> Iterator[tuple[str, str]]:
        """Names of other relations, each with the key under which it stands."""
        yield from (("inverse_of", name) for name in (self.inverse_of,) if name)
        yield from (("composed_of", name) for name in self.composed_of)
        yield from (("compositions", name) for pair in self.compositions for name in pair)
        yield from (("sub_of", name) for name in self.sub_of)

    @field_validator("composed_of")
    @classmethod
    def _is_pair(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if names:
            _check_pair(names, str(info.data.get("name", "")))
        return names

    @field_validator("compositions")
    @classmethod
    def _are_pairs(cls, pairs: tuple[tuple[str, ...], ...], info: ValidationInfo) -> tuple[tuple[str, ...], ...]:
        for pair in pairs:
            _check_pair(pair, str(info.data.get("name", "")))
        return pairs

    @field_validator("sub_of")
    @classmethod
    def _is_below_others(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "" in names:
            raise ValueError("a name is empty; leave it out")
        if info.data.get("name") in names:
            raise ValueError(f"{quote(info.data['name'])} is below itself, which says nothing; leave it out")
        return names

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
            compositions=self.compositions,
            sub_of=self.sub_of,
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


def _check_pair(names: tuple[str, ...], own: str) -> None:
    if len(names) != 2 or not all(names):
        said = " | ".join(map(quote, names)) or "nothing"
        raise ValueError(f"a relation follows of exactly two others, this is {said}; write [first, second]")
    if set(names) == {own}:
        raise ValueError(f"{quote(own)} follows of itself twice; write transitive: true instead")


class MappingDocument(BaseModel):
    """A whole mapping."""

    model_config = _RAW

    title: str = ""
    files: tuple[FileMap, ...] = Field(min_length=1)
    relations: tuple[RelationMap, ...] = ()

    @property
    def catalogue(self) -> Iterator[Relation]:
        """The declared relations, and those that they name and only facts of the mapping have."""
        declared = {relation.name for relation in self.relations}
        named = {name for relation in self.relations for _, name in relation.others}
        yield from (relation.relation() for relation in self.relations)
        yield from (Relation(name=name, rel_type="") for name in sorted((named & self._of_facts) - declared))

    @property
    def _of_facts(self) -> set[str]:
        return {fact.relation for file in self.files for entity in file.entities for fact in entity.facts}

    def check_names(self) -> None:
        """Refuse relations that follow of one that the mapping does not have.

        Raises:
            InvalidInput: the field names the place.
        """
        known = sorted({relation.name for relation in self.relations} | self._of_facts)
        for position, relation in enumerate(self.relations):
            for key, name in relation.others:
                if name not in known:
                    raise InvalidInput(
                        f"the mapping is wrong: {quote(relation.name)} names a relation that the mapping does not have",
                        field=f"options.mapping.relations.{position}.{key}",
                        value=name,
                        hint=f"Declare it below relations, or use one of {', '.join(known[:10])}.",
                    )


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
        document = MappingDocument.model_validate(content)
    except ValidationError as error:
        problems: Sequence[Any] = error.errors()
        first = problems[0]
        where = ".".join(str(part) for part in first["loc"] if part not in _UNIONS)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        what, _, way_out = _said(first).partition("; ")
        raise InvalidInput(
            f"the mapping is wrong: {what}{more}",
            field=f"options.mapping.{where}"[:200].rstrip("."),
            value=first.get("input"),
            hint=f"{way_out[:1].upper()}{way_out[1:]}." if way_out else "Correct this part of the mapping.",
        ) from error
    document.check_names()
    return document


_UNIONS: Final = ("str", "Pick")
"""What the validation adds to the way to a part that may be a text or an object."""
_SAID: Final = {
    "missing": "a part is missing; add it",
    "extra_forbidden": "there is no such key; importing/reading/mapping.py says what each is called",
    "string_type": "a text belongs here; write one",
    "string_too_short": "a text is missing; write one",
    "string_too_long": "the text is too long; shorten it",
    "tuple_type": "a list belongs here; write it in [ ]",
    "too_short": "the list is empty; write at least one",
    "model_type": "an object with keys belongs here; write key: value",
    "model_attributes_type": "an object with keys belongs here; write key: value",
    "dict_type": "an object with keys belongs here; write key: value",
    "mapping_type": "an object with keys belongs here; write key: value",
    "bool_parsing": "neither true nor false stands here; write one of them",
    "bool_type": "neither true nor false stands here; write one of them",
}
"""What the validation finds, and the way out, by its kind."""


def _said(problem: Mapping[str, Any]) -> str:
    """A problem in our words, with the way out behind a semicolon."""
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if problem["type"] == "enum":
        return f"there is no such choice; use one of {problem['ctx']['expected']}"
    return _SAID.get(problem["type"], str(problem["msg"]))
