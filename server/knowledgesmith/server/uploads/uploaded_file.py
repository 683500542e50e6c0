"""Uploads that go to a temporary file: chunks of bounded size, a bounded total, and nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge

MAX_CHUNK: Final = 1024 * 1024
MAX_BYTES: Final = 64 * 1024**3


class UploadedFile:
    """One file that arrives in pieces; it is gone when the ``with`` block ends.

    The user's name is kept for messages; the path is made by the system.
    """

    def __init__(self, directory: Path, *, limit: int = MAX_BYTES) -> None:
        self._limit = limit
        self._bytes = 0
        self._file = tempfile.NamedTemporaryFile(dir=directory, prefix="upload-", delete=False)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self._file.name)

    def add(self, chunk: bytes) -> None:
        """Append a piece.

        Raises:
            TooLarge: the piece or the whole is over its limit.
        """
        self._bytes += len(chunk)
        if len(chunk) > MAX_CHUNK or self._bytes > self._limit:
            raise TooLarge("more bytes than are allowed", field="chunk", value=self._bytes, hint="Send less.")
        self._file.write(chunk)

    def complete(self) -> Path:
        """The file with everything that was sent.

        Raises:
            InvalidInput: nothing was sent.
        """
        if not self._bytes:
            raise InvalidInput("no content was sent", field="chunk", hint="Send the header and then the file.")
        self._file.flush()
        return self.path
