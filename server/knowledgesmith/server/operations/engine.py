"""Operations: begun, run, told about, cancelled, and taken up again at the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from pathlib import Path

    from google.longrunning import operations_pb2
    from google.protobuf.message import Message

    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.operations.folders import Folder
    from knowledgesmith.server.operations.tasks import Runner


class Operations:
    """All operations of this server; its methods belong to the event loop's thread.

    Args:
        store: where they are kept.
        directory: where their files are kept.
        threads: how many run at once.
        draining: set when the server shuts down; nobody waits any longer then.
    """

    def __init__(self, *, store: GraphStore, directory: Path, threads: int, draining: asyncio.Event) -> None: ...

    async def start(self, runners: Mapping[str, Runner]) -> None:
        """Take up every operation that has not ended; call it once the worker has been started."""
        raise NotImplementedError

    async def stop(self, seconds: float) -> None:
        """Let the running ones go, without ending them: the next start takes them up."""
        raise NotImplementedError

    def upload(self) -> Folder:
        """A folder for the files of an operation that is about to begin; remove it where none does."""
        raise NotImplementedError

    async def begin(
        self,
        method: str,
        request: Message,
        *,
        resource_id: str,
        actor: str,
        request_id: str,
        upload: Folder | None = None,
    ) -> operations_pb2.Operation:
        """Begin an operation, or find the one that the same request began."""
        raise NotImplementedError

    async def get(self, name: str) -> operations_pb2.Operation:
        """One operation."""
        raise NotImplementedError

    async def wait(self, name: str, seconds: float) -> operations_pb2.Operation:
        """One operation once it has ended, or as it is after ``seconds``."""
        raise NotImplementedError

    async def cancel(self, name: str) -> None:
        """Ask for its end."""
        raise NotImplementedError

    async def delete(self, name: str) -> None:
        """Forget one that has ended, with its files."""
        raise NotImplementedError
