"""Files of operations: ``<data>/operations/<id>/`` holds what was uploaded and what is kept for a download."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one operation; the names in it are ours, never a user's."""

    path: Path

    @property
    def id(self) -> str:
        """Id of the operation that it belongs to."""
        return self.path.name

    def make(self) -> Path:
        """The path, with a folder there."""
        self.path.mkdir(parents=True, exist_ok=True)
        return self.path

    def remove(self) -> None:
        """Take it away with all its files."""
        shutil.rmtree(self.path, ignore_errors=True)
