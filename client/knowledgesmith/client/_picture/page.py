"""The page around the drawing: caption, the largest changes, and the query to paste."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from knowledgesmith.client._cypher import pasteable
from knowledgesmith.client._picture.colours import colour, text_on
from knowledgesmith.client._picture.svg import build, element
from knowledgesmith.client._types.interventions import Intervention
from knowledgesmith.client._types.propagation import Subgraph

_MOST: Final = 15
_STYLE: Final = """
body { margin: 2rem auto; max-width: 1200px; padding: 0 1rem; color: #22242a; background: #fff;
       font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
.caption { color: #4a4e58; margin: .2rem 0 1rem; }
svg { width: 100%; height: auto; border: 1px solid #e3e5ea; border-radius: 8px; }
.entity:hover { filter: drop-shadow(0 0 3px #22242a88); } .edge:hover line { stroke: #22242a; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem .2rem 0; text-align: left; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.delta { padding: .2rem .6rem; border-radius: 4px; }
pre { background: #f6f7f9; padding: .8rem; border-radius: 8px; overflow-x: auto; white-space: pre-wrap; }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def draw_svg(*, subgraph: Subgraph) -> str:
    """The subgraph as one self-contained SVG document."""
    return ET.tostring(build(subgraph), encoding="unicode")


def draw(*, subgraph: Subgraph, intervention: Intervention | None = None) -> str:
    """The subgraph as one self-contained HTML page (also well-formed XML): no script, no outside resource.

    Args:
        subgraph: from ``propagation.subgraph``; at most about 60 entities can be read well.
        intervention: adds its id, goal, method and state to the caption.
    """
    page = element(None, "html", lang="en")
    head = element(page, "head")
    element(head, "meta", charset="utf-8")
    policy = element(head, "meta", content=_POLICY)
    policy.set("http-equiv", "Content-Security-Policy")
    title = "Propagation" if intervention is None else f"Propagation of intervention {intervention.id}"
    element(head, "title", title)
    element(head, "style").text = _STYLE
    body = element(page, "body")
    element(body, "h1", title)
    element(body, "p", caption(subgraph, intervention), class_="caption")
    body.append(build(subgraph))
    _largest(body, subgraph)
    if subgraph.query.cypher:
        element(body, "h2", "The query behind this picture, for any Neo4j tool")
        element(body, "pre").text = pasteable(subgraph.query)
    return "<!DOCTYPE html>\n" + ET.tostring(page, encoding="unicode", short_empty_elements=False)


def caption(subgraph: Subgraph, intervention: Intervention | None) -> str:
    """One line: what was asked, and how many entities moved which way."""
    deltas = [node.delta for node in subgraph.nodes if node.delta is not None]
    parts = [
        f"{len(subgraph.nodes)} entities, {len(subgraph.edges)} facts",
        f"{sum(delta < 0 for delta in deltas)} lost belief, {sum(delta > 0 for delta in deltas)} gained",
    ]
    if intervention is not None:
        spec = intervention.spec
        facts = f"{spec.total_changes} fact" + ("" if spec.total_changes == 1 else "s")
        parts = [
            f"{spec.goal.lower()} of {facts} with {spec.method} on branch {spec.branch_id}",
            f"{intervention.state.lower()}, {intervention.written_rows} ledger rows",
            *parts,
        ]
    return " · ".join(parts)


def _largest(body: ET.Element, subgraph: Subgraph) -> None:
    moved = [node for node in subgraph.nodes if node.delta is not None]
    moved.sort(key=lambda node: (-abs(node.delta or 0), node.uid))
    if not moved:
        return
    element(body, "h2", "Largest changes")
    table = element(body, "table")
    header = element(table, "tr")
    for name in ("entity", "level", "domain", "hops", "before", "after", "change"):
        element(header, "th", name, class_="number" if name in ("hops", "before", "after", "change") else "text")
    for node in moved[:_MOST]:
        row = element(table, "tr")
        for text in (node.name, node.level.title(), node.domain):
            element(row, "td", text)
        hops = "–" if node.hops is None else str(node.hops)
        for text in (hops, f"{node.before:.3f}", f"{node.after:.3f}"):
            element(row, "td", text, class_="number")
        style = f"background: {colour(node.delta)}; color: {text_on(node.delta)}"
        element(row, "td", f"{node.delta:+.3f}", class_="number delta", style=style)
