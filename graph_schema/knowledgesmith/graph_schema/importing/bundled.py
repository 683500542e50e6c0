"""The graphs that ship with the package, as files ready for import."""

from __future__ import annotations

import io
from importlib.resources import files

from knowledgesmith.graph_schema.errors import GraphNotFound
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole
from knowledgesmith.graph_schema.importing.reading.importer import InputFile

BUNDLED = ("atlas",)
"""Names of the bundled graphs; each is a folder of CSV files named by their role."""


def bundled_files(name: str) -> list[InputFile]:
    """The files of a bundled graph.

    Raises:
        GraphNotFound: no graph of this name is bundled.
    """
    if name not in BUNDLED:
        raise GraphNotFound(
            "no graph of this name is bundled", field="name", value=name, hint=f"Bundled: {', '.join(BUNDLED)}."
        )
    folder = files("knowledgesmith.graph_schema").joinpath(name)
    found: list[InputFile] = []
    for role in FileRole:
        file = folder.joinpath(f"{role}.csv")
        if file.is_file():
            content = io.BytesIO(file.read_bytes())
            found.append(InputFile(name=f"{name}/{role}.csv", content=content, role=role))
    return found
