"""Entry point: ``python -m knowledgesmith.server`` runs the server; ``… doctor`` and ``… config`` only look."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Look at the machine, or run the server; what is imported for one must not be needed by the other."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ["doctor"]:
        from knowledgesmith.server.doctor.report import main as doctor

        status = doctor(words[1:])
        sys.stdout.flush()
        sys.stderr.flush()
        # a check that hangs in a library's thread must not keep the process
        os._exit(status)
    if words[:1] == ["config"]:
        from knowledgesmith.server.configuration import main as config

        return config(words[1:])
    return _serve(words)


def _serve(words: Sequence[str]) -> int:
    """Parse, run, and turn a failed start into one clear line; a wrong setting is told before the service is loaded."""
    import asyncio

    from knowledgesmith.graph_schema.errors import KnowledgeSmithError
    from knowledgesmith.server.configuration import parse
    from knowledgesmith.server.device import require_device
    from knowledgesmith.server.front.gc_tuning import collect_rarely

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    collect_rarely()
    try:
        settings = parse(words)
        require_device(settings.device)
        from knowledgesmith.server.app import serve

        asyncio.run(serve(settings))
    except KnowledgeSmithError as error:
        sys.stderr.write(f"{error.reason}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
