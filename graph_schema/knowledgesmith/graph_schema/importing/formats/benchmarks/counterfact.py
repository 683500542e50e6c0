"""CounterFact: single-fact edits, as ROME published them (nested) and as EasyEdit flattened them.

Flat: ``{"case_id", "prompt", "subject", "target_new", "ground_truth", "rephrase_prompt", "locality_prompt",
"locality_ground_truth", "portability"?}``, or with ``target_true`` and ``target_false`` as CounterFact was prepared for
tracing. Nested: ``requested_rewrite`` with ``target_true``/``target_new`` as ``{"str", "id"}``, and
lists of paraphrase, neighborhood, attribute and generation prompts.

EasyEdit's form has no ids of relations: the relation is derived from the prompt without its subject
(``relation_of``), so it is stable, but wordings of one Wikidata property stay relations of their own. The other forms
bring ``relation_id``. Entities merge by their normalised name in all.
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
    mapping_in,
    optional_text,
    probe,
    relation_of,
    reverse_templates,
    stays,
    templates_of,
    text_field,
    texts_in,
    with_slot,
)
from knowledgesmith.graph_schema.importing.formats.benchmarks.side_probes import side_probes
from knowledgesmith.graph_schema.importing.formats.benchmarks.slots import SLOT
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import json_items
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, Place, Record
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind


class CounterFactOptions(ImportOptions):
    """None."""


class CounterFact:
    """One case a record."""

    name: ClassVar[str] = "counterfact"
    summary: ClassVar[str] = "CounterFact edits: EasyEdit's flat records or ROME's nested ones (JSON, JSON lines)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = CounterFactOptions

    def read(self, files: Sequence[InputFile], options: CounterFactOptions) -> Iterator[Record]:  # noqa: ARG002
        """See ``Importer.read``."""
        builder = SetBuilder()
        for file in files:
            yield from convert_records(builder, json_items(file), _convert)


def _convert(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    if "requested_rewrite" in record:
        yield from _nested(builder, place, record)
    else:
        yield from _flat(builder, place, record)


def _flat(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    prompt, subject = text_field(record, "prompt"), text_field(record, "subject")
    new = text_field(record, "target_new", "target_false")
    true = text_field(record, "ground_truth", "target_true")
    probes: list[CaseProbe] = []
    if rephrased := optional_text(record, "rephrase_prompt"):
        probes.append(probe(ProbeKind.DIRECT, Polarity.CHANGE, "rephrase", rephrased, [new], before=[true]))
    if local := optional_text(record, "locality_prompt"):
        probes.append(stays("locality", local, texts_in(record.get("locality_ground_truth"))))
    probes += side_probes(record)
    wording = with_slot(prompt, subject)
    relation = optional_text(record, "relation_id") or relation_of(wording)
    yield from _edit(builder, place, record, (wording, relation), (subject, true, new), probes)


def _nested(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    rewrite = mapping_in(record, "requested_rewrite")
    prompt, subject = text_field(rewrite, "prompt"), text_field(rewrite, "subject")
    new, true = (text_field(mapping_in(rewrite, key), "str") for key in ("target_new", "target_true"))
    if SLOT not in prompt:
        raise Unusable("the prompt does not name its subject as {}")
    prompt = with_slot(prompt, subject)
    probes = [
        *(
            probe(ProbeKind.DIRECT, Polarity.CHANGE, "paraphrase", text, [new], before=[true])
            for text in texts_in(record.get("paraphrase_prompts"))
        ),
        *(stays("neighborhood", text, [true]) for text in texts_in(record.get("neighborhood_prompts"))),
        *(stays("attribute", text, [new]) for text in texts_in(record.get("attribute_prompts"))),
        *(
            probe(ProbeKind.DIRECT, Polarity.CHANGE, "generation", text, [])
            for text in texts_in(record.get("generation_prompts"))
        ),
    ]
    relation = optional_text(rewrite, "relation_id") or relation_of(prompt)
    yield from _edit(builder, place, record, (prompt, relation), (subject, true, new), probes)


def _edit(
    builder: SetBuilder,
    place: Place,
    record: dict[str, Any],
    worded: tuple[str, str],
    names: tuple[str, str, str],
    probes: Sequence[CaseProbe],
) -> Iterator[Record]:
    """One edit: ``worded`` is the prompt with its slot and the relation, ``names`` subject, true and new object."""
    prompt, relation = worded
    subject, true, new = (builder.entity(place, name) for name in names)
    yield from (subject, true, new)
    templates = (*templates_of(prompt), *framed_templates(prompt), *reverse_templates(prompt))
    yield from builder.relation(place, relation, templates)
    yield builder.fact(place, subject, relation, true)
    stem = cloze_of(prompt.replace(SLOT, names[0]))
    rewrite = probe(ProbeKind.DIRECT, Polarity.CHANGE, "rewrite", stem, [names[2]], before=[names[1]])
    change = CaseChange(subject=subject.uid, relation=relation, old_object=true.uid, new_object=new.uid)
    name = str(record["case_id"]) if isinstance(record.get("case_id"), int | str) else ""
    yield builder.case(place, name, Goal.EDIT, ((change,),), (rewrite, *probes))
