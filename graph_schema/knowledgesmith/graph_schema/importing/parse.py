"""Turns rows into a checked graph: entities, a complete catalogue, and facts between known entities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from knowledgesmith.graph_schema.catalogue import inspect_catalogue
from knowledgesmith.graph_schema.facts import Direction, Entity, Fact, Form, Relation, Split, Template, Traits
from knowledgesmith.graph_schema.importing.consistency import ConsistencyCheck
from knowledgesmith.graph_schema.importing.fields import Fields
from knowledgesmith.graph_schema.importing.problems import Problems, quote
from knowledgesmith.graph_schema.importing.rows import Columns, FileFormat, FileRole, Row, SourceFile, read_rows
from knowledgesmith.graph_schema.text_checks import MAX_NAME, MAX_UID, MAX_WORD

_FLAGS = ("functional", "inverse_functional", "symmetric", "transitive", "hierarchical")
_TEMPLATE_KEYS = frozenset({"direction", "split", "form", "text"})
_COLUMNS: Mapping[FileRole, Columns] = {
    FileRole.ENTITIES: Columns(
        allowed=frozenset({"uid", "name", "type", "domain", "aliases"}), required=("uid", "name")
    ),
    FileRole.RELATIONS: Columns(
        allowed=frozenset({"name", "rel_type", "domain_type", "range_type", "inverse_of", "composed_of", *_FLAGS}),
        required=("name",),
    ),
    FileRole.FACTS: Columns(
        allowed=frozenset({"subject", "relation", "object", "source"}), required=("subject", "relation", "object")
    ),
    FileRole.TEMPLATES: Columns(
        allowed=_TEMPLATE_KEYS | {"relation"}, required=("relation", "direction", "split", "form", "text")
    ),
}
DEFAULT_TYPE = "Entity"
"""Type of an entity whose row names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedGraph:
    """A graph that may be stored: entities by uid, relations by name, facts sorted and free of doubles."""

    entities: Mapping[str, Entity]
    relations: Mapping[str, Relation]
    facts: tuple[Fact, ...]


def parse_graph(files: Sequence[SourceFile], *, source: str = "") -> ParsedGraph:
    """Read and check the files of one graph.

    Without a relations file, the relations are those that the facts name, with no traits.

    Raises:
        ImportRejected: a row is bad; every bad row is named.
    """
    parser = _Parser(source)
    for role in (FileRole.ENTITIES, FileRole.RELATIONS, FileRole.TEMPLATES, FileRole.FACTS):
        for file in (file for file in files if file.role is role):
            parser.read(file)
        if role is FileRole.TEMPLATES:
            parser.close_catalogue(declared=any(file.role is FileRole.RELATIONS for file in files))
    if not any(file.role is FileRole.ENTITIES for file in files):
        parser.problems.add("(no file)", 0, "a graph needs an entities file with the columns uid and name")
    return parser.finish()


class _Parser:
    """Reads roles in the order entities, relations, templates, facts; each needs the ones before."""

    def __init__(self, source: str) -> None:
        self.problems = Problems()
        self._source = source
        self._entities: dict[str, Entity] = {}
        self._places: dict[str, str] = {}
        self._uids_by_name: defaultdict[str, list[str]] = defaultdict(list)
        self._relations: dict[str, Relation] = {}
        self._relation_places: dict[str, tuple[str, int]] = {}
        self._templates: defaultdict[str, list[Template]] = defaultdict(list)
        self._template_places: dict[str, tuple[str, int]] = {}
        self._facts: list[tuple[Fact, Row]] = []
        self._declared = True
        self._catalogue_is_good = False

    def read(self, file: SourceFile) -> None:
        take = {
            FileRole.ENTITIES: self._take_entity,
            FileRole.RELATIONS: self._take_relation,
            FileRole.TEMPLATES: self._take_template,
            FileRole.FACTS: self._take_fact,
        }[file.role]
        columns = _COLUMNS[file.role]
        if file.role is FileRole.RELATIONS and file.format is FileFormat.JSONL:
            columns = replace(columns, allowed=columns.allowed | {"templates"})
        for row in read_rows(file, columns, self.problems):
            take(Fields(row, self.problems))

    def close_catalogue(self, *, declared: bool) -> None:
        """Check the declared relations before the first fact is read."""
        self._declared = declared
        if declared:
            self._complete_catalogue()

    def finish(self) -> ParsedGraph:
        if not self._declared:
            self._complete_catalogue()
        check = ConsistencyCheck(self._relations)
        for fact, row in self._facts if self._catalogue_is_good else ():
            if problem := check.add(fact, place=f"{row.file}:{row.line}"):
                self.problems.add(row.file, row.line, problem)
        self.problems.raise_if_any()
        return ParsedGraph(entities=self._entities, relations=self._relations, facts=check.kept())

    def _take_entity(self, fields: Fields) -> None:
        entity = Entity(
            uid=fields.text("uid", limit=MAX_UID),
            name=fields.text("name", limit=MAX_NAME),
            type=fields.text("type", limit=MAX_WORD, empty=True) or DEFAULT_TYPE,
            domain=fields.text("domain", limit=MAX_WORD, empty=True),
            aliases=fields.texts("aliases", limit=MAX_NAME),
        )
        if not fields.ok:
            return
        if entity.uid in self._entities:
            fields.fail(f"uid {quote(entity.uid)} stands twice, first in {self._places[entity.uid]}")
            return
        aliases = tuple(alias for alias in entity.aliases if alias != entity.name)
        self._entities[entity.uid] = replace(entity, aliases=aliases)
        self._places[entity.uid] = f"{fields.row.file}:{fields.row.line}"
        self._uids_by_name[entity.name].append(entity.uid)

    def _take_relation(self, fields: Fields) -> None:
        flags = {flag: fields.flag(flag) for flag in _FLAGS}
        traits = Traits(
            **flags,
            inverse_of=fields.text("inverse_of", limit=MAX_WORD, empty=True) or None,
            composed_of=_pair(fields),
        )
        relation = Relation(
            name=fields.text("name", limit=MAX_WORD),
            rel_type=fields.text("rel_type", limit=MAX_WORD, empty=True),
            domain_type=fields.text("domain_type", limit=MAX_WORD, empty=True),
            range_type=fields.text("range_type", limit=MAX_WORD, empty=True),
            traits=traits,
            templates=tuple(self._embedded_templates(fields)),
        )
        if not fields.ok:
            return
        if relation.name in self._relations:
            first = ":".join(map(str, self._relation_places[relation.name]))
            fields.fail(f"relation {quote(relation.name)} stands twice, first in {first}")
            return
        self._relations[relation.name] = relation
        self._relation_places[relation.name] = (fields.row.file, fields.row.line)

    def _embedded_templates(self, fields: Fields) -> list[Template]:
        items = fields.row.values.get("templates")
        if items is None:
            return []
        if not isinstance(items, list):
            fields.fail(f"templates is not a list: {quote(items)}")
            return []
        found: list[Template] = []
        for item in items:
            if not isinstance(item, dict) or set(item) - _TEMPLATE_KEYS:
                fields.fail(f"a template is an object of direction, split, form, text: {quote(item)}")
                continue
            inner = Fields(replace(fields.row, values=item), self.problems)
            if (template := _template(inner)) is not None:
                found.append(template)
            fields.ok = fields.ok and inner.ok
        return found

    def _take_template(self, fields: Fields) -> None:
        name = fields.text("relation", limit=MAX_WORD)
        template = _template(fields)
        if template is not None and fields.ok:
            self._templates[name].append(template)
            self._template_places.setdefault(name, (fields.row.file, fields.row.line))

    def _take_fact(self, fields: Fields) -> None:
        relation = fields.text("relation", limit=MAX_WORD)
        subject, obj = self._reference(fields, "subject"), self._reference(fields, "object")
        source = fields.text("source", limit=MAX_NAME, empty=True) or self._source
        if not fields.ok:
            return
        if relation not in self._relations:
            if self._declared:
                fields.fail(f"unknown relation {quote(relation)}; declare it in the relations file")
                return
            self._relations[relation] = Relation(name=relation, rel_type="")
            self._relation_places[relation] = (fields.row.file, fields.row.line)
        self._facts.append((Fact(subject=subject, relation=relation, object=obj, source=source), fields.row))

    def _reference(self, fields: Fields, key: str) -> str:
        """The uid that a fact's end names: a uid, or a name that only one entity has."""
        text = fields.text(key, limit=MAX_NAME)
        if not text or text in self._entities:
            return text
        uids = self._uids_by_name.get(text, [])
        if len(uids) == 1:
            return uids[0]
        if uids:
            some = ", ".join(quote(uid) for uid in uids[:5])
            fields.fail(f"{key} {quote(text)} is the name of {len(uids)} entities; use a uid: {some}")
        else:
            fields.fail(f"{key} {quote(text)} is no entity's uid or name")
        return ""

    def _complete_catalogue(self) -> None:
        for name, templates in self._templates.items():
            if name not in self._relations:
                file, line = self._template_places[name]
                self.problems.add(file, line, f"unknown relation {quote(name)} in a template")
                continue
            relation = self._relations[name]
            self._relations[name] = replace(relation, templates=(*relation.templates, *templates))
        self._templates.clear()
        catalogue, problems = inspect_catalogue(self._relations.values())
        for problem in problems:
            file, line = self._relation_places.get(problem.relation, ("(relations)", 0))
            self.problems.add(file, line, f"relation {quote(problem.relation)} {problem.problem}. {problem.hint}")
        if not problems:
            self._relations = catalogue
            self._catalogue_is_good = True


def _pair(fields: Fields) -> tuple[str, ...]:
    """``composed_of``: unlike other lists it may name one relation twice (father of a father)."""
    value = fields.row.values.get("composed_of")
    doubled = value.split("|") if isinstance(value, str) else value
    parts = fields.texts("composed_of", limit=MAX_WORD)
    return parts * 2 if isinstance(doubled, list) and len(doubled) == 2 and len(parts) == 1 else parts


def _template(fields: Fields) -> Template | None:
    direction = fields.choice("direction", Direction)
    split = fields.choice("split", Split)
    form = fields.choice("form", Form)
    text = fields.text("text", limit=MAX_NAME)
    if direction is None or split is None or form is None or not fields.ok:
        return None
    return Template(direction=direction, split=split, form=form, text=text)
