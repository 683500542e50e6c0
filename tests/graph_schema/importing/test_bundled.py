"""The bundled graph imports like any other."""

from __future__ import annotations

import pytest

from knowledgesmith.graph_schema.errors import GraphNotFound
from knowledgesmith.graph_schema.importing import import_graph
from knowledgesmith.graph_schema.importing.bundled import BUNDLED, bundled_files
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole
from knowledgesmith.graph_schema.storage.store import GraphStore


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_graph_is_complete_and_sound(store: GraphStore, graph_id: str, name: str) -> None:
    files = bundled_files(name)
    assert {file.role for file in files} == set(FileRole)
    report = import_graph(store, graph_id=graph_id, files=files, strict=True, validate_only=True)
    assert report.facts_created
    assert report.rejected == 0


def test_the_files_can_be_read_more_than_once(store: GraphStore, graph_id: str) -> None:
    first = import_graph(store, graph_id=graph_id, files=bundled_files("atlas"))
    again = import_graph(store, graph_id=graph_id, files=bundled_files("atlas"))
    assert first.facts_created == again.facts_matched > 0
    assert again.facts_created == again.facts_removed == again.entities_retired == 0


@pytest.mark.parametrize("name", ["", "nothing", "../atlas", "atlas/../atlas", "/etc", "cypher", "migrations", "a\x00"])
def test_only_bundled_names_are_read(name: str) -> None:
    with pytest.raises(GraphNotFound) as caught:
        bundled_files(name)
    assert caught.value.field == "name"
