"""The ids that an archive brings, and whether its revisions are what their ids say; held in memory, without content.

A revision's id is the hash of its parent and its artefact, so a revision with the right id says nothing that another
one of the same id would not say. That is what keeps a loaded archive from changing the history of what is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from knowledgesmith.graph_schema.archive.format import reject
from knowledgesmith.graph_schema.archive.read import Archive
from knowledgesmith.graph_schema.archive.rows import Rows
from knowledgesmith.graph_schema.errors import AlreadyExists
from knowledgesmith.graph_schema.interventions.branches import revision_id
from knowledgesmith.graph_schema.storage.store import GraphStore

_BATCH: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What identifies a revision; ``parent`` is empty for a base."""

    parent: str
    artefact_sha256: str
    weights_sha256: str


@dataclass(slots=True)
class Ids:
    """Ids by kind; ``branches`` maps to models, ``models`` to the digest of their weights."""

    models: dict[str, str] = field(default_factory=dict[str, str])
    revisions: dict[str, Revision] = field(default_factory=dict[str, Revision])
    branches: dict[str, str] = field(default_factory=dict[str, str])
    runs: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])
    sets: list[str] = field(default_factory=list[str])
    files: set[str] = field(default_factory=set[str])
    """Digests that name a file: of probe sets, revisions and interventions."""
    new_models: list[str] = field(default_factory=list[str])
    _roots: dict[str, str] = field(default_factory=dict[str, str])

    def root(self, revision: str) -> str:
        """The base below a revision of the archive; empty where there is none."""
        way: list[str] = []
        while revision in self.revisions and revision not in self._roots and self.revisions[revision].parent:
            way.append(revision)
            revision = self.revisions[revision].parent
        root = self._roots.get(revision, revision if revision in self.revisions else "")
        self._roots.update(dict.fromkeys(way, root))
        return root


def read_ids(archive: Archive, rows: Rows) -> Ids:
    """Read and check what names models, revisions, branches, interventions and probe sets.

    Raises:
        ArchiveRejected: a row has another shape, or a revision is not what its id says.
    """
    ids = Ids()
    for row in map(rows.model, archive.rows("models.jsonl")):
        ids.models[row["properties"]["id"]] = row["properties"]["weights_sha256"]
    for row in map(rows.revision, archive.rows("revisions.jsonl")):
        _add_revision(ids, row)
    missing = {revision.parent for revision in ids.revisions.values()} - set(ids.revisions) - {""}
    if missing:
        raise reject("revisions.jsonl", f"lacks a parent: {min(missing)!a:.60}")
    for row in map(rows.branch, archive.rows("branches.jsonl")):
        _add_branch(ids, row)
    for row in map(rows.run, archive.rows("interventions.jsonl")):
        _add_run(ids, row)
    for row in map(rows.probe_set, archive.rows("probe_sets.jsonl")):
        ids.sets.append(row["id"])
        ids.files.add(row["digest"])
    for name in (*archive.files("probe_sets"), *archive.files("artefacts")):
        if name.rpartition("/")[2].partition(".")[0] not in ids.files:
            raise reject(name, "is a file that nothing names")
    return ids


def _add_revision(ids: Ids, row: dict[str, Any]) -> None:
    values, parent = row["properties"], row["parent"]
    name, artefact = values["id"], values["artefact_sha256"]
    if parent:
        sound = name == revision_id(parent, artefact)
    else:
        sound = not artefact and ids.models.get(name.removesuffix(".base")) == values["weights_sha256"]
        sound = sound and name.endswith(".base")
    if not sound:
        raise reject("revisions.jsonl", f"has a revision that is not what its id says: {name!a:.60}")
    ids.revisions[name] = Revision(parent=parent, artefact_sha256=artefact, weights_sha256=values["weights_sha256"])
    ids.files.add(artefact)


def _add_branch(ids: Ids, row: dict[str, Any]) -> None:
    model = row["model"]
    if model not in ids.models or ids.root(row["head"]) != f"{model}.base":
        raise reject("branches.jsonl", f"has a branch whose head is no state of its model: {model!a:.60}")
    ids.branches[row["properties"]["id"]] = model


def _add_run(ids: Ids, row: dict[str, Any]) -> None:
    values = row["properties"]
    model = ids.branches.get(values["branch_id"])
    if model is None or (row["produced"] is not None and ids.root(row["produced"]) != f"{model}.base"):
        raise reject("interventions.jsonl", f"has an intervention outside the archive's branches: {values['id']!a:.60}")
    ids.runs.append(values["id"])
    ids.requests.append(values.get("request_id") or "")
    ids.files.add(values.get("artefact_sha256") or "")


def check_free(store: GraphStore, ids: Ids) -> None:
    """Refuse ids that stand for something else, and note which models are new.

    Raises:
        AlreadyExists: one does.
    """
    taken = store.read(
        "archive/load_taken",
        models=sorted(ids.models),
        branches=list(ids.branches),
        runs=ids.runs,
        requests=ids.requests,
        sets=ids.sets,
    )
    known: set[str] = set()
    for row in taken:
        if row["kind"] != "model" or row["weights_sha256"] != ids.models[row["id"]]:
            raise _taken(row["kind"], row["id"])
        known.add(row["id"])
    ids.new_models = sorted(set(ids.models) - known)


def check_revisions(store: GraphStore, ids: Ids) -> None:
    """Refuse a revision that is there with another content.

    Raises:
        AlreadyExists: one is.
    """
    names = sorted(ids.revisions)
    for start in range(0, len(names), _BATCH):
        for row in store.read("archive/load_revisions_known", ids=names[start : start + _BATCH]):
            own = ids.revisions[row["id"]]
            parents = [own.parent] if own.parent else []
            same = (row["artefact_sha256"], row["weights_sha256"]) == (own.artefact_sha256, own.weights_sha256)
            # Without a parent it is one that this load wrote before it was cut off, or a base.
            if not same or row["parents"] not in ([], parents):
                raise _taken("revision", row["id"])


def _taken(kind: str, name: str) -> AlreadyExists:
    return AlreadyExists(f"the {kind} id is taken", field=kind, value=name, hint="Use an empty database.")
