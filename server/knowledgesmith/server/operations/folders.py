"""Files of operations: ``<data>/operations/<id>/`` holds what was uploaded and what is kept for a download."""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HOME: Final = "home"
_UPLOADS: Final = "uploads"


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one operation; the names in it are ours, never a user's."""

    path: Path

    @property
    def id(self) -> str:
        """Id of the operation that it belongs to."""
        return self.path.name

    @property
    def uploads(self) -> Path:
        """Where uploaded files lie; they are not needed any more once the operation has ended."""
        return self.path / _UPLOADS

    def make(self) -> Path:
        """The path, with a folder there."""
        self.path.mkdir(parents=True, exist_ok=True)
        return self.path

    def make_uploads(self) -> Path:
        """The path of the uploads, with a folder there."""
        self.uploads.mkdir(parents=True, exist_ok=True)
        return self.uploads

    def remove_uploads(self) -> None:
        """Take the uploaded files away; where nothing else lies beside them, the folder goes too."""
        shutil.rmtree(self.uploads, ignore_errors=True)
        with suppress(OSError):
            self.path.rmdir()

    def remove(self) -> None:
        """Take it away with all its files."""
        shutil.rmtree(self.path, ignore_errors=True)


class Folders:
    """All folders below one directory, which has a mark of its own: operations of another directory are not ours."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        mark = directory / _HOME
        if not mark.exists():
            mark.write_text(str(uuid.uuid4()), encoding="utf-8")
        self.home = mark.read_text(encoding="utf-8")

    def of(self, operation_id: str) -> Folder:
        """The folder of an operation, there or not."""
        return Folder(self._directory / operation_id)

    def new(self) -> Folder:
        """The folder of an operation that is about to begin."""
        return self.of(str(uuid.uuid4()))

    def ids(self) -> list[str]:
        """Ids of all folders that are there."""
        return sorted(path.name for path in self._directory.iterdir() if path.is_dir())

    def remove(self, ids: Iterable[str]) -> None:
        """Take the folders of these operations away, where they are there."""
        for operation_id in ids:
            self.of(operation_id).remove()
