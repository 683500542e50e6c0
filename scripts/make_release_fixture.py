"""Make a database and an archive with an earlier release, for the tests that later releases still read them.

``python scripts/make_release_fixture.py COMMIT FOLDER`` unpacks the tree of a commit into a temporary folder, starts
its server on loopback with its data directory in FOLDER, and lets it do the main job: import the bundled graph, draw
probes, edit, unlearn, run a placebo, discard, roll back, export. Afterwards FOLDER holds

* ``data``: the stopped server's data directory, database included,
* ``atlas.ksmith``: the graph's archive with its artefacts,
* ``model``: the random model that was edited (only with ``--tiny``),
* ``record.json``: the commit, and what that release's own commands said about what it stored.

The earlier code runs with this environment's packages; its own five folders stand first on ``PYTHONPATH``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("proto", "graph_schema", "editors", "server", "client")
START_S, STOP_S = 600.0, 120.0

EDITS = (
    ("France", "has_capital", "Paris", "Lyon"),
    ("Iceland", "on_continent", "Europe", "Africa"),
    ("Poland", "main_language", "Polish", "Thai"),
)
ERASED = (("magnesium", "chemical_symbol", "Mg"), ("Norway", "has_capital", "Oslo"))
_CLI = "from knowledgesmith.client.cli import main; main()"
_SAVE_TINY = (
    "import sys; from pathlib import Path; from knowledgesmith.editors.testing import save_checkpoint, tiny_llama; "
    "save_checkpoint(tiny_llama(), Path(sys.argv[1]))"
)


@dataclass(kw_only=True)
class Release:
    """The code of one commit, its running server, and what its commands answered."""

    tree: Path
    target: str = ""
    answers: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def environment(self) -> dict[str, str]:
        """Variables of this process, with the earlier code first, and none that would lead to another server."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KSMITH_")}
        rooms = os.pathsep.join(str(self.tree / room) for room in ROOMS)
        return {**kept, "PYTHONPATH": rooms, "KSMITH_SERVER": self.target, "OMP_NUM_THREADS": "1"}

    def python(self, *words: str) -> str:
        """What a Python process of this release prints.

        Raises:
            SystemExit: it failed; its own words are shown.
        """
        done = subprocess.run(
            [sys.executable, *words], env=self.environment, cwd=self.tree, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def ask(self, *words: str, keep: str = "") -> Any:
        """Run ``ksmith WORDS --json``; under ``keep`` the answer becomes part of the record."""
        print("ksmith", *words, flush=True)
        text = self.python("-c", _CLI, *words, "--json")
        try:
            answer = json.loads(text)
        except ValueError:  # one JSON value a line
            answer = [json.loads(line) for line in text.splitlines() if line.strip()]
        if keep:
            self.answers[keep] = answer
        return answer


def unpack(commit: str, folder: Path) -> str:
    """Write the tree of a commit into ``folder``; the full name of the commit."""
    full = subprocess.run(
        ["git", "rev-parse", f"{commit}^{{commit}}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    packed = subprocess.run(["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tree:
        tree.extractall(folder, filter="data")
    return full.stdout.strip()


def free_address() -> str:
    """A loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def serving(release: Release, data: Path) -> Generator[None]:
    """The release's server on its own data directory; ended by its process id, and waited for."""
    release.target = free_address()
    command = [sys.executable, "-m", "knowledgesmith.server", "--listen", release.target, "--metrics", free_address()]
    data.mkdir(parents=True)
    with (data / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [*command, "--data-dir", str(data), "--device", "cpu"],
            env=release.environment,
            cwd=release.tree,
            stdout=log,
            stderr=log,
        )
        try:
            await_start(release, server, data)
            yield
        finally:
            server.terminate()
            server.wait(STOP_S)


def await_start(release: Release, server: subprocess.Popen[bytes], data: Path) -> None:
    """Wait until the server says that it serves.

    Raises:
        SystemExit: it ended, or is not ready in time.
    """
    words = ["-c", "import sys; from knowledgesmith.client import KnowledgeSmith as K; print(K(sys.argv[1]).health())"]
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        tried = subprocess.run(
            [sys.executable, *words, release.target],
            env=release.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if "SERVING" in tried.stdout and "NOT" not in tried.stdout:
            return
        time.sleep(1)
    raise SystemExit(f"the server did not start:\n{(data / 'server.log').read_text()[-3000:]}")


def last(answer: Any) -> Any:
    """The newest row of an answer that may be a list of rows."""
    return answer[-1] if isinstance(answer, list) else answer


def change(release: Release, words: Sequence[str], facts: Sequence[Sequence[str]], folder: Path) -> str:
    """One intervention on several facts, followed to its end; its id."""
    names = ("subject", "relation", "old_object", "new_object")
    batch = folder / "batch.jsonl"
    batch.write_text("".join(json.dumps(dict(zip(names, fact, strict=False))) + "\n" for fact in facts), "utf-8")
    settings = ("--seed", "1", "--max-probes", "120")
    return str(last(release.ask(*words, "--batch", str(batch), *settings))["id"])


def main_job(release: Release, folder: Path, scratch: Path, *, tiny: bool) -> None:
    """Everything that the database and the archive shall hold."""
    release.ask("import", "--bundled", "atlas")
    release.ask("probes", "generate", "atlas", "--seed", "1", "--limit", "20", "--materialise", keep="probe_set")
    path = ("--path", str(folder / "model")) if tiny else ()
    model = last(release.ask("models", "--register", "tiny" if tiny else "", *path, keep="model"))
    for branch in ("edited", "erased"):
        release.ask("branch", "create", branch, "--model", model["id"], "--graph", "atlas", "--select")
    runs = {
        "edit": change(release, ("edit", "--branch", "edited", "--method", "alphaedit"), EDITS, scratch),
        "second": change(
            release,
            ("edit", "--branch", "edited", "--method", "finetune"),
            [("Japan", "has_capital", "Tokyo", "Osaka")],
            scratch,
        ),
        "placebo": change(release, ("edit", "--branch", "erased", "--method", "placebo"), EDITS[:1], scratch),
        "unlearn": change(release, ("unlearn", "--branch", "erased", "--method", "alphaedit"), ERASED, scratch),
        "held": change(
            release,
            ("edit", "--branch", "edited", "--method", "finetune", "--hold"),
            [("Nepal", "on_continent", "Asia", "Europe")],
            scratch,
        ),
    }
    release.answers["runs"] = runs
    release.ask("discard", runs["held"])
    release.ask("rollback", "--branch", "erased", keep="rollback")
    for name, run in runs.items():
        release.ask("propagation", run, "--by", "kind", keep=f"by_kind_{name}")
    release.ask("interventions", keep="interventions")
    for branch in ("edited", "erased"):
        release.ask("branch", "show", branch, keep=f"branch_{branch}")
    release.ask("graph", "check", "atlas", keep="check")
    release.ask("graph", "export", "atlas", str(folder / "atlas.ksmith"), "--with-artefacts", keep="export")


def main() -> None:
    """Make one folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="the release")
    parser.add_argument("folder", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--tiny", action="store_true", help="edit a random model, not the default one")
    asked = parser.parse_args()
    folder = asked.folder.resolve()
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        release = Release(tree=scratch / "tree")
        commit = unpack(asked.commit, release.tree)
        if asked.tiny:
            release.python("-c", _SAVE_TINY, str(folder / "model"))
        with serving(release, folder / "data"):
            main_job(release, folder, scratch, tiny=asked.tiny)
    record = {"commit": commit, **release.answers}
    (folder / "record.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"{folder}: {sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
