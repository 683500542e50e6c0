"""The protocol of importers: one file and one class a family of formats, found by name or by file ending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from knowledgesmith.graph_schema.importing.reading.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One uploaded file, already unpacked (``.gz`` is removed from ``name``).

    ``name`` is for messages and for guessing roles, never a path to open. ``content`` is a seekable binary stream over
    a local temporary file, read from its start; ``role`` is empty or what the user said the file holds.
    """

    name: str
    content: BinaryIO
    role: str = ""


class ImportOptions(BaseModel):
    """Options of an importer: frozen, unknown keys are refused with the field's name.

    The text under each field is its description, in listings too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Importer(Protocol):
    """Translates the files of one format into records.

    ``read`` must be lazy (a generator), hold no more than one record and small tables (prefixes, relations) in memory,
    never open a path or an address named in the data, and turn whatever it cannot use into a ``Rejection`` that names
    the place instead of raising. It raises ``InvalidInput`` only when the files as a whole are not of this format.
    Records may come in any order; the order of files and records must not change the resulting graph.
    """

    name: ClassVar[str]
    """Name on the command line and on the wire."""
    summary: ClassVar[str]
    """One line for listings."""
    endings: ClassVar[tuple[str, ...]]
    """File endings it is chosen for, lower case (``.obo``); empty where it must be named."""
    options: ClassVar[type[ImportOptions]]
    """Type of its options."""

    def read(self, files: Sequence[InputFile], options: Any) -> Iterator[Record]:
        """Records of the files.

        Args:
            files: in the user's order.
            options: an instance of ``self.options``.

        Raises:
            InvalidInput: the files are not of this format.
        """
        ...
