"""Where each row's prompt ends in a forward pass, and whether the pass holds prompts or goes on behind them.

What acts by prompt (a memory acts at its end, ``artefacts.memory``) cannot see that in the hidden states: rows are
padded, answers stand behind prompts in one pass and come token by token in another. So whoever runs a pass says it::

    with forward_context.prompting(batch.lengths):
        output = loaded.model(**batch.arguments(), use_cache=True)

The context belongs to the thread that sets it: two threads with a view of one model each (``surgery.views``) do not see
each other's. It is compared with the shape of the pass that asks for it, so a forgotten one is an error and not
another's.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from torch import Tensor

from knowledgesmith.graph_schema.errors import FailedPrecondition

Numbers = Sequence[int] | Tensor
"""One number a row. Of a tensor the values are read only where something asks for them: it may wait on a device."""


class Phase(StrEnum):
    """What a pass holds of its rows.

    ``PROMPT``: the end of each row's prompt, and whatever stands behind it. ``CONTINUATION``: tokens behind prompts
    that an earlier pass has read, over its cache. ``AT_REST``: texts that ask nothing.
    """

    PROMPT = "prompt"
    CONTINUATION = "continuation"
    AT_REST = "at_rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardContext:
    """What one pass over right-padded rows says about them.

    Attributes:
        phase: what it holds.
        lengths: real tokens of each row in this pass. shape: (B,).
        ends: place in this pass of the last token of each row's prompt; read in the phase ``PROMPT`` only. shape: (B,).
    """

    phase: Phase
    lengths: Numbers = ()
    ends: Numbers = ()

    def places(self, *, onwards: bool) -> tuple[list[int], list[int]]:
        """Rows and positions of the prompts' last tokens; with ``onwards`` of every real token from there on too."""
        if self.phase is Phase.AT_REST:
            return [], []
        first = _numbers(self.ends) if self.phase is Phase.PROMPT else [0] * len(self.lengths)
        if not onwards:
            asked = self.phase is Phase.PROMPT
            return (list(range(len(first))), first) if asked else ([], [])
        spans = [range(start, stop) for start, stop in zip(first, _numbers(self.lengths), strict=True)]
        rows = [row for row, span in enumerate(spans) for _ in span]
        return rows, [place for span in spans for place in span]

    def fits(self, rows: int, width: int) -> bool:
        """Whether a pass of this many rows and padded tokens can be the one that is described."""
        if self.phase is Phase.AT_REST:
            return True
        return len(self.lengths) == rows and max(_numbers(self.lengths), default=0) <= width


_CURRENT: Final[ContextVar[ForwardContext | None]] = ContextVar("knowledgesmith_forward_context", default=None)


def current(*, rows: int, width: int) -> ForwardContext:
    """What is said of the pass that runs now, as it is seen by a module with an input of shape (rows, width, …).

    Raises:
        FailedPrecondition: nothing is said of it, or of a pass of another shape.
    """
    context = _CURRENT.get()
    if context is not None and context.fits(rows, width):
        return context
    told = "nothing says" if context is None else "what is said is of another pass, not"
    raise FailedPrecondition(
        f"a memory is attached, and {told} where the prompts of this pass end",
        field="forward_context",
        value=f"{rows} rows of {width} tokens",
        hint="Run the pass inside forward_context.prompting, continuing or at_rest; or start from a revision without "
        "a memory.",
    )


@contextmanager
def prompting(lengths: Numbers, *, ends: Numbers | None = None) -> Generator[None]:
    """One pass that holds the ends of its rows' prompts.

    Args:
        lengths: real tokens of each row. shape: (B,).
        ends: place of each prompt's last token; by default the row's last one. shape: (B,).
    """
    if ends is None:
        ends = lengths - 1 if isinstance(lengths, Tensor) else [length - 1 for length in lengths]
    with _set(ForwardContext(phase=Phase.PROMPT, lengths=lengths, ends=ends)):
        yield


@contextmanager
def continuing(lengths: Numbers) -> Generator[None]:
    """One pass that goes on behind prompts which an earlier pass has read. ``lengths``: its real tokens, shape (B,)."""
    with _set(ForwardContext(phase=Phase.CONTINUATION, lengths=lengths)):
        yield


@contextmanager
def at_rest() -> Generator[None]:
    """Passes over texts that ask nothing, as statistics read them: no memory acts."""
    with _set(ForwardContext(phase=Phase.AT_REST)):
        yield


@contextmanager
def _set(context: ForwardContext) -> Generator[None]:
    before = _CURRENT.set(context)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def _numbers(values: Numbers) -> list[int]:
    return values.tolist() if isinstance(values, Tensor) else list(values)
