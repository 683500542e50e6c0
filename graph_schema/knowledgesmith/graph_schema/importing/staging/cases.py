"""Cases of benchmarks as texts in the staging database, and what they may contain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, Final

from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, CaseRecord, Place
from knowledgesmith.graph_schema.language.text_checks import MAX_UID, MAX_WORD, problem_with
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_CHANGE: Final = tuple(item.name for item in fields(CaseChange))
_PROBE: Final = tuple(item.name for item in fields(CaseProbe))
MAX_STEM = 20_000
"""Characters of a stem, answer or option of a benchmark's own probe (some bring whole passages)."""
MAX_CHANGES = 10_000
"""Changes of one case."""
MAX_PROBES = 10_000
"""Probes of one case."""
MAX_CHARACTERS = 4_000_000
"""Characters of one case's probes; a case is written in one transaction."""


def case_text(record: CaseRecord) -> str:
    """One JSON text that sorts and reads back as the case without its place."""
    content = {
        "id": record.id,
        "goal": record.goal,
        "rounds": [[_fields_of(change, _CHANGE) for change in changes] for changes in record.rounds],
        "probes": [_fields_of(probe, _PROBE) for probe in record.probes],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def _fields_of(item: CaseChange | CaseProbe, names: Sequence[str]) -> dict[str, Any]:
    # dataclasses.asdict copies deeply, which took longer than all else that is done with a case
    return {name: getattr(item, name) for name in names}


def case_from_text(text: str, place: Place) -> CaseRecord:
    """The case that ``case_text`` wrote."""
    content = json.loads(text)
    return CaseRecord(
        place=place,
        id=content["id"],
        goal=Goal(content["goal"]),
        rounds=tuple(tuple(CaseChange(**change) for change in changes) for changes in content["rounds"]),
        probes=tuple(
            CaseProbe(
                kind=ProbeKind(probe["kind"]),
                polarity=Polarity(probe["polarity"]),
                family=probe["family"],
                stem=probe["stem"],
                answers=tuple(probe["answers"]),
                answers_before=tuple(probe["answers_before"]),
                options=tuple(probe["options"]),
            )
            for probe in content["probes"]
        ),
    )


def case_trouble(record: CaseRecord) -> str:
    """What is wrong with a case, in a few words; empty when nothing is."""
    if not any(record.rounds):
        return "the case changes nothing"
    if sum(len(changes) for changes in record.rounds) > MAX_CHANGES:
        return f"the case has more than {MAX_CHANGES} changes"
    if len(record.probes) > MAX_PROBES or record.characters > MAX_CHARACTERS:
        return f"the case has more than {MAX_PROBES} probes or {MAX_CHARACTERS} characters of text"
    for what, text, limit, empty in _texts(record):
        if problem := _problem(text, limit=limit, empty=empty):
            return f"{what} {problem}" + (f": {quote(text)}" if text else "")
    return ""


def _problem(text: str, *, limit: int, empty: bool) -> str:
    # Passages of benchmarks hold line breaks and tabs; only lone surrogates and other control characters are refused.
    plain = text if limit != MAX_STEM else text.replace("\n", " ").replace("\t", " ").replace("\r", " ")
    return problem_with(plain, limit=limit, empty=empty)


def _texts(record: CaseRecord) -> Iterator[tuple[str, str, int, bool]]:
    yield "the case's id", record.id, MAX_UID, False
    for changes in record.rounds:
        for change in changes:
            yield "a change's subject", change.subject, MAX_UID, False
            yield "a change's relation", change.relation, MAX_WORD, False
            yield "a change's old object", change.old_object, MAX_UID, True
            yield "a change's new object", change.new_object, MAX_UID, True
    for probe in record.probes:
        yield "a probe's family", probe.family, MAX_WORD, True
        yield "a probe's stem", probe.stem, MAX_STEM, False
        for text in (*probe.answers, *probe.answers_before, *probe.options):
            yield "a probe's answer", text, MAX_STEM, True
