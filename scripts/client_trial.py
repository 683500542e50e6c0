"""Use a server with whatever client is installed: ``python scripts/client_trial.py HOST:PORT``.

Both forms of the client list graphs, import a small graph of their own, read it, let the server check it, wait for that
operation, and delete the graph again. Nothing else on the server is touched. It needs nothing but the client, so
``try_wheel.py`` runs it where only that is installed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import uuid
from pathlib import Path

from knowledgesmith.client import AsyncKnowledgeSmith, KnowledgeSmith, KnowledgeSmithClientError

GRAPH = {
    "entities.csv": "uid,name,type,domain\nfrance,France,Country,geography\nparis,Paris,City,geography\n",
    "relations.csv": "name,rel_type,domain_type,range_type,functional\nhas_capital,HAS_CAPITAL,Country,City,true\n",
    "facts.csv": "subject,relation,object\nfrance,has_capital,paris\n",
}


def with_threads(target: str, files: list[Path]) -> None:
    """The client for programs without an event loop."""
    graph_id = f"trial-{uuid.uuid4().hex[:16]}"
    with KnowledgeSmith(target, actor="client-trial") as smith:
        before = {graph.id for graph in smith.graphs.list()}
        smith.graphs.import_files(graph_id=graph_id, files=files, source="client trial")
        try:
            expect({graph.id for graph in smith.graphs.list()} >= before | {graph_id}, "the graph is not listed")
            expect(smith.graphs.get(graph_id=graph_id).facts == 1, "the graph has not the one fact that it should")
            begun = smith.graphs.check(graph_id=graph_id, wait=False)
            expect(begun.result().sound, "the server calls the graph unsound")
            expect(smith.operations.get(name=begun.name).done, "an operation that was waited for has not ended")
        finally:
            smith.graphs.delete(graph_id=graph_id)
        expect(graph_id not in {graph.id for graph in smith.graphs.list()}, "the deleted graph is still listed")


async def with_a_loop(target: str, files: list[Path]) -> None:
    """The client for programs with an event loop."""
    graph_id = f"trial-{uuid.uuid4().hex[:16]}"
    async with AsyncKnowledgeSmith(target, actor="client-trial") as smith:
        before = {graph.id for graph in await smith.graphs.list()}
        await smith.graphs.import_files(graph_id=graph_id, files=files, source="client trial")
        try:
            expect({graph.id for graph in await smith.graphs.list()} >= before | {graph_id}, "the graph is not listed")
            expect((await smith.graphs.get(graph_id=graph_id)).facts == 1, "the graph has not the one fact it should")
            begun = await smith.graphs.check(graph_id=graph_id, wait=False)
            expect((await begun.result()).sound, "the server calls the graph unsound")
            again = await smith.operations.get(name=begun.name)
            expect(again.done, "an operation that was waited for has not ended")
        finally:
            await smith.graphs.delete(graph_id=graph_id)


def expect(met: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Stop with plain words.

    Raises:
        SystemExit: ``met`` is false.
    """
    if not met:
        raise SystemExit(otherwise)


def main() -> None:
    """Both forms, one after the other."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as made:
        files = [Path(made) / name for name in GRAPH]
        for file in files:
            file.write_text(GRAPH[file.name], encoding="utf-8")
        try:
            with_threads(sys.argv[1], files)
            asyncio.run(with_a_loop(sys.argv[1], files))
        except KnowledgeSmithClientError as refused:
            raise SystemExit(str(refused)) from refused


if __name__ == "__main__":
    main()
