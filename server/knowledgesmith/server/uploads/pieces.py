"""The files of an import on their way in: pieces of several files, unpacked while they arrive."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.importing import InputFile
from knowledgesmith.server.uploads.uploaded_file import check_size, uploads_gone
from knowledgesmith.server.wire.conversions import check_text
from knowledgesmith.server.wire.enums import word_from_wire
from knowledgesmith.v1 import graph_pb2

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from knowledgesmith.server.operations.folders import Folder

MAX_FILES: Final = 256
_PIECE: Final = 1024 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_PACKED: Final = ".gz"
_LIST: Final = "files.json"


class Upload:
    """Collects the messages of an import in a folder, in the order in which files first appear.

    Args:
        folder: where the files go, under names of ours.
        max_bytes: what all files may hold together, unpacked, so that a small file cannot fill the disk.
    """

    def __init__(self, folder: Folder, *, max_bytes: int) -> None:
        self.header: graph_pb2.ImportHeader | None = None
        self._folder = folder
        self._max_bytes = max_bytes
        self._unpacked = 0
        self._files: dict[tuple[str, str], _File] = {}

    def add(self, request: graph_pb2.ImportGraphRequest) -> None:
        """Take one message.

        Raises:
            InvalidInput: the header is missing or comes twice, a packed file is broken, or a name cannot be taken.
            TooLarge: too many files or bytes, in one piece or in all.
        """
        if request.WhichOneof("part") == "header":
            if self.header is not None:
                raise InvalidInput("the header came twice", field="part", hint="Send it first, and once.")
            self.header = request.header
            return
        if self.header is None:
            raise InvalidInput("the first message must hold the header", field="part", hint="Send the header first.")
        chunk = request.chunk
        check_size(chunk.content, "chunk.content")
        file = self._file(
            word_from_wire(graph_pb2.FileRole, chunk.role, "chunk.role"), check_text(chunk.name, "chunk.name")
        )
        for piece in file.unpack(chunk.content):
            self._unpacked += len(piece)
            if self._unpacked > self._max_bytes:
                raise TooLarge(
                    f"the files hold more than {self._max_bytes} bytes",
                    field="chunk.content",
                    value=chunk.name,
                    hint="Import a smaller graph, or one in several parts under several ids.",
                )
            file.write(piece)

    def complete(self) -> tuple[graph_pb2.ImportHeader, str]:
        """The header, and the digest of all files; from now on they survive whatever happens.

        Raises:
            InvalidInput: nothing was sent, or a packed file ends too early.
        """
        if self.header is None:
            raise InvalidInput("nothing was sent", field="part", hint="Send a header and the files.")
        digest = hashlib.sha256()
        for (role, name), file in self._files.items():
            file.check_complete(name)
            file.keep()
            digest.update(json.dumps([role, name, file.digest.hexdigest()]).encode())
        listed = [[_plain(name), role, file.place] for (role, name), file in self._files.items()]
        self._folder.keep(_LIST, json.dumps(listed))
        return self.header, digest.hexdigest()

    def close(self) -> None:
        """Close the files; they stay in the folder."""
        for file in self._files.values():
            file.content.close()

    def _file(self, role: str, name: str) -> _File:
        found = self._files.get((role, name))
        if found is None:
            if not name:
                raise InvalidInput("a chunk needs a file name", field="chunk.name", hint="Send the file's own name.")
            self._check_name(name)
            if len(self._files) == MAX_FILES:
                raise TooLarge(f"more than {MAX_FILES} files", field="chunk.name", hint="Join some files.")
            place = str(len(self._files))
            content = (self._folder.make_uploads() / place).open("wb")
            found = self._files[role, name] = _File(content=content, name=name, place=place)
        return found

    def _check_name(self, name: str) -> None:
        """Refuse what would be unpacked under no name, or under that of another file: reports tell files by it."""
        plain = _plain(name)
        if not plain or plain.endswith(("/", "\\")):
            raise InvalidInput(
                "a packed file needs a name before .gz",
                field="chunk.name",
                value=name,
                hint="Send the file's own name.",
            )
        for _, other in self._files:
            if other != name and _plain(other) == plain:
                raise InvalidInput(
                    f"unpacked it is called as {other!r} is",
                    field="chunk.name",
                    value=name,
                    hint="Send one of the two, or rename one.",
                )


@contextmanager
def uploaded_files(folder: Folder) -> Generator[list[InputFile]]:
    """The files that came with an operation, open.

    Raises:
        FailedPrecondition: they are gone.
    """
    with ExitStack() as stack:
        try:
            listed: list[list[str]] = json.loads((folder.uploads / _LIST).read_text(encoding="utf-8"))
            files = [
                InputFile(name=name, content=stack.enter_context((folder.uploads / place).open("rb")), role=role)
                for name, role, place in listed
            ]
        except (OSError, TypeError, ValueError) as error:  # not there, or not what was written
            raise uploads_gone() from error
        yield files


def _plain(name: str) -> str:
    """A file's name once it is unpacked."""
    return name[: -len(_PACKED)] if name.lower().endswith(_PACKED) else name


@dataclass(slots=True, kw_only=True)
class _File:
    """A file that arrives and, for a packed one, what unpacks it."""

    content: BinaryIO
    name: str
    place: str
    digest: Any = field(default_factory=hashlib.sha256)
    _gzip: Any = None
    _packed: bool = False
    _members: int = 0

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
                    # gzip itself lets zeros pass that fill a block of a tape or an archive
                    data = data.lstrip(b"\0") if self._members else data
                    if not data:
                        return
                    self._members += 1
                    self._gzip = zlib.decompressobj(_GZIP)
                yield self._gzip.decompress(data, _PIECE)
                data = self._gzip.unconsumed_tail or self._gzip.unused_data
                if self._gzip.eof:  # another member may follow
                    self._gzip = None
        except zlib.error as error:
            raise InvalidInput(
                f"this is not gzip: {error}", field="chunk.content", value=self.name, hint="Send it without .gz."
            ) from error

    def write(self, piece: bytes) -> None:
        """Append."""
        self.content.write(piece)
        self.digest.update(piece)

    def keep(self) -> None:
        """Everything is on the disk."""
        self.content.flush()
        os.fsync(self.content.fileno())

    def check_complete(self, name: str) -> None:
        """Refuse a packed file that was cut off."""
        if self._packed and self._gzip is not None:
            raise InvalidInput(
                "the packed file ends too early", field="chunk.content", value=name, hint="Pack it again."
            )
