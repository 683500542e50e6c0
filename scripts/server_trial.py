"""Do the main job on a server of this environment: ``python scripts/server_trial.py FOLDER``.

FOLDER, which is not there yet, gets a random tiny model and the data directory of a server, which is started on
loopback with an embedded database, and stopped at the end. Its client imports the bundled graph, draws probes, edits,
unlearns, asks what came of it, rolls back, and takes the graph through an archive. It needs ``knowledgesmith[server]``;
``try_wheel.py`` runs it with every Python.
"""

from __future__ import annotations

import importlib
import pkgutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import knowledgesmith
from knowledgesmith.client import (
    FactChange,
    Grouping,
    Intervention,
    InterventionState,
    KnowledgeSmith,
    KnowledgeSmithClientError,
)
from knowledgesmith.editors.testing.tiny import save_checkpoint, tiny_llama

START_S: Final = 900.0
STOP_S: Final = 300.0
EDIT: Final = FactChange(subject="France", relation="has_capital", old_object="Paris", new_object="Lyon")
ERASE: Final = FactChange(subject="Norway", relation="has_capital", old_object="Oslo")


def import_everything() -> int:
    """Import every module of the wheel; how many there are."""
    names = [module.name for module in pkgutil.walk_packages(knowledgesmith.__path__, "knowledgesmith.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    return len(names)


def free_address() -> str:
    """A loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def serving(data: Path) -> Generator[str]:
    """The address of a server on its own data directory; ended by its process id, and waited for.

    Raises:
        SystemExit: it does not start, or ends with an error.
    """
    target = free_address()
    words = ["--listen", target, "--metrics", free_address(), "--data-dir", str(data), "--device", "cpu"]
    data.mkdir(parents=True)
    with (data / "server.log").open("ab") as log:
        command = [sys.executable, "-m", "knowledgesmith.server", *words, "--neo4j-heap", "512m"]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            await_start(target, server, data)
            yield target
        finally:
            server.terminate()
            status = server.wait(STOP_S)
    if status:
        raise SystemExit(f"the server ended with {status}:\n{(data / 'server.log').read_text('utf-8')[-3000:]}")


def await_start(target: str, server: subprocess.Popen[bytes], data: Path) -> None:
    """Wait until the server says that it serves.

    Raises:
        SystemExit: it ended, or is not ready in time.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with KnowledgeSmith(target) as smith:
                if smith.health() == "SERVING":
                    return
        except KnowledgeSmithClientError:  # nobody listens yet
            pass
        time.sleep(0.5)
    raise SystemExit(f"the server did not start:\n{(data / 'server.log').read_text('utf-8')[-3000:]}")


def followed(smith: KnowledgeSmith, begun: Intervention) -> Intervention:
    """An intervention at its end, which is a good one.

    Raises:
        SystemExit: it is not.
    """
    done = smith.interventions.wait(intervention_id=begun.id)
    if done.state is not InterventionState.SUCCEEDED or not done.planned_rows:
        raise SystemExit(f"the intervention ended as {done.state.name} with {done.planned_rows} rows")
    return done


def main_job(smith: KnowledgeSmith, folder: Path) -> None:
    """Everything from an import to a rollback.

    Raises:
        SystemExit: something came out wrong.
    """
    smith.graphs.import_bundled(name="atlas")
    smith.probe_sets.generate(graph_id="atlas", seed=1, limit_per_kind=20)
    smith.models.register(model_id="tiny", path=str(folder / "model"))
    smith.branches.create(branch_id="trial", model_id="tiny", graph_id="atlas", select=True)
    edit = smith.interventions.edit(branch_id="trial", changes=[EDIT], method="alphaedit", seed=1, max_probes=60)
    done = followed(smith, edit)
    rates = smith.propagation.rates(intervention_id=done.id, group_by=Grouping.KIND)
    if sum(group.rows for group in rates.groups) != done.planned_rows:
        raise SystemExit("the ledger has not the rows that the plan promised")
    followed(
        smith,
        smith.interventions.unlearn(branch_id="trial", changes=[ERASE], method="finetune", seed=1, max_probes=60),
    )
    for _ in range(2):
        if not smith.branches.rollback(branch_id="trial").exact:
            raise SystemExit("the rollback is not exact")
    smith.archives.export(graph_id="atlas", path=folder / "atlas.ksmith", with_artefacts=True)
    if not smith.archives.diff(graph_id="atlas", path=folder / "atlas.ksmith").equal:
        raise SystemExit("the archive differs from its graph")


def main() -> None:
    """The main job, once."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True)
    import_everything()
    save_checkpoint(tiny_llama(), folder / "model")
    with serving(folder / "data") as target, KnowledgeSmith(target, actor="server-trial") as smith:
        try:
            main_job(smith, folder)
        except KnowledgeSmithClientError as refused:
            raise SystemExit(str(refused)) from refused


if __name__ == "__main__":
    main()
