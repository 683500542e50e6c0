"""The README runs: its Python block, its commands and its Cypher, on a real server with the default model."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.service import PATIENCE, Service

from knowledgesmith.graph_schema.storage.store import GraphStore

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
DEFAULT_ADDRESS = "127.0.0.1:7617"

pytestmark = pytest.mark.model


def blocks(language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(data_dir=tmp_path_factory.mktemp("readme")).start()
    yield running
    assert running.stop() == 0


def run(*command: str, service: Service) -> str:
    """Run a command against the server; its output."""
    env = {**os.environ, "KSMITH_SERVER": f"127.0.0.1:{service.port}", "COLUMNS": "160"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=PATIENCE)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_python_block(server: Service) -> None:
    [code] = blocks("python")
    assert DEFAULT_ADDRESS in code
    output = run(sys.executable, "-c", code.replace(DEFAULT_ADDRESS, f"127.0.0.1:{server.port}"), service=server)
    assert "belief changes" in output
    assert output.rstrip().endswith("True"), "the rollback is exact"


def test_command_block(server: Service) -> None:
    ksmith = str(Path(sys.executable).with_name("ksmith"))
    [commands] = [block for block in blocks("sh") if "ksmith edit" in block]
    intervention = ""
    for line in commands.splitlines():
        words = [intervention if word == "ID" else word for word in shlex.split(line, comments=True)]
        output = run(ksmith, *words[1:], service=server)
        intervention = next(iter(re.findall(r"iv_[0-9a-f]+", output)), intervention)
    assert intervention


def test_cypher_blocks_return_what_they_show(server: Service) -> None:
    store = GraphStore.connect(server.store_settings())
    queries = blocks("cypher")
    assert len(queries) >= 3
    [latest] = store.run_user_query(
        "MATCH (i:Intervention) RETURN i.id AS id ORDER BY i.created_at DESC", {}, limit=1, timeout_s=PATIENCE
    )[1]
    for query in queries:
        columns, rows = store.run_user_query(query, {"id": latest["id"]}, limit=100, timeout_s=PATIENCE)
        shown = TEXT[TEXT.index(query) :].split("```\n", 2)[1]
        header = [cell.strip() for cell in shown.strip().splitlines()[0].strip("|").split("|")]
        assert columns == header, "the table under the query has its columns"
        assert rows
    store.close()


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z-]+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "exec make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_paths_exist() -> None:
    for path in re.findall(r"`((?:deploy|scripts|graph_schema|benchmarks)/[\w./-]+)`", TEXT):
        assert "…" in path or (ROOT / path).exists(), path
