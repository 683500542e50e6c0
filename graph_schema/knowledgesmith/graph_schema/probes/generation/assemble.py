"""From verified questions with drawn options to columns of probes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import FALSE, TRUE, Question
from knowledgesmith.graph_schema.probes.columns import SCHEMA, Column, Table
from knowledgesmith.graph_schema.probes.drawing.build import (
    LEAK,
    NO_TEMPLATE,
    PREFIX_TRIES,
    asked_with,
    context_of,
    id_of,
    option_texts,
)
from knowledgesmith.graph_schema.probes.drawing.draw import PREFIX, streams
from knowledgesmith.graph_schema.probes.drawing.vector_draw import NOBODY, Indices, Keys
from knowledgesmith.graph_schema.probes.guessing.clues import OBJECT
from knowledgesmith.graph_schema.probes.wording.phrasing import Phraser
from knowledgesmith.graph_schema.probes.wording.verbalise import FALSE_TEXT, TRUE_TEXT, Stem, leaks
from knowledgesmith.graph_schema.types.facts import Split
from knowledgesmith.graph_schema.types.probes import ProbeKind

_TRUTH = (TRUE_TEXT, FALSE_TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Questions of one kind with their options: uids in drawn order, and which one is right.

    ``keys`` are the questions' keys (shape ``(questions,)``); lists run parallel to ``questions``. ``places`` are the
    options as dense indices, padded with ``NOBODY`` (shape ``(questions, arity)``; statements have none).
    """

    questions: Sequence[Question]
    options: Sequence[tuple[str, ...]]
    places: Indices
    answers: Sequence[int]
    keys: Keys

    def only(self, rows: Sequence[int]) -> Drawn:
        """Some of the questions, in the given order."""
        return Drawn(
            questions=[self.questions[n] for n in rows],
            options=[self.options[n] for n in rows],
            places=self.places[rows],
            answers=[self.answers[n] for n in rows],
            keys=self.keys[rows],
        )


class Assembler:
    """Writes texts, ids and facts of one graph's probes; ``dropped`` counts the questions without any."""

    def __init__(
        self,
        lexicon: Lexicon,
        *,
        phrasings: int,
        sentences: Sequence[tuple[str, str]],
        dropped: Counter[str],
        split: Split = Split.EVAL,
    ) -> None:
        self._lexicon = lexicon
        self._phraser = Phraser(lexicon, limit=phrasings, split=split)
        self._sentences = sentences
        self._dropped = dropped

    def table(self, kind: ProbeKind, drawn: Drawn) -> Table:
        """The probes, sorted by anchor, path and id, with the ``key`` of their question and a stated object's index.

        Questions of one anchor and path must stand together, in the order of both.
        """
        prefixes = self._prefix_places(kind, drawn.keys)
        made: list[tuple[str, int, Stem, str]] = []
        group: list[tuple[str, int, Stem, str]] = []
        about: tuple[str, tuple[str, ...]] = ("", ())
        rows = zip(drawn.questions, drawn.options, drawn.answers, prefixes, strict=True)
        for row, (question, options, answer, places) in enumerate(rows):
            if (question.anchor, question.path) != about:
                about = (question.anchor, question.path)
                made += sorted(group)
                group = []
            group += self._phrased(row, question, options, answer, places)
        self._phraser.forget()
        return self._columns(kind, drawn, [*made, *sorted(group)])

    def _phrased(
        self, row: int, question: Question, options: tuple[str, ...], answer: int, places: Sequence[int]
    ) -> list[tuple[str, int, Stem, str]]:
        """Id, row, text and prefix of every phrasing of the question in this row."""
        made = self._stems(question, options, answer)
        if made and question.kind is ProbeKind.CONTEXTUAL and (prefix := self._prefix(question, options, places)):
            made = [made[0], (made[0][0], prefix)]
        if not made:
            return []
        texts = option_texts(self._lexicon, question.kind, options)
        asked = asked_with(self._lexicon.graph_id, question, options, texts)
        return [(id_of(asked, stem, prefix), row, stem, prefix) for stem, prefix in made]

    def _columns(self, kind: ProbeKind, drawn: Drawn, made: Sequence[tuple[str, int, Stem, str]]) -> Table:
        rows = np.array([row for _, row, _, _ in made], dtype=np.int64)
        index, questions = self._lexicon.index, drawn.questions
        paths = _Numbered()
        path = np.array([paths.number(question.path) for question in questions], dtype=np.int64)[rows]
        places = drawn.places[rows]
        answers = np.array(drawn.answers, dtype=np.int32)[rows]
        if kind is ProbeKind.CONFLICT:
            texts, uids = self._truth(drawn, rows)
        else:
            texts, uids = _lists(self._names_column, places), _lists(self._uids_column, places)
        arrays: dict[str, Column] = {
            "id": pa.array([probe_id for probe_id, _, _, _ in made], type=pa.string()),
            "kind": pa.repeat(kind.value, len(made)),
            "anchor": self._uids_column.take(np.array([index[q.anchor] for q in questions], dtype=np.int64)[rows]),
            "path": pa.array(paths.values, type=SCHEMA.field("path").type).take(path),
            "chain_length": pa.array(np.array([len(p) for p in paths.values], dtype=np.int32)[path]),
            "stem": pa.array([stem.text for _, _, stem, _ in made], type=pa.string()),
            "options": texts,
            "option_uids": uids,
            "answers": pa.ListArray.from_arrays(np.arange(len(made) + 1, dtype=np.int32), answers),
            "template": pa.array([stem.template for _, _, stem, _ in made], type=pa.string()),
            "fact_ids": self._facts(drawn).take(rows),
            "context": pa.array([context_of(question).value for question in questions], type=pa.string()).take(rows),
            "prefix": pa.array([prefix for _, _, _, prefix in made], type=pa.string()),
            "counter_stem": pa.array([stem.counter for _, _, stem, _ in made], type=pa.string()),
            "key": pa.array(drawn.keys[rows], type=pa.uint64()),
            OBJECT: pa.array(
                np.array([index[q.object] if q.object else NOBODY for q in questions], dtype=np.int64)[rows]
            ),
        }
        return pa.table(arrays)

    def _facts(self, drawn: Drawn) -> Column:
        graph_id = self._lexicon.graph_id
        found = [
            question.facts(graph_id, (options[answer],))
            for question, options, answer in zip(drawn.questions, drawn.options, drawn.answers, strict=True)
        ]
        return pa.array(found, type=SCHEMA.field("fact_ids").type)

    def _truth(self, drawn: Drawn, rows: Indices) -> tuple[Column, Column]:
        """Texts and names of the options of statements."""
        swapped = np.array([options[0] != TRUE for options in drawn.options], dtype=np.int64)[rows]
        kind = SCHEMA.field("options").type
        texts = pa.array([_TRUTH, _TRUTH[::-1]], type=kind).take(swapped)
        return texts, pa.array([(TRUE, FALSE), (FALSE, TRUE)], type=kind).take(swapped)

    @cached_property
    def _names_column(self) -> Column:
        return pa.array([entity.name for entity in self._lexicon.entities], type=pa.string())

    @cached_property
    def _uids_column(self) -> Column:
        return pa.array([entity.uid for entity in self._lexicon.entities], type=pa.string())

    def _stems(self, question: Question, options: tuple[str, ...], answer: int) -> list[tuple[Stem, str]]:
        comparing = question.kind is ProbeKind.COMPARISON
        found = self._phraser.stems(question, self._names(sorted(options)) if comparing else ())
        if not found:
            self._dropped[NO_TEMPLATE] += 1
            return []
        if not comparing and question.kind is not ProbeKind.CONFLICT:
            names = self._surfaces(options[answer : answer + 1])
            found = [stem for stem in found if not leaks(stem.text, names)]
            if not found:
                self._dropped[LEAK] += 1
        return [(stem, "") for stem in found]

    def _surfaces(self, uids: Sequence[str]) -> Sequence[str]:
        lexicon = self._lexicon
        return [surface for uid in uids for surface in lexicon.surfaces[lexicon.index[uid]]]

    def _names(self, uids: Sequence[str]) -> list[str]:
        lexicon = self._lexicon
        return [lexicon.entities[lexicon.index[uid]].name for uid in uids]

    def _prefix_places(self, kind: ProbeKind, keys: Keys) -> Sequence[Sequence[int]]:
        if kind is not ProbeKind.CONTEXTUAL or not self._sentences:
            return [()] * len(keys)
        drawn = streams(keys ^ np.uint64(PREFIX), PREFIX_TRIES) % np.uint64(len(self._sentences))
        places: list[list[int]] = drawn.tolist()
        return places

    def _prefix(self, question: Question, options: tuple[str, ...], places: Sequence[int]) -> str:
        """A true sentence of another domain that names nothing of the question."""
        domain = self._lexicon.entity(question.anchor).domain
        names: Sequence[str] | None = None
        for place in places:
            text, other = self._sentences[place]
            if other == domain:
                continue
            names = names if names is not None else self._surfaces((question.anchor, *options, *question.before))
            if not leaks(text, names):
                return text
        return ""


class _Numbered:
    """Gives equal values one number, from 0."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}

    def number(self, value: tuple[str, ...]) -> int:
        """The number of a value."""
        return self._numbers.setdefault(value, len(self._numbers))

    @property
    def values(self) -> list[tuple[str, ...]]:
        """All values, by number."""
        return list(self._numbers)


def _lists(values: Column, places: Indices) -> Column:
    """Lists of values by their places; padding is left out."""
    shown = places != NOBODY
    ends = np.concatenate([[0], np.cumsum(shown.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(ends, values.take(places[shown]))
