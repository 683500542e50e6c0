"""ConflictEdit and RoundEdit: edits that contradict each other, and edits that are taken back.

ConflictEdit (``composite``, ``reverse``, ``coverage``): ``{"triples", "edits", "type", "rule"?}``; the triples are
true, the edits are requests one after the other, so each is a round of the case.

RoundEdit (``easy``, ``hard``): ``{"edit", "true_objects", "type"}``; one round edits a fact of a 1-to-N relation away,
the next edits it back, and the other true objects must survive both.

Everything carries Wikidata's ids and labels: entities get the id as uid, relations are named by their label.
Files ``{"P22": ["{} was fathered by", …]}`` beside them add wordings for evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    SetBuilder,
    Unusable,
    cloze_of,
    convert_records,
    mapping_in,
    mappings_in,
    optional_text,
    probe,
    stays,
    text_field,
    with_slot,
)
from knowledgesmith.graph_schema.importing.formats.benchmarks.wikidata import Wordings, item_of, property_wordings
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import json_items
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, EntityRecord, Place, Record
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind


class ConflictEditOptions(ImportOptions):
    """None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A triple or an edit of the source."""

    relation: str
    property_id: str
    prompt: str
    query: str
    subject: EntityRecord
    object: EntityRecord
    new: EntityRecord | None

    def change(self) -> CaseChange:
        new = self.new.uid if self.new else ""
        return CaseChange(subject=self.subject.uid, relation=self.relation, old_object=self.object.uid, new_object=new)

    def stem(self) -> str:
        return cloze_of(self.prompt.replace("{}", self.subject.name))


class ConflictEdit:
    """One case a record, with a round for each edit."""

    name: ClassVar[str] = "conflictedit"
    summary: ClassVar[str] = "ConflictEdit and RoundEdit: contradicting edits, edits away and back (JSON)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = ConflictEditOptions

    def read(self, files: Sequence[InputFile], options: ConflictEditOptions) -> Iterator[Record]:  # noqa: ARG002
        """See ``Importer.read``."""
        found = [(file, property_wordings(file)) for file in files]
        wordings = Wordings([texts for _, texts in found if texts is not None])
        builder = SetBuilder()
        for file, texts in found:
            if texts is None:
                yield from convert_records(builder, json_items(file), partial(_convert, wordings))


def _convert(wordings: Wordings, builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    if "edit" in record:
        yield from _there_and_back(wordings, builder, place, record)
    else:
        yield from _conflict(wordings, builder, place, record)


def _conflict(wordings: Wordings, builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    triples = [_asked(builder, place, triple) for triple in mappings_in(record.get("triples"))]
    edits = [_asked(builder, place, edit) for edit in mappings_in(record.get("edits"))]
    if not edits or any(edit.new is None for edit in edits):
        raise Unusable("no edit, or an edit without 'new_object'")
    for asked in (*triples, *edits):
        yield from _known(wordings, builder, place, asked)
    for triple in triples:
        yield builder.fact(place, triple.subject, triple.relation, triple.object)
    family = optional_text(record, "type") or "edit"
    yield builder.case(place, "", Goal.EDIT, [(edit.change(),) for edit in edits], list(_final(edits, family)))


def _final(edits: Sequence[_Asked], family: str) -> Iterator[CaseProbe]:
    """What each edit asks for once all are made: a later edit of the same fact wins over an earlier one."""
    first: dict[tuple[str, str], _Asked] = {}
    last: dict[tuple[str, str], _Asked] = {}
    for edit in edits:
        key = (edit.subject.uid, edit.relation)
        first.setdefault(key, edit)
        last[key] = edit
    for key, edit in last.items():
        if edit.new is not None:
            yield probe(
                ProbeKind.DIRECT, Polarity.CHANGE, family, edit.stem(), [edit.new.name], before=[first[key].object.name]
            )


def _there_and_back(wordings: Wordings, builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    edit = _asked(builder, place, mapping_in(record, "edit"))
    if edit.new is None:
        raise Unusable("the edit has no 'new_object'")
    true = [_entity(builder, place, item) for item in mappings_in(record.get("true_objects"))]
    yield from _known(wordings, builder, place, edit)
    yield from true
    for obj in (edit.object, *(obj for obj in true if obj.uid != edit.object.uid)):
        yield builder.fact(place, edit.subject, edit.relation, obj)
    back = CaseChange(
        subject=edit.subject.uid, relation=edit.relation, old_object=edit.new.uid, new_object=edit.object.uid
    )
    others = [obj.name for obj in true if obj.uid != edit.object.uid]
    probes = [stays("edited_object", edit.stem(), [edit.object.name])]
    if others:
        probes.append(stays("other_true_objects", edit.stem(), others))
    yield builder.case(place, "", Goal.EDIT, ((edit.change(),), (back,)), probes)


def _asked(builder: SetBuilder, place: Place, value: dict[str, Any]) -> _Asked:
    relation = mapping_in(value, "relation")
    property_id = optional_text(relation, "id")
    return _Asked(
        relation=optional_text(relation, "label") or text_field(relation, "id"),
        property_id=property_id,
        prompt=text_field(relation, "prompt"),
        query=optional_text(relation, "query"),
        subject=_entity(builder, place, value.get("subject")),
        object=_entity(builder, place, value.get("object")),
        new=_entity(builder, place, value["new_object"]) if "new_object" in value else None,
    )


def _entity(builder: SetBuilder, place: Place, value: object) -> EntityRecord:
    uid, name = item_of(value)
    return builder.entity(place, name, uid=uid)


def _known(wordings: Wordings, builder: SetBuilder, place: Place, asked: _Asked) -> Iterator[Record]:
    yield from (asked.subject, asked.object)
    if asked.new is not None:
        yield asked.new
    prompts = [with_slot(text, asked.subject.name) for text in (asked.prompt, asked.query) if text]
    yield from builder.relation(place, asked.relation, wordings.templates(asked.property_id, *prompts))
