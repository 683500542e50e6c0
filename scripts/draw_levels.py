"""Draws the view "Levels" of ``docs/browser.md`` on the bundled graph with the colours of the Browser's style file.

Without Neo4j Browser: the query, the data and the colours are the real ones, the layout is networkx'.
Needs Chromium. Usage: ``python -m scripts.draw_levels [--uri bolt://…] [--root economy]``
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import networkx as nx
from benchmarks.graph.database import opened

from knowledgesmith.client._picture.colours import INK
from knowledgesmith.client._picture.svg import FONT, NAMESPACE, element
from knowledgesmith.graph_schema.importing import import_graph
from knowledgesmith.graph_schema.importing.bundled import bundled_files
from knowledgesmith.graph_schema.storage.store import GraphStore

ROOT: Final = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 1100, 760
MARGIN = 70


def main() -> None:
    """Import the bundled graph where it is missing, run the view, draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uri", default="", help="A running Neo4j; default: one of its own.")
    parser.add_argument("--root", default="economy")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "levels.png")
    arguments = parser.parse_args()
    with opened(arguments.uri) as (store, _):
        import_graph(store, graph_id="atlas", files=bundled_files("atlas"), source="bundled")
        graph = view(store, arguments.root)
    svg = draw(graph, styles((ROOT / "deploy" / "neo4j" / "ksmith.grass").read_text("utf-8")))
    shoot(svg, arguments.out)
    print(f"{arguments.out}: {graph.number_of_nodes()} entities, {graph.number_of_edges()} links")


def view(store: GraphStore, root: str) -> nx.DiGraph[str]:
    """The result of the first Cypher block of the document, whose rows are paths."""
    text = (ROOT / "docs" / "browser.md").read_text("utf-8")
    (query,) = re.findall(r"## Levels.*?```cypher\n(.*?)```", text, re.DOTALL)
    rows = store.run_user_query(
        f"{query.partition('RETURN')[0]} UNWIND relationships(path) AS h WITH DISTINCT h LIMIT 150 "
        "RETURN [n IN [startNode(h), endNode(h)] | [n.uid, n.name, [l IN labels(n) WHERE l <> 'Entity'][0]]] AS ends",
        {"graph_id": "atlas", "root": root},
        limit=150,
        timeout_s=60,
    )[1]
    graph: nx.DiGraph[str] = nx.DiGraph()
    for row in rows:
        for uid, name, level in row["ends"]:
            graph.add_node(uid, name=name, level=level)
        graph.add_edge(row["ends"][0][0], row["ends"][1][0])
    return graph


def styles(text: str) -> dict[str, dict[str, str]]:
    """Rules of a style file: selector to properties."""
    return {
        selector.strip(): dict(re.findall(r"([a-z-]+):\s*'?([^;']+)'?;", body))
        for selector, body in re.findall(r"([a-zA-Z.]+)\s*{([^}]*)}", text)
    }


def draw(graph: nx.DiGraph[str], rules: dict[str, dict[str, str]]) -> str:
    """An SVG document."""
    places = nx.kamada_kawai_layout(graph.to_undirected())
    points = {uid: (_scale(x, WIDTH), _scale(y, HEIGHT)) for uid, (x, y) in places.items()}
    svg = element(None, "svg", xmlns=NAMESPACE, width=WIDTH, height=HEIGHT, font_family=FONT)
    element(svg, "rect", width="100%", height="100%", fill="#ffffff")
    for source, target in graph.edges:
        (x1, y1), (x2, y2) = points[source], points[target]
        element(svg, "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=rules["relationship"]["color"], stroke_width=1.4)
    for uid, values in graph.nodes(data=True):
        rule = rules[f"node.{values['level']}"]
        size = int(rule["diameter"].removesuffix("px")) / 3.6
        x, y = points[uid]
        element(svg, "circle", cx=x, cy=y, r=size, fill=rule["color"], stroke=rule["border-color"], stroke_width=1.5)
        look = {"font_size": 10.5, "text_anchor": "middle", "fill": INK, "stroke": "#fff", "stroke_width": 2.5}
        element(svg, "text", str(values["name"]), x=x, y=y + size + 11, paint_order="stroke", **look)
    for place, level in enumerate(("Root", "Intermediate", "Leaf")):
        x = 24.0 + place * 130
        element(svg, "circle", cx=x, cy=HEIGHT - 22, r=8, fill=rules[f"node.{level}"]["color"])
        element(svg, "text", level, x=x + 14, y=HEIGHT - 18, font_size=12, fill=INK)
    return ET.tostring(svg, encoding="unicode")


def _scale(value: float, size: int) -> float:
    return MARGIN + (float(value) + 1) / 2 * (size - 2 * MARGIN)


def shoot(svg: str, out: Path) -> None:
    """Let Chromium paint the drawing."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "levels.svg"
        page.write_text(svg, "utf-8")
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={out}"]
        subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main()
