"""Files on their way in: pieces of several files, unpacked while they arrive, kept in temporary files."""

from __future__ import annotations

import tempfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.importing import InputFile
from knowledgesmith.server.wire.conversions import check_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knowledgesmith.v1 import graph_pb2

MAX_FILES = 256
"""Bytes of all files of an upload together, unpacked."""
_SPOOL_BYTES = 1024 * 1024
_PIECE = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_PACKED = ".gz"


class Upload:
    """Collects the messages of an import, in the order in which files first appear.

    Args:
        max_bytes: what all files may hold together, unpacked, so that a small file cannot fill the disk.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.header: graph_pb2.ImportHeader | None = None
        self.received = 0
        """Bytes that came over the wire."""
        self._max_bytes = max_bytes
        self._unpacked = 0
        self._files: dict[tuple[str, str], _File] = {}

    def add(self, request: graph_pb2.ImportGraphRequest) -> None:
        """Take one message.

        Raises:
            InvalidInput: the header is missing or comes twice, or a packed file is broken.
            TooLarge: too many files or bytes.
        """
        if request.WhichOneof("part") == "header":
            if self.header is not None:
                raise InvalidInput("the header came twice", field="part", hint="Send it first, and once.")
            self.header = request.header
            return
        if self.header is None:
            raise InvalidInput("the first message must hold the header", field="part", hint="Send the header first.")
        chunk = request.chunk
        self.received += len(chunk.content)
        file = self._file(check_text(chunk.role, "chunk.role"), check_text(chunk.name, "chunk.name"))
        for piece in file.unpack(chunk.content):
            self._unpacked += len(piece)
            if self._unpacked > self._max_bytes:
                raise TooLarge(
                    f"the files hold more than {self._max_bytes} bytes",
                    field="chunk.content",
                    value=chunk.name,
                    hint="Import a smaller graph, or one in several parts under several ids.",
                )
            file.content.write(piece)

    def complete(self) -> tuple[graph_pb2.ImportHeader, list[InputFile]]:
        """The header, and the files, unpacked and rewound.

        Raises:
            InvalidInput: nothing was sent, or a packed file ends too early.
        """
        if self.header is None:
            raise InvalidInput("nothing was sent", field="part", hint="Send a header and the files.")
        found: list[InputFile] = []
        for (role, name), file in self._files.items():
            file.check_complete(name)
            file.content.seek(0)
            plain = name[: -len(_PACKED)] if name.lower().endswith(_PACKED) else name
            found.append(InputFile(name=plain, content=file.content, role=role))
        return self.header, found

    def close(self) -> None:
        """Remove the temporary files."""
        for file in self._files.values():
            file.content.close()

    def _file(self, role: str, name: str) -> _File:
        found = self._files.get((role, name))
        if found is None:
            if not name:
                raise InvalidInput("a chunk needs a file name", field="chunk.name", hint="Send the file's own name.")
            if len(self._files) == MAX_FILES:
                raise TooLarge(f"more than {MAX_FILES} files", field="chunk.name", hint="Join some files.")
            spool = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES))  # noqa: SIM115 - closed with the upload
            found = self._files[role, name] = _File(content=spool, name=name)
        return found


@dataclass(slots=True, kw_only=True)
class _File:
    """A temporary file and, for a packed one, what unpacks it."""

    content: BinaryIO
    name: str
    _gzip: Any = None
    _packed: bool = False

    def __post_init__(self) -> None:
        self._packed = self.name.lower().endswith(_PACKED)

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most 1 MiB, so that nothing large is held before it is counted."""
        if not self._packed:
            yield data
            return
        try:
            while data:
                if self._gzip is None:
                    self._gzip = zlib.decompressobj(_GZIP)
                yield self._gzip.decompress(data, _PIECE)
                data = self._gzip.unconsumed_tail or self._gzip.unused_data
                if self._gzip.eof:  # another member may follow
                    self._gzip = None
        except zlib.error as error:
            raise InvalidInput(
                f"this is not gzip: {error}", field="chunk.content", value=self.name, hint="Send it without .gz."
            ) from error

    def check_complete(self, name: str) -> None:
        """Refuse a packed file that was cut off."""
        if self._packed and self._gzip is not None:
            raise InvalidInput(
                "the packed file ends too early", field="chunk.content", value=name, hint="Pack it again."
            )
