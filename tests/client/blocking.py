"""The client for programs with an event loop, called from one without: so that one test proves both."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from knowledgesmith.client import AsyncKnowledgeSmith, KnowledgeSmith

_END = object()


@contextmanager
def blocking(target: str, **settings: Any) -> Generator[KnowledgeSmith]:
    """A client whose calls run in the event loop of a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def make() -> AsyncKnowledgeSmith:
        return AsyncKnowledgeSmith(target, **settings)

    try:
        client = asyncio.run_coroutine_threadsafe(make(), loop).result()
        yield cast("KnowledgeSmith", _Blocking(client, loop))
        asyncio.run_coroutine_threadsafe(client.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(slots=True)
class _Blocking:
    """An object of the client, or one of its methods."""

    held: Any
    loop: asyncio.AbstractEventLoop

    def __getattr__(self, name: str) -> Any:
        return self._shown(getattr(self.held, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = self.held(*args, **kwargs)
        if inspect.isasyncgen(made):
            return self._each(cast("AsyncGenerator[Any, Any]", made))
        return self._shown(self._run(made) if inspect.iscoroutine(made) else made)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def _each(self, events: AsyncGenerator[Any, Any]) -> Generator[Any]:
        async def following() -> Any:
            return await anext(events, _END)

        try:
            while (event := self._run(following())) is not _END:
                yield event
        finally:
            self._run(events.aclose())

    def _shown(self, value: Any) -> Any:
        """Anything of the client is called the same way again; plain values are themselves."""
        if isinstance(value, list):
            return [self._shown(item) for item in value]
        ours = type(value).__module__.startswith("knowledgesmith.client._async")
        return _Blocking(value, self.loop) if ours or inspect.ismethod(value) else value
