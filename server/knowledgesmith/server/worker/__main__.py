"""Entry point of the worker process: ``python -m knowledgesmith.server.worker FD`` (started by the front process)."""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import sys

from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.server.metrics import query_observer
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.channel import Channel, PipeSink
from knowledgesmith.server.worker.loop import Worker


def read_settings() -> tuple[ServerSettings, StoreSettings]:
    """What the front process put into the environment."""
    settings = ServerSettings.model_validate_json(os.environ["KSMITH_WORKER_SETTINGS"])
    return settings, StoreSettings(**json.loads(os.environ["KSMITH_WORKER_STORE"]))


def main() -> int:
    """Serve until told to stop or until the front process is gone."""
    faulthandler.enable()
    # The front process decides when to stop; a signal to the whole group must not end an intervention half-way.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings, store_settings = read_settings()
    channel = Channel(int(sys.argv[1]))
    sink = PipeSink(channel)
    store = GraphStore(store_settings, observe=query_observer(sink))
    Worker(settings=settings, store=store, channel=channel, sink=sink).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
