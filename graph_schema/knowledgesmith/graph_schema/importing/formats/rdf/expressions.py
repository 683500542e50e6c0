"""OWL class expressions as facts of a class: named parents, restrictions, intersections, and what says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode

from knowledgesmith.graph_schema.importing.formats.ontology.entities import EQUIVALENT, IS_A
from knowledgesmith.graph_schema.importing.formats.rdf.options import RdfOptions
from knowledgesmith.graph_schema.importing.formats.rdf.properties import Properties
from knowledgesmith.graph_schema.importing.formats.rdf.triples import Triples
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import INSTANCE, OWL, RDFS, XSD

_MAX_STEPS: Final = 10_000
_QUALIFIED: Final = ("qualifiedCardinality", "minQualifiedCardinality", "maxQualifiedCardinality")
_BOOLEANS: Final = frozenset(f"{OWL}{name}" for name in ("intersectionOf", "unionOf", "oneOf", "disjointUnionOf"))
_FILLERS: Final = (("someValuesFrom", "some"), ("allValuesFrom", "only"), ("hasValue", "value"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A fact that an expression states of its class: key of the relation and object; ``reverse`` swaps the ends.

    ``quantified``: it says that every member of the class has such a relation.
    """

    relation: str
    object: Any
    reverse: bool = False
    quantified: bool = False


class Expressions:
    """Walks expressions without recursion, so that no nesting is too deep."""

    def __init__(self, triples: Triples, properties: Properties, options: RdfOptions) -> None:
        self._triples = triples
        self._properties = properties
        self._wanted = frozenset(options.restrictions)

    def read(self, node: Any, *, relation: str) -> Iterator[Said | str]:
        """What an expression in the place of a class says, and reasons where it says nothing that is a fact.

        Args:
            node: a class or an expression.
            relation: how it is bound to the subject: ``is_a``, ``equivalent_to`` or ``type``.
        """
        todo, seen = [(node, relation)], {node}
        for _ in range(_MAX_STEPS):
            if not todo:
                return
            current, how = todo.pop()
            if isinstance(current, NamedNode):
                yield Said(relation=how, object=current)
                continue
            if not isinstance(current, BlankNode):
                yield "a literal stands in the place of a class"
                continue
            within = IS_A if how == EQUIVALENT else how
            parts, said = self._anonymous(current, how, within)
            yield from said
            for part in parts:
                if part not in seen:
                    seen.add(part)
                    todo.append((part, within))
        yield "the expression is too large"

    def of_class(self, subject: Any) -> Iterator[Said | str]:
        """What the subject's own definition says (``owl:intersectionOf``, ``owl:unionOf`` and their kin)."""
        if not self._triples.loaded.predicates & _BOOLEANS:
            return
        parts, said = self._boolean(subject, EQUIVALENT)
        yield from said
        for part in parts:
            yield from self.read(part, relation=IS_A)

    def _anonymous(self, node: BlankNode, how: str, within: str) -> tuple[list[Any], list[Said | str]]:
        on = self._triples.object(node, f"{OWL}onProperty")
        if on is not None:
            return [], list(self._restriction(node, on))
        parts, said = self._boolean(node, how)
        if parts or said:
            return parts, said
        if self._triples.objects(node, f"{OWL}complementOf"):
            return [], ["it is the complement of a class, which states no fact"]
        if self._triples.objects(node, f"{OWL}onDatatype") or f"{RDFS}Datatype" in self._triples.types(node):
            return [], []
        return [], [f"it is a class without a name that says nothing ({within})"]

    def _boolean(self, node: Any, how: str) -> tuple[list[Any], list[Said | str]]:
        """Parts that hold each by itself, and facts from the other side: members of a union that a class equals."""
        parts = [
            item
            for head in self._triples.objects(node, f"{OWL}intersectionOf")
            for item in self._triples.list_items(head)
        ]
        said: list[Said | str] = []
        for predicate, relation in (("unionOf", IS_A), ("disjointUnionOf", IS_A), ("oneOf", INSTANCE)):
            for head in self._triples.objects(node, f"{OWL}{predicate}"):
                items = self._triples.list_items(head)
                if how == EQUIVALENT:
                    said += [
                        Said(relation=relation, object=item, reverse=True)
                        if isinstance(item, NamedNode)
                        else "a part of the union has no name"
                        for item in items
                    ]
                elif any(not isinstance(item, Literal) for item in items):
                    said.append(f"one of {len(items)} classes or things ({predicate}), which is no single fact")
        return parts, said

    def _restriction(self, node: BlankNode, on: Any) -> Iterator[Said | str]:
        reverse = False
        if isinstance(on, BlankNode):
            inverse = self._triples.object(on, f"{OWL}inverseOf")
            if not isinstance(inverse, NamedNode):
                yield "its property has no name"
                return
            on, reverse = inverse, True
        for predicate, kind in _FILLERS:
            for filler in self._triples.objects(node, f"{OWL}{predicate}"):
                if kind in self._wanted:
                    yield from self._filled(on, filler, reverse=reverse)
        for filler in self._triples.objects(node, f"{OWL}onClass"):
            if "on_class" not in self._wanted:
                continue
            if "optional" in self._wanted or self._at_least_one(node):
                yield from self._filled(on, filler, reverse=reverse)
            else:
                yield f"{on.value} may have no value of this class, so there is no fact"

    def _at_least_one(self, node: BlankNode) -> bool:
        for predicate in _QUALIFIED[:2]:
            for count in self._triples.objects(node, f"{OWL}{predicate}"):
                if isinstance(count, Literal) and count.value.strip().lstrip("+0").isdigit():
                    return True
        return False

    def _filled(self, on: NamedNode, filler: Any, *, reverse: bool) -> Iterator[Said | str]:
        if self._is_datatype(on, filler):
            return
        relation = self._properties.key(on.value)
        if isinstance(filler, NamedNode | Literal):
            yield Said(relation=relation, object=filler, reverse=reverse, quantified=not reverse)
            return
        parts, said = self._boolean(filler, IS_A)
        named = [part for part in parts if isinstance(part, NamedNode)]
        yield from (Said(relation=relation, object=part, reverse=reverse, quantified=not reverse) for part in named)
        yield from (reason for reason in said if isinstance(reason, str))
        if not named and not said:
            yield f"the value of {on.value} is a class without a name"

    def _is_datatype(self, on: NamedNode, filler: Any) -> bool:
        if isinstance(filler, Literal):
            return False
        if self._properties.kinds.get(on.value) == "data":
            return True
        if isinstance(filler, NamedNode):
            return filler.value.startswith(XSD) or filler.value == f"{RDFS}Literal"
        return f"{RDFS}Datatype" in self._triples.types(filler)
