"""RippleEdits: an edit and six criteria of how far it may and must ripple.

``{"example_type", "edit": {"prompt", "subject_id", "relation", "target_id", "original_fact"?}, "Relation_Specifity",
"Logical_Generalization", "Subject_Aliasing", "Compositionality_I", "Compositionality_II", "Forgetfulness"}``; each
criterion is a list of tests with ``test_queries`` and ``condition_queries``.

Subjects have an id only, so their names are read off the prompts: the words of the relation stand before them ("The
name of the mother of X is"), and prompts about one subject end alike. True facts are the original fact, the conditions
(which must hold before the edit) and the queries of the two criteria about what stays; a query whose subject's name
cannot be told gives no fact, but stays a probe.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    SetBuilder,
    Unusable,
    convert_records,
    framed_templates,
    mapping_in,
    mappings_in,
    optional_text,
    probe,
    reverse_templates,
    stays,
    templates_of,
    text_field,
    texts_in,
    with_slot,
)
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

_STAYING: Final = ("Relation_Specifity", "Relation_Specificity", "Forgetfulness")
_KINDS: Final = {
    "Logical_Generalization": ProbeKind.MULTI_HOP,
    "Subject_Aliasing": ProbeKind.DIRECT,
    "Compositionality_I": ProbeKind.MULTI_HOP,
    "Compositionality_II": ProbeKind.MULTI_HOP,
}
_COPULA: Final = re.compile(r" (?:is|are|was|were) ")


class RippleEditsOptions(ImportOptions):
    """None."""


class RippleEdits:
    """One case a record."""

    name: ClassVar[str] = "rippleedits"
    summary: ClassVar[str] = "RippleEdits: edits with six criteria of their ripples (JSON)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = RippleEditsOptions

    def read(self, files: Sequence[InputFile], options: RippleEditsOptions) -> Iterator[Record]:  # noqa: ARG002
        """See ``Importer.read``."""
        builder = SetBuilder()
        for file in files:
            yield from convert_records(builder, json_items(file), _convert)


def _convert(builder: SetBuilder, place: Place, record: dict[str, Any]) -> Iterator[Record]:
    edit = mapping_in(record, "edit")
    prompt, subject_id = text_field(edit, "prompt"), text_field(edit, "subject_id")
    relation, target_id = text_field(edit, "relation"), text_field(edit, "target_id")
    original = edit.get("original_fact")
    stem, new = _split(prompt, optional_text(original, "prompt") if isinstance(original, dict) else "")
    queries = list(_queries(record))
    about = [stem, *(text for _, query in queries if query.get("subject_id") == subject_id for text in _stem(query))]
    subject = builder.entity(place, _subject_name(stem, relation, about) or subject_id, uid=subject_id)
    target = builder.entity(place, new, uid=target_id)
    yield from (subject, target)
    wording = yield from _wording(place, stem, subject.name)
    templates = (*templates_of(wording), *framed_templates(wording), *reverse_templates(wording)) if wording else ()
    yield from builder.relation(place, relation, templates)
    before = ""
    if isinstance(original, dict):
        old = builder.entity(
            place, _split(text_field(original, "prompt"), prompt)[1], uid=text_field(original, "target_id")
        )
        yield from (old, builder.fact(place, subject, relation, old))
        before = old.uid
        old_names = [old.name]
    else:
        old_names = []
    yield from _facts(builder, place, queries, {subject_id: subject.name})
    change = CaseChange(subject=subject.uid, relation=relation, old_object=before, new_object=target.uid)
    rewrite = probe(ProbeKind.DIRECT, Polarity.CHANGE, "rewrite", stem, [new], before=old_names)
    probes = dict.fromkeys([rewrite, *_probes(record)])
    yield builder.case(place, "", Goal.EDIT, ((change,),), list(probes))


def _split(prompt: str, other: str) -> tuple[str, str]:
    """A statement as stem and object; the object starts behind the copula up to which two statements agree."""
    shared = _common_start([prompt, other]) if other else prompt
    ends = [match.end() for match in _COPULA.finditer(shared if other else prompt)]
    if not ends and other:
        ends = [match.end() for match in _COPULA.finditer(prompt)][:1]
    if not ends:
        raise Unusable(f"the statement {prompt!r} has no copula")
    at = ends[-1] if other else ends[0]
    return prompt[:at].rstrip(), prompt[at:].strip().removesuffix(".")


def _common_start(texts: Sequence[str]) -> str:
    lowest, highest = min(texts), max(texts)
    same = (position for position, (a, b) in enumerate(zip(lowest, highest, strict=False)) if a != b)
    return lowest[: next(same, min(len(lowest), len(highest)))]


def _subject_name(stem: str, relation: str, about: Sequence[str]) -> str:
    """The subject's name in a stem: behind the relation's words, else the ending that all stems about it share."""
    body = _body(stem)
    words = re.escape(relation.replace("_", " ").casefold())
    if found := re.search(rf"\b{words} of (.+)$", body, flags=re.IGNORECASE):
        return found[1].strip()
    others = {_body(text) for text in about} - {body}
    if others:
        shared = _common_start([text[::-1] for text in (body, *others)])[::-1]
        if " of " in shared:
            return shared.split(" of ", 1)[1].strip()
    return body.rpartition(" of ")[2].strip() if " of " in body else ""


def _body(stem: str) -> str:
    return re.sub(r"\s+(?:is|are|was|were)$", "", stem.strip())


def _wording(place: Place, stem: str, name: str) -> Generator[Record, None, str]:
    """The stem with its slot (returned); empty where it gives no template, which is then reported."""
    try:
        return with_slot(stem, name)
    except Unusable as error:
        yield Finding(place=place, kind=FindingKind.IGNORED, text=f"no template: {error}")
        return ""


def _queries(record: dict[str, Any]) -> Iterator[tuple[bool, dict[str, Any]]]:
    """All queries, each with whether it must hold before the edit."""
    for criterion in (*_STAYING, *_KINDS):
        for test in mappings_in(record.get(criterion)):
            for query in mappings_in(test.get("condition_queries")):
                yield True, query
            for query in mappings_in(test.get("test_queries")):
                yield criterion in _STAYING, query


def _stem(query: dict[str, Any]) -> tuple[str, ...]:
    text = optional_text(query, "prompt")
    return (text,) if text else ()


def _facts(
    builder: SetBuilder, place: Place, queries: Iterable[tuple[bool, dict[str, Any]]], names: dict[str, str]
) -> Iterator[Record]:
    for holds, query in queries:
        uids, answers = texts_in(query.get("target_ids")), mappings_in(query.get("answers"))
        uid, relation = optional_text(query, "subject_id"), optional_text(query, "relation")
        if not (holds and uid and relation and query.get("query_type", "regular") == "regular"):
            continue
        stem = optional_text(query, "prompt")
        name = names.get(uid) or _named_by_relation(stem, relation)
        if not name or len(uids) != len(answers):
            continue
        subject = builder.entity(place, name, uid=uid)
        yield subject
        wording = yield from _wording(place, stem, name)
        yield from builder.relation(
            place, relation, (*templates_of(wording), *framed_templates(wording)) if wording else ()
        )
        for target, answer in zip(uids, answers, strict=True):
            if value := optional_text(answer, "value"):
                obj = builder.entity(place, value, uid=target, aliases=texts_in(answer.get("aliases")))
                yield from (obj, builder.fact(place, subject, relation, obj))


def _named_by_relation(stem: str, relation: str) -> str:
    words = re.escape(relation.replace("_", " ").casefold())
    found = re.search(rf"\b{words} of (.+)$", _body(stem), flags=re.IGNORECASE)
    return found[1].strip() if found else ""


def _probes(record: dict[str, Any]) -> Iterator[CaseProbe]:
    for criterion in (*_STAYING, *_KINDS):
        for test in mappings_in(record.get(criterion)):
            for query in mappings_in(test.get("test_queries")):
                answers = texts_in([[a.get("value"), a.get("aliases")] for a in mappings_in(query.get("answers"))])
                stem = optional_text(query, "prompt")
                if not (stem and answers):
                    continue
                if criterion in _STAYING:
                    yield stays(criterion, stem, answers)
                else:
                    yield probe(_KINDS[criterion], Polarity.CHANGE, criterion, stem, answers)
