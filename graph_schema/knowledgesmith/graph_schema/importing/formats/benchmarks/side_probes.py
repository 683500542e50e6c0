"""Questions beside an edit, as EasyEdit and KnowEdit file them: portability must follow the edit, locality must stay.

Each is an object of families: ``{"Reasoning": [{"prompt", "ground_truth"}, …]}``, or lists side by side
(``{"prompt": […], "ground_truth": […]}``). ``{"New Question", "New Answer"}`` is a portability question of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    cloze_of,
    mappings_in,
    optional_text,
    probe,
    stays,
    texts_in,
)
from knowledgesmith.graph_schema.importing.reading.records import CaseProbe
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

_PORTABLE: Final = {"Subject_Aliasing": ProbeKind.DIRECT}


def side_probes(record: dict[str, Any]) -> Iterator[CaseProbe]:
    """The probes of a record's ``portability`` and ``locality``, where it has them."""
    for where in ("portability", "locality"):
        found = record.get(where)
        families = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        if question := optional_text(families, "New Question"):
            yield _portable(where, question, texts_in(families.get("New Answer")))
        for family, tests in families.items():
            for test in mappings_in(tests):
                for text, answers in _pairs(test):
                    if where == "locality":
                        yield stays(family, cloze_of(text), answers)
                    else:
                        yield _portable(family, text, answers)


def _portable(family: str, text: str, answers: tuple[str, ...]) -> CaseProbe:
    kind = _PORTABLE.get(family, ProbeKind.MULTI_HOP)
    return probe(kind, Polarity.CHANGE, family, cloze_of(text), answers)


def _pairs(test: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Prompts with their answers; several prompts have an answer each where the lists are equally long."""
    prompts, answers = test.get("prompt"), test.get("ground_truth")
    if isinstance(prompts, list) and isinstance(answers, list) and len(prompts) == len(answers) > 1:
        for prompt, answer in zip(cast("list[object]", prompts), cast("list[object]", answers), strict=True):
            yield from ((text, texts_in(answer)) for text in texts_in(prompt))
        return
    yield from ((text, texts_in(answers)) for text in texts_in(prompts))
