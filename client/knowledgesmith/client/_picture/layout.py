"""Where the entities of a picture stand: a seeded spring layout per component, boxes pushed apart, components packed.

Sources: Fruchterman and Reingold, "Graph drawing by force-directed placement" (1991) for the springs (networkx);
the packing is the next-fit shelf heuristic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledgesmith.client._types.enums import Level
from knowledgesmith.client._types.propagation import Subgraph, SubgraphNode

LETTER_WIDTH: Final = 6.3
LABEL_LENGTH: Final = 22
_RADIUS: Final = {Level.ROOT: 15.0, Level.INTERMEDIATE: 12.0}
_LEAF_RADIUS: Final = 9.0
_LABEL_HEIGHT: Final = 17.0
_GAP: Final = 9.0
_SPREAD: Final = 74.0
_STRETCH: Final = 1.45
_SEED: Final = 7
_PASSES: Final = 300
_BUDGET: Final = 1_500_000

Point = tuple[float, float]


@dataclass(slots=True, kw_only=True)
class Box:
    """A placed entity with room for its label; all lengths in SVG user units, ``x`` and ``y`` are the box's middle."""

    uid: str
    x: float
    y: float
    width: float
    height: float


def radius(node: SubgraphNode) -> float:
    """Size of an entity's shape: the higher its level, the larger."""
    return _RADIUS.get(node.level, _LEAF_RADIUS)


def label(node: SubgraphNode) -> str:
    """The name, cut so that it fits beside its neighbours."""
    name = " ".join((node.name or node.uid).split())
    return name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…"


def place(subgraph: Subgraph) -> tuple[dict[str, Point], float, float]:
    """Positions of the shapes' middles by uid, and the width and height that they need."""
    boxes = [_spread(subgraph, component) for component in _components(subgraph)]
    width, height = _pack(boxes)
    nodes = {node.uid: node for node in subgraph.nodes}
    placed = (box for component in boxes for box in component)
    return {box.uid: (box.x, box.y - box.height / 2 + radius(nodes[box.uid]) + 3) for box in placed}, width, height


def _components(subgraph: Subgraph) -> list[list[SubgraphNode]]:
    """Connected parts, largest first, each in the subgraph's own order."""
    parent = {node.uid: node.uid for node in subgraph.nodes}

    def root(uid: str) -> str:
        while parent[uid] != uid:
            parent[uid] = uid = parent[parent[uid]]
        return uid

    for edge in subgraph.edges:
        if edge.source_uid in parent and edge.target_uid in parent:
            parent[root(edge.source_uid)] = root(edge.target_uid)
    groups: dict[str, list[SubgraphNode]] = {}
    for node in subgraph.nodes:
        groups.setdefault(root(node.uid), []).append(node)
    return sorted(groups.values(), key=len, reverse=True)


def _spread(subgraph: Subgraph, nodes: Sequence[SubgraphNode]) -> list[Box]:
    """One component, its boxes free of overlaps."""
    points = _springs(subgraph, nodes)
    boxes = [
        Box(
            uid=node.uid,
            x=points[node.uid][0] * _STRETCH,
            y=points[node.uid][1],
            width=max(2 * radius(node), len(label(node)) * LETTER_WIDTH) + _GAP,
            height=2 * radius(node) + _LABEL_HEIGHT + _GAP,
        )
        for node in nodes
    ]
    for _ in range(max(4, min(_PASSES, _BUDGET // max(1, len(boxes) ** 2)))):
        if not _push_apart(boxes):
            break
    return boxes


def _springs(subgraph: Subgraph, nodes: Sequence[SubgraphNode]) -> Mapping[str, Point]:
    if len(nodes) == 1:
        return {nodes[0].uid: (0.0, 0.0)}
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(node.uid for node in nodes)
    graph.add_edges_from((edge.source_uid, edge.target_uid) for edge in subgraph.edges if edge.source_uid in graph)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    size = math.sqrt(len(nodes))
    raw = nx.spring_layout(graph, seed=_SEED, k=1.6 / size, iterations=250, scale=_SPREAD * size)
    points = {uid: (float(point[0]), float(point[1])) for uid, point in raw.items()}
    tall = _range(points, 1) > _range(points, 0)
    return {uid: (y, x) for uid, (x, y) in points.items()} if tall else points


def _range(points: Mapping[str, Point], axis: int) -> float:
    values = [point[axis] for point in points.values()]
    return max(values) - min(values)


def _push_apart(boxes: Sequence[Box]) -> bool:
    """Move every overlapping pair apart along the shorter way; whether anything moved."""
    moved = False
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            over_x = (one.width + other.width) / 2 - abs(one.x - other.x)
            over_y = (one.height + other.height) / 2 - abs(one.y - other.y)
            if over_x <= 0.5 or over_y <= 0.5:
                continue
            moved = True
            if over_x < over_y:
                step = math.copysign(over_x / 2, one.x - other.x)
                one.x, other.x = one.x + step, other.x - step
            else:
                step = math.copysign(over_y / 2, one.y - other.y)
                one.y, other.y = one.y + step, other.y - step
    return moved


def _pack(components: Sequence[Sequence[Box]]) -> tuple[float, float]:
    """Put the components on shelves, about 1.6 times as wide as high; the width and height in use."""
    area = sum(_extent(boxes)[2] * _extent(boxes)[3] for boxes in components)
    widest = max((_extent(boxes)[2] for boxes in components), default=0.0)
    limit = max(widest, math.sqrt(area * 1.6) * 1.1)
    x = y = shelf = used = 0.0
    for boxes in components:
        left, top, width, height = _extent(boxes)
        if x and x + width > limit:
            x, y, shelf = 0.0, y + shelf + 2 * _GAP, 0.0
        for box in boxes:
            box.x, box.y = box.x - left + x, box.y - top + y
        x, shelf = x + width + 2 * _GAP, max(shelf, height)
        used = max(used, x)
    return used, y + shelf


def _extent(boxes: Sequence[Box]) -> tuple[float, float, float, float]:
    """Left, top, width and height of a component."""
    left = min(box.x - box.width / 2 for box in boxes)
    top = min(box.y - box.height / 2 for box in boxes)
    right = max(box.x + box.width / 2 for box in boxes)
    bottom = max(box.y + box.height / 2 for box in boxes)
    return left, top, right - left, bottom - top
