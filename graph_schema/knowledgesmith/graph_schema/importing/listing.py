"""The formats with their options as plain values: what the wire and ``python -m …importing.listing`` tell of them.

Listing them needs no database and no server. Limits of numbers stand in an option's description.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticUndefined

from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions
from knowledgesmith.graph_schema.importing.registry import importer_names, load_importer


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOption:
    """An option: JSON schema and default as JSON (empty where the option must be given), one line about it."""

    name: str
    schema_json: str
    default_json: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImporter:
    """A format."""

    name: str
    summary: str
    endings: tuple[str, ...]
    options: tuple[ListedOption, ...]


def list_importers() -> list[ListedImporter]:
    """Every importer with its options, by name."""
    return [
        ListedImporter(
            name=name, summary=importer.summary, endings=importer.endings, options=_options(importer.options)
        )
        for name in importer_names()
        for importer in (load_importer(name),)
    ]


def _options(options: type[ImportOptions]) -> tuple[ListedOption, ...]:
    properties: Mapping[str, Any] = options.model_json_schema()["properties"]
    return tuple(
        ListedOption(
            name=key,
            schema_json=json.dumps(properties[key]),
            default_json=(
                ""
                if field.is_required() or field.default is PydanticUndefined
                else json.dumps(field.default, default=str)
            ),
            description=" ".join((field.description or "").replace("``", "").split()) + range_of(properties[key]),
        )
        for key, field in options.model_fields.items()
    )


def range_of(schema: Mapping[str, Any]) -> str:
    """The limits that a JSON schema sets to a number, as words to put behind a sentence; nothing where it sets none."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    below = "above" if "exclusiveMinimum" in schema else "from"
    above = "below" if "exclusiveMaximum" in schema else "up to"
    parts = [f"{below} {low:,}" if low is not None else "", f"{above} {high:,}" if high is not None else ""]
    return f" ({' '.join(filter(None, parts))})"


def main() -> None:
    """Print the formats as a JSON list."""
    listed = [
        {
            "name": found.name,
            "summary": found.summary,
            "endings": found.endings,
            "options": [
                {
                    "name": option.name,
                    "schema_json": option.schema_json,
                    "default_json": option.default_json,
                    "description": option.description,
                }
                for option in found.options
            ],
        }
        for found in list_importers()
    ]
    json.dump(listed, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
