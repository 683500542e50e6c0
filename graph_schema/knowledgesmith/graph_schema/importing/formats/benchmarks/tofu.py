"""TOFU: questions about invented authors, some to be forgotten.

Question files (JSON lines or lists, whatever their ending): ``{"question", "answer", "paraphrased_question"?,
"paraphrased_answer"?, "perturbed_answer"?}``. Logs of evaluations (an object of objects keyed "0", "1", …):
``generated_text`` holds question, one model's answer and the true one; the rest of the log is that model's and is
passed over. Plain text files (``idontknow``) hold refusals, one a line: each becomes an entity of type ``Refusal``.

A file is for forgetting when its role or its name says ``forget``, else for retaining.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, cast

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import Unusable
from knowledgesmith.graph_schema.importing.formats.benchmarks.question_answers import (
    Asked,
    Part,
    QuestionSet,
    asked_in,
    part_of,
    words_of,
)
from knowledgesmith.graph_schema.importing.reading.columnar import is_columnar
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import (
    Item,
    Shape,
    json_items,
    kind_at,
    lines_of,
    objects,
    shape_of,
)
from knowledgesmith.graph_schema.importing.reading.records import Place, Record, Rejection

_LOGGED = "generated_text"


class TofuOptions(ImportOptions):
    """How the questions are filed."""

    domain: str = "tofu"
    """Of the questions and answers."""
    forget: str = "forget"
    """Words in the names of the files to forget, parted by commas."""


class Tofu:
    """A case for each question to forget, and one over all."""

    name: ClassVar[str] = "tofu"
    summary: ClassVar[str] = "TOFU questions to forget and to retain, its evaluation logs, its refusals"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = TofuOptions

    def read(self, files: Sequence[InputFile], options: TofuOptions) -> Iterator[Record]:
        """See ``Importer.read``."""
        questions = QuestionSet(domain=options.domain)
        for file in files:
            shape = shape_of(file)
            if shape is None and not is_columnar(file):
                yield from _refusals(questions, file)
                continue
            part = part_of(file.role, file.name, forget=words_of(options.forget), retain=()) or Part.RETAIN
            if shape is Shape.OBJECT and kind_at(file, _LOGGED) == "start_map":
                yield from _log(questions, file, part)
                continue
            for found in objects(json_items(file)):
                yield from _question(questions, found, part)
        yield from questions.finish()


def _question(questions: QuestionSet, found: tuple[Item, dict[str, Any]] | Rejection, part: Part) -> Iterator[Record]:
    if isinstance(found, Rejection):
        yield found
        return
    try:
        asked = asked_in(*found)
    except Unusable as error:
        yield Rejection(place=found[0].place, reason=str(error))
        return
    yield from questions.take(asked, part)


def _log(questions: QuestionSet, file: InputFile, part: Part) -> Iterator[Record]:
    for item in json_items(file, path=_LOGGED):
        if isinstance(item, Rejection):
            yield item
            continue
        row = cast("list[object]", item.value) if isinstance(item.value, list) else []
        if len(row) != 3 or not isinstance(row[0], str) or not isinstance(row[2], str):
            yield Rejection(place=item.place, reason="not a list of question, generated answer and true answer")
            continue
        question = row[0].replace("[INST]", "").replace("[/INST]", "").strip()
        yield from questions.take(Asked(place=item.place, question=question, answer=row[2], name=item.key), part)


def _refusals(questions: QuestionSet, file: InputFile) -> Iterator[Record]:
    for line in lines_of(file):
        if isinstance(line, Rejection):
            yield line
            continue
        place = Place(file=file.name, record=line[0])
        try:
            yield questions.builder.entity(place, line[1], type="Refusal", domain=questions.domain)
        except Unusable as error:
            yield Rejection(place=place, reason=str(error))
