"""MQuAKE: edits of facts inside chains, with questions over the chain before and after.

``{"case_id", "requested_rewrite": [{"prompt", "relation_id", "target_new", "target_true", "subject", "question"}],
"questions", "answer", "answer_alias", "new_answer", "new_answer_alias", "single_hops", "new_single_hops", "orig"}``.

True facts are ``orig.triples`` and those of ``orig.new_triples`` that no edit installs. Entities have Wikidata's ids as
uids; relations are named by their label in ``triples_labeled``, else by their id. Beside the record files lie files of
templates (``{"P36": "The capital of [X] is __"}``), which add wordings for evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, cast

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
    texts_in,
    with_slot,
)
from knowledgesmith.graph_schema.importing.formats.benchmarks.wikidata import Wordings, item_of, property_wordings
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import json_items
from knowledgesmith.graph_schema.importing.reading.records import (
    CaseChange,
    CaseProbe,
    Finding,
    FindingKind,
    Place,
    Record,
)
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_Triple = tuple[str, str, str]


class MquakeOptions(ImportOptions):
    """None."""


@dataclass(slots=True)
class _Chain:
    """The triples of one record, and the names of their parts."""

    before: list[_Triple] = field(default_factory=list[_Triple])
    after: list[_Triple] = field(default_factory=list[_Triple])
    edited: set[_Triple] = field(default_factory=set[_Triple])
    items: dict[str, str] = field(default_factory=dict[str, str])
    relations: dict[str, str] = field(default_factory=dict[str, str])


class Mquake:
    """One case a record; all its rewrites are one round."""

    name: ClassVar[str] = "mquake"
    summary: ClassVar[str] = "MQuAKE: edits and multi-hop questions over them (JSON)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = MquakeOptions

    def read(self, files: Sequence[InputFile], options: MquakeOptions) -> Iterator[Record]:  # noqa: ARG002
        """See ``Importer.read``."""
        found = [(file, property_wordings(file)) for file in files]
        wordings = Wordings([texts for _, texts in found if texts is not None])
        builder = SetBuilder()
        for file, texts in found:
            if texts is None:
                yield from convert_records(builder, json_items(file), partial(_convert, wordings))


def _convert(wordings: Wordings, builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    # Published as columns, the parts of "orig" stand beside the rest
    flat = {name.removeprefix("orig_"): value for name, value in record.items() if name.startswith("orig_")}
    chain = _chain(flat or mapping_in(record, "orig"))
    rewrites = mappings_in(record.get("requested_rewrite"))
    changes = [_change(chain, rewrite) for rewrite in rewrites]
    if not changes:
        raise Unusable("no 'requested_rewrite'")
    for uid, name in chain.items.items():
        yield builder.entity(place, name, uid=uid)
    prompts, notes = _prompts(chain, record, rewrites)
    yield from (Finding(place=place, kind=FindingKind.IGNORED, text=note) for note in notes)
    for property_id, name in chain.relations.items():
        yield from builder.relation(place, name, wordings.templates(property_id, *prompts.get(property_id, ())))
    for subject, relation, obj in dict.fromkeys([*chain.before, *(t for t in chain.after if t not in chain.edited)]):
        yield builder.fact(
            place,
            builder.entity(place, chain.items[subject], uid=subject),
            chain.relations[relation],
            builder.entity(place, chain.items[obj], uid=obj),
        )
    name = str(record["case_id"]) if isinstance(record.get("case_id"), int | str) else ""
    probes = dict.fromkeys([*_rewrite_probes(rewrites), *_chain_probes(record), *_hop_probes(chain, record)])
    yield builder.case(place, name, Goal.EDIT, (tuple(changes),), list(probes))


def _chain(orig: dict[str, Any]) -> _Chain:
    chain = _Chain()
    for target, key, labels in (
        (chain.before, "triples", "triples_labeled"),
        (chain.after, "new_triples", "new_triples_labeled"),
    ):
        triples, named = _triples(orig.get(key)), _triples(orig.get(labels))
        target += triples
        for position, (subject, relation, obj) in enumerate(triples):
            names = named[position] if position < len(named) else (subject, relation, obj)
            chain.items.setdefault(subject, names[0])
            chain.relations.setdefault(relation, names[1])
            chain.items.setdefault(obj, names[2])
    chain.edited = set(_triples(orig.get("edit_triples")))
    if not chain.before:
        raise Unusable("no triples in 'orig'")
    return chain


def _triples(value: object) -> list[_Triple]:
    rows = cast("list[object]", value) if isinstance(value, list) else []
    found = [texts for row in rows if len(texts := _three(row)) == 3]
    return [(texts[0], texts[1], texts[2]) for texts in found]


def _three(row: object) -> list[str]:
    return [part for part in cast("list[object]", row) if isinstance(part, str)] if isinstance(row, list) else []


def _change(chain: _Chain, rewrite: dict[str, Any]) -> CaseChange:
    """The rewrite as a change; its subject has a name only, and its id is that of the triple it changes."""
    relation = text_field(rewrite, "relation_id")
    true, new = (item_of(rewrite.get(key)) for key in ("target_true", "target_new"))
    name = text_field(rewrite, "subject")
    subjects = [s for s, r, o in (*chain.before, *chain.after) if r == relation and o in {true[0], new[0]}]
    named = [uid for uid, label in chain.items.items() if label == name]
    subject = next((uid for uid in subjects if chain.items[uid] == name), (subjects or named or [""])[0])
    if not subject:
        raise Unusable(f"the rewritten subject {name!r} stands in no triple")
    chain.items.setdefault(true[0], true[1])
    chain.items.setdefault(new[0], new[1])
    label = chain.relations.setdefault(relation, relation)
    return CaseChange(subject=subject, relation=label, old_object=true[0], new_object=new[0])


def _prompts(
    chain: _Chain, record: dict[str, Any], rewrites: Sequence[dict[str, Any]]
) -> tuple[dict[str, list[str]], list[str]]:
    """Prompts with slots by property, and why some are none.

    They are those of the rewrites, else the wording of a single hop without its subject.
    """
    prompts: dict[str, list[str]] = {}
    notes: list[str] = []
    for rewrite in rewrites:
        text = with_slot(text_field(rewrite, "prompt"), text_field(rewrite, "subject"))
        prompts.setdefault(text_field(rewrite, "relation_id"), []).append(text)
    for triples, key in ((chain.before, "single_hops"), (chain.after, "new_single_hops")):
        for (subject, relation, _), hop in zip(triples, mappings_in(record.get(key)), strict=False):
            if relation not in prompts and (text := optional_text(hop, "cloze", "question")):
                try:
                    prompts[relation] = [with_slot(text, chain.items[subject])]
                except Unusable as error:
                    notes.append(f"no template from a single hop: {error}")
    return prompts, notes


def _rewrite_probes(rewrites: Sequence[dict[str, Any]]) -> Iterator[CaseProbe]:
    for rewrite in rewrites:
        new, true = item_of(rewrite.get("target_new"))[1], item_of(rewrite.get("target_true"))[1]
        stems = [text_field(rewrite, "prompt").replace("{}", text_field(rewrite, "subject"))]
        stems += [question] if (question := optional_text(rewrite, "question")) else []
        for stem in stems:
            yield probe(ProbeKind.DIRECT, Polarity.CHANGE, "rewrite", cloze_of(stem), [new], before=[true])


def _chain_probes(record: dict[str, Any]) -> Iterator[CaseProbe]:
    before = texts_in([record.get("answer"), record.get("answer_alias"), record.get("answer_extended")])
    after = texts_in([record.get("new_answer"), record.get("new_answer_alias")])
    for question in texts_in(record.get("questions")):
        yield probe(ProbeKind.MULTI_HOP, Polarity.CHANGE, "multi_hop", cloze_of(question), after, before=before)


def _hop_probes(chain: _Chain, record: dict[str, Any]) -> Iterator[CaseProbe]:
    """The single hops: those of the old chain whose fact is edited change, all others stay."""
    installed = {(s, r): chain.items[o] for s, r, o in chain.edited if o in chain.items}
    for family, triples in (("single_hops", chain.before), ("new_single_hops", chain.after)):
        for (subject, relation, _), hop in zip(triples, mappings_in(record.get(family)), strict=False):
            stem = cloze_of(text_field(hop, "question", "cloze"))
            answers = texts_in([hop.get("answer"), hop.get("answer_alias")])
            new = installed.get((subject, relation))
            if new is None:
                yield stays(family, stem, answers)
            elif family == "single_hops":
                yield probe(ProbeKind.DIRECT, Polarity.CHANGE, family, stem, [new], before=answers)
            else:
                yield probe(ProbeKind.DIRECT, Polarity.CHANGE, family, stem, answers)
