"""Numbers of a workbook that are dates, times or durations: their cell's format says so."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's dates have no zone
EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_DAY: Final = 86_400
_LAST: Final = datetime(9999, 12, 31)  # noqa: DTZ001
_QUOTED: Final = re.compile(r"\"[^\"]*\"|\\.|[_*].")
_BRACKETS: Final = re.compile(r"\[[^\]]*\]")
_ELAPSED: Final = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)


class Shown(StrEnum):
    """What a format shows of a number of days."""

    DATE = "date"
    TIME = "time"
    BOTH = "both"
    ELAPSED = "elapsed"


KNOWN: Final = {
    **dict.fromkeys((14, 15, 16, 17), Shown.DATE),
    **dict.fromkeys((18, 19, 20, 21, 45, 47), Shown.TIME),
    22: Shown.BOTH,
    46: Shown.ELAPSED,
}
"""Formats that every workbook has, by number."""


def shown_by(code: str) -> Shown | None:
    """What a format of a workbook's own shows; None where it shows a plain number or a text."""
    bare = _QUOTED.sub("", code)
    if _ELAPSED.search(bare):
        return Shown.ELAPSED
    signs = set(_BRACKETS.sub("", bare).split(";", 1)[0].casefold().replace("general", ""))
    clock = not signs.isdisjoint("hs")
    # Minutes stand beside hours or seconds; an m alone is a month
    if not signs.isdisjoint("yd") or ("m" in signs and not clock):
        return Shown.BOTH if clock else Shown.DATE
    return Shown.TIME if clock else None


def moment(value: float, shown: Shown, zero: datetime) -> str | None:
    """A number of days as ISO 8601 writes it; None where it is no moment, so that the number itself counts.

    A time of day has no date: a sheet that shows 09:00 holds 0.375, which is no day of 1899.
    """
    if shown is Shown.ELAPSED and value >= 0:
        minutes, seconds = divmod(round(value * _DAY), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if value < 1 and shown in {Shown.TIME, Shown.BOTH}:
        if value < 0 or (value == 0 and shown is Shown.BOTH):
            return None
        seconds = min(round(value * _DAY), _DAY - 1)
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60).isoformat()
    first = 0 if zero == EPOCH_1904 else 1
    if not first <= value <= (_LAST - zero).days:
        return None
    # Spreadsheets count a 29 February 1900 that never was
    days = value + 1 if zero == EPOCH and value < 60 else value
    found = zero + timedelta(seconds=round(days * _DAY))
    return found.date().isoformat() if value.is_integer() else found.isoformat(" ")
