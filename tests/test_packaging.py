"""The rooms: bare namespace portions, light imports, short files and functions, no word of the registry."""

from __future__ import annotations

import ast
import os
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PORTIONS = ("proto", "graph_schema", "editors", "server", "client")
MAX_LINES, MAX_FUNCTION, MEDIAN_FUNCTION = 500, 100, 12
MAX_MODULES = 15
HEAPS = {
    ROOT / "proto/knowledgesmith/v1",
}
"""Packages with more modules than that: it is generated."""


def sources(*rooms: str) -> Iterator[Path]:
    """Hand-written Python files."""
    for room in rooms:
        yield from (p for p in (ROOT / room).rglob("*.py") if "_pb2" not in p.name)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Functions of a file with their lengths."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.name}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("portion", PORTIONS)
def test_folder_is_a_bare_namespace_portion(portion: str) -> None:
    folder = ROOT / portion
    assert not (folder / "knowledgesmith" / "__init__.py").exists(), "an __init__.py here hides every other portion"
    assert not list(folder.glob("*.py")), "a module here would become importable by its bare name"
    package = "v1" if portion == "proto" else portion
    assert (folder / "knowledgesmith" / package / "py.typed").exists()


def test_processes_that_make_starts_keep_their_byte_code() -> None:
    """Most of what starting a process costs is compiling the libraries, where nobody may keep the outcome."""
    command = ["make", "--silent", "--eval", "shown: ; @env", "shown"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    shown = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert "PYTHONDONTWRITEBYTECODE" not in shown
    assert f"PYTHONPYCACHEPREFIX={ROOT / '.cache'}" in shown, "and the folders of the sources stay clean"


def test_no_file_or_function_is_overgrown() -> None:
    everything = [*sources(*PORTIONS, "tests", "scripts", "benchmarks")]
    long_files = [p for p in everything if len(p.read_text(encoding="utf-8").splitlines()) > MAX_LINES]
    assert not long_files
    lengths = [item for p in everything for item in functions(p)]
    assert not [item for item in lengths if item[1] > MAX_FUNCTION]
    assert statistics.median(n for p in sources(*PORTIONS) for _, n in functions(p)) <= MEDIAN_FUNCTION


def test_no_package_is_a_heap() -> None:
    """A room is found by its name, so no package holds more modules than one can look over."""
    sizes = {folder: len(list(folder.glob("*.py"))) - 1 for room in PORTIONS for folder in (ROOT / room).rglob("*/")}
    assert {
        f"{folder.relative_to(ROOT)}": n for folder, n in sizes.items() if n > MAX_MODULES and folder not in HEAPS
    } == {}
    assert all(sizes[folder] > MAX_MODULES for folder in HEAPS), "one that was put in order stays so"


def test_library_code_has_no_globals_prints_or_star_imports() -> None:
    for path in sources(*PORTIONS):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Global), path
            assert not (isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names)), path
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            assert not is_print, path


def test_cypher_lives_in_cypher_files() -> None:
    clause = re.compile(r"\b(MATCH|MERGE|UNWIND)\s*\(|\bUNWIND \$")
    for path in sources("graph_schema", "server", "editors"):
        assert not clause.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("knowledgesmith.client", "torch"),
        ("knowledgesmith.client.cli", "grpc"),
        ("knowledgesmith.server.app", "torch"),
        ("knowledgesmith.graph_schema.storage.store", "torch"),
        ("knowledgesmith.editors.registry", "torch"),
    ],
)
def test_imports_stay_light(module: str, heavy: str) -> None:
    code = f"import sys, {module}; print({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_command_line_is_installed() -> None:
    [script] = [e for e in entry_points(group="console_scripts") if e.name == "ksmith"]
    assert callable(script.load())


def test_the_wheel_and_the_readme_promise_the_same_pythons() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    promised = [line.split(" :: ")[-1] for line in project["classifiers"] if ":: Python ::" in line]
    assert promised == sorted(promised, key=lambda version: tuple(map(int, version.split("."))))
    assert project["requires-python"] == f">={promised[0]}"
    [section] = re.findall(r"^## Where it runs\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE)
    assert section.strip().startswith(f"Python {', '.join(promised[:-1])} and {promised[-1]}.")
    assert f"Python {promised[0]}+, make and git" in readme
    assert {"Operating System :: POSIX :: Linux", "Typing :: Typed"} <= set(project["classifiers"])
    assert "**Server:** Linux" in section


def test_the_client_imports_nothing_that_only_posix_has() -> None:
    """Where the service does not run, its client and its commands do."""
    code = (
        "import importlib, pkgutil, sys\n"
        "sys.modules.update(dict.fromkeys(('fcntl', 'grp', 'pwd', 'resource', 'termios')))\n"
        "import knowledgesmith.client as client\n"
        "for module in pkgutil.walk_packages(client.__path__, 'knowledgesmith.client.'):\n"
        "    if not module.name.endswith(('.ogm', '__main__')): importlib.import_module(module.name)\n"
        "print(client.KnowledgeSmith, client.AsyncKnowledgeSmith)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_committed_text_names_a_registry() -> None:
    hosts = re.compile(r"p[y]pi\.org|pythonhost[e]d|mav[e]n\.org|rep[o]1\.|regist[r]y\.npm|deb\.debi[a]n")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if path.suffix not in {".pyi"} and path.is_file():
            assert not hosts.search(path.read_text(encoding="utf-8", errors="ignore")), name
