"""Every shipped query: its header is true, the database accepts it, and no user text can become part of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest

from knowledgesmith.graph_schema.storage import queries
from knowledgesmith.graph_schema.storage.queries import load, names, parse

_PACKAGE = Path(queries.__file__).parents[1]


def _body(text: str) -> str:
    return re.sub(r"//[^\n]*", "", text)


@pytest.fixture(scope="module")
def session(neo4j_uri: str, store: object) -> Iterator[neo4j.Session]:
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as opened:
        yield opened


def test_there_are_queries() -> None:
    assert len(names()) >= 30
    assert "importing/facts_create" in names()


@pytest.mark.parametrize("name", names())
def test_the_header_names_exactly_the_parameters_and_columns(name: str) -> None:
    query = load(name)
    body = _body(query.text)
    assert query.purpose
    assert query.params == set(re.findall(r"\$([A-Za-z_]\w*)", body))
    assert ";" not in re.sub(r"'[^']*'", "", body), "one statement a file"


@pytest.mark.parametrize("name", names())
def test_the_database_accepts_the_query_and_agrees_with_its_header(name: str, session: neo4j.Session) -> None:
    query = load(name)
    result = session.run(neo4j.Query("EXPLAIN " + query.text), dict.fromkeys(query.params))  # pyright: ignore[reportArgumentType]
    columns = tuple(result.keys())
    summary = result.consume()
    assert columns == query.returns
    assert (summary.query_type != "r") == query.write
    deprecated = [n for n in summary.gql_status_objects if n.gql_status.startswith("01N0")]
    assert not deprecated


@pytest.mark.parametrize("name", names())
def test_a_lookup_of_an_entity_names_its_graph(name: str) -> None:
    """A uid alone would cross graphs and scan."""
    for pattern in re.findall(r"(?:MATCH|MERGE)\s+\(\w*:Entity\s*\{[^}]*\}\)", _body(load(name).text)):
        assert "graph_id" in pattern


def test_no_python_file_of_the_room_puts_a_query_together() -> None:
    """Cypher stands in .cypher files; a Python string that looks like Cypher is a mistake."""
    cypher = re.compile(r"\b(MATCH|MERGE|UNWIND|DETACH)\s+[\($`]")
    for path in _PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not cypher.search(node.value), f"{path.name}:{node.lineno}"


def test_a_header_must_be_complete() -> None:
    with pytest.raises(ValueError, match="returns"):
        parse("x", "// purpose: p\n// params: a\n// access: read\nRETURN 1")
    with pytest.raises(ValueError, match="access"):
        parse("x", "// purpose: p\n// params:\n// returns: a\n// access: maybe\nRETURN 1")
    query = parse("x", "// purpose: p\n// params: a, b\n// returns: c, d\n// access: write\nRETURN 1")
    assert (query.params, query.returns, query.write) == (frozenset({"a", "b"}), ("c", "d"), True)


def test_an_unknown_query_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load("graph/no_such_query")
