"""Which texts are values and not things: numbers, dates, coordinates. Numbers that are not finite are neither."""

from __future__ import annotations

import math
import re
from typing import Final

LITERAL: Final = "Literal"
"""Type of an entity that is a value."""
_NUMBER: Final = re.compile(
    r"[+\-\u2212]?(?!0\d)(?:\d{1,3}(?:[ ,.'\u00a0\u202f\u066c]\d{3})+|\d+)?(?:[.,\u066b]\d+)?"
    r"(?:[eE][+-]?\d+)?\s?[%\u066a]?"
)
_PLAIN_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DATE: Final = re.compile(
    r"\d{4}-\d{2}(?:-\d{2})?(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}[./]\d{1,2}[./]\d{4}"
    r"|\d{1,4}:[0-5]\d:[0-5]\d"
)
_COORDINATE: Final = re.compile(
    r"(?:[+-]?\d{1,3}(?:\.\d+)?\s*[,;/ ]\s*[+-]?\d{1,3}\.\d+|\d{1,3}\s*\u00b0.*[NSEWOnsewo]?|POINT\s*\(.*\))"
)
_NOT_FINITE: Final = frozenset(
    {"nan", "NaN", "inf", "-inf", "+inf", "-Infinity", "+Infinity", "-Inf", "+Inf", "1.#INF", "#NUM!", "#DIV/0!"}
)


def is_literal(text: str) -> bool:
    """Whether a text is a number, a date or coordinates, in any digits: it is a value, and names nothing."""
    if not text or not any(sign.isdigit() for sign in text):
        return False
    return any(pattern.fullmatch(text) for pattern in (_NUMBER, _DATE, _COORDINATE))


def not_finite(value: object) -> bool:
    """Whether a value, or a text of one, is a number without a finite size: ``NaN``, ``inf``, ``1e400``."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if not isinstance(value, str) or not value:
        return False
    if value in _NOT_FINITE:
        return True
    return _PLAIN_NUMBER.fullmatch(value) is not None and not math.isfinite(float(value))
