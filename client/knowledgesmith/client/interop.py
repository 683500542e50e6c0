"""Results as objects of other libraries: networkx, pandas and py2neo; one call each, all of them offline."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, Final, cast, get_args, get_type_hints

from knowledgesmith.client._extras import NOTEBOOK, require
from knowledgesmith.client._json import to_plain
from knowledgesmith.client._types.enums import Level, Polarity
from knowledgesmith.client._types.events import BeliefChange
from knowledgesmith.client._types.propagation import Changes, Propagation, Subgraph, SubgraphNode
from knowledgesmith.client._types.questions import (
    ChangedFacts,
    Collapse,
    Comparison,
    Evidence,
    Metrics,
    OverTime,
    Travel,
)

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

LEVELS: Final = ("Root", "Intermediate", "Leaf")
Answer = Changes | Propagation | Evidence | ChangedFacts | Comparison | OverTime | Metrics | Collapse
_ROWS: Final[Mapping[type, str]] = {
    Changes: "changes",
    Propagation: "groups",
    Evidence: "evidence",
    ChangedFacts: "facts",
    Comparison: "rows",
    OverTime: "points",
    Metrics: "metrics",
    Collapse: "points",
}


def to_networkx(answer: Subgraph | Travel) -> nx.MultiDiGraph[str]:
    """A directed multigraph: uids as nodes, relations as edge keys, every member as an attribute.

    Of a subgraph: the entities (``delta`` is set on them) and the facts between them. Of paths: the facts that were
    travelled, in the facts' own direction, with the entities' ``delta``; stops are nodes with ``stopped``. The query is
    the graph's attribute ``cypher``.

    Raises:
        FailedPrecondition: the extra ``notebook`` is not installed; likewise below.
    """
    require(NOTEBOOK, "A networkx graph")
    import networkx as nx

    if isinstance(answer, Travel):
        return _travelled(answer)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(cypher=answer.query.cypher)
    for node in answer.nodes:
        graph.add_node(node.uid, **_attributes(node), delta=node.delta)
    for edge in answer.edges:
        graph.add_edge(
            edge.source_uid, edge.target_uid, key=edge.relation, relation=edge.relation, status=edge.status.value
        )
    return graph


def to_pandas(answer: Answer | Iterable[Any]) -> pd.DataFrame:
    """One row an item of an answer (or of any iterable of result objects); enums as text, missing values as NaN.

    Ledger rows are indexed by ``sequence``. Members of members become columns such as ``rate_low``. An answer without
    items has the columns of its own sort; an empty iterable those of the ledger.
    """
    require(NOTEBOOK, "A pandas table")
    import pandas as pd

    member = _ROWS.get(type(answer), "")
    rows = tuple(getattr(answer, member) if member else cast("Iterable[Any]", answer))
    if isinstance(answer, Changes) or (not member and all(isinstance(row, BeliefChange) for row in rows)):
        return _ledger(rows)
    if not rows:
        [row_type, *_] = get_args(get_type_hints(type(answer))[member])
        return pd.DataFrame(columns=pd.Index(_columns(row_type)))
    return pd.json_normalize([to_plain(row) for row in rows], sep="_")


def to_py2neo(answer: Subgraph | Travel | nx.MultiDiGraph[str]) -> Any:
    """A ``py2neo.Subgraph``: nodes labelled ``Entity`` and their level, relationships typed by relation name.

    It takes a subgraph, paths, or a whole graph as ``graphs.networkx`` returns it. The objects are
    not bound to a database; ``graph.merge(result, "Entity", "uid")`` writes them to one.
    """
    require(NOTEBOOK, "A py2neo subgraph")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from py2neo import Node, Relationship
        from py2neo import Subgraph as Py2neoSubgraph

    drawn = to_networkx(answer) if isinstance(answer, Subgraph | Travel) else answer
    nodes = {
        uid: Node(*_labels(values), **{"uid": uid, **_present(values)})
        for uid, values in drawn.nodes(data=True)
        if values
    }
    facts = [
        Relationship(nodes[source], _type(values), nodes[target], **_present(values))
        for source, target, values in drawn.edges(data=True)
        if source in nodes and target in nodes
    ]
    return Py2neoSubgraph(nodes.values(), facts)


def _ledger(rows: tuple[BeliefChange, ...]) -> pd.DataFrame:
    import pandas as pd

    columns = BeliefChange.__dataclass_fields__
    frame = pd.DataFrame({name: [getattr(row, name) for row in rows] for name in columns})
    for name in ("level", "kind", "polarity", "role"):
        frame[name] = [str(value) for value in frame[name]]
    numbers = ["before", "after", "new_before", "new_after", "delta"]
    frame[numbers] = frame[numbers].astype("float64")
    frame["hops"] = frame["hops"].astype("Int64")
    frame["should_change"] = frame["polarity"] == Polarity.CHANGE.value
    return frame.set_index("sequence")


def _columns(row_type: Any, prefix: str = "") -> list[str]:
    """The columns of a sort of items, those of members that are objects too."""
    found: list[str] = []
    for name, hint in get_type_hints(row_type).items():
        nested = is_dataclass(hint)
        found += _columns(hint, f"{prefix}{name}_") if nested else [f"{prefix}{name}"]
    return found


def _travelled(travel: Travel) -> nx.MultiDiGraph[str]:
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(cypher=travel.paths_query.cypher)
    for path in travel.paths:
        graph.add_node(path.target_uid, name=path.target_name, target=True)
        here = path.target_uid
        for step in path.steps:
            uid = step.entity_uid
            graph.add_node(uid, name=step.entity_name, delta=step.delta, target=_is_target(graph, uid))
            ends = (here, uid) if step.forward else (uid, here)
            graph.add_edge(*ends, key=step.relation, relation=step.relation)
            here = uid
    for stop in travel.stops:
        known = _is_target(graph, stop.entity_uid)  # a change may stop where it began
        graph.add_node(
            stop.entity_uid,
            name=stop.entity_name,
            level=_label(stop.level),
            hops=stop.hops,
            moved=stop.moved,
            stopped=True,
            target=known,
        )
    return graph


def _is_target(graph: nx.MultiDiGraph[str], uid: str) -> bool:
    return uid in graph and bool(graph.nodes[uid].get("target"))


def _attributes(node: SubgraphNode) -> dict[str, Any]:
    return {**asdict(node), "level": _label(node.level)}


def _label(level: Level) -> str:
    """The level as the database labels it; empty where there is none."""
    return "" if level is Level.UNSPECIFIED else level.title()


def _present(values: dict[str, Any]) -> dict[str, Any]:
    """Properties of a node or relationship: a missing value is no property."""
    return {key: value for key, value in values.items() if value is not None}


def _labels(values: dict[str, Any]) -> tuple[str, ...]:
    return ("Entity", values["level"]) if values.get("level") in LEVELS else ("Entity",)


def _type(values: dict[str, Any]) -> str:
    return str(values.get("rel_type") or values["relation"]).upper()
