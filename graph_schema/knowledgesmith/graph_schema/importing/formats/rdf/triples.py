"""Look-ups in the loaded triples that the readers of properties, labels and subjects share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Variable

from knowledgesmith.graph_schema.importing.formats.ontology.names import uid_of
from knowledgesmith.graph_schema.importing.formats.rdf.loading import MARKER, LoadedTriples
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import CLASSES, NO_ENTITY, RDF, TYPE
from knowledgesmith.graph_schema.importing.reading.records import Place

Node = NamedNode | BlankNode
Term = NamedNode | BlankNode | Literal
_MAX_LIST: Final = 100_000
_CACHE: Final = 65_536
_SCHEMA_TYPES: Final = tuple(sorted(CLASSES | NO_ENTITY))


class Triples:
    """Statements by subject and predicate."""

    def __init__(self, loaded: LoadedTriples, *, curies: bool, deprecated: Sequence[str]) -> None:
        self.loaded = loaded
        self._spaces = _unambiguous(loaded.prefixes) if curies else {}
        self._deprecated = [
            NamedNode(predicate)
            for predicate in sorted(loaded.predicates)
            if predicate in deprecated or predicate.rsplit("/", 1)[-1].rsplit("#", 1)[-1].casefold() == "deprecated"
        ]
        self.deprecated_predicates = frozenset(node.value for node in self._deprecated)
        # Bounded memories of look-ups that facts repeat
        self.is_deprecated = lru_cache(_CACHE)(self._is_deprecated)
        self.types = lru_cache(_CACHE)(self._types)

    def subjects(self) -> Iterator[tuple[Any, list[tuple[str, Any, Place]]]]:
        """Every subject with all its statements (predicate, object, first place), whatever files they are from."""
        for marker in self.loaded.store.quads_for_pattern(None, MARKER, MARKER, DefaultGraph()):
            found: dict[tuple[str, Any], Place] = {}
            for quad in self.statements(marker.subject):
                place = self.loaded.place(quad.graph_name)
                key = (quad.predicate.value, quad.object)
                found[key] = min(place, found.get(key, place))
            yield marker.subject, [(predicate, obj, place) for (predicate, obj), place in found.items()]

    def statements(self, subject: Any) -> Iterator[Any]:
        """Statements of a subject, repeated where several places make them."""
        for quad in self.loaded.store.quads_for_pattern(subject, None, None, None):
            if quad.predicate != MARKER:
                yield quad

    def about(self, obj: Any) -> Iterator[Any]:
        """Statements with this object."""
        yield from self.loaded.store.quads_for_pattern(None, None, obj, None)

    def stands_on_classes(self, predicate: str) -> bool:
        """Whether a class, a property or an ontology has this predicate; by the rules of OWL it is then a remark."""
        query = "ASK { ?s ?p ?o . ?s a ?t . VALUES ?t { " + " ".join(f"<{type_}>" for type_ in _SCHEMA_TYPES) + " } }"
        found = self.loaded.store.query(
            query, use_default_graph_as_union=True, substitutions={Variable("p"): NamedNode(predicate)}
        )
        return bool(found)

    def objects(self, subject: Any, predicate: str) -> list[Any]:
        """Distinct objects."""
        found = self.loaded.store.quads_for_pattern(subject, NamedNode(predicate), None, None)
        return list(dict.fromkeys(quad.object for quad in found))

    def object(self, subject: Any, predicate: str) -> Any:
        """The object, of several the first by text; None when there is none."""
        return min(self.objects(subject, predicate), key=str, default=None)

    def pairs(self, predicate: str) -> Iterator[tuple[Any, Any, Place]]:
        """Subjects and objects of a predicate, with places."""
        for quad in self.loaded.store.quads_for_pattern(None, NamedNode(predicate), None, None):
            yield quad.subject, quad.object, self.loaded.place(quad.graph_name)

    def members(self, type_: str) -> Iterator[tuple[Any, Place]]:
        """Things of a type, with places."""
        for quad in self.loaded.store.quads_for_pattern(None, NamedNode(TYPE), NamedNode(type_), None):
            yield quad.subject, self.loaded.place(quad.graph_name)

    def list_items(self, head: Any) -> list[Any]:
        """Items of an RDF list; a cycle or an end that is missing ends it."""
        items: list[Any] = []
        seen: set[Any] = set()
        while isinstance(head, BlankNode | NamedNode) and head not in seen and len(items) < _MAX_LIST:
            seen.add(head)
            items += self.objects(head, f"{RDF}first")[:1]
            head = self.object(head, f"{RDF}rest")
        return items

    def _types(self, node: Any) -> frozenset[str]:
        return frozenset(obj.value for obj in self.objects(node, TYPE) if isinstance(obj, NamedNode))

    def _is_deprecated(self, node: Any) -> bool:
        store = self.loaded.store
        return any(
            isinstance(quad.object, Literal) and quad.object.value.strip().casefold() in {"true", "1"}
            for predicate in self._deprecated
            for quad in store.quads_for_pattern(node, predicate, None, None)
        )

    def uid(self, iri: str) -> str:
        """The uid of a named thing."""
        if self._spaces:
            cut = max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1
            prefix = self._spaces.get(iri[:cut])
            if prefix and iri[cut:]:
                return uid_of(f"{prefix}:{iri[cut:]}")
        return uid_of(iri)


def _unambiguous(prefixes: dict[str, set[str]]) -> dict[str, str]:
    """Namespaces to prefixes: a prefix must stand for one namespace in all files; of several prefixes the first."""
    spaces: dict[str, str] = {}
    for prefix, bound in sorted(prefixes.items(), reverse=True):
        if prefix and len(bound) == 1:
            spaces[next(iter(bound))] = prefix
    return spaces
