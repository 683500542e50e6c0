"""The drawing itself, as an element tree, so that no name can break out of its place."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET

from knowledgesmith.client._picture.colours import FAINT, INK, LESS, MORE, colour
from knowledgesmith.client._picture.layout import Point, label, place, radius
from knowledgesmith.client._types.enums import Level
from knowledgesmith.client._types.propagation import Subgraph, SubgraphEdge, SubgraphNode

NAMESPACE: Final = "http://www.w3.org/2000/svg"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_MARGIN: Final = 26.0
_LEGEND: Final = 64.0
_LEAST_WIDTH: Final = 860.0
_EDGE_LABELS: Final = 40
_LABELLED_LENGTH: Final = 84.0
_STATUS_INK: Final = {"retracted": "#b23a00", "added": "#4a2d86"}
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
_LONGEST: Final = 300


def clean(text: str) -> str:
    """Text without characters that XML forbids, cut to 300 characters."""
    safe = _ILLEGAL.sub("\ufffd", text)
    return safe if len(safe) <= _LONGEST else f"{safe[:_LONGEST]}…"


def element(parent: ET.Element | None, tag: str, text: str = "", /, **attributes: object) -> ET.Element:
    """Append an element; ``_`` in attribute names becomes ``-``, numbers are rounded to 0.1."""
    made = ET.Element(tag) if parent is None else ET.SubElement(parent, tag)
    for name, value in attributes.items():
        shown = f"{value:.1f}" if isinstance(value, float) else str(value)
        made.set(name.rstrip("_").replace("_", "-"), shown)
    made.text = clean(text) if text else None
    return made


def build(subgraph: Subgraph) -> ET.Element:
    """The ``<svg>`` element of a subgraph: edges below, shapes and labels above, the legend at the foot."""
    points, needed, tall = place(subgraph)
    width, height = max(needed + 2 * _MARGIN, _LEAST_WIDTH), tall + 2 * _MARGIN + _LEGEND
    shift = (width - needed) / 2
    moved = {uid: (x + shift, y + _MARGIN) for uid, (x, y) in points.items()}
    svg = element(None, "svg", viewBox=f"0 0 {width:.0f} {height:.0f}", width=round(width), height=round(height))
    svg.set("xmlns", NAMESPACE)
    svg.set("role", "img")
    svg.set("font-family", FONT)
    element(svg, "title", "Propagation of belief changes")
    element(svg, "rect", width="100%", height="100%", fill="#ffffff")
    _markers(svg)
    _edges(svg, subgraph, moved)
    for node in subgraph.nodes:
        _node(svg, node, moved[node.uid])
    _legend(svg, height - _LEGEND + 18)
    return svg


def _markers(svg: ET.Element) -> None:
    definitions = element(svg, "defs")
    for name, ink in (("asserted", FAINT), *_STATUS_INK.items()):
        marker = element(
            definitions,
            "marker",
            id=f"arrow-{name}",
            viewBox="0 0 8 8",
            refX=7,
            refY=4,
            markerWidth=8,
            markerHeight=8,
            markerUnits="userSpaceOnUse",
            orient="auto",
        )
        element(marker, "path", d="M0,0.8 L8,4 L0,7.2 z", fill=ink)


def _status(edge: SubgraphEdge) -> str:
    """What the intervention did to a fact, in the word of the legend."""
    word = edge.status.lower()
    return word if word in _STATUS_INK else "asserted"


def _edges(svg: ET.Element, subgraph: Subgraph, points: Mapping[str, Point]) -> None:
    sizes = {node.uid: radius(node) for node in subgraph.nodes}
    drawn = [edge for edge in subgraph.edges if edge.source_uid in points and edge.target_uid in points]
    special = [edge for edge in drawn if _status(edge) in _STATUS_INK]
    for edge in sorted(drawn, key=lambda edge: _status(edge) in _STATUS_INK):
        _edge(svg, edge, points, sizes, labelled=edge in special and len(special) <= _EDGE_LABELS)


def _edge(
    svg: ET.Element,
    edge: SubgraphEdge,
    points: Mapping[str, Point],
    sizes: Mapping[str, float],
    *,
    labelled: bool,
) -> None:
    (x1, y1), (x2, y2) = points[edge.source_uid], points[edge.target_uid]
    length = math.hypot(x2 - x1, y2 - y1)
    if length < 1:
        return
    along_x, along_y = (x2 - x1) / length, (y2 - y1) / length
    start, end = sizes[edge.source_uid] + 3, sizes[edge.target_uid] + 5
    status = _status(edge)
    group = element(svg, "g", class_=f"edge {status}")
    element(group, "title", f"{edge.relation} ({status})")
    line = element(
        group,
        "line",
        x1=x1 + along_x * start,
        y1=y1 + along_y * start,
        x2=x2 - along_x * end,
        y2=y2 - along_y * end,
        stroke=_STATUS_INK.get(status, FAINT),
        stroke_width={"added": 3, "retracted": 1.8}.get(status, 1.1),
        marker_end=f"url(#arrow-{status})",
    )
    if status == "retracted":
        line.set("stroke-dasharray", "5 4")
    if labelled and length > _LABELLED_LENGTH:
        _halo(group, (x1 + x2) / 2, (y1 + y2) / 2 - 3, edge.relation, size=9, ink=_STATUS_INK[status])


def _halo(parent: ET.Element, x: float, y: float, text: str, *, size: float, ink: str, weight: str = "400") -> None:
    """Text with a white outline, so that lines below do not disturb it."""
    element(
        parent,
        "text",
        text,
        x=x,
        y=y,
        text_anchor="middle",
        font_size=size,
        font_weight=weight,
        fill=ink,
        stroke="#ffffff",
        stroke_width=3,
        stroke_linejoin="round",
        paint_order="stroke",
    )


def _node(svg: ET.Element, node: SubgraphNode, point: Point) -> None:
    x, y = point
    group = element(svg, "g", class_="entity")
    element(group, "title", describe(node))
    size = radius(node)
    if node.target:
        element(group, "circle", cx=x, cy=y, r=size + 4, fill="none", stroke=INK, stroke_width=2)
    style = {"fill": colour(node.delta), "stroke": INK, "stroke_width": 1.2}
    if node.delta is None:
        style |= {"stroke": FAINT, "stroke_dasharray": "2 2"}
    _shape(group, node.level, x, y, size, style)
    weight = "700" if node.target else "400"
    _halo(group, x, y + size + (17 if node.target else 13), label(node), size=11, ink=INK, weight=weight)


def _shape(parent: ET.Element, level: Level, x: float, y: float, size: float, style: Mapping[str, object]) -> None:
    """Root: square; intermediate: diamond; leaf: disc."""
    if level is Level.ROOT:
        edge = size * 1.7
        element(parent, "rect", x=x - edge / 2, y=y - edge / 2, width=edge, height=edge, rx=3, **style)
    elif level is Level.INTERMEDIATE:
        points = f"{x:.1f},{y - size:.1f} {x + size:.1f},{y:.1f} {x:.1f},{y + size:.1f} {x - size:.1f},{y:.1f}"
        element(parent, "polygon", points=points, **style)
    else:
        element(parent, "circle", cx=x, cy=y, r=size, **style)


def describe(node: SubgraphNode) -> str:
    """What the reader sees when the pointer rests on an entity."""
    hops = "unreachable from the targets" if node.hops is None else f"{node.hops} hops from a target"
    if node.before is None or node.after is None or node.delta is None:
        belief = "no belief measured"
    else:
        belief = f"belief {node.before:.3f} → {node.after:.3f} ({node.delta:+.3f})"
    return f"{node.name} [{node.uid}]\n{node.level.title()} · {node.type} · {node.domain}\n{hops}\n{belief}"


def _legend(svg: ET.Element, y: float) -> None:
    group = element(svg, "g", font_size=10.5, fill="#4a4e58")
    element(group, "line", x1=_MARGIN, y1=y - 12, x2="98%", y2=y - 12, stroke="#e3e5ea")
    x = _legend_scale(group, _MARGIN, y)
    style = {"fill": "#f4f4f2", "stroke": INK, "stroke_width": 1.2}
    for level in (Level.ROOT, Level.INTERMEDIATE, Level.LEAF):
        _shape(group, level, x + 8, y + 8, 7, style)
        element(group, "text", level.title(), x=x + 20, y=y + 12)
        x += 42 + 6.2 * len(level)
    element(group, "circle", cx=x + 8, cy=y + 8, r=8, fill="none", stroke=INK, stroke_width=2)
    element(group, "text", "target", x=x + 21, y=y + 12)
    x += 72
    for status, ink in (("asserted", FAINT), *_STATUS_INK.items()):
        line = element(group, "line", x1=x, y1=y + 8, x2=x + 26, y2=y + 8, stroke=ink, stroke_width=2)
        line.set("stroke-width", "3" if status == "added" else "1.6")
        if status == "retracted":
            line.set("stroke-dasharray", "5 4")
        element(group, "text", status, x=x + 31, y=y + 12)
        x += 96


def _legend_scale(group: ET.Element, x: float, y: float) -> float:
    element(group, "text", "belief lost", x=x, y=y + 12, fill=_hex(LESS), font_weight=600)
    x += 66
    for step in range(-5, 6):
        element(group, "rect", x=x, y=y + 1, width=13, height=14, fill=colour(step / 5))
        x += 13
    element(group, "text", "gained", x=x + 7, y=y + 12, fill=_hex(MORE), font_weight=600)
    return x + 66


def _hex(channels: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in channels)
