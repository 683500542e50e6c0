"""Names, types and relations of one graph in compact form: what drawing and verbalising need, and nothing of the facts.

Entities have a dense integer index, contiguous by type, so that a draw among entities of a type is arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from knowledgesmith.graph_schema.catalogue.relations import from_properties
from knowledgesmith.graph_schema.doubts.closure import Doubts
from knowledgesmith.graph_schema.errors import EntityNotFound, RelationNotFound
from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot, require_graph
from knowledgesmith.graph_schema.graphs.renderings import read_alike
from knowledgesmith.graph_schema.language.filling import reading_key, surroundings
from knowledgesmith.graph_schema.language.name_keys import name_key
from knowledgesmith.graph_schema.language.unnamed import is_unnamed
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Entity, Relation

LITERAL: Final = "Literal"
"""Type of numbers, dates and other values."""
_ENOUGH: Final = 4


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """The entities (living ones, sorted by type and uid) and the relations of one graph."""

    graph_id: str
    graph_digest: str
    entities: tuple[Entity, ...]
    relations: Mapping[str, Relation]

    @classmethod
    def build(
        cls, *, graph_id: str, entities: Iterable[Entity], relations: Iterable[Relation], graph_digest: str = ""
    ) -> Lexicon:
        """Sort and index entities and relations."""
        return cls(
            graph_id=graph_id,
            graph_digest=graph_digest,
            entities=tuple(sorted(entities, key=lambda e: (e.type, e.uid))),
            relations={relation.name: relation for relation in sorted(relations, key=lambda r: r.name)},
        )

    @classmethod
    def of(cls, snapshot: GraphSnapshot) -> Lexicon:
        """The lexicon of a graph that is in memory already."""
        return cls.build(
            graph_id=snapshot.graph_id,
            graph_digest=snapshot.digest,
            entities=snapshot.entities.values(),
            relations=snapshot.relations.values(),
        )

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Dense index by uid."""
        return {entity.uid: position for position, entity in enumerate(self.entities)}

    @cached_property
    def by_name(self) -> Mapping[str, tuple[str, ...]]:
        """Uids of every exact name."""
        found: dict[str, list[str]] = {}
        for entity in self.entities:
            found.setdefault(entity.name, []).append(entity.uid)
        return {name: tuple(uids) for name, uids in found.items()}

    @cached_property
    def ranges(self) -> Mapping[str, range]:
        """Indices of every type."""
        starts: dict[str, int] = {}
        counts = Counter(entity.type for entity in self.entities)
        for position, entity in enumerate(self.entities):
            starts.setdefault(entity.type, position)
        return {kind: range(start, start + counts[kind]) for kind, start in starts.items()}

    @cached_property
    def surfaces(self) -> tuple[frozenset[str], ...]:
        """Case-folded name and aliases of every entity, by index."""
        return tuple(frozenset(name.casefold() for name in entity.names) for entity in self.entities)

    @cached_property
    def keys(self) -> tuple[frozenset[str], ...]:
        """By index, how name and aliases of every entity read in a text: two that read alike are one name."""
        return tuple(frozenset(map(self._key, entity.names)) for entity in self.entities)

    def _key(self, name: str) -> str:
        return reading_key(name, articles=self._has_articles)

    @cached_property
    def _has_articles(self) -> bool:
        return any(found.article for found in surroundings(self._texts()))

    def _texts(self) -> Iterator[str]:
        return (template.text for relation in self.relations.values() for template in relation.templates)

    @cached_property
    def read_alike(self) -> frozenset[str]:
        """Uids of entities that read like another one or like nobody, by the texts: for what trusts no ``keys``."""
        unnamed = {entity.uid for entity in self.entities if is_unnamed(entity.uid, entity.name)}
        return read_alike(self.entities, self._texts()) | unnamed

    @cached_property
    def _sharers(self) -> Counter[str]:
        return Counter(key for keys in self.keys for key in keys)

    @cached_property
    def ambiguous(self) -> NDArray[np.bool_]:
        """Whether an entity's name, as it reads in a text, also names another entity, or was invented; by index."""
        sharers = self._sharers
        found = (sharers[self._key(one.name)] > 1 or is_unnamed(one.uid, one.name) for one in self.entities)
        return np.fromiter(found, dtype=np.bool_, count=len(self.entities))

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """Entities that share a name or alias, over others too, have the same number; -1 where one shares none."""
        owners: dict[str, int] = {}
        ones: list[int] = []
        others: list[int] = []
        for position, keys in enumerate(self.keys):
            for key in keys:
                if self._sharers[key] > 1:
                    ones.append(owners.setdefault(key, position))
                    others.append(position)
        size = len(self.entities)
        links = coo_array((np.ones(len(ones), dtype=np.int8), (ones, others)), shape=(size, size))
        numbers = connected_components(links, directed=False)[1].astype(np.int64)
        alone = np.ones(size, dtype=np.bool_)
        alone[others] = False
        numbers[alone] = -1
        return numbers

    @cached_property
    def domains(self) -> Mapping[str, tuple[int, ...]]:
        """Indices of every domain."""
        found: dict[str, list[int]] = {}
        for position, entity in enumerate(self.entities):
            found.setdefault(entity.domain, []).append(position)
        return {domain: tuple(positions) for domain, positions in sorted(found.items())}

    @cached_property
    def doubts(self) -> Doubts:
        """What the catalogue lets suspect."""
        return Doubts(relations=self.relations)

    @property
    def rel_types(self) -> list[str]:
        """Relationship types of all relations, sorted."""
        return sorted(relation.rel_type for relation in self.relations.values())

    def __contains__(self, uid: object) -> bool:
        return uid in self.index

    def entity(self, uid: str) -> Entity:
        """The living entity of this uid.

        Raises:
            EntityNotFound: there is none.
        """
        position = self.index.get(uid)
        if position is None:
            raise EntityNotFound(
                "The graph has no living entity of this uid.",
                field="uid",
                value=uid,
                hint="Look the name up with `ksmith cypher`, or import the graph again.",
                metadata={"graph_id": self.graph_id, "uid": uid},
            )
        return self.entities[position]

    def relation(self, name: str) -> Relation:
        """The relation of this name.

        Raises:
            RelationNotFound: the catalogue has none.
        """
        if name not in self.relations:
            raise RelationNotFound(
                "The graph's catalogue has no relation of this name.",
                field="relation",
                value=name,
                hint=f"Known: {', '.join(list(self.relations)[:12])}.",
                metadata={"graph_id": self.graph_id, "relation": name},
            )
        return self.relations[name]

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for entity in self.entities:
            found.setdefault(name_key(entity.name), []).append(entity.uid)
        return {name: tuple(uids) for name, uids in found.items()}

    def named(self, name: str) -> tuple[str, ...]:
        """Uids of the entities whose name looks like this one, sorted by type and uid."""
        return self._by_name.get(name_key(name), ())

    def is_ambiguous(self, uid: str) -> bool:
        """Whether the entity's name also names another entity of the graph."""
        self.entity(uid)
        return bool(self.ambiguous[self.index[uid]])

    def names_of(self, uids: Iterable[str]) -> frozenset[str]:
        """Case-folded names and aliases of several entities."""
        known = (self.index[uid] for uid in uids if uid in self.index)
        return frozenset().union(*(self.surfaces[position] for position in known))

    def pool(self, *, answer: str, relation: str, reverse: bool, same_relation: Sequence[str] = ()) -> Sequence[int]:
        """Candidates for distractors: entities of the answer's type, else of the relation's, else its objects."""
        declared = self.relation(relation)
        kind = self.entity(answer).type or (declared.domain_type if reverse else declared.range_type)
        if kind and kind != LITERAL and kind in self.ranges:
            return self.ranges[kind]  # the relation's answers need not be looked up
        known = [self.index[uid] for uid in sorted(set(same_relation)) if uid in self.index]
        return self.pool_of(kind=self.entity(answer).type, relation=relation, reverse=reverse, known=known)

    def pool_of(self, *, kind: str, relation: str, reverse: bool, known: Sequence[int]) -> Sequence[int]:
        """The same for an answer of type ``kind``, with the indices of the relation's known answers in uid order."""
        if kind == LITERAL and len(known) >= _ENOUGH:
            return known  # years, charges and counts share a type, but no one would take one for the other
        declared = self.relation(relation)
        kind = kind or (declared.domain_type if reverse else declared.range_type)
        if kind and kind in self.ranges:
            return self.ranges[kind]
        return known or self.ranges.get("", ())


def load_lexicon(store: GraphStore, *, graph_id: str) -> Lexicon:
    """Read a graph's entities and relations.

    Raises:
        GraphNotFound: there is no graph of this id.
        GraphUnavailable: the database does not answer.
    """
    return store.read_transaction(lambda tx: read_lexicon(tx, graph_id=graph_id))


def read_lexicon(tx: Transaction, *, graph_id: str) -> Lexicon:
    """Read a graph's entities and relations inside a transaction."""
    digest = require_graph(tx, graph_id)
    entities = [
        Entity(
            uid=row["uid"],
            name=row["name"],
            type=row["type"] or "",
            domain=row["domain"] or "",
            aliases=tuple(row["aliases"] or ()),
        )
        for row in tx.rows("graphs/entities", graph_id=graph_id)
        if not row["retired"]
    ]
    return Lexicon.build(
        graph_id=graph_id,
        graph_digest=digest,
        entities=entities,
        relations=[from_properties(row) for row in tx.rows("graphs/relations", graph_id=graph_id)],
    )
