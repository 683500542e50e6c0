"""The client for programs without an event loop is what the generator makes of the other one."""

from __future__ import annotations

import io
import tokenize

import pytest
from scripts.gen_sync import TARGET, main, twin

SOURCE = '''"""What it does.

An ``async with`` block.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import grpc.aio


class AsyncThing:
    async def __aenter__(self) -> AsyncThing: ...

    async def each(self, channel: grpc.aio.Channel) -> AsyncGenerator[int]:
        async with aclosing(self.all()) as found:
            async for one in found:
                yield await one
        await asyncio.sleep(1)
'''


def test_what_is_committed_is_what_is_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["gen_sync.py", "--check"])
    assert main() == 0


def test_the_words_of_the_event_loop_are_replaced() -> None:
    made = twin(SOURCE)
    assert "class Thing:" in made
    assert "    def __enter__(self) -> Thing: ..." in made
    assert "def each(self, channel: grpc.Channel) -> Generator[int]:" in made
    assert "with closing(self.all()) as found:\n            for one in found:\n                yield one" in made
    assert "import time\n" in made
    assert "time.sleep(1)" in made


def test_no_word_of_the_event_loop_is_left() -> None:
    files = [path for path in TARGET.glob("*.py") if path.name != "__init__.py"]
    assert len(files) > 10
    for path in files:
        text = path.read_text(encoding="utf-8")
        words = {token.string for token in tokenize.generate_tokens(io.StringIO(text).readline)}
        assert not words & {"async", "await", "asyncio", "aio", "aclosing"}, path
        assert not [word for word in words if word.startswith("Async")], path
