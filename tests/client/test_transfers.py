"""Calls that go wrong on this side: limits, parameters, files and a client that is closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from knowledgesmith.client import InvalidInput, KnowledgeSmith
from knowledgesmith.client._wire.files import complete_file
from knowledgesmith.client._wire.values import write_cypher, write_struct


def test_a_negative_limit_is_refused(either: KnowledgeSmith) -> None:
    for listing in (either.graphs.list, either.operations.list):
        with pytest.raises(InvalidInput) as caught:
            listing(limit=-3)
        assert (caught.value.field, caught.value.value) == ("limit", "-3")


@pytest.mark.parametrize("write", [write_cypher, write_struct])
def test_a_key_that_is_no_text_is_refused(write: Any) -> None:
    with pytest.raises(InvalidInput, match="key of a map"):
        write({1: 2})


def test_two_downloads_to_one_path_do_not_mix(tmp_path: Path) -> None:
    target = tmp_path / "atlas.ksarchive"
    with complete_file(target) as first, complete_file(target) as second:
        first.write(b"one whole file")
        second.write(b"another")
    assert target.read_bytes() == b"one whole file"
    assert list(tmp_path.iterdir()) == [target]
