"""Files of probe sets between the wire and a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from knowledgesmith.client._errors import ServerFault
from knowledgesmith.v1 import probe_pb2 as pb

_CHUNK_BYTES: Final = 1 << 18


def receive(pieces: Iterable[pb.ExportProbeSetResponse], *, folder: Path) -> list[Path]:
    """Write what arrives below ``folder``.

    Raises:
        ServerFault: a name leads out of the folder.
    """
    written: dict[Path, None] = {}
    for piece in pieces:
        name = PurePosixPath(piece.file)
        if name.is_absolute() or ".." in name.parts or not name.parts:
            raise ServerFault("The server names a file outside the folder.", field="file", value=piece.file)
        path = folder.joinpath(*name.parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if path in written else "wb") as file:
            file.write(piece.content)
        written[path] = None
    return list(written)


def sent(path: Path, *, header: pb.ImportProbeSetHeader) -> Iterator[pb.ImportProbeSetRequest]:
    """The header, then the file in pieces."""
    yield pb.ImportProbeSetRequest(header=header)
    with path.open("rb") as file:
        while content := file.read(_CHUNK_BYTES):
            yield pb.ImportProbeSetRequest(content=content)
