"""The picture is well-formed, self-contained, safe against hostile names, and does not overlap itself."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from tests.client import wire

from knowledgesmith.client import EdgeStatus, Level, PastedQuery, Subgraph, SubgraphEdge, SubgraphNode, draw, draw_svg
from knowledgesmith.client._cypher import literal, pasteable
from knowledgesmith.client._picture.colours import colour, text_on
from knowledgesmith.client._picture.layout import LETTER_WIDTH, label, place, radius
from knowledgesmith.client._types.interventions import Intervention
from knowledgesmith.client._wire.fill import read

HOSTILE = [
    '<script>alert("x")</script>',
    "]]> <!-- --> &amp; &#0;",
    "\x00\x1b[31mred\ud800\uffff",
    "'; } </style><img src=x onerror=alert(1)>",
    "\u202eright to left" + "x" * 5000,
]


def node(uid: str, index: int, **more: object) -> SubgraphNode:
    members: dict[str, object] = {
        "uid": uid,
        "name": uid,
        "level": (Level.ROOT, Level.INTERMEDIATE, Level.LEAF)[index % 3],
        "type": "City",
        "domain": "geography",
        "hops": index % 4,
        "before": 0.5,
        "after": (index % 11) / 10,
        "target": index % 7 == 0,
    }
    return SubgraphNode(**(members | more))  # type: ignore[arg-type]  # a test's shorthand


def parse(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - what this package wrote


def ring(size: int) -> Subgraph:
    nodes = tuple(node(f"entity number {index}", index) for index in range(size))
    statuses = (EdgeStatus.ASSERTED, EdgeStatus.RETRACTED, EdgeStatus.ADDED)
    pairs = itertools.pairwise(nodes)
    edges = tuple(
        SubgraphEdge(source_uid=one.uid, relation="borders", target_uid=other.uid, status=statuses[index % 3])
        for index, (one, other) in enumerate(pairs)
        if index % 9
    )
    return Subgraph(nodes=nodes, edges=edges, query=PastedQuery(cypher="MATCH (n) RETURN n;", parameters={"id": "x"}))


def hostile() -> Subgraph:
    nodes = tuple(node(name, index, name=name, type=name, domain=name) for index, name in enumerate(HOSTILE))
    edges = tuple(
        SubgraphEdge(source_uid=HOSTILE[0], relation=name, target_uid=HOSTILE[1], status=EdgeStatus.UNSPECIFIED)
        for name in HOSTILE
    )
    return Subgraph(
        nodes=nodes, edges=edges, query=PastedQuery(cypher="RETURN '</pre><script>'", parameters={"a": HOSTILE})
    )


@pytest.mark.parametrize(
    "subgraph",
    [ring(40), hostile(), ring(1), Subgraph(nodes=(), edges=(), query=PastedQuery(cypher="", parameters={}))],
)
def test_pages_are_well_formed_and_self_contained(subgraph: Subgraph) -> None:
    page, svg = draw(subgraph=subgraph), draw_svg(subgraph=subgraph)
    root = parse(page.removeprefix("<!DOCTYPE html>\n"))
    assert parse(svg).tag == "{http://www.w3.org/2000/svg}svg"
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "img", "link", "iframe", "image", "use", "foreignObject"}
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on") or name in ("href", "src")]
    assert set(re.findall(r"[a-z]+://[^\s\"'<]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert page.encode()


def test_hostile_names_are_text() -> None:
    page = draw(subgraph=hostile())
    assert "<script" not in page
    assert "\x00" not in page
    assert "\x1b" not in page
    assert len(page) < 60_000


def test_every_entity_and_fact_is_drawn_with_its_story() -> None:
    root = parse(draw_svg(subgraph=ring(30)))
    kinds = [element.get("class", "") for element in root.iter()]
    assert kinds.count("entity") == 30
    assert {kind for kind in kinds if kind.startswith("edge")} == {"edge asserted", "edge retracted", "edge added"}
    titles = [element.text or "" for element in root.iter() if element.tag.endswith("title")]
    assert any("belief 0.500 → 1.000 (+0.500)" in title for title in titles)


def test_the_caption_names_the_intervention() -> None:
    page = draw(subgraph=ring(5), intervention=read(Intervention, wire.intervention()))
    assert "Propagation of intervention i1" in page
    assert "edit of 0 facts with alphaedit on branch main" in page


@pytest.mark.parametrize("size", [2, 20, 60])
def test_shapes_and_labels_do_not_overlap(size: int) -> None:
    subgraph = ring(size)
    points, width, height = place(subgraph)
    boxes = []
    for item in subgraph.nodes:
        x, y = points[item.uid]
        half = max(2 * radius(item), len(label(item)) * LETTER_WIDTH) / 2
        boxes.append((x - half, y - radius(item), x + half, y + radius(item) + 13))
        assert 0 <= x <= width
        assert 0 <= y <= height
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def test_the_layout_is_deterministic() -> None:
    assert draw_svg(subgraph=ring(25)) == draw_svg(subgraph=ring(25))


def test_colours_diverge_from_grey() -> None:
    assert colour(0.0) == "#f4f4f2"
    assert colour(1.0) == colour(7.0) == "#5e3c99"
    assert colour(-1.0) == "#e66101"
    assert colour(None) == "#ffffff"
    assert text_on(0.9) == "#ffffff"
    assert text_on(-0.9) == text_on(None)


def test_a_query_can_be_pasted() -> None:
    query = PastedQuery(
        cypher="MATCH (n) RETURN n;\n", parameters={"id": 'a"b', "odd key`": [1, None, True], "m": {"x": 0.5}}
    )
    assert pasteable(query) == (':param {id: "a\\"b", `odd key```: [1, null, true], m: {x: 0.5}};\nMATCH (n) RETURN n;')
    assert literal("\u202e") == '"\\u202e"'
