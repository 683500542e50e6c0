"""Which subjects of an RDF graph are no things: notes with a structure, provenance, and parts of the notation.

A thing is what takes part in facts, or is declared as a class, a concept or an individual. A node that only remarks
lead to (``skos:editorialNote [ dct:title … ]``, ``prov:wasDerivedFrom …``), or of which only remarks are told, is none,
and what it says of itself is part of the remark.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode

from knowledgesmith.graph_schema.importing.formats.ontology.names import last_part
from knowledgesmith.graph_schema.importing.formats.rdf.labels import Labels
from knowledgesmith.graph_schema.importing.formats.rdf.properties import Properties
from knowledgesmith.graph_schema.importing.formats.rdf.triples import Triples
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import (
    DECLARED,
    DOCUMENTATION_SPACES,
    NOTES,
    OWL,
    PROVENANCE_SPACES,
    RDF,
    RDFS,
    SHACL,
    SKOS,
    STRUCTURE,
    TYPE,
)

_MAX_INCOMING: Final = 10_000
"""Statements about one node that are looked at; with so many it is a thing."""
_STEPS: Final = 8
"""Remarks inside remarks."""
_EXPRESSED: Final = frozenset({f"{RDFS}subClassOf", f"{OWL}equivalentClass"})


class Remarks:
    """Tells notes from things."""

    def __init__(self, triples: Triples, properties: Properties, labels: Labels) -> None:
        self._triples = triples
        self._properties = properties
        self._labels = labels
        self._notes = frozenset(p for p in triples.loaded.predicates if properties.is_below(p, NOTES))
        self._sort_of = lru_cache(65_536)(self._find)

    def sort(self, node: Any) -> str:
        """What sort of remark a node is, in words; empty for a thing."""
        return self._sort_of(node, _STEPS)

    def leads_to_fact(self, predicate: str) -> bool:
        """Whether a statement of this predicate between two nodes is a fact and no remark or label."""
        return predicate in _EXPRESSED or (
            self._properties.states_facts(predicate) and not self._labels.is_label(predicate)
        )

    def _find(self, node: Any, steps: int) -> str:
        said = [(quad.predicate.value, quad.object) for quad in self._triples.statements(node)]
        types = {obj.value for predicate, obj in said if predicate == TYPE and isinstance(obj, NamedNode)}
        if types & DECLARED or any(type_.startswith(SKOS) for type_ in types):
            return ""
        own = [type_ for type_ in types if not type_.startswith((*STRUCTURE, *PROVENANCE_SPACES))]
        reached = self._reached(node, steps)
        if reached is None:
            return ""
        states = any(self._is_fact(predicate, obj) for predicate, obj in said if predicate != TYPE)
        if isinstance(node, BlankNode):
            return self._of_unnamed(reached, states=states, typed=bool(own))
        if own and not (reached and reached <= self._notes and not states):
            return ""
        if states or (not reached and not types and any(self._names(predicate) for predicate, _ in said)):
            return ""
        return self._words(types, reached) or "a thing of which only remarks are told"

    def _of_unnamed(self, reached: set[str], *, states: bool, typed: bool) -> str:
        if reached:
            return self._words((), reached)
        return "" if states or typed else "a thing without an IRI of which only remarks are told"

    def _words(self, types: Iterable[str], reached: set[str]) -> str:
        provenance = sorted(type_ for type_ in types if type_.startswith(PROVENANCE_SPACES))
        if provenance:
            return f"a thing of the type {last_part(provenance[0])}, which tells where data come from"
        return f"a structured value of {last_part(min(reached))}" if reached else ""

    def _reached(self, node: Any, steps: int) -> set[str] | None:
        """The predicates of remarks that lead to a node; None where a fact does, or the node is one of a list."""
        found: set[str] = set()
        for quad in islice(self._triples.about(node), _MAX_INCOMING):
            predicate = quad.predicate.value
            if self.leads_to_fact(predicate):
                if steps <= 0 or not self._sort_of(quad.subject, steps - 1):
                    return None
                found.add(predicate)
            elif predicate.startswith((RDF, OWL, SHACL)):
                return None
            else:
                found.add(predicate)
        return found if len(found) < _MAX_INCOMING else None

    def _names(self, predicate: str) -> bool:
        """Whether a predicate names a thing; documents have titles too."""
        return self._labels.is_label(predicate) and not predicate.startswith(DOCUMENTATION_SPACES)

    def _is_fact(self, predicate: str, obj: Any) -> bool:
        if isinstance(obj, Literal):
            return not self._labels.is_label(predicate) and self._properties.states_literals(predicate, obj)
        return self.leads_to_fact(predicate)
