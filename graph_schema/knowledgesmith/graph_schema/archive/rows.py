"""Rows of an archive as the loading queries take them; each is checked for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from knowledgesmith.graph_schema.archive.format import properties, reject
from knowledgesmith.graph_schema.archive.read import Archive
from knowledgesmith.graph_schema.catalogue.relations import from_properties, to_properties
from knowledgesmith.graph_schema.language.text_checks import DIGEST
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import TERMINAL_STATES

_ENDED: Final = frozenset(state.value for state in TERMINAL_STATES)


@dataclass(frozen=True, slots=True)
class Rows:
    """Converts rows for the graph that is loaded, whose id may differ from the archive's.

    Raises (all methods):
        ArchiveRejected: a row has another shape, or says what no release writes.
    """

    archive: Archive
    graph_id: str

    def fact(self) -> Callable[[Any], object]:
        """Facts as lists (subject, object, relationship type, fact id, source)."""
        types = {name: relation.rel_type for name, relation in self.archive.catalogue().items()}

        def convert(row: Any) -> object:
            subject, relation, obj, source = row
            return [subject, obj, types[relation], fact_id(self.graph_id, subject, relation, obj), source]

        return convert

    def relation(self, row: Any) -> dict[str, Any]:
        """A relation as the checked catalogue has it, with the templates that the archive's graph had."""
        checked, given = self.archive.catalogue()[row["name"]], from_properties(row)
        return {**to_properties(replace(checked, templates=given.templates)), "graph_id": self.graph_id}

    def version(self, row: Any) -> dict[str, Any]:
        """A version of the graph."""
        values = {**properties(row, "versions.jsonl"), "graph_id": self.graph_id}
        if type(values.get("number")) is not int:
            raise reject("versions.jsonl", "has a version without a number")
        return values

    def case(self, row: Any) -> dict[str, Any]:
        """A ready intervention of a benchmark."""
        values = _node(row, "cases.jsonl")
        values["properties"]["graph_id"] = self.graph_id
        for key in ("changes", "probes"):
            if not isinstance(values.get(key), list):
                raise reject("cases.jsonl", f"has a case without {key}")
        values["changes"] = [self._case_link(link) for link in values["changes"]]
        values["probes"] = [properties(probe, "cases.jsonl") for probe in values["probes"]]
        return values

    def _case_link(self, row: Any) -> list[object]:
        """The link of a case to a subject; its fact id depends on the graph's id, which may be another one here."""
        uid, link = _link(row, "cases.jsonl")
        named = [link.get(key) for key in ("relation", "old_object", "new_object")]
        if not all(isinstance(name, str) for name in named):
            raise reject("cases.jsonl", "has a change that names no fact")
        relation, old, new = map(str, named)
        return [uid, {**link, "fact_id": fact_id(self.graph_id, uid, relation, old or new)}]

    def _own(self, values: dict[str, Any], name: str) -> dict[str, Any]:
        if values.get("graph_id") != self.graph_id:
            raise reject(name, f"has a row of another graph: {values.get('graph_id')!r:.60}")
        return values

    def probe_set(self, row: Any) -> dict[str, Any]:
        """A probe set, which the manifest names with its digest."""
        values = self._own(properties(row, "probe_sets.jsonl"), "probe_sets.jsonl")
        digest = values.get("digest")
        if not isinstance(digest, str) or self.archive.manifest.probe_sets.get(values.get("id", "")) != digest:
            raise reject("probe_sets.jsonl", f"has a set that the manifest does not know: {values.get('id')!r:.60}")
        return values

    def model(self, row: Any) -> dict[str, Any]:
        """A model and the id of its base."""
        values = _named(row, "models.jsonl")
        _check_text(values["properties"], "models.jsonl", "weights_sha256")
        if values.get("base") != f"{values['properties']['id']}.base":
            raise reject("models.jsonl", f"has a model with the base of another: {values['properties']['id']!a:.60}")
        return values

    def revision(self, row: Any) -> dict[str, Any]:
        """A revision and the id of its parent, empty for a base."""
        values = _named(row, "revisions.jsonl")
        _check_text(values["properties"], "revisions.jsonl", "artefact_sha256", "weights_sha256")
        _check_text(values, "revisions.jsonl", "parent")
        _check_digest(values["properties"], "revisions.jsonl")
        return values

    def parent(self, row: Any) -> list[str] | None:
        """The ids of a revision and its parent; None for a base."""
        values = self.revision(row)
        return [values["properties"]["id"], values["parent"]] if values["parent"] else None

    def branch(self, row: Any) -> dict[str, Any]:
        """A branch, its model and its head."""
        values = _named(row, "branches.jsonl")
        _check_text(values, "branches.jsonl", "model", "head")
        self._own(values["properties"], "branches.jsonl")
        return values

    def run(self, row: Any) -> dict[str, Any]:
        """An intervention that has ended, its targets, and the revision that it produced."""
        values = _named(row, "interventions.jsonl")
        self._own(values["properties"], "interventions.jsonl")
        _check_text(values["properties"], "interventions.jsonl", "branch_id")
        _check_digest(values["properties"], "interventions.jsonl")
        if values["properties"].get("state") not in _ENDED:
            raise reject("interventions.jsonl", "has an intervention that has not ended")
        targets = values.get("targets")
        if not isinstance(targets, list):
            raise reject("interventions.jsonl", "has an intervention without targets")
        values["targets"] = [_link(target, "interventions.jsonl") for target in targets]
        values["produced"] = values.get("produced")
        if not isinstance(values["produced"], str | None):
            raise reject("interventions.jsonl", "has an intervention that produced something else than a revision")
        return values

    def probe(self, row: Any) -> list[object]:
        """A probe about its anchor, with the archive's probe sets that it is a member of."""
        if not (isinstance(row, list) and len(row) == 3 and isinstance(row[2], list)):
            raise reject("probes.jsonl", "has a row of another shape")
        values = self._own(properties(row[1], "probes.jsonl"), "probes.jsonl")
        if values.get("anchor") != row[0]:
            raise reject("probes.jsonl", "has a probe about another entity than its anchor")
        if not all(isinstance(name, str) and name in self.archive.manifest.probe_sets for name in row[2]):
            raise reject("probes.jsonl", "has a probe in a set that the archive lacks")
        return [row[0], values, sorted(set(row[2]))]


def link_row(name: str) -> Callable[[Any], list[object]]:
    """Converts rows (intervention, uid or probe, properties)."""

    def convert(row: Any) -> list[object]:
        if not (isinstance(row, list) and len(row) == 3 and all(isinstance(part, str) for part in row[:2])):
            raise reject(name, "has a row of another shape")
        return [row[0], row[1], properties(row[2], name)]

    return convert


def _node(row: Any, name: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise reject(name, "has a row of another shape")
    return {**row, "properties": properties(row.get("properties"), name)}


def _named(row: Any, name: str) -> dict[str, Any]:
    values = _node(row, name)
    if not isinstance(values["properties"].get("id"), str):
        raise reject(name, "has a row without an id")
    return values


def _check_text(values: dict[str, Any], name: str, *keys: str) -> None:
    for key in keys:
        if not isinstance(values.get(key), str):
            raise reject(name, f"has a row without {key}")


def _check_digest(values: dict[str, Any], name: str) -> None:
    digest = values.get("artefact_sha256")
    if digest and not (isinstance(digest, str) and DIGEST.fullmatch(digest)):
        raise reject(name, f"names an artefact by something else than a digest: {digest!a:.60}")


def _link(row: Any, name: str) -> tuple[str, dict[str, Any]]:
    """An entity's uid and the properties of a link to it."""
    if not isinstance(row, list) or len(row) != 2 or not isinstance(row[0], str):
        raise reject(name, "has a link of another shape")
    return row[0], properties(row[1], name)
