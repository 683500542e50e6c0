"""An archive brings everything into a database that lacks it, with equal digests, once, and refuses what is wrong."""

from __future__ import annotations

import hashlib
import json
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.graph_schema.lifecycle.conftest import LIMA, PARIS, Cypher, Runs, import_world
from tests.names import fresh_graph

from knowledgesmith.graph_schema.archive import load
from knowledgesmith.graph_schema.archive.format import MANIFEST, ArchiveInfo
from knowledgesmith.graph_schema.archive.ledger_digest import ledger_digest
from knowledgesmith.graph_schema.archive.load import load_archive
from knowledgesmith.graph_schema.archive.write import export_graph
from knowledgesmith.graph_schema.errors import (
    AlreadyExists,
    ArchiveRejected,
    FailedPrecondition,
    IllegalState,
    InvalidInput,
)
from knowledgesmith.graph_schema.graphs.reading import get_graph, list_graphs, load_snapshot
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, CaseRecord, Place
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.interventions.cases import replace_cases
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.maintenance.deletion import Folders, delete_graph
from knowledgesmith.graph_schema.planning.plan_store import load_plan
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.propagation import Grouping, groups
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

ARTEFACT = uuid.uuid4().bytes
EVERYTHING = """
MATCH (n) WHERE n.graph_id = $graph
WITH n { .*, archive: null, imported_at: null, counts: null, counts_stamp: null } AS values, labels(n) AS kinds
RETURN kinds, values
"""


@dataclass
class Exported:
    """A graph with two runs and a probe set, its archive, and the folders it came from."""

    store: GraphStore
    graph_id: str
    runs: list[str]
    probe_set: str
    path: Path
    folders: Folders
    info: ArchiveInfo
    artefact: str


@pytest.fixture(scope="module")
def made(store: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Made once: planning takes longer than loading."""
    root = tmp_path_factory.mktemp("archive")
    folders = Folders(probe_sets=root / "sets", artefacts=root / "artefacts")
    for folder in (root / "sets", root / "artefacts"):
        folder.mkdir()
    graph_id = fresh_graph(__name__)
    import_world(store, graph_id)
    runs = Runs(store, graph_id)
    artefact = hashlib.sha256(ARTEFACT).hexdigest()
    ids = [runs.finish(runs.branch(), PARIS, artefact=artefact), runs.finish(runs.branch(), LIMA, commit=False)]
    data = generate(store, graph_id=graph_id, kinds=(ProbeKind.DIRECT,), seed=1, limit_per_kind=20)
    saved = probe_set.save(store, data, directory=root / "sets", materialise=True)
    asked = CaseProbe(kind=ProbeKind.DIRECT, polarity=Polarity.CHANGE, family="direct", stem="ä", answers=("Kyoto",))
    change = CaseChange(subject="japan", relation="has_capital", old_object="tokyo", new_object="kyoto")
    case = CaseRecord(
        id="c", goal=Goal.EDIT, rounds=((change,),), probes=(asked,), place=Place(file="s.json", record=1)
    )
    replace_cases(store, graph_id=graph_id, cases=[case])
    path = root / "graph.ksmith"
    info = export_graph(store, graph_id, path, folders=folders)
    return Exported(store, graph_id, ids, saved.id, path, folders, info, artefact)


@pytest.fixture
def exported(made: Exported) -> Exported:
    """The graph with its archive; loaded from it where an earlier test deleted the graph."""
    if not any(
        info.graph_id == made.graph_id for info in list_graphs(made.store, after=made.graph_id[:-1], limit=1000)
    ):
        load_archive(made.store, made.path, folders=made.folders)
    return made


def test_everything_comes_back_with_equal_digests(
    exported: Exported, cypher: Cypher, census: Callable[[], Counter[str]], tmp_path: Path
) -> None:
    store, graph_id = exported.store, exported.graph_id
    before, content = census(), cypher(EVERYTHING, graph=graph_id)
    snapshot = load_snapshot(store, graph_id)
    plans = [load_plan(store, run) for run in exported.runs]
    ledgers = [ledger_digest(store, run) for run in exported.runs]
    spread = _counts(store, exported.runs[0])
    interventions_before = [steps.get(store, run) for run in exported.runs]
    again = tmp_path / "again.ksmith"
    export_graph(store, graph_id, again, folders=exported.folders)
    assert again.read_bytes() == exported.path.read_bytes(), "equal content, equal bytes"
    with pytest.raises(AlreadyExists, match="not as in the archive"):
        load_archive(store, exported.path, folders=exported.folders)
    delete_graph(store, graph_id, with_branches=True, folders=exported.folders)
    report = load_archive(store, exported.path, folders=exported.folders)
    assert (report.already_there, report.files, report.graph_digest) == (False, 1, snapshot.digest)
    assert load_snapshot(store, graph_id) == snapshot
    assert [load_plan(store, run) for run in exported.runs] == plans
    assert [ledger_digest(store, run) for run in exported.runs] == ledgers
    assert _counts(store, exported.runs[0]) == spread
    assert [steps.get(store, run) for run in exported.runs] == interventions_before
    assert census() == before
    assert _plain(cypher(EVERYTHING, graph=graph_id)) == _plain(content)
    assert check_graph(store, graph_id, probe_set_dir=exported.folders.probe_sets).sound
    set_digest = probe_set.get_info(store, exported.probe_set).digest
    assert exported.folders.probe_sets is not None
    assert probe_set.read_file(exported.folders.probe_sets, set_digest).digest == set_digest
    export_graph(store, graph_id, again, folders=exported.folders)
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(exported.path) as other:
        for name in other.namelist():
            assert one.read(name) == other.read(name), name


def _counts(store: GraphStore, run: str) -> list[tuple[str, int, int, int, int]]:
    found, _ = groups(store, run, Grouping.HOP)
    return [(group.key, group.rows, group.entities, group.preserved, group.missed) for group in found]


def _plain(rows: list[dict[str, Any]]) -> list[str]:
    """Nodes without head beliefs, whose last digits depend on the order of sums; the check compares those."""
    return sorted(
        repr(
            (sorted(row["kinds"]), sorted((k, str(v)) for k, v in row["values"].items() if not k.startswith("belief")))
        )
        for row in rows
    )


def test_a_second_load_changes_nothing_and_a_cut_off_one_goes_on(
    exported: Exported, census: Callable[[], Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, graph_id = exported.store, exported.graph_id
    before = census()
    delete_graph(store, graph_id, with_branches=True, folders=exported.folders)
    monkeypatch.setattr(load, "BATCH", 30)

    class Killed(BaseException):
        pass

    real = GraphStore.write_transaction
    for allowed in (4, 10, 10):
        left = allowed

        def work(self: GraphStore, unit: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return real(self, unit)

        with monkeypatch.context() as patch:
            patch.setattr(GraphStore, "write_transaction", work)
            with pytest.raises(Killed):
                load_archive(store, exported.path, folders=exported.folders)
        with pytest.raises(Exception, match="was cut off"):
            get_graph(store, graph_id)
    assert not load_archive(store, exported.path, folders=exported.folders).already_there
    assert census() == before
    assert load_archive(store, exported.path, folders=exported.folders).already_there
    assert census() == before
    assert check_graph(store, graph_id).sound


def test_the_graph_alone_comes_under_another_id(exported: Exported) -> None:
    store, other = exported.store, f"{exported.graph_id}_b"
    with pytest.raises(InvalidInput, match="graph-only"):
        load_archive(store, exported.path, folders=exported.folders, graph_id=other)
    load_archive(store, exported.path, folders=exported.folders, graph_id=other, graph_only=True)
    one, two = load_snapshot(store, exported.graph_id), load_snapshot(store, other)
    assert (one.digest, one.entities, one.levels, one.facts) == (two.digest, two.entities, two.levels, two.facts)
    assert check_graph(store, other).sound


def test_an_id_that_is_taken_stops_the_load_before_it_begins(
    exported: Exported, census: Callable[[], Counter[str]], cypher: Cypher
) -> None:
    delete_graph(exported.store, exported.graph_id, with_branches=True, folders=exported.folders)
    cypher("CREATE (:ProbeSet {id: $id, graph_id: 'other'})", id=exported.probe_set)
    before = census()
    with pytest.raises(AlreadyExists, match="probe set"):
        load_archive(exported.store, exported.path, folders=exported.folders)
    assert census() == before
    cypher("MATCH (s:ProbeSet {id: $id}) DELETE s", id=exported.probe_set)


def test_artefacts_travel_on_request(exported: Exported, tmp_path: Path) -> None:
    path = tmp_path / "with.ksmith"
    with pytest.raises(FailedPrecondition, match="artefacts"):
        export_graph(exported.store, exported.graph_id, path, folders=exported.folders, with_artefacts=True)
    assert not path.exists()
    assert exported.folders.artefacts is not None
    weights = exported.folders.artefacts / f"{exported.artefact}.safetensors"
    weights.write_bytes(ARTEFACT)
    export_graph(exported.store, exported.graph_id, path, folders=exported.folders, with_artefacts=True)
    delete_graph(exported.store, exported.graph_id, with_branches=True, folders=exported.folders)
    assert not weights.exists()
    load_archive(exported.store, path, folders=exported.folders)
    assert weights.read_bytes() == ARTEFACT


def test_a_graph_under_an_intervention_is_not_exported(store: GraphStore, runs: Runs, tmp_path: Path) -> None:
    runs.queue(runs.branch(), PARIS)
    with pytest.raises(IllegalState, match="not ended"):
        export_graph(store, runs.graph_id, tmp_path / "x.ksmith", folders=Folders())
    assert not list(tmp_path.glob("*.ksmith"))


def _rewrite(path: Path, target: Path, changes: dict[str, bytes | None], extra: dict[str, bytes] | None = None) -> Path:
    """A copy of an archive with members replaced, left out (None) or added, whose manifest is adjusted to them."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        manifest = json.loads(source.read(MANIFEST))
        for name in source.namelist():
            raw = changes.get(name, source.read(name))
            if raw is None or name == MANIFEST:
                continue
            out.writestr(name, raw)
            for member in manifest["members"]:
                if member["name"] == name:
                    member["sha256"] = hashlib.sha256(raw).hexdigest()
                    member["size"], member["rows"] = len(raw), raw.count(b"\n") if name.endswith("l") else 0
        for name, raw in (extra or {}).items():
            out.writestr(name, raw)
        override = changes.get(MANIFEST)
        out.writestr(MANIFEST, json.dumps({**manifest, **json.loads(override)} if override else manifest))
    return target


def test_bad_archives_are_refused_by_member(
    exported: Exported, census: Callable[[], Counter[str]], tmp_path: Path
) -> None:
    store, good = exported.store, exported.path
    delete_graph(store, exported.graph_id, with_branches=True, folders=exported.folders)
    assert exported.folders.probe_sets is not None
    before, files = census(), list(exported.folders.probe_sets.iterdir())
    with zipfile.ZipFile(good) as source:
        raw = {name: source.read(name) for name in source.namelist()}
    runs = raw["interventions.jsonl"]
    bad: dict[str, tuple[dict[str, bytes | None], dict[str, bytes], str]] = {
        "path traversal": ({}, {"../../etc/passwd": b"x"}, "../../etc/passwd"),
        "absolute path": ({}, {"/tmp/x.jsonl": b"x"}, "/tmp/x.jsonl"),  # noqa: S108
        "pickle": ({}, {"artefacts/" + "0" * 64 + ".pkl": b"x"}, ".pkl"),
        "unknown member": ({}, {"notes.txt": b"x"}, "notes.txt"),
        "unlisted member": ({}, {"artefacts/" + "0" * 64 + ".safetensors": b"x"}, "0000"),
        "zip bomb": ({"cases.jsonl": b" " * 3_000_000}, {}, "cases.jsonl"),
        "missing member": ({"ledger.jsonl": None}, {}, "ledger.jsonl"),
        "changed fact": ({"facts.jsonl": raw["facts.jsonl"].replace(b"paris", b"pariz")}, {}, "facts.jsonl"),
        "facts out of order": (
            {"facts.jsonl": b"".join(sorted(raw["facts.jsonl"].splitlines(keepends=True), reverse=True))},
            {},
            "facts.jsonl",
        ),
        "no JSON": ({"ledger.jsonl": b"{\n"}, {}, "ledger.jsonl"),
        "hostile type": (
            {"relations.jsonl": raw["relations.jsonl"].replace(b'"HAS_CAPITAL"', b'"X]->() DETACH DELETE n //"')},
            {},
            "relations.jsonl",
        ),
        "reserved type": (
            {"relations.jsonl": raw["relations.jsonl"].replace(b'"HAS_CAPITAL"', b'"CHANGED"')},
            {},
            "relations.jsonl",
        ),
        "an intervention to run": (
            {"interventions.jsonl": runs.replace(b'"SUCCEEDED"', b'"QUEUED"')},
            {},
            "interventions.jsonl",
        ),
        "another graph's run": (
            {"interventions.jsonl": runs.replace(exported.graph_id.encode(), b"t_other")},
            {},
            "interventions.jsonl",
        ),
        "a row about nobody": (
            {"ledger.jsonl": raw["ledger.jsonl"].replace(b'"france"', b'"frank"')},
            {},
            "ledger.jsonl",
        ),
        "a changed row": (
            {"ledger.jsonl": raw["ledger.jsonl"].replace(b'"has_capital"', b'"has_symbol"')},
            {},
            "ledger.jsonl",
        ),
        "newer form": ({MANIFEST: b'{"version": 2}'}, {}, "newer release"),
        "newer schema": ({MANIFEST: b'{"schema_version": 999}'}, {}, "newer release"),
        "wrong id": ({MANIFEST: b'{"graph_id": "A B"}'}, {}, MANIFEST),
        "unknown key": ({MANIFEST: b'{"run": "me"}'}, {}, MANIFEST),
    }
    for label, (changes, extra, named) in bad.items():
        path = _rewrite(good, tmp_path / "bad.ksmith", changes, extra)
        with pytest.raises(ArchiveRejected) as refused:
            load_archive(store, path, folders=exported.folders)
        assert named in refused.value.describe(), label
        assert census() == before, label
    for size in (10, 3000, good.stat().st_size - 40):
        (tmp_path / "cut.ksmith").write_bytes(good.read_bytes()[:size])
        with pytest.raises(ArchiveRejected):
            load_archive(store, tmp_path / "cut.ksmith", folders=exported.folders)
    flipped = bytearray(good.read_bytes())
    at = flipped.index(b"facts.jsonl") + 200
    flipped[at] ^= 0xFF
    (tmp_path / "flipped.ksmith").write_bytes(flipped)
    with pytest.raises(ArchiveRejected, match=r"facts\.jsonl"):
        load_archive(store, tmp_path / "flipped.ksmith", folders=exported.folders)
    assert census() == before
    assert list(exported.folders.probe_sets.iterdir()) == files
