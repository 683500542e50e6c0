"""Real ontologies, where they are there."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "kg"


@pytest.fixture
def shared_file() -> Callable[[str], tuple[str, bytes]]:
    """Name (without ``.gz``) and content of a file of the shared data."""
    if not SHARED.is_dir():
        pytest.skip(f"NOT TESTED on real ontologies: there is no {SHARED}")

    def read(name: str) -> tuple[str, bytes]:
        content = (SHARED / name).read_bytes()
        return name.removesuffix(".gz"), gzip.decompress(content) if name.endswith(".gz") else content

    return read


@pytest.fixture
def shared_folder() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"NOT TESTED on real ontologies: there is no {SHARED}")
    return SHARED
