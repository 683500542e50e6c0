"""What an intervention did to the facts of a picture: its overlay, read back from the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.interventions.branches import parse_changes
from knowledgesmith.graph_schema.propagation.rows import Edge
from knowledgesmith.graph_schema.types.plans import WorldOp

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from knowledgesmith.graph_schema.interventions.records import Intervention
    from knowledgesmith.graph_schema.storage.store import GraphStore


def edge_statuses(
    store: GraphStore, intervention: Intervention, uids: AbstractSet[str]
) -> tuple[dict[str, str], list[Edge]]:
    """Fact ids that the intervention retracted, and edges (named by relation) that it added between ``uids``."""
    heads = store.read("planning/head", id=intervention.id)
    overlay = parse_changes(heads[0]["overlay"]) if heads else ()
    retracted = {c.fact_id: "retracted" for c in overlay if c.op is WorldOp.RETRACT}
    added = [
        Edge(source=c.subject, rel_type=c.relation, target=c.object, fact_id=c.fact_id)
        for c in overlay
        if c.op is WorldOp.ASSERT and c.subject in uids and c.object in uids
    ]
    return retracted, added
