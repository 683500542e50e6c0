"""Install the wheel as a user does, with every Python that it promises, and try it.

``python scripts/try_wheel.py [--python 3.12 …] [--target HOST:PORT] [--server]`` builds the wheel of this checkout in a
temporary folder and gives each Python a fresh environment with nothing but ``knowledgesmith`` (and, with ``--server``,
another one with its extras), in the versions of ``requirements/dev.txt``. It prints one line of JSON a Python:

* the client alone: packages, megabytes with byte code, processor seconds of importing it (median of five, less what the
  bare Python takes), whether the command line answers, whether something of an extra came along, and with ``--target``
  whether both forms of the client work against the server there (``client_trial.py``);
* with ``--server``: packages and megabytes of the whole, and the seconds of the main job on a server of that
  environment (``server_trial.py``).

What failed stands in the line in plain words, and the exit status is 1. Environments go one after the other and are
deleted; one with the server takes several gigabytes where torch brings its libraries for GPUs. Packages come from uv's
cache where they are there; ``UV_OFFLINE=1`` asks for nothing else. ``make setup`` brings uv and what builds the wheel.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOCKED: Final = ROOT / "requirements/dev.txt"
PROJECT: Final[Mapping[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
STARTS: Final = 5
LAST: Final = 1500
"""Characters of what a failed program said."""
_VERSION: Final = "import platform; print(platform.python_version())"
_PURE_STATE: Final = ("PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")


class Failed(Exception):
    """A program ended with an error; the text is for people."""


@dataclass(kw_only=True)
class Tried:
    """What one installation came to; measures that were not reached are ``None``.

    Attributes:
        packages: distributions that were installed.
        mb: megabytes of them, byte code included.
        import_s: processor seconds of importing the client, less those of the bare Python.
        calls: whether the client was tried against a server.
        intervention_s: seconds of the main job, start and stop of the server included.
        failed: what went wrong.
    """

    packages: int | None = None
    mb: float | None = None
    import_s: float | None = None
    calls: bool | None = None
    intervention_s: float | None = None
    failed: list[str] = field(default_factory=list[str])


def environment() -> dict[str, str]:
    """Variables for a program of another Python: none that leads it to this one's modules, or to another server."""
    return {k: v for k, v in os.environ.items() if k not in _PURE_STATE and not k.startswith("KSMITH_")}


def run(*command: str | Path, folder: Path) -> str:
    """What a program prints, away from this checkout.

    Raises:
        Failed: it ended with an error; the end of what it said.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{Path(words[0]).name} {' '.join(words[1:])}: {(done.stdout + done.stderr).strip()[-LAST:]}")
    return done.stdout


def spent_by_children() -> float:
    """Processor seconds of the programs that were run and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def find_uv() -> Path:
    """The uv of ``make setup``, else one on the path.

    Raises:
        SystemExit: there is none.
    """
    found = shutil.which("uv", path=f"{ROOT / '.venv-uv/bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise SystemExit("there is no uv: run `make setup`")
    return Path(found)


def find_python(asked: str) -> Path | None:
    """A Python by its version (``3.12``) or its path; ``None`` where there is none that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = [shutil.which(f"python{asked}"), *sorted(pyenv.glob(f"versions/{asked}*/bin/python"), reverse=True)]
    for candidate in (sys.executable, *named, asked):
        if candidate is None or not Path(candidate).is_file():
            continue
        done = subprocess.run([str(candidate), "-c", _VERSION], capture_output=True, text=True, check=False)
        if done.returncode == 0 and (str(candidate) == asked or f"{done.stdout.strip()}.".startswith(f"{asked}.")):
            return Path(candidate)
    return None


def promised() -> list[str]:
    """Versions of Python that the wheel names in its classifiers."""
    named = (line.rpartition("Programming Language :: Python :: ") for line in PROJECT["classifiers"])
    return [version for _, found, version in named if found]


def plain(requirement: str) -> str:
    """The name of a distribution, as it is compared."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]).lower()


def of_extras() -> set[str]:
    """Distributions that only an extra brings."""
    extras: Mapping[str, Sequence[str]] = PROJECT["optional-dependencies"]
    return {plain(line) for lines in extras.values() for line in lines} - {plain(li) for li in PROJECT["dependencies"]}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A fresh environment with the wheel; ``extras`` as pip takes them, ``[server]``."""

    uv: Path
    wheel: Path
    python: Path
    folder: Path
    extras: str = ""

    @property
    def bin(self) -> Path:
        """Its programs."""
        return self.folder / "bin"

    def install(self) -> None:
        """Make it.

        Raises:
            Failed: something cannot be installed.
        """
        here = self.folder.parent
        run(self.uv, "venv", "--quiet", "--python", self.python, self.folder, folder=here)
        wanted = f"knowledgesmith{self.extras} @ {self.wheel.as_uri()}"
        options = ("--quiet", "--compile-bytecode", "--constraint", LOCKED, "--python", self.bin / "python")
        run(self.uv, "pip", "install", *options, wanted, folder=here)

    def packages(self) -> set[str]:
        """Distributions in it."""
        code = "import importlib.metadata as m; print(*(d.metadata['Name'] for d in m.distributions()))"
        return {plain(name) for name in run(self.bin / "python", "-c", code, folder=self.folder).split()}

    def megabytes(self) -> float:
        """Its packages, byte code included, in units of 1,000,000 bytes."""
        [packages] = self.folder.glob("lib/python3*/site-packages")
        sizes = (file.stat().st_size for file in packages.rglob("*") if file.is_file() and not file.is_symlink())
        return round(sum(sizes) / 1e6, 1)

    def seconds(self, code: str) -> float:
        """Processor time of a line of code in its Python: the median of five, after one that warms the caches.

        Where nothing else runs this is what a person waits; where something does, it hardly grows.
        """
        spent: list[float] = []
        for _ in range(1 + STARTS):
            begun = spent_by_children()
            run(self.bin / "python", "-c", code, folder=self.folder)
            spent.append(spent_by_children() - begun)
        return statistics.median(spent[1:])


def try_client(made: Installation, target: str) -> Tried:
    """The wheel without an extra."""
    tried = Tried(calls=False)
    try:
        made.install()
        found = made.packages()
        tried.packages, tried.mb = len(found), made.megabytes()
        if heavy := found & of_extras():
            tried.failed.append(f"installed without its extra: {', '.join(sorted(heavy))}")
        names = "import knowledgesmith.client as c; c.KnowledgeSmith"
        tried.import_s = round(made.seconds(names) - made.seconds("pass"), 3)
        if "Usage: ksmith" not in run(made.bin / "ksmith", "--help", folder=made.folder):
            tried.failed.append("`ksmith --help` shows no usage")
        if target:
            run(made.bin / "python", ROOT / "scripts/client_trial.py", target, folder=made.folder)
            run(made.bin / "ksmith", "graphs", "--server", target, "--json", folder=made.folder)
            tried.calls = True
    except Failed as failure:
        tried.failed.append(str(failure))
    return tried


def try_server(made: Installation) -> Tried:
    """The wheel with its extras, and the main job on a server of its own."""
    tried = Tried()
    try:
        made.install()
        tried.packages, tried.mb = len(made.packages()), made.megabytes()
        begun = time.perf_counter()
        run(made.bin / "python", ROOT / "scripts/server_trial.py", made.folder / "trial", folder=made.folder)
        tried.intervention_s = round(time.perf_counter() - begun, 1)
    except Failed as failure:
        tried.failed.append(str(failure))
    return tried


def told(tried: Tried) -> dict[str, Any]:
    """What was measured, without what was not."""
    return {name: value for name, value in asdict(tried).items() if value is not None}


def try_python(uv: Path, wheel: Path, python: Path, *, target: str, server: bool) -> dict[str, Any]:
    """Everything with one Python."""
    line: dict[str, Any] = {"python": run(python, "-c", _VERSION, folder=ROOT).strip()}
    with tempfile.TemporaryDirectory(prefix="client-") as made:
        alone = Installation(uv=uv, wheel=wheel, python=python, folder=Path(made) / "env")
        line["client"] = told(try_client(alone, target))
    if server:
        with tempfile.TemporaryDirectory(prefix="server-") as made:
            folder = Path(made) / "env"
            whole = Installation(uv=uv, wheel=wheel, python=python, folder=folder, extras="[server,notebook]")
            line["server"] = told(try_server(whole))
    return line


def main() -> None:
    """One line a Python."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="+", default=[], help="versions or paths; default: those that are there")
    parser.add_argument("--target", default="", help="host:port of a running server for the client's calls")
    parser.add_argument("--server", action="store_true", help="try the wheel with its extras as a server, too")
    asked = parser.parse_args()
    uv = find_uv()
    pythons = {name: find_python(name) for name in asked.python or promised()}
    missing = [name for name, path in pythons.items() if path is None]
    failed = bool(missing) and bool(asked.python)
    print(
        *(f"There is no Python {name} here." for name in missing), sep="\n", end="\n" * bool(missing), file=sys.stderr
    )
    with tempfile.TemporaryDirectory(prefix="wheel-") as made:
        folder = Path(made)
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=ROOT)
        [wheel] = folder.glob("*.whl")
        for python in filter(None, pythons.values()):
            line = try_python(uv, wheel, python, target=asked.target, server=asked.server)
            print(json.dumps(line), flush=True)
            failed |= any(line[part]["failed"] for part in line.keys() & {"client", "server"})
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
