"""Results as objects of other libraries: networkx, pandas and py2neo; one call each, all of them offline."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from knowledgesmith.client._json import to_plain
from knowledgesmith.client._types.enums import Polarity
from knowledgesmith.client._types.events import BeliefChange
from knowledgesmith.client._types.propagation import Changes, Subgraph, SubgraphEdge, SubgraphNode

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

LEVELS: Final = ("Root", "Intermediate", "Leaf")


def to_networkx(subgraph: Subgraph) -> nx.MultiDiGraph[str]:
    """A directed multigraph: uids as nodes, relation names as edge keys, every member as an attribute.

    ``delta`` is set on nodes; ``subgraph.query`` is the graph's attribute ``cypher``.
    """
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(cypher=subgraph.query.cypher)
    for node in subgraph.nodes:
        graph.add_node(node.uid, **_attributes(node), delta=node.delta)
    for edge in subgraph.edges:
        graph.add_edge(edge.source, edge.target, key=edge.relation, relation=edge.relation, status=edge.status)
    return graph


def to_pandas(changes: Changes | Iterable[BeliefChange]) -> pd.DataFrame:
    """One row a ledger row, indexed by ``seq``; enums as text, missing beliefs as NaN."""
    import pandas as pd

    rows = changes.changes if isinstance(changes, Changes) else tuple(changes)
    columns = list(BeliefChange.__dataclass_fields__)
    frame = pd.DataFrame([to_plain(asdict(row)) for row in rows], columns=pd.Index(columns))
    numbers = ["before", "after", "new_before", "new_after", "delta"]
    frame[numbers] = frame[numbers].astype("float64")
    frame["hops"] = frame["hops"].astype("Int64")
    frame["should_change"] = frame["polarity"] == Polarity.CHANGE.value
    return frame.set_index("seq")


def to_py2neo(subgraph: Subgraph) -> Any:
    """A ``py2neo.Subgraph``: nodes labelled ``Entity`` and their level, relationships typed by relation name.

    The objects are not bound to a database; ``graph.merge(result, "Entity", "uid")`` writes them to one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from py2neo import Node, Relationship
        from py2neo import Subgraph as Py2neoSubgraph

    nodes = {node.uid: Node(*_labels(node), **_attributes(node), delta=node.delta) for node in subgraph.nodes}
    drawn = [edge for edge in subgraph.edges if edge.source in nodes and edge.target in nodes]
    facts = [
        Relationship(nodes[edge.source], _type(edge), nodes[edge.target], relation=edge.relation, status=edge.status)
        for edge in drawn
    ]
    return Py2neoSubgraph(nodes.values(), facts)


def _attributes(node: SubgraphNode) -> dict[str, Any]:
    return asdict(node)


def _labels(node: SubgraphNode) -> tuple[str, ...]:
    return ("Entity", node.level) if node.level in LEVELS else ("Entity",)


def _type(edge: SubgraphEdge) -> str:
    return edge.relation.upper()
