"""Every record that an import could not use: lines of JSON beside its operation, read page by page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from knowledgesmith.server.wire.message_sizes import size_in_list
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionPage:
    """Some rejections, and the byte at which the next ones begin; None after the last."""

    rejections: list[graph_pb2.ImportRejection]
    following: int | None


def read_rejections(folder: Folder, *, offset: int, limit: int, most_bytes: int) -> RejectionPage:
    """At most ``limit`` rejections of ``most_bytes`` together, from a byte on; at least one, where there is any."""
    path = folder.path / _NAME
    found: list[graph_pb2.ImportRejection] = []
    if not path.is_file():
        return RejectionPage(rejections=found, following=None)
    with path.open("rb") as file:
        file.seek(offset)
        place, left = offset, most_bytes
        while line := file.readline():
            name, record, reason = json.loads(line)
            rejection = graph_pb2.ImportRejection(file=name, record=record, reason=reason)
            left -= size_in_list(rejection)
            if len(found) == limit or (left < 0 and found):
                return RejectionPage(rejections=found, following=place)
            found.append(rejection)
            place = file.tell()
    return RejectionPage(rejections=found, following=None)
