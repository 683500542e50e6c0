"""Files as importers read them: unpacked, and texts in UTF-8.

How a file is packed is told by its first bytes. A text that starts with a byte order mark of UTF-16 or UTF-32, or XML
that declares another encoding, is written anew in UTF-8, so that no importer needs to know of it. Anything else stays
as it is.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, cast

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.importing.formats.rows.opendocument import is_opendocument
from knowledgesmith.graph_schema.importing.formats.rows.workbook import is_workbook
from knowledgesmith.graph_schema.importing.reading.importer import InputFile

MAX_BYTES: Final = 8 * 1024**3
"""Bytes of one unpacked file, unless the caller says otherwise: a small file must not fill the disk."""
_PIECE: Final = 1 << 20
_HEAD: Final = 1 << 10
_MARKS: Final = (
    # The mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED: Final = re.compile(r"""(\A\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["'])([A-Za-z][A-Za-z0-9._-]{0,40})(["'])""")


def _zstandard(content: BinaryIO) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(content, mode="r"), "zstd")


_PACKINGS: Final[Sequence[tuple[bytes, str, Callable[[BinaryIO], Any]]]] = (
    (b"\x1f\x8b", ".gz", lambda content: gzip.GzipFile(fileobj=content)),
    (b"BZh", ".bz2", bz2.BZ2File),
    (b"\xfd7zXZ\x00", ".xz", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", ".zst", _zstandard),
)
_ARCHIVES: Final = ((b"PK\x03\x04", "zip"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "rar"))
_TAR: Final = (257, b"ustar")


@contextmanager
def plain_files(
    files: Sequence[InputFile], folder: Path | None = None, *, max_bytes: int = MAX_BYTES
) -> Generator[list[InputFile]]:
    """The same files, unpacked and in UTF-8; copies lie in ``folder`` until the block ends.

    Args:
        files: seekable; those that need nothing are passed on.
        folder: for temporary files; None = the system's.
        max_bytes: of one unpacked file.

    Raises:
        InvalidInput: a file is an archive, is packed and broken, or does not have the encoding that it declares.
        TooLarge: an unpacked file is too large.
    """
    with ExitStack() as stack:

        def scratch() -> BinaryIO:
            return cast("BinaryIO", stack.enter_context(TemporaryFile(dir=folder)))

        yield [_recoded(_unpacked(file, scratch, max_bytes), scratch) for file in files]


def _head(file: InputFile) -> bytes:
    file.content.seek(0)
    head = file.content.read(_HEAD)
    file.content.seek(0)
    return head


def _unpacked(file: InputFile, scratch: Callable[[], BinaryIO], limit: int) -> InputFile:
    head = _head(file)
    archive = next((name for magic, name in _ARCHIVES if head.startswith(magic)), "")
    if archive == "zip" and (is_workbook(file) or is_opendocument(file)):
        return file
    if archive or head[_TAR[0] :].startswith(_TAR[1]):
        raise InvalidInput(
            f"the file is an archive ({archive or 'tar'})",
            field="files",
            value=file.name,
            hint="Unpack it and name the files or the folder that it holds.",
        )
    for magic, ending, opened in _PACKINGS:
        if not head.startswith(magic):
            continue
        target = scratch()
        try:
            _copy(opened(file.content), target, file.name, limit)
        except (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError) as error:
            raise InvalidInput(
                f"the packed file is broken or cut off ({ending.lstrip('.')})",
                field="files",
                value=file.name,
                hint="Pack it again, or unpack it and name what it holds.",
            ) from error
        name = file.name[: -len(ending)] if file.name.lower().endswith(ending) else file.name
        return _unpacked(replace(file, name=name, content=target), scratch, limit)
    return file


def _copy(source: Any, target: BinaryIO, name: str, limit: int) -> None:
    while piece := source.read(_PIECE):
        target.write(piece)
        if target.tell() > limit:
            raise TooLarge(
                f"the file holds more than {limit} bytes",
                field="files",
                value=name,
                hint="Import it in several parts.",
            )
    target.seek(0)


def _recoded(file: InputFile, scratch: Callable[[], BinaryIO]) -> InputFile:
    encoding = _encoding_of(_head(file))
    if not encoding:
        return file
    target, first = scratch(), True
    try:
        reader = codecs.getreader(encoding)(file.content)
        while text := reader.read(_PIECE):
            target.write((_DECLARED.sub(r"\1UTF-8\3", text) if first else text).encode())
            first = False
    except (LookupError, UnicodeError) as error:
        raise InvalidInput(
            f"the text does not have the encoding that it declares ({encoding})",
            field="files",
            value=file.name,
            hint="Save it as UTF-8.",
        ) from error
    target.seek(0)
    return replace(file, content=target)


def _encoding_of(head: bytes) -> str:
    """The encoding that a text says it has, empty where that is UTF-8 or it says nothing."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    start = head[:64]
    if len(start) > 3 and 0 in start and start.count(0) == len(start) // 2:
        # Every other byte is zero: Latin letters in UTF-16 without a mark
        if not any(start[1::2]):
            return "utf-16-le"
        if not any(start[0::2]):
            return "utf-16-be"
    declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8).decode("latin-1"))
    if declared is None or declared[2].casefold() in {"utf-8", "utf8"}:
        return ""
    # What can be read byte by byte is not UTF-16, whatever it says
    return "utf-8-sig" if declared[2].casefold().startswith(("utf-16", "utf-32", "ucs")) else declared[2]
