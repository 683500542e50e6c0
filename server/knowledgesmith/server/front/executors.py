"""Where long work runs: few threads, a bounded queue, and a refusal beyond it, so that short calls are never starved.

Work may last for minutes, and it notices only from time to time that nobody waits for it any more
(``graph_schema.cancellation``). A place is therefore taken until the work has ended, not until the call has.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from knowledgesmith.graph_schema.errors import ServerBusy

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

P = ParamSpec("P")
T = TypeVar("T")

LONG_THREADS = 8
LONG_WAITING = 24
PLANS_WAITING = 128
QUERY_THREADS = 4
QUERIES_WAITING = 60


class Lane:
    """Threads of one sort of work.

    Args:
        name: of its threads.
        threads: pieces of work at once.
        waiting: pieces that may wait for a thread.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(threads + waiting)
        self._limit = threads + waiting

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work in this context; a cancelled call leaves at once, its work at its next look.

        Raises:
            ServerBusy: as much runs and waits as there are places.
        """
        return await asyncio.wrap_future(self._submit(partial(work, *args, **kwargs)))

    def close(self) -> None:
        """Take no more work, and forget what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if not self._places.acquire(blocking=False):
            raise ServerBusy(
                f"{self._limit} calls of this sort run or wait already",
                hint="Try again when some have ended, and send fewer at once.",
            )
        try:
            future = self._pool.submit(contextvars.copy_context().run, work)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(lambda _done: self._places.release())
        return future


def long_lane(*, threads: int = LONG_THREADS) -> Lane:
    """For calls that walk a graph and are answered while their caller waits: suggestions, traits, shared names."""
    return Lane("long", threads=threads, waiting=LONG_WAITING)


def query_lane() -> Lane:
    """For the queries that operators type: their number at once is bounded, whatever they cost."""
    return Lane("query", threads=QUERY_THREADS, waiting=QUERIES_WAITING)


def planning_lane() -> Lane:
    """For plans, one at a time: they hold write locks until they are rolled back."""
    return Lane("plan", threads=1, waiting=PLANS_WAITING)
