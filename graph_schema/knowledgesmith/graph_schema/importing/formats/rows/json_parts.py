"""Streams chosen parts of a JSON file, each built whole; the rest is passed over, and nesting is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import ijson
from ijson.common import ObjectBuilder

from knowledgesmith.graph_schema.importing.reading.parsing import MAX_DEPTH, parsed
from knowledgesmith.graph_schema.importing.reading.problems import in_words

ITEM: Final = ""
"""Step of a path into the items of a list."""
Paths = Mapping[tuple[str, ...], str]
"""Path from the root (keys, and ``ITEM`` for lists) to the name of what stands there."""


def json_parts(content: BinaryIO, paths: Paths) -> Iterator[tuple[str, Any, str]]:
    """Name and value of each part in the file's order; at an error a last one without name, with the reason.

    The stream is read from its start, behind a byte order mark.
    """
    longest = max(map(len, paths))
    path: list[str] = []
    builder: ObjectBuilder | None = None
    name, depth = "", 0
    try:
        for event, value in parsed(content):
            if builder is None and event not in {"map_key", "end_map", "end_array"} and len(path) <= longest:
                name = paths.get(tuple(path), "")
                if name:
                    builder, depth = ObjectBuilder(), len(path)
            if builder is not None:
                builder.event(event, value)
            _step(path, event, value)
            if len(path) > MAX_DEPTH:
                yield "", None, f"more than {MAX_DEPTH} objects and lists stand inside each other"
                return
            if builder is not None and len(path) == depth and event != "map_key":
                yield name, builder.value, ""
                builder = None
    except (ijson.JSONError, ValueError) as error:
        yield "", None, f"not JSON from here on: {in_words(error)}"


def _step(path: list[str], event: str, value: Any) -> None:
    if event == "start_array":
        path.append(ITEM)
    elif event == "start_map":
        # Replaced by the first key; a list's step would look like one of its items
        path.append("\0")
    elif event == "map_key":
        path[-1] = str(value)
    elif event in {"end_array", "end_map"}:
        path.pop()
