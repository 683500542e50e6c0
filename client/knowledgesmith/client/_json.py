"""Results as plain JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


def to_plain(value: object) -> Any:
    """Turn dataclasses, enums, times, paths and nested containers into what ``json`` can write."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path | str) else value


def to_json(value: object) -> str:
    """One line of JSON; text stays readable."""
    return json.dumps(to_plain(value), ensure_ascii=False)
