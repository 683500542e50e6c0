"""Neo4j's admin tool on a database that does not run, from the same jars, under the same locks as a start."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from knowledgesmith.graph_schema.embedded import ownership
from knowledgesmith.graph_schema.embedded.config import admin_command, neo4j_settings, write_config
from knowledgesmith.graph_schema.embedded.files.jars import ensure_jars
from knowledgesmith.graph_schema.embedded.files.locks import exclusive, try_lock
from knowledgesmith.graph_schema.embedded.java import find_java
from knowledgesmith.graph_schema.embedded.settings import EmbeddedSettings, Home
from knowledgesmith.graph_schema.errors import DatabaseRunning, OfflineImportFailed

DATABASE: Final = "neo4j"
_OPERATION_TIMEOUT_S: Final = 30
_SHOWN_LINES: Final = 20


def has_store(data_dir: Path) -> bool:
    """Whether a directory holds a database that was started or filled before."""
    folder = Home.at(data_dir).root / "data" / "databases" / DATABASE
    return folder.is_dir() and any(folder.iterdir())


def require_stopped(data_dir: Path) -> None:
    """Refuse a directory whose database runs.

    Raises:
        DatabaseRunning: it does.
    """
    home = Home.at(data_dir)
    record = ownership.read(home)
    if record is not None and record.is_running(home):
        raise _running(home, f"process {record.java.pid}")


def run_admin(
    settings: EmbeddedSettings, arguments: Sequence[str], *, timeout_s: float, replaces_store: bool = False
) -> str:
    """Run the admin tool and return what it printed; nobody can start the database meanwhile.

    ``replaces_store`` removes the transaction logs first: they belong to the store that the tool replaces.

    Raises:
        DatabaseRunning: the database runs.
        OfflineImportFailed: the tool ended with an error, or took longer than ``timeout_s``.
        JavaNotFound: no Java 17 or 21.
        JarsUnavailable: Neo4j could not be fetched.
    """
    home = Home.at(settings.data_dir)
    home.create()
    command = admin_command(java=find_java().path, library=ensure_jars(), settings=settings, arguments=arguments)
    with _stopped(home):
        if replaces_store:
            shutil.rmtree(home.root / "data" / "transactions" / DATABASE, ignore_errors=True)
        write_config(home.config_dir, neo4j_settings(settings, port=settings.port or 0))
        environment = {**os.environ, "NEO4J_HOME": str(home.root), "NEO4J_CONF": str(home.config_dir)}
        try:
            done = subprocess.run(
                command, env=environment, cwd=home.root, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _failed(home, f"did not end within {timeout_s:g} s", "") from error
    if done.returncode:
        raise _failed(home, f"ended with status {done.returncode}", done.stdout + done.stderr)
    return done.stdout


@contextmanager
def _stopped(home: Home) -> Generator[None]:
    """Hold both locks of a home whose database does not run."""
    with exclusive(home.operation_lock, timeout_s=_OPERATION_TIMEOUT_S):
        require_stopped(home.root)
        life = try_lock(home.life_lock)
        if life is None:
            raise _running(home, "a process")
        try:
            yield
        finally:
            os.close(life)


def _running(home: Home, who: str) -> DatabaseRunning:
    return DatabaseRunning(
        f"the database of this directory runs ({who})",
        field="data_dir",
        value=str(home.root),
        hint="Stop it (`ksmith down`, `ksmith neo4j stop`), or import without --offline.",
    )


def _failed(home: Home, what: str, output: str) -> OfflineImportFailed:
    lines = "\n".join(output.strip().splitlines()[-_SHOWN_LINES:])
    return OfflineImportFailed(
        f"Neo4j's import tool {what}.\n{lines}".rstrip(),
        field="data_dir",
        value=str(home.root),
        hint="Import without --offline, or give the tool more memory.",
    )
