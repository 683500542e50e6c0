"""Short ways to write records, and the settled graph in memory to compare."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from knowledgesmith.graph_schema.errors import GraphUnavailable
from knowledgesmith.graph_schema.importing import InputFile, Place, Rejection
from knowledgesmith.graph_schema.importing.reading.records import EntityRecord, FactRecord, Record, RelationRecord
from knowledgesmith.graph_schema.importing.staging.staging import Staging
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Relation, Traits

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a staging holds at the end."""

    entities: dict[str, tuple[Any, ...]]
    """uid to name, type, domain, aliases, level, depth."""
    facts: list[tuple[str, str, str, str]]
    links: list[tuple[str, str]]
    relations: Mapping[str, Relation]
    rejections: list[Rejection]
    digest: str


class CutStore(GraphStore):
    """A store whose connection is gone after some writing transactions."""

    left = 1_000

    def write_transaction(self, work: Callable[[Transaction], T]) -> T:
        self.left -= 1
        if self.left < 0:
            raise GraphUnavailable("the connection is gone")
        return super().write_transaction(work)


def place(record: int, file: str = "f") -> Place:
    return Place(file=file, record=record)


def entity(uid: str, record: int = 1, **fields: Any) -> EntityRecord:
    return EntityRecord(place=place(record), uid=uid, name=fields.pop("name", uid), **fields)


def relation(name: str, record: int = 1, *, domain: str = "", range_: str = "", **traits: Any) -> RelationRecord:
    made = Relation(name=name, rel_type="", domain_type=domain, range_type=range_, traits=Traits(**traits))
    return RelationRecord(place=place(record, "r"), relation=made)


def fact(key: str, record: int = 1, **fields: Any) -> FactRecord:
    """``subject relation object``, parted by single spaces."""
    subject, name, obj = key.split(" ")
    return FactRecord(place=place(record), subject=subject, relation=name, object=obj, **fields)


def settle(records: Iterable[Record]) -> Settled:
    """Stage records and read back what they became."""
    with Staging() as staging:
        staging.take(records)
        staging.settle()
        read = staging.database.execute
        return Settled(
            entities={
                row[0]: (*row[1:4], tuple(json.loads(row[4])), *row[5:])
                for row in read("SELECT uid, name, type, domain, aliases, level, depth FROM entity")
            },
            facts=read(
                "SELECT s.uid, r.name, o.uid, f.source FROM fact f JOIN entity s ON s.id = f.subject "
                "JOIN relation r ON r.id = f.relation JOIN entity o ON o.id = f.object "
                "ORDER BY f.subject, f.relation, f.object"
            ).fetchall(),
            links=read(
                "SELECT a.uid, b.uid FROM link l JOIN entity a ON a.id = l.parent JOIN entity b ON b.id = l.child"
            ).fetchall(),
            relations=dict(staging.relations),
            rejections=list(staging.rejections),
            digest=staging.digest,
        )


def tables(entities: str, facts: str, relations: str = "") -> list[InputFile]:
    """The files of a small graph as CSV."""
    texts = {"entities": entities, "relations": relations, "facts": facts}
    return [
        InputFile(name=f"{role}.csv", content=io.BytesIO(text.encode()), role=role)
        for role, text in texts.items()
        if text
    ]


def chain(size: int) -> list[InputFile]:
    """A hierarchy of ``size`` entities in a row, each with a second fact."""
    facts = "".join(f"n{i:03},up,n{i - 1:03}\nn{i:03},near,n{size - i:03}\n" for i in range(1, size))
    return tables(
        "uid,name,aliases\n" + "".join(f"n{i:03},N {i},a|b{i}\n" for i in range(size)),
        "subject,relation,object\n" + facts,
        "name,hierarchical\nup,true\nnear,\n",
    )


def stored(store: GraphStore, graph_id: str) -> dict[str, Any]:
    """Everything an import writes of a graph, in a comparable form."""
    nodes = (
        "MATCH (e:Entity {graph_id: $g}) "
        "RETURN e.uid AS uid, properties(e) AS properties, labels(e) AS labels ORDER BY uid"
    )
    links = (
        "MATCH (a:Entity {graph_id: $g})-[f]->(b:Entity) "
        "RETURN a.uid AS a, b.uid AS b, type(f) AS type, properties(f) AS properties ORDER BY a, b, type, f.fact_id"
    )
    relations = "MATCH (r:Relation {graph_id: $g}) RETURN properties(r) AS properties ORDER BY r.name"
    found: dict[str, Any] = {}
    for name, text in (("nodes", nodes), ("links", links), ("relations", relations)):
        found[name] = store.run_user_query(text, {"g": graph_id}, limit=1_000_000, timeout_s=60)[1]
    for row in found["nodes"]:
        row["labels"] = sorted(row["labels"])
    return found
