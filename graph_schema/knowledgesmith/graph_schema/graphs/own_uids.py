"""Uids of inserted entities: two branches may insert one uid for different entities, and each keeps its own node.

Nodes are unique by uid in a graph. Where a uid stands already for an entity of other texts (one that another branch
inserted, one of a rolled back intervention, a retired one), the new entity is stored under a uid of its own, made of
the asked one and a digest of its texts. The same entity inserted on several branches is one node, so that what two
methods did to it can be compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import AlreadyExists
from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.interventions import InsertEntity, StructuralChange

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction

_OWN: Final = re.compile(r"(?s)(.+)~[0-9a-f]{8}")


def own_uid(entity: Entity) -> str:
    """The uid under which an entity is stored whose asked uid stands for another one."""
    texts = [entity.uid, entity.name, entity.type, entity.domain, *entity.aliases]
    digest = hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode()).hexdigest()
    return f"{entity.uid}~{digest[:8]}"


def asked_uid(entity: Entity) -> str:
    """The uid that an inserted entity was asked to have; mostly its own."""
    match = _OWN.fullmatch(entity.uid)
    if match and own_uid(replace(entity, uid=match[1])) == entity.uid:
        return match[1]
    return entity.uid


def asked_uids(entities: Iterable[Entity]) -> dict[str, str]:
    """Asked uids to those that the entities have instead."""
    return {asked: entity.uid for entity in entities if (asked := asked_uid(entity)) != entity.uid}


def each_once(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """Entities without repetitions.

    Raises:
        AlreadyExists: two different ones have the same uid: a branch inserted one while the other waited.
    """
    found: dict[str, Entity] = {}
    for entity in entities:
        if found.setdefault(entity.uid, entity) != entity:
            raise AlreadyExists(
                "the branch has inserted another entity under this uid in the meantime",
                field="structural",
                value=asked_uid(entity),
                hint="Choose another uid, or change the facts of that entity.",
            )
    return tuple(found.values())


def entity_of(item: InsertEntity) -> Entity:
    """The entity that a structural change inserts."""
    return Entity(uid=item.uid, name=item.name, type=item.type, domain=item.domain, aliases=item.aliases)


def with_own_uids(
    store: GraphStore, graph_id: str, items: Sequence[StructuralChange], *, known: Mapping[str, object]
) -> tuple[StructuralChange, ...]:
    """Structural changes whose new entities have uids that stand for no other entity.

    Args:
        store: the database.
        graph_id: the graph.
        items: what is asked.
        known: the entities of the branch's world, by uid; an insertion of one of those is refused later.
    """
    asked = sorted({item.uid for item in items if isinstance(item, InsertEntity)} - known.keys())
    rows = store.read("worlds/texts", graph_id=graph_id, uids=asked) if asked else []
    taken = {row["uid"]: _texts(row["name"], row["type"], row["domain"], row["aliases"]) for row in rows}

    def renamed(item: StructuralChange) -> StructuralChange:
        if not isinstance(item, InsertEntity):
            return item
        mine = _texts(item.name, item.type, item.domain, item.aliases)
        return item if taken.get(item.uid, mine) == mine else replace(item, uid=own_uid(entity_of(item)))

    return tuple(renamed(item) for item in items)


def insert_entities(tx: Transaction, *, graph_id: str, entities: Sequence[Entity]) -> tuple[str, ...]:
    """Make sure that the nodes of inserted entities are there; the base graph has them as retired.

    Returns:
        The uids of nodes that stand for other entities than these.
    """
    if not entities:
        return ()
    rows = [[e.uid, e.name, e.type, e.domain, list(e.aliases)] for e in sorted(entities, key=lambda e: e.uid)]
    return tuple(tx.rows("worlds/entities", graph_id=graph_id, rows=rows)[0]["others"])


def check_own(others: Iterable[str], *, earlier: Iterable[Entity]) -> None:
    """Refuse to go on where a node stands for another entity than the one that is being inserted under its uid.

    Args:
        others: from :func:`insert_entities`.
        earlier: entities of the branch's committed interventions; those are there, whatever an import did to them.

    Raises:
        AlreadyExists: somebody inserted another entity under the same uid at the same time.
    """
    if taken := sorted(set(others) - {entity.uid for entity in earlier}):
        raise AlreadyExists(
            "another request inserted another entity under this uid at the same time",
            field="structural",
            value=taken[0],
            hint="Ask again: it gets a uid of its own then.",
        )


def _texts(name: str, kind: str, domain: str, aliases: Sequence[str]) -> tuple[object, ...]:
    return name, kind or "", domain or "", tuple(aliases or ())
