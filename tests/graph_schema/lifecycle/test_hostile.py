"""An archive from outside cannot touch files, models, branches or probe sets of others, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.graph_schema.lifecycle.conftest import Cypher

from knowledgesmith.graph_schema.archive import ids as archive_ids
from knowledgesmith.graph_schema.archive import load, read
from knowledgesmith.graph_schema.archive.format import MANIFEST
from knowledgesmith.graph_schema.archive.load import load_archive
from knowledgesmith.graph_schema.archive.write import export_graph
from knowledgesmith.graph_schema.errors import AlreadyExists, ArchiveRejected, IllegalState, StillReferenced
from knowledgesmith.graph_schema.graphs import paging
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.interventions.branches import ModelInfo, revision_id
from knowledgesmith.graph_schema.maintenance import deletion
from knowledgesmith.graph_schema.maintenance.deletion import Folders, delete_graph
from knowledgesmith.graph_schema.storage.store import GraphStore

Members = dict[str, bytes]
Census = Callable[[], Counter[str]]


def _import(store: GraphStore, graph_id: str, names: str = "") -> None:
    parts = {
        FileRole.ENTITIES: f"uid,name,type\na,A{names},T\nb,B,T\nc,C,T\n",
        FileRole.RELATIONS: "name,hierarchical\nr,false\nis_a,true\n",
        FileRole.FACTS: "subject,relation,object\na,r,b\nb,is_a,c\n",
    }
    files = [
        InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(text.encode())) for role, text in parts.items()
    ]
    import_graph(store, graph_id=graph_id, files=files)


def _sha(graph_id: str) -> str:
    """Digest of an artefact that no other test has."""
    return hashlib.sha256(graph_id.encode()).hexdigest()


def _lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _write(path: Path, members: Members, **manifest: object) -> Path:
    """An archive of these members, whose manifest says what they are."""
    told = {**json.loads(members[MANIFEST]), **manifest}
    told["members"] = [
        {
            "name": name,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "size": len(raw),
            "rows": raw.count(b"\n") if name.endswith(".jsonl") else 0,
        }
        for name, raw in members.items()
        if name != MANIFEST
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, raw in members.items():
            out.writestr(name, json.dumps(told) if name == MANIFEST else raw)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Folders with a file of somebody else in each, and one beside them."""
    for name in ("sets", "artefacts"):
        (tmp_path / name).mkdir()
    (tmp_path / "sets" / f"{'a' * 64}.parquet").write_bytes(b"precious")
    (tmp_path / "artefacts" / f"{'c' * 64}.safetensors").write_bytes(b"precious")
    (tmp_path / "outside.txt").write_bytes(b"precious")
    return Folders(probe_sets=tmp_path / "sets", artefacts=tmp_path / "artefacts")


@pytest.fixture
def members(store: GraphStore, graph_id: str, tmp_path: Path) -> Members:
    """The archive of a small graph that is not there any more."""
    _import(store, graph_id)
    export_graph(store, graph_id, tmp_path / "good.ksmith", folders=Folders())
    delete_graph(store, graph_id)
    with zipfile.ZipFile(tmp_path / "good.ksmith") as source:
        return {name: source.read(name) for name in source.namelist()}


def _files(tmp_path: Path) -> list[str]:
    return sorted(str(path) for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".ksmith")


def _line_of(graph_id: str, artefact: str) -> Members:
    """A model, a branch and one revision."""
    model, weights = f"m{graph_id}", "9" * 64
    made = revision_id(f"{model}.base", artefact)
    base = {"id": f"{model}.base", "artefact_sha256": "", "weights_sha256": weights}
    tip = {"id": made, "artefact_sha256": artefact, "weights_sha256": weights}
    return {
        "models.jsonl": _lines({"properties": {"id": model, "weights_sha256": weights}, "base": f"{model}.base"}),
        "revisions.jsonl": _lines(
            {"properties": tip, "parent": f"{model}.base"},
            {"properties": base, "parent": ""},
        ),
        "branches.jsonl": _lines(
            {"properties": {"id": f"b{graph_id}", "graph_id": graph_id}, "head": made, "model": model}
        ),
    }


@pytest.mark.parametrize("digest", ["*", "../outside", "a" * 64 + "\n", "[a]" * 21])
def test_a_digest_is_never_a_pattern_or_a_path(
    store: GraphStore, graph_id: str, members: Members, folders: Folders, census: Census, tmp_path: Path, digest: str
) -> None:
    before, files = census(), _files(tmp_path)
    row = {"id": f"ps{graph_id}", "graph_id": graph_id, "digest": digest}
    bad = {**members, "probe_sets.jsonl": _lines(row), "probes.jsonl": _lines(["a", "x", []])}
    with pytest.raises(ArchiveRejected, match="probe_sets"):
        load_archive(store, _write(tmp_path / "x.ksmith", bad, probe_sets={row["id"]: digest}), folders=folders)
    bad = {**members, **_line_of(graph_id, digest), "probes.jsonl": _lines(["a", "x", []])}
    with pytest.raises(ArchiveRejected, match="digest"):
        load_archive(store, _write(tmp_path / "x.ksmith", bad), folders=folders)
    assert (census(), _files(tmp_path)) == (before, files)


def test_a_stored_digest_is_never_a_pattern_or_a_path(
    store: GraphStore, graph_id: str, folders: Folders, cypher: Cypher, tmp_path: Path
) -> None:
    _import(store, graph_id)
    files = _files(tmp_path)
    for number, digest in enumerate(("*", "../outside")):
        cypher("CREATE (:ProbeSet {id: $id, graph_id: $g, digest: $d})", id=f"{graph_id}{number}", g=graph_id, d=digest)
    with pytest.raises(Exception, match="is missing"):
        export_graph(store, graph_id, tmp_path / "leak.ksmith", folders=folders)
    delete_graph(store, graph_id, with_branches=True, folders=folders)
    assert _files(tmp_path) == files


def test_revisions_of_others_stay_as_they_are(
    store: GraphStore, graph_id: str, members: Members, folders: Folders, census: Census, tmp_path: Path
) -> None:
    other = f"h{uuid.uuid4().hex}"
    _import(store, other)
    model = ModelInfo(id=f"m{other}", path="/p", weights_sha256="1" * 64, architecture="x", parameters=1)
    branches.register_model(store, model)
    branches.create_branch(store, branch_id=f"b{other}", model_id=model.id, graph_id=other, select=True)
    line, before = branches.revisions(store, f"b{other}"), census()
    known = {"properties": {"id": model.id, "weights_sha256": "1" * 64}, "base": model.base_revision}
    foreign = {"properties": {"id": "foreign.base", "artefact_sha256": "e" * 64, "weights_sha256": "1" * 64}}
    base = {"id": model.base_revision, "artefact_sha256": "", "weights_sha256": "1" * 64}
    bad: list[Members] = [
        {"models.jsonl": _lines({**known, "base": "foreign.base"})},
        {"models.jsonl": _lines(known), "revisions.jsonl": _lines({**foreign, "parent": ""})},
        {
            "models.jsonl": _lines(known),
            "revisions.jsonl": _lines(
                {"properties": base, "parent": revision_id("x", "")},
                {"properties": {**base, "id": revision_id("x", "")}, "parent": "x"},
            ),
        },
        {
            "revisions.jsonl": _lines({"properties": base, "parent": ""}),
            "branches.jsonl": _lines(
                {"properties": {"id": "b", "graph_id": graph_id}, "head": model.base_revision, "model": model.id}
            ),
        },
    ]
    for changes in bad:
        with pytest.raises(ArchiveRejected):
            load_archive(store, _write(tmp_path / "x.ksmith", {**members, **changes}), folders=folders)
    assert branches.revisions(store, f"b{other}") == line
    assert census() == before


def test_a_revision_that_is_there_with_another_parent_is_refused(
    store: GraphStore, graph_id: str, members: Members, folders: Folders, cypher: Cypher, tmp_path: Path
) -> None:
    made = revision_id(f"m{graph_id}.base", _sha(graph_id))
    text = (
        "CREATE (:Revision {id: $id, artefact_sha256: $sha, weights_sha256: $w})-[:PARENT]->(:Revision {id: $parent})"
    )
    cypher(text, id=made, sha=_sha(graph_id), w="9" * 64, parent=f"other{graph_id}")
    path = _write(tmp_path / "x.ksmith", {**members, **_line_of(graph_id, _sha(graph_id))})
    with pytest.raises(AlreadyExists, match="revision"):
        load_archive(store, path, folders=folders)
    cypher("MATCH (r:Revision {id: $id})-[:PARENT]->(p) DETACH DELETE r, p", id=made)
    load_archive(store, path, folders=folders)
    assert [step.id for step in branches.revisions(store, f"b{graph_id}")] == [made, f"m{graph_id}.base"]
    assert branches.revisions(store, f"b{graph_id}")[0].artefact_sha256 == _sha(graph_id)


def test_probe_sets_of_others_get_no_member(
    store: GraphStore, graph_id: str, members: Members, folders: Folders, cypher: Cypher, tmp_path: Path
) -> None:
    foreign = f"foreign{graph_id}"
    cypher("CREATE (:ProbeSet {id: $id, graph_id: 'other', digest: $d})", id=foreign, d="d" * 64)
    probe = {"id": f"p{graph_id}", "graph_id": graph_id, "anchor": "a", "stem": "s"}
    path = _write(tmp_path / "x.ksmith", {**members, "probes.jsonl": _lines(["a", probe, [foreign]])})
    with pytest.raises(ArchiveRejected, match=r"probes\.jsonl"):
        load_archive(store, path, folders=folders)
    assert not cypher("MATCH (:ProbeSet {id: $id})<-[m:MEMBER]-() RETURN m", id=foreign)
    cypher("MATCH (s:ProbeSet {id: $id}) DELETE s", id=foreign)


def test_values_that_no_import_takes_are_refused_and_leave_nothing(
    store: GraphStore, graph_id: str, members: Members, folders: Folders, census: Census, tmp_path: Path
) -> None:
    before, relation = census(), json.loads(members["relations.jsonl"].splitlines()[1])
    others: list[object] = [["b", "B", "T", "", [], False], ["c", "C", "T", "", [], False]]
    bad: dict[str, Members] = {
        name: {"entities.jsonl": _lines(["a", *row], *others)}
        for name, row in {
            "half a character": ["\ud800", "T", "", [], False],
            "a long name": ["n" * 40_000, "T", "", [], False],
            "no name": ["", "T", "", [], False],
            "a line break": ["A\nB", "T", "", [], False],
            "a zero": ["A", "T", "", ["x\x00"], False],
            "a long type": ["A", "T" * 201, "", [], False],
        }.items()
    }
    case: dict[str, Any] = {"properties": {"id": "c", "x": [1, "a"]}, "changes": [], "probes": []}
    bad |= {
        "a mixed list": {"cases.jsonl": _lines(case)},
        "half a character in a property": {"cases.jsonl": _lines({**case, "properties": {"id": "c", "x": "\udc00"}})},
        "a property without a name": {"cases.jsonl": _lines({**case, "properties": {"id": "c", "": 1}})},
        "an id too long for an index": {"cases.jsonl": _lines({**case, "properties": {"id": "c" * 40_000}})},
        "a map where a value stands": {"versions.jsonl": _lines({"number": {"a": 1}})},
        "two versions of no number": {"versions.jsonl": _lines({"number": "1"})},
        "no accepted trait": {"graph.jsonl": _lines({"graph_id": graph_id, "accepted_traits": ["x"]})},
        "a count that is none": {"graph.jsonl": _lines({"graph_id": graph_id, "imports": "x"})},
        "no relationship type": {"relations.jsonl": _lines({**relation, "rel_type": ""}, relation)},
        "a fact twice": {"facts.jsonl": members["facts.jsonl"].replace(b"\n", b"\n" + _lines(["a", "r", "b", "s"]), 1)},
        "a case twice": {"cases.jsonl": _lines(*[{**case, "properties": {"id": "c"}}] * 2)},
    }
    facts = members["facts.jsonl"].splitlines(keepends=True)
    doubled = next(line for line in facts if b'"r"' in line)
    bad["a fact twice"] = {"facts.jsonl": b"".join([doubled, _lines(["a", "r", "b", "s"]), *facts[1:]])}
    for label, changes in bad.items():
        with pytest.raises((ArchiveRejected, AlreadyExists)):
            load_archive(store, _write(tmp_path / "x.ksmith", {**members, **changes}), folders=folders)
        assert census() == before, label


def test_a_fault_that_only_the_driver_finds_leaves_nothing(
    store: GraphStore,
    graph_id: str,
    members: Members,
    folders: Folders,
    census: Census,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_value(_value: object, _place: str) -> dict[str, object]:
        return {"x": object()}

    before, files = census(), _files(tmp_path)
    changes = _line_of(graph_id, _sha(graph_id))
    path = _write(
        tmp_path / "x.ksmith", {**members, **changes, f"artefacts/{_sha(graph_id)}.safetensors": graph_id.encode()}
    )
    with monkeypatch.context() as patch:
        patch.setattr(load, "properties", no_value)
        with pytest.raises(ArchiveRejected, match="does not take"):
            load_archive(store, path, folders=folders)
    assert (census(), _files(tmp_path)) == (before, files)
    assert load_archive(store, path, folders=folders).files == 1


def test_a_graph_that_somebody_made_in_the_meantime_is_left_alone(
    store: GraphStore,
    graph_id: str,
    members: Members,
    folders: Folders,
    cypher: Cypher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = archive_ids.check_free

    def meanwhile(own: GraphStore, ids: archive_ids.Ids) -> None:
        real(own, ids)
        _import(own, graph_id)

    monkeypatch.setattr(load, "check_free", meanwhile)
    bad = {**members, "versions.jsonl": _lines({"number": "1"})}
    with pytest.raises(AlreadyExists):
        load_archive(store, _write(tmp_path / "x.ksmith", bad), folders=folders)
    assert len(cypher("MATCH (e:Entity {graph_id: $g}) RETURN e.uid", g=graph_id)) == 3


def test_damaged_traits_do_not_lock_a_graph_or_keep_it_from_being_deleted(
    store: GraphStore, graph_id: str, cypher: Cypher
) -> None:
    _import(store, graph_id)
    cypher("MATCH (g:Graph {graph_id: $g}) SET g.accepted_traits = ['x']", g=graph_id)
    with pytest.raises(IllegalState, match="damaged"):
        _import(store, graph_id)
    state = cypher("MATCH (g:Graph {graph_id: $g}) RETURN g.state AS state, g.import_owner AS owner", g=graph_id)
    assert state == [{"state": "ready", "owner": None}]
    assert delete_graph(store, graph_id).removed["graphs"] == 1


def test_a_file_must_be_what_its_name_says_and_be_named(
    store: GraphStore, graph_id: str, members: Members, folders: Folders, census: Census, tmp_path: Path
) -> None:
    before, files = census(), _files(tmp_path)
    for digest, raw in ((_sha(graph_id), b"others"), ("7" * 64, graph_id.encode())):
        changes = {**_line_of(graph_id, _sha(graph_id)), f"artefacts/{digest}.safetensors": raw}
        with pytest.raises(ArchiveRejected, match="artefacts"):
            load_archive(store, _write(tmp_path / "x.ksmith", {**members, **changes}), folders=folders)
        assert (census(), _files(tmp_path)) == (before, files)


def test_a_catalogue_is_read_once_and_only_as_far_as_an_import_goes(
    members: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "MAX_RELATIONS", 1)
    with read.Archive.open(_write(tmp_path / "x.ksmith", members)) as archive:
        with pytest.raises(ArchiveRejected, match="more than 1 relations"):
            archive.catalogue()
        monkeypatch.setattr(read, "MAX_RELATIONS", 2)
        assert archive.catalogue() is archive.catalogue()


def test_batches_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_BATCH_BYTES", 100)
    found = list(load.batches(iter([(60, "a"), (60, "b"), (10, "c"), (10, "d"), (10, "e")]), 2))
    assert found == [["a", "b"], ["c", "d"], ["e"]]


def test_levels_and_links_of_a_load_are_those_of_the_import(
    store: GraphStore, graph_id: str, members: Members, folders: Folders, cypher: Cypher, tmp_path: Path
) -> None:
    text = "MATCH (e:Entity {graph_id: $g}) RETURN e.uid AS uid, labels(e) AS labels, e.depth AS depth, "
    text += "COLLECT { MATCH (e)-[:HAS_CHILD]->(c) RETURN c.uid } AS children ORDER BY uid"
    load_archive(store, _write(tmp_path / "x.ksmith", members), folders=folders)
    loaded = cypher(text, g=graph_id)
    delete_graph(store, graph_id)
    _import(store, graph_id)
    assert cypher(text, g=graph_id) == loaded
    assert [row["depth"] for row in loaded] == [None, 1, 0]


def test_an_export_notices_a_change_that_leaves_the_facts_alone(
    store: GraphStore, graph_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _import(store, graph_id)
    real = paging.entities

    def meanwhile(own: GraphStore, name: str) -> Iterator[paging.EntityRow]:
        _import(own, name, names=" renamed")
        return real(own, name)

    monkeypatch.setattr(paging, "entities", meanwhile)
    with pytest.raises(Exception, match="changed while it was exported"):
        export_graph(store, graph_id, tmp_path / "torn.ksmith", folders=Folders())


def test_a_refused_deletion_does_not_take_the_lock(
    store: GraphStore, graph_id: str, cypher: Cypher, monkeypatch: pytest.MonkeyPatch
) -> None:
    _import(store, graph_id)
    cypher("CREATE (:ProbeSet {id: $id, graph_id: $g, digest: $d})", id=f"ps{graph_id}", g=graph_id, d="d" * 64)

    def no_lock(_store: GraphStore, _graph_id: str, *, with_traits: bool) -> None:
        pytest.fail(f"took the lock, {with_traits=}")

    monkeypatch.setattr(deletion, "take_lock", no_lock)
    with pytest.raises(StillReferenced):
        delete_graph(store, graph_id)
