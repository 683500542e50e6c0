"""KnowEdit's six sets, told apart by the fields of each record.

- Wiki recent, Wiki counterfact, ZsRE: ``{"subject", "prompt", "target_new", "ground_truth"?, "rephrase"?,
  "portability": {…}, "locality": {…}}``; ``ground_truth`` is a text or lists of accepted texts, and without it the edit
  inserts (recent).
- WikiBio: ``{"concept", "text", "labels", "locality"}``; the sentence that should follow a text about the concept.
- ConvSent: ``{"ent", "pos", "neg"}``; two cases, one for each sentiment. Nothing here is a fact.
- Sanitation: ``{"success": […], "locality": […]}``, ``{"K_F": […], "K_R": […]}`` or a list of
  ``{"question", "ground_truth", "target_new"}``: answers to forget and to keep.

There are no ids of relations; they are derived from the prompts (``relation_of``), and entities merge by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    SetBuilder,
    Unusable,
    cloze_of,
    framed_templates,
    probe,
    relation_of,
    reverse_templates,
    templates_of,
    text_field,
    texts_in,
    uid_of,
    with_slot,
)
from knowledgesmith.graph_schema.importing.formats.benchmarks.question_answers import Part, QuestionSet, asked_in
from knowledgesmith.graph_schema.importing.formats.benchmarks.side_probes import side_probes
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import Item, json_items, kind_at, objects
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, Place, Record, Rejection
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split, Template
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_SANITATION: Final = (
    ("K_F", Part.FORGET),
    ("success", Part.FORGET),
    ("K_R", Part.RETAIN),
    ("locality", Part.RETAIN),
)
_OPINION: Final = "sentiment about"
_OPINIONS: Final = {"pos": "positive", "neg": "negative"}
_BIOGRAPHY: Final = "biography"


class KnowEditOptions(ImportOptions):
    """How Sanitation is filed."""

    domain: str = "sanitation"
    """Of its questions and answers."""


class KnowEdit:
    """One case a record; two for ConvSent."""

    name: ClassVar[str] = "knowedit"
    summary: ClassVar[str] = "KnowEdit: Wiki recent and counterfact, ZsRE, WikiBio, ConvSent, Sanitation (JSON)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = KnowEditOptions

    def read(self, files: Sequence[InputFile], options: KnowEditOptions) -> Iterator[Record]:
        """See ``Importer.read``."""
        builder = SetBuilder()
        questions = QuestionSet(domain=options.domain, builder=builder)
        for file in files:
            parts = [(key, part) for key, part in _SANITATION if kind_at(file, key) == "start_array"]
            for key, part in parts:
                for found in objects(json_items(file, path=key)):
                    yield from _record(builder, questions, found, part)
            if not parts:
                for found in objects(json_items(file)):
                    yield from _record(builder, questions, found, Part.FORGET)
        yield from questions.finish()


def _record(
    builder: SetBuilder, questions: QuestionSet, found: tuple[Item, dict[str, Any]] | Rejection, part: Part
) -> Iterator[Record]:
    if isinstance(found, Rejection):
        yield found
        return
    item, record = found
    try:
        if "concept" in record:
            made = list(_biography(builder, item.place, record))
        elif "ent" in record:
            made = list(_opinion(builder, item.place, record))
        elif "question" in record:
            made = list(questions.take(asked_in(item, record), part))
        else:
            made = list(_triple(builder, item.place, record))
    except Unusable as error:
        made = [Rejection(place=item.place, reason=str(error))]
    yield from made


def _triple(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    prompt, name = text_field(record, "prompt"), text_field(record, "subject")
    new = builder.entity(place, text_field(record, "target_new"))
    known = texts_in(record.get("ground_truth"))
    wording = with_slot(prompt, name)
    relation = relation_of(wording)
    subject = builder.entity(place, name)
    yield from (subject, new)
    templates = (*templates_of(wording), *framed_templates(wording), *reverse_templates(wording))
    yield from builder.relation(place, relation, templates)
    old = ""
    # Without a pointer to which texts are aliases, only the first one becomes a fact.
    if known:
        true = builder.entity(place, known[0])
        yield from (true, builder.fact(place, subject, relation, true))
        old = true.uid
    change = CaseChange(subject=subject.uid, relation=relation, old_object=old, new_object=new.uid)
    stems = [("rewrite", prompt), *(("rephrase", t) for t in _rephrased(record))]
    direct = [
        probe(ProbeKind.DIRECT, Polarity.CHANGE, family, cloze_of(stem), [new.name], before=known)
        for family, stem in stems
    ]
    yield builder.case(place, _name(record), Goal.EDIT, ((change,),), [*direct, *side_probes(record)])


def _name(record: dict[str, Any]) -> str:
    return str(record["case_id"]) if isinstance(record.get("case_id"), int | str) else ""


def _rephrased(record: dict[str, Any]) -> tuple[str, ...]:
    return texts_in([record.get("rephrase"), record.get("rephrase_prompt")])


def _biography(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    """WikiBio: the concept's biography gets the sentence that is true; the text before it is the probe's stem."""
    subject = builder.entity(place, text_field(record, "concept"))
    text, sentence = text_field(record, "text"), text_field(record, "labels")
    obj = builder.entity(place, sentence, type="Sentence")
    yield from (subject, obj)
    yield from builder.relation(place, _BIOGRAPHY, _biography_templates(), range_type="Sentence")
    change = CaseChange(subject=subject.uid, relation=_BIOGRAPHY, new_object=obj.uid)
    rewrite = probe(ProbeKind.DIRECT, Polarity.CHANGE, "rewrite", text, [sentence])
    yield builder.case(place, _name(record), Goal.EDIT, ((change,),), [rewrite, *side_probes(record)])


def _biography_templates() -> Iterator[Template]:
    wordings = (
        (Split.TRAIN, Form.CLOZE, "This is a passage about {s}."),
        (Split.TRAIN, Form.STATEMENT, "This is a passage about {s}. {o}"),
        (Split.EVAL, Form.CLOZE, "A biography says of {s}:"),
        (Split.EVAL, Form.STATEMENT, "A biography says of {s}: {o}"),
    )
    for split, form, text in wordings:
        yield Template(direction=Direction.FORWARD, split=split, form=form, text=text)


def _opinion(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    """ConvSent: how a conversation should feel about a topic, once this way and once the other."""
    subject = builder.entity(place, text_field(record, "ent"))
    feelings = {key: builder.entity(place, word, type="Sentiment") for key, word in _OPINIONS.items()}
    said = {key: texts_in(record.get(key)) for key in _OPINIONS}
    if not any(said.values()):
        raise Unusable("no text in 'pos' or 'neg'")
    yield from (subject, *feelings.values())
    wording = "The sentiment about {} is"
    yield from builder.relation(
        place, _OPINION, (*templates_of(wording), *framed_templates(wording)), range_type="Sentiment"
    )
    stem = f"What do you think of {subject.name}?"
    for wanted, other in (("pos", "neg"), ("neg", "pos")):
        if not said[wanted]:
            continue
        change = CaseChange(subject=subject.uid, relation=_OPINION, new_object=feelings[wanted].uid)
        asked = probe(ProbeKind.DIRECT, Polarity.CHANGE, "opinion", stem, said[wanted], before=said[other])
        name = f"{_name(record) or place.record}-{uid_of(_OPINIONS[wanted])}"
        yield builder.case(place, name, Goal.EDIT, ((change,),), [asked])
