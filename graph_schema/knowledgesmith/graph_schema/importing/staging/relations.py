"""The relations of an import: declared ones with traits and templates, and those that only facts name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, declare_again
from knowledgesmith.graph_schema.catalogue.relations import inspect_catalogue, rank
from knowledgesmith.graph_schema.catalogue.templates import problem_with_template
from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Place, RelationRecord, TemplateRecord
from knowledgesmith.graph_schema.language.text_checks import MAX_WORD, problem_with
from knowledgesmith.graph_schema.types.facts import Relation, Template

MAX_RELATIONS: Final = 10_000
"""Relations of one graph; they are held in memory, as relationship types are by Neo4j."""
MAX_TEMPLATES: Final = 1_000
"""Templates of one relation."""
Reject = Callable[[Place, str], None]


class StagedCatalogue:
    """Collects relations; ``complete`` checks them and drops those that cannot be used.

    Args:
        accepted: traits that were accepted for the stored graph; they are declared again where they fit.
    """

    def __init__(self, accepted: Sequence[Acceptance] = ()) -> None:
        self.relations: dict[str, Relation] = {}
        self.left_out: dict[str, str] = {}
        """Accepted traits that do not fit any more, and why; after ``complete``."""
        self.accepted = tuple(sorted(accepted))
        self.ids: dict[str, int] = {}
        """Numbers in the order of names, from 1; after ``complete``."""
        self.rejected: dict[int, str] = {}
        """Numbers under which facts name a relation that was rejected, and its name; after ``complete``."""
        self._declared: dict[str, RelationRecord] = {}
        self._templates: defaultdict[str, list[TemplateRecord]] = defaultdict(list)
        self._named: dict[str, tuple[int, Place]] = {}

    def declare(self, record: RelationRecord, reject: Reject) -> None:
        """Take a declared relation; of several records of one name the one that says most stays, in whatever order."""
        name = record.relation.name
        kept = self._declared.get(name)
        if kept is not None and _rank(record) > _rank(kept):
            kept, record = record, kept
        self._declared[name] = record
        if kept is not None:
            reject(kept.place, f"relation {quote(name)} stands several times, the record that says most is kept")
        self._check_number()

    def phrase(self, record: TemplateRecord) -> str:
        """Take a template; returns what is wrong with it, or nothing."""
        if problem := problem_with(record.relation, limit=MAX_WORD):
            return f"relation {problem}: {quote(record.relation)}"
        if problem := problem_with_template(record.template):
            return f"bad template {quote(record.template.text)}: {problem}"
        templates = self._templates[record.relation]
        if len(templates) >= MAX_TEMPLATES:
            return f"relation {quote(record.relation)} has more than {MAX_TEMPLATES} templates"
        templates.append(record)
        self._check_number()
        return ""

    def number(self, name: str, place: Place) -> int:
        """The number of a relation that a fact names."""
        found = self._named.get(name)
        if found is None:
            found = self._named[name] = (len(self._named) + 1, place)
            self._check_number()
        return found[0]

    def complete(self, reject: Reject) -> None:
        """Fill ``relations``, ``ids`` and ``rejected``; the result does not depend on the order of records."""
        places: dict[str, Place] = {}
        relations: dict[str, Relation] = {}
        for name, record in self._declared.items():
            places[name], relations[name] = record.place, record.relation
        for name, (_, place) in self._named.items():
            relations.setdefault(name, Relation(name=name, rel_type=""))
            places.setdefault(name, place)
        self._add_templates(relations, reject)
        usable = _without_faults(relations, places, reject)
        self.relations = declare_again(usable, self.accepted, self._leave_out) if self.accepted else usable
        self.ids = {name: number for number, name in enumerate(self.relations, start=1)}
        self.rejected = {number: name for name, (number, _) in self._named.items() if name not in self.ids}

    def _leave_out(self, item: Acceptance, why: str) -> None:
        self.left_out[item.label] = why

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Rows of the table ``relation``; ``canonical`` is the relation that stands for a pair of inverses."""
        for name, number in self.ids.items():
            relation = self.relations[name]
            inverse = relation.traits.inverse_of
            first = inverse is None or rank(relation) < rank(self.relations[inverse])
            canonical = self.relations[name if first or inverse is None else inverse]
            traits = relation.traits
            to_child = inverse is not None and self.relations[inverse].traits.hierarchical
            yield (
                number,
                name,
                relation.rel_type,
                self._named[name][0] if name in self._named else None,
                relation.domain_type,
                relation.range_type,
                number if traits.symmetric else self.ids[inverse] if inverse is not None else None,
                first,
                self.ids[canonical.name],
                traits.symmetric,
                canonical.traits.functional,
                canonical.traits.inverse_functional,
                traits.hierarchical,
                to_child,
            )

    def _add_templates(self, relations: dict[str, Relation], reject: Reject) -> None:
        for name, records in self._templates.items():
            if name not in relations:
                for record in records:
                    reject(record.place, f"unknown relation {quote(name)} in a template")
                continue
            records.sort(key=lambda record: record.place)
            own = relations[name].templates
            added: dict[Template, None] = dict.fromkeys((*own, *(record.template for record in records)))
            relations[name] = replace(relations[name], templates=tuple(added))

    def _check_number(self) -> None:
        if max(len(self._named), len(self._declared), len(self._templates)) > MAX_RELATIONS:
            raise TooLarge(
                f"the graph has more than {MAX_RELATIONS} relations",
                field="relation",
                hint="Check which column holds the relation; texts and numbers belong into objects.",
            )


def _rank(record: RelationRecord) -> tuple[int, str, Place]:
    """Least for the record that says most: traits, templates, types of ends, a relationship type."""
    told = record.relation
    traits = sum(bool(getattr(told.traits, trait.name)) for trait in fields(told.traits))
    says = traits + len(told.templates) + sum(map(bool, (told.rel_type, told.domain_type, told.range_type)))
    return -says, repr(told), record.place


def _without_faults(
    relations: Mapping[str, Relation], places: Mapping[str, Place], reject: Reject
) -> dict[str, Relation]:
    """The catalogue of the relations that are left when those with a fault, and what hangs on them, are dropped."""
    left = dict(sorted(relations.items()))
    while True:
        catalogue, problems = inspect_catalogue(left.values())
        if not problems:
            return catalogue
        for problem in problems:
            place = places.get(problem.relation, Place(file="(relations)"))
            reject(place, f"relation {quote(problem.relation)} {problem.problem}. {problem.hint}")
            left.pop(problem.relation, None)
