"""ZsRE as MEND prepared it: questions, the true answers, an alternative to install.

``{"subject", "src", "alt", "answers", "rephrase", "loc", "loc_ans", "portability"?}``: ``alt`` is the new answer,
``answers`` are the true ones (each becomes a fact; the first is the one that is changed), ``pred`` and ``cond`` are
another model's and are passed over. ``loc`` starts with the marker ``nq question:``, which is no part of the question
and is cut off.

There are no ids of relations: the relation is the question without its subject (``relation_of``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    SetBuilder,
    Unusable,
    cloze_of,
    convert_records,
    framed_templates,
    optional_text,
    probe,
    relation_of,
    stays,
    templates_of,
    text_field,
    texts_in,
    with_slot,
)
from knowledgesmith.graph_schema.importing.formats.benchmarks.side_probes import side_probes
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import json_items
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, Place, Record
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_MARKER = "nq question:"


class ZsreOptions(ImportOptions):
    """None."""


class Zsre:
    """One case a record."""

    name: ClassVar[str] = "zsre"
    summary: ClassVar[str] = "ZsRE question edits as prepared by MEND (JSON, JSON lines)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = ZsreOptions

    def read(self, files: Sequence[InputFile], options: ZsreOptions) -> Iterator[Record]:  # noqa: ARG002
        """See ``Importer.read``."""
        builder = SetBuilder()
        for file in files:
            yield from convert_records(builder, json_items(file), _convert)


def _convert(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    question, name = text_field(record, "src", "prompt"), text_field(record, "subject")
    new = builder.entity(place, text_field(record, "alt", "target_new"))
    answers = texts_in(record.get("answers", record.get("ground_truth")))
    if not answers:
        raise Unusable("no text in 'answers'")
    wording = with_slot(question, name)
    relation = relation_of(wording)
    subject = builder.entity(place, name)
    true = [builder.entity(place, answer) for answer in answers]
    yield from (subject, new, *true)
    yield from builder.relation(place, relation, (*templates_of(wording), *framed_templates(wording)))
    yield from (builder.fact(place, subject, relation, answer) for answer in true)
    change = CaseChange(subject=subject.uid, relation=relation, old_object=true[0].uid, new_object=new.uid)
    probes = list(_probes(record, question, new.name, answers))
    yield builder.case(place, optional_text(record, "id", "case_id"), Goal.EDIT, ((change,),), probes)


def _probes(record: dict[str, Any], question: str, new: str, true: Sequence[str]) -> Iterator[CaseProbe]:
    yield probe(ProbeKind.DIRECT, Polarity.CHANGE, "rewrite", cloze_of(question), [new], before=true)
    for text in texts_in([record.get("rephrase"), record.get("rephrase_prompt")]):
        yield probe(ProbeKind.DIRECT, Polarity.CHANGE, "rephrase", cloze_of(text), [new], before=true)
    if local := optional_text(record, "loc", "locality_prompt").removeprefix(_MARKER).strip():
        stem = local if local.endswith("?") else f"{local}?"
        yield stays("locality", cloze_of(stem), texts_in(record.get("loc_ans", record.get("locality_ground_truth"))))
    yield from side_probes(record)
