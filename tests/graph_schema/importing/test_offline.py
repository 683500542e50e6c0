"""The offline import ends in the graph that an online import makes."""

from __future__ import annotations

import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.graph_schema.importing.records import stored

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
from knowledgesmith.graph_schema.errors import DatabaseRunning, ImportRejected, InvalidInput
from knowledgesmith.graph_schema.graphs.reading import get_graph
from knowledgesmith.graph_schema.importing import InputFile, import_graph, offline
from knowledgesmith.graph_schema.importing.offline import import_offline
from knowledgesmith.graph_schema.importing.offline_request import run_request
from knowledgesmith.graph_schema.importing.pipeline import Watch, stage_files
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings

NAMES = ["plain", 'with "quotes"', "a, comma", "semi;colon", "back\\slash", "名前 🏳️", "-1", "null", "{s}", " x"]


def _files() -> list[InputFile]:
    entities = [
        {"uid": f"u{n} {name}", "name": name.strip(), "type": "T" if n % 2 else "", "aliases": NAMES[:n]}
        for n, name in enumerate(NAMES)
    ]
    uids = [str(row["uid"]).strip() for row in entities]
    facts = [
        {"subject": a, "relation": "up", "object": b, "source": s}
        for a, b, s in zip(uids[:-1], uids[1:], NAMES[:-1], strict=True)
    ]
    facts += [{"subject": uids[0], "relation": "it's `so`", "object": uids[5]}]
    relations = [{"name": "up", "hierarchical": True}, {"name": "it's `so`", "symmetric": True}]
    rows: dict[str, list[dict[str, Any]]] = {"entities": entities, "relations": relations, "facts": facts}
    return [
        InputFile(name=f"{role}.jsonl", content=io.BytesIO("".join(json.dumps(row) + "\n" for row in found).encode()))
        for role, found in rows.items()
    ]


def test_offline_and_online_make_the_same_graph(store: GraphStore, graph_id: str, tmp_path: Path) -> None:
    online = import_graph(store, graph_id=graph_id, files=_files(), source="here")
    settings = EmbeddedSettings(data_dir=tmp_path / "neo4j", heap="256m", page_cache="64m", short_lived=True)
    with stage_files(
        _files(), source="here", format="", options=None, strict=True, folder=tmp_path, progress=Watch(None).report
    ) as (staging, importer):
        offline.fill_store(settings, staging, graph_id)
        with start(settings, owned=True) as database, closing(GraphStore(StoreSettings(uri=database.uri))) as other:
            migrate(other)
            report = offline.finish_graph(
                other, staging, Watch(None), graph_id=graph_id, source="here", name=importer.name
            )
            there, here = stored(other, graph_id), stored(store, graph_id)
            for sort in there:
                for one, two in zip(there[sort], here[sort], strict=True):
                    assert one == two
            assert get_graph(other, graph_id) == get_graph(store, graph_id)
            assert (report.digest, report.facts_created, report.version) == (online.digest, online.facts_created, 1)
            again = import_graph(other, graph_id=graph_id, files=_files(), source="here")
            assert (again.entities_created, again.entities_changed, again.facts_created, again.version) == (0, 0, 0, 1)
            with pytest.raises(DatabaseRunning):
                import_offline(settings.data_dir, graph_id=graph_id, files=_files())
    assert not list(tmp_path.glob("ksmith-*")), "nothing stays behind"


def test_a_database_that_holds_something_is_noticed(store: GraphStore, graph_id: str) -> None:
    import_graph(store, graph_id=graph_id, files=_files())
    assert store.read("importing/held") == [{"held": True}]


def test_a_request_is_checked_before_anything_is_touched(tmp_path: Path) -> None:
    data_dir = tmp_path / "neo4j"
    (tmp_path / "entities.csv").write_text("uid,name\nbad\n")
    good = {"graph_id": "g", "files": [{"path": str(tmp_path / "entities.csv"), "name": "entities.csv"}]}
    for request, error in (
        ("{", InvalidInput),
        (json.dumps({**good, "surprise": 1}), InvalidInput),
        (json.dumps({**good, "graph_id": "../g"}), InvalidInput),
        (json.dumps({**good, "files": [{"path": str(tmp_path / "no"), "name": "no.csv"}]}), InvalidInput),
        (json.dumps(good), ImportRejected),
    ):
        with pytest.raises(error):
            run_request(data_dir, request, heap="256m")
    assert not data_dir.exists()
