"""Entry point: ``python -m knowledgesmith.server``."""

from __future__ import annotations

import asyncio
import logging
import sys

from knowledgesmith.graph_schema.errors import KnowledgeSmithError
from knowledgesmith.server.app import serve
from knowledgesmith.server.memory import collect_rarely
from knowledgesmith.server.settings import parse


def main() -> int:
    """Parse, run, and turn a failed start into one clear line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    collect_rarely()
    try:
        asyncio.run(serve(parse()))
    except KnowledgeSmithError as error:
        sys.stderr.write(f"{error.reason}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
