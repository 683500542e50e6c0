"""Files of operations: ``<data>/operations/<id>/`` holds what was uploaded and what is kept for a download."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HOME: Final = "home"
_DATABASE: Final = "database"
_ENDED: Final = "ended"
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

    def keep(self, name: str, text: str) -> None:
        """Write a file beside the uploaded ones; from now on it and they are found whatever happens, power cuts too."""
        write_durably(self.make_uploads() / name, text)
        self.keep_names()

    def keep_names(self) -> None:
        """The uploaded files are found whatever happens, power cuts too; what is in them is their writers' business."""
        for path in (self.uploads, self.path, self.path.parent):
            sync_folder(path)

    def adopt(self, other: Folder) -> None:
        """Take the uploaded files of another folder where there are none here."""
        if not self.uploads.exists():
            self.make()
            other.uploads.rename(self.uploads)
            self.keep_names()

    def idle_seconds(self) -> float:
        """How long ago a file came or went."""
        changed = max(path.stat().st_mtime for path in (self.path, self.uploads) if path.exists())
        return time.time() - changed

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
        self.home = self._noted(_HOME, str(uuid.uuid4()))

    def belong_to(self, database: str) -> bool:
        """Whether the folders are those of operations of a database: of the first one that was ever asked for."""
        return self._noted(_DATABASE, database) == database

    def note_end(self) -> None:
        """The server ends in good order."""
        write_durably(self._directory / _ENDED, "")

    def ended(self) -> bool:
        """Whether the last server of this directory ended in good order, or none was there."""
        return (self._directory / _ENDED).exists()

    def forget_end(self) -> None:
        """A server begins."""
        (self._directory / _ENDED).unlink(missing_ok=True)
        sync_folder(self._directory)

    def _noted(self, name: str, text: str) -> str:
        """What a file says; where it says nothing, it says this from now on."""
        path = self._directory / name
        if not path.exists() or not path.read_text(encoding="utf-8"):
            write_durably(path, text)
        return path.read_text(encoding="utf-8")

    def of(self, operation_id: str) -> Folder:
        """The folder of an operation, there or not."""
        return Folder(self._directory / operation_id)

    def new(self) -> Folder:
        """The folder of an operation that is about to begin."""
        return self.of(str(uuid.uuid4()))

    def ids(self, *, idle_seconds: float = 0.0) -> list[str]:
        """Ids of all folders in which nothing has changed for so long."""
        found = sorted(path.name for path in self._directory.iterdir() if path.is_dir())
        return [one for one in found if idle_seconds <= 0.0 or self.of(one).idle_seconds() >= idle_seconds]

    def remove(self, ids: Iterable[str]) -> None:
        """Take the folders of these operations away, where they are there."""
        for operation_id in ids:
            self.of(operation_id).remove()


def write_durably(path: Path, text: str) -> None:
    """Write a small file so that a power cut leaves either all of it or what was there before."""
    scratch = path.with_name(f".{path.name}.{uuid.uuid4()}")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """The names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
