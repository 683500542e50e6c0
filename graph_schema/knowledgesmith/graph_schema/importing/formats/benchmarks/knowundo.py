"""KnowUnDo: questions whose answers are private or protected and must go, and others that must stay.

Lists of ``{"text", "labels"}``. A file is for forgetting when its role says ``forget`` or its name ``unlearn`` or
``forget``; for retaining when it says ``retain`` or the name ``retention``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import Unusable
from knowledgesmith.graph_schema.importing.formats.benchmarks.question_answers import (
    QuestionSet,
    asked_in,
    part_of,
    words_of,
)
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import json_items, objects
from knowledgesmith.graph_schema.importing.reading.records import Record, Rejection


class KnowUnDoOptions(ImportOptions):
    """How the questions are filed."""

    domain: str = "knowundo"
    """Of the questions and answers."""
    forget: str = "unlearn,forget"
    """Words in the names of the files to forget, parted by commas."""


class KnowUnDo:
    """A case for each question to forget, and one over all."""

    name: ClassVar[str] = "knowundo"
    summary: ClassVar[str] = "KnowUnDo questions to forget and to retain (JSON lists of text and labels)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = KnowUnDoOptions

    def read(self, files: Sequence[InputFile], options: KnowUnDoOptions) -> Iterator[Record]:
        """See ``Importer.read``."""
        parts = []
        for file in files:
            part = part_of(file.role, file.name, forget=words_of(options.forget), retain=("retention", "retain"))
            if part is None:
                raise InvalidInput(
                    "it cannot be told whether this file is to be forgotten or retained",
                    field="files",
                    value=file.name,
                    hint="Name the files to forget: --option forget=WORD; those to retain have retain in their name.",
                )
            parts.append((file, part))
        questions = QuestionSet(domain=options.domain)
        for file, part in parts:
            for found in objects(json_items(file)):
                if isinstance(found, Rejection):
                    yield found
                    continue
                try:
                    asked = asked_in(*found)
                except Unusable as error:
                    yield Rejection(place=found[0].place, reason=str(error))
                    continue
                yield from questions.take(asked, part)
        yield from questions.finish()
