"""One look at one part, its result, and the guard that keeps a broken part from hiding the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from knowledgesmith.graph_schema.errors import KnowledgeSmithError


class Status(StrEnum):
    """OK: ready. WARN: works, but not as well as it could, or something is made at first use. FAIL: does not work."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found.

    Attributes:
        status: how it is.
        text: what is there, in a few words.
        way_out: what to do about it; empty when nothing needs to be done.
        figures: the same in numbers, for programs; seconds and bytes.
    """

    status: Status
    text: str
    way_out: str = ""
    figures: Mapping[str, float | str] = field(default_factory=dict[str, float | str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A named look at one part.

    Attributes:
        name: one word.
        look: does the looking; whatever it raises becomes a FAIL.
        timeout_s: after so many seconds the check counts as failed, and the next one begins.
    """

    name: str
    look: Callable[[], Finding]
    timeout_s: float = 60.0


def ok(text: str, **figures: float | str) -> Finding:
    """A part that is ready."""
    return Finding(status=Status.OK, text=text, figures=figures)


def warn(text: str, way_out: str, **figures: float | str) -> Finding:
    """A part that works, with something to know."""
    return Finding(status=Status.WARN, text=text, way_out=way_out, figures=figures)


def fail(text: str, way_out: str, **figures: float | str) -> Finding:
    """A part that does not work."""
    return Finding(status=Status.FAIL, text=text, way_out=way_out, figures=figures)


def worded(error: KnowledgeSmithError) -> str:
    """What was wrong and where; the way out stands apart."""
    where = "=".join(filter(None, (error.field, error.value)))
    return f"{error.message} [{where}]" if where else error.message


def run(check: Check) -> Finding:
    """Look, in a thread that may be left behind: a driver or a disk that never answers must not hold the others up."""
    found: list[Finding] = []
    thread = threading.Thread(target=lambda: found.append(_guarded(check)), daemon=True, name=check.name)
    thread.start()
    thread.join(check.timeout_s)
    if found:
        return found[0]
    return fail(f"no answer within {check.timeout_s:.0f} s", "Something hangs there; look at the system's log.")


def _guarded(check: Check) -> Finding:
    try:
        return check.look()
    except KnowledgeSmithError as error:
        return fail(worded(error), error.hint)
    except ImportError as error:
        return fail(
            f"a package is missing or broken: {error}", "Install again: make setup, or pip install knowledgesmith."
        )
    except Exception as error:  # noqa: BLE001 - a broken part is what this is for
        return fail(f"{type(error).__name__}: {error}", "This is unexpected; the text tells what failed.")
