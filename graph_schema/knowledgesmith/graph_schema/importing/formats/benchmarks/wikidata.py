"""What benchmarks made from Wikidata share: labelled items, and files that word its properties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import ijson

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import (
    Unusable,
    framed_templates,
    is_question,
    optional_text,
    reverse_templates,
    templates_of,
    texts_in,
    uid_of,
)
from knowledgesmith.graph_schema.importing.formats.benchmarks.slots import SLOT, says_something
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import Shape, events_of, shape_of
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.language.text_checks import folded
from knowledgesmith.graph_schema.types.facts import Split, Template

PROPERTY: Final = re.compile(r"P[1-9][0-9]{0,9}")
_MAX_WORDINGS: Final = 1_000


def property_wordings(file: InputFile) -> dict[str, tuple[str, ...]] | None:
    """Wordings by property of a file ``{"P36": "The capital of [X] is __" or a list, …}``; ``None`` for other files.

    The subject's slot is written ``{}`` in the result, and the object's blank at the end is cut off. A wording that
    does not name its subject once is left out.
    """
    if shape_of(file) is not Shape.OBJECT:
        return None
    found: dict[str, tuple[str, ...]] = {}
    try:
        for key, value in ijson.kvitems(events_of(file), ""):
            if not PROPERTY.fullmatch(key) or not isinstance(value, str | list) or len(found) >= _MAX_WORDINGS:
                return None
            found[key] = tuple(text for raw in texts_in(value) if (text := _wording(raw)))
    except (ijson.JSONError, ValueError, RecursionError):
        return None
    return found or None


def _wording(raw: str) -> str:
    text = raw.replace("[X]", SLOT).rstrip().removesuffix("__").rstrip()
    braces = text.replace(SLOT, "", 1)
    return text if text.count(SLOT) == 1 and "{" not in braces and "}" not in braces and "__" not in text else ""


class Wordings:
    """Templates of Wikidata's properties: own prompts of the records, and those of accompanying files.

    The records' own prompts are for training; wordings of the files are for evaluation where they differ from the
    property's own prompt, whichever is read first.
    """

    def __init__(self, files: Sequence[Mapping[str, Sequence[str]]]) -> None:
        self._wordings: dict[str, dict[str, None]] = {}
        for file in files:
            for name, texts in file.items():
                self._wordings.setdefault(name, {}).update(dict.fromkeys(texts))

    def templates(self, property_id: str, *prompts: str) -> Iterator[Template]:
        """Templates of a property whose record says ``prompts`` (cloze first, each with its subject as the slot).

        Raises:
            Unusable: a prompt does not name its subject, or nothing else.
        """
        for prompt in prompts:
            if not _is_wording(prompt):
                raise Unusable(f"the prompt {quote(prompt)} does not name its subject as {SLOT} beside other words")
        own = {folded(prompt) for prompt in prompts}
        clozes = [prompt for prompt in prompts if not is_question(prompt)] or list(prompts)
        for prompt in prompts:
            # Beside a cloze a question only adds the question: its derived cloze would read worse.
            made = templates_of(prompt)
            yield from made if prompt in clozes else (t for t in made if t.text.endswith("?"))
        for prompt in clozes:
            yield from framed_templates(prompt)
            yield from reverse_templates(prompt)
        for text in self._wordings.get(property_id, ()):
            if folded(text) not in own and _is_wording(text):
                yield from templates_of(text, split=Split.EVAL)


def _is_wording(prompt: str) -> bool:
    return SLOT in prompt and "{" not in prompt.replace(SLOT, "") and says_something(prompt)


def item_of(value: Any) -> tuple[str, str]:
    """Uid and name of ``{"id": "Q90", "label": "Paris"}`` (or ``"str"``); one stands for the other where it lacks.

    Raises:
        Unusable: it has neither.
    """
    if not isinstance(value, dict):
        raise Unusable("an item is not an object")
    uid, name = optional_text(value, "id"), optional_text(value, "label", "str")
    if not (uid or name):
        raise Unusable("an item has neither id nor label")
    return uid or uid_of(name), name or uid
