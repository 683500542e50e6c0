"""Files as people have them: packed, in UTF-16, in the encoding that XML declares, broken."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow as pa
import pytest

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.unpacking import plain_files

TEXT = "uid,name\na,Änne\n"


def plain(name: str, content: bytes, *, max_bytes: int = 1 << 20) -> tuple[str, str]:
    """Name and text of a file behind all wrappings."""
    with plain_files([InputFile(name=name, content=io.BytesIO(content))], max_bytes=max_bytes) as (file,):
        return file.name, file.content.read().decode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", gzip.compress(TEXT.encode())),
        ("t.csv.bz2", bz2.compress(TEXT.encode())),
        ("t.csv.XZ", lzma.compress(TEXT.encode())),
        ("t.csv.zst", pa.compress(TEXT.encode(), codec="zstd", asbytes=True)),
        ("t.csv.gz.bz2", bz2.compress(gzip.compress(TEXT.encode()))),
        ("t.csv", TEXT.encode("utf-16")),
        ("t.csv", TEXT.encode("utf-16-le")),
        ("t.csv", TEXT.encode("utf-16-be")),
        ("t.csv", TEXT.encode("utf-32")),
        ("t.csv", TEXT.encode()),
    ],
    ids=range(10),  # packed bytes hold the time
)
def test_packed_and_recoded_files_are_read(name: str, content: bytes) -> None:
    assert plain(name, content) == ("t.csv", TEXT)


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "utf-16", "windows-1252"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<a>Änne</a>'
    assert plain("a.xml", text.encode(encoding))[1] == text.replace(encoding, "UTF-8")


def test_utf8_that_says_it_were_utf16_is_utf8() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?><a>Änne</a>'
    assert plain("a.xml", text.encode())[1] == text.replace("UTF-16", "UTF-8")


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("t.csv", TEXT)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (_archive(), "is an archive"),
        (bz2.compress(TEXT.encode())[:-5], "packed file is broken"),
        (lzma.compress(TEXT.encode())[:-5], "packed file is broken"),
        (gzip.compress(TEXT.encode())[:-9], "packed file is broken"),
        (pa.compress(TEXT.encode(), codec="zstd", asbytes=True)[:-5], "packed file is broken"),
        (b"\xff\xfea\x00\x00\xd8b\x00", "does not have the encoding"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "does not have the encoding"),
    ],
    ids=range(7),
)
def test_what_cannot_be_unpacked_is_refused_by_name(content: bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        plain("t.csv", content)
    assert caught.value.field == "files"
    assert "t.csv" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("Error", "codec", "marker", "stream", "[Errno"))


def test_a_small_file_cannot_fill_the_disk() -> None:
    with pytest.raises(TooLarge):
        plain("t.csv.bz2", bz2.compress(b"a" * 5_000_000), max_bytes=2_000_000)
