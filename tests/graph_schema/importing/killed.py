"""Runs an import and kills itself without warning at a stage: ``python killed.py URI GRAPH STAGE``."""

from __future__ import annotations

import os
import signal
import sys

from tests.graph_schema.importing.records import chain

from knowledgesmith.graph_schema.importing import import_graph
from knowledgesmith.graph_schema.importing.writing import loader
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings


def main(uri: str, graph_id: str, stage: str) -> None:
    """Import in small batches; die when the stage is reported."""
    loader.BATCH = 10  # type: ignore[misc]  # several batches of a small graph

    def die(reported: str, _done: int) -> None:
        if reported == stage:
            os.kill(os.getpid(), signal.SIGKILL)

    store = GraphStore.connect(StoreSettings(uri=uri))
    import_graph(store, graph_id=graph_id, files=chain(60), progress=die)


if __name__ == "__main__":
    main(*sys.argv[1:])
