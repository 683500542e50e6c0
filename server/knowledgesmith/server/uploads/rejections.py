"""Every record that an import could not use: lines of JSON beside its operation, read page by page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TextIO

from knowledgesmith.v1 import graph_pb2

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.importing import Rejection
    from knowledgesmith.server.operations.folders import Folder

_NAME: Final = "rejections.jsonl"


class RejectionWriter:
    """Writes what an attempt at an import rejects, over what an earlier attempt wrote."""

    def __init__(self, folder: Folder) -> None:
        self._path = folder.make() / _NAME
        self._path.unlink(missing_ok=True)
        self._file: TextIO | None = None

    def add(self, rejection: Rejection) -> None:
        """Note one record."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8")
        place = rejection.place
        self._file.write(json.dumps([place.file, place.record, rejection.reason]) + "\n")

    def close(self) -> None:
        """Everything is in the file."""
        if self._file is not None:
            self._file.close()


def read_rejections(folder: Folder, *, offset: int, limit: int) -> tuple[list[graph_pb2.ImportRejection], int | None]:
    """A page of rejections from a byte on, and where the next one begins; None after the last."""
    path = folder.path / _NAME
    found: list[graph_pb2.ImportRejection] = []
    if not path.is_file():
        return found, None
    with path.open("rb") as file:
        file.seek(offset)
        while len(found) < limit and (line := file.readline()):
            name, record, reason = json.loads(line)
            found.append(graph_pb2.ImportRejection(file=name, record=record, reason=reason))
        place = file.tell()
        return found, place if file.read(1) else None
