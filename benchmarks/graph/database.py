"""A database for a benchmark: a running one, or one of its own that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings


@contextmanager
def opened(uri: str = "") -> Generator[tuple[GraphStore, str]]:
    """A connected store with the newest schema, and its address."""
    if uri:
        yield from _connected(uri)
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = EmbeddedSettings(data_dir=Path(folder), heap="1g", page_cache="512m")
        with start(settings, owned=True) as database:
            yield from _connected(database.uri)


def _connected(uri: str) -> Generator[tuple[GraphStore, str]]:
    store = GraphStore.connect(StoreSettings(uri=uri))
    try:
        migrate(store)
        yield store, uri
    finally:
        store.close()
