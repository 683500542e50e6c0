"""Uploaded files and what is noted about them: on the disk, by name, before anybody relies on it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from knowledgesmith.graph_schema.errors import FailedPrecondition
from knowledgesmith.server.operations import folders as folders_module
from knowledgesmith.server.operations.folders import Folder, Folders
from knowledgesmith.server.uploads.pieces import Upload, uploaded_files
from knowledgesmith.server.uploads.uploaded_file import UploadedFile
from knowledgesmith.v1 import graph_pb2


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders whose names are on the disk, as they come."""
    found: list[Path] = []
    monkeypatch.setattr(folders_module, "sync_folder", found.append)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folders(tmp_path).new()


def received(folder: Folder) -> None:
    """An import with one file."""
    upload = Upload(folder, max_bytes=100)
    upload.add(graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id="g")))
    upload.add(graph_pb2.ImportGraphRequest(chunk=graph_pb2.FileChunk(name="facts.tsv", content=b"x")))
    upload.complete()
    upload.close()


def test_files_of_an_import_are_found_after_a_power_cut(folder: Folder, synced: list[Path]) -> None:
    received(folder)
    assert {folder.uploads, folder.path, folder.path.parent} <= set(synced)
    assert sorted(path.name for path in folder.uploads.iterdir()) == ["0", "files.json"], "nothing else is left"


def test_one_uploaded_file_is_found_after_a_power_cut(folder: Folder, synced: list[Path]) -> None:
    upload = UploadedFile(folder)
    upload.add(b"x")
    upload.complete()
    upload.close()
    assert {folder.uploads, folder.path, folder.path.parent} <= set(synced)


@pytest.mark.parametrize("content", ["", '[["a', "[1]"])
def test_a_list_of_files_that_the_disk_lost_is_files_that_are_gone(folder: Folder, content: str) -> None:
    received(folder)
    (folder.uploads / "files.json").write_text(content)
    with pytest.raises(FailedPrecondition, match="the uploaded files are gone"), uploaded_files(folder):
        pass


def test_a_mark_is_kept_and_one_that_the_disk_lost_is_made_anew(tmp_path: Path, synced: list[Path]) -> None:
    home = Folders(tmp_path).home
    assert str(uuid.UUID(home)) == home
    assert synced == [tmp_path]
    assert Folders(tmp_path).home == home
    (tmp_path / "home").write_text("")
    assert Folders(tmp_path).home not in {"", home}


def test_files_are_taken_over_only_where_there_are_none(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    first, second, third = (folders.new() for _ in range(3))
    first.keep("x", "first")
    second.keep("x", "second")
    third.adopt(first)
    third.adopt(second)
    assert (third.uploads / "x").read_text() == "first"
    assert not first.uploads.exists()
    assert second.uploads.exists()
