"""Files on their way to the server and from it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final, TypeVar

from google.protobuf.message import Message

from knowledgesmith.client._errors import InvalidInput, ServerFault
from knowledgesmith.client._types.imports import GraphFile
from knowledgesmith.v1 import graph_pb2, probe_pb2

from .fill import message

_CHUNK_BYTES: Final = 256 * 1024
M = TypeVar("M", bound=Message)


def graph_files(files: Sequence[GraphFile | Path | str]) -> list[GraphFile]:
    """The files to import; a folder stands for every file below it.

    Raises:
        InvalidInput: there is none, or one cannot be read.
    """
    found: list[GraphFile] = []
    for file in files:
        found += [file] if isinstance(file, GraphFile) else GraphFile.below(file)
    for file in found:
        readable(file.path, what="A graph file", name="files")
    if not found:
        raise InvalidInput("There is no file to import.", field="files", hint="Name a file, or a folder that has some.")
    return found


def readable(path: Path | str, *, what: str, name: str = "path") -> Path:
    """The path, if it can be read.

    Args:
        path: the file.
        what: what it is, as the beginning of a sentence.
        name: of the argument that gave it.

    Raises:
        InvalidInput: it cannot.
    """
    found = Path(path)
    try:
        with found.open("rb"):
            return found
    except OSError as error:
        raise InvalidInput(f"{what} cannot be read.", field=name, value=str(error)) from error


def graph_parts(header: graph_pb2.ImportHeader, files: Sequence[GraphFile]) -> Iterator[graph_pb2.ImportGraphRequest]:
    """The header, then every file in pieces, an empty one as an empty piece."""
    yield graph_pb2.ImportGraphRequest(header=header)
    for file in files:
        for content in chunks(file.path, empty=True):
            piece = message(graph_pb2.FileChunk, role=file.role, name=file.shown_name, content=content)
            yield graph_pb2.ImportGraphRequest(chunk=piece)


def probe_set_parts(header: probe_pb2.ImportProbeSetHeader, path: Path) -> Iterator[probe_pb2.ImportProbeSetRequest]:
    """The header, then the file in pieces."""
    yield probe_pb2.ImportProbeSetRequest(header=header)
    for content in chunks(path):
        yield probe_pb2.ImportProbeSetRequest(content=content)


@contextmanager
def complete_file(path: Path | str) -> Generator[IO[bytes]]:
    """A file that appears, or is replaced, when this block has ended well, and not before."""
    target = Path(path)
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with scratch.open("wb") as out:
            yield out
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def archive_parts(first: M, path: Path, piece: Callable[[bytes], M]) -> Iterator[M]:
    """The message with the header, then the archive in pieces."""
    yield first
    yield from map(piece, chunks(path))


def chunks(path: Path, *, empty: bool = False) -> Iterator[bytes]:
    """The content of a file in pieces; nothing of an empty one, unless ``empty`` asks for an empty piece.

    Raises:
        InvalidInput: it cannot be read to its end.
    """
    try:
        with path.open("rb") as stream:
            while (content := stream.read(_CHUNK_BYTES)) or empty:
                empty = False
                yield content
    except OSError as error:
        raise InvalidInput(
            "A file cannot be read to its end.", field="path", value=str(path), hint=str(error)
        ) from error


@dataclass(slots=True)
class Folder:
    """A folder that receives files in pieces, one after the other."""

    path: Path
    _written: dict[Path, None] = field(default_factory=dict[Path, None])

    @property
    def files(self) -> list[Path]:
        """What has arrived, in order."""
        return list(self._written)

    def take(self, piece: probe_pb2.ExportProbeSetResponse) -> None:
        """Write the next bytes of a file, which replaces one that was there before.

        Raises:
            ServerFault: its name leads out of the folder.
        """
        name = PurePosixPath(piece.file)
        if name.is_absolute() or ".." in name.parts or not name.parts:
            raise ServerFault("The server names a file outside the folder.", field="file", value=piece.file)
        path = self.path.joinpath(*name.parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if path in self._written else "wb") as file:
            file.write(piece.content)
        self._written[path] = None
