"""From verified questions with drawn options to columns of probes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from knowledgesmith.graph_schema.facts import Split
from knowledgesmith.graph_schema.probes.build import LEAK, NO_TEMPLATE, PREFIX_TRIES, probe_id
from knowledgesmith.graph_schema.probes.columns import SCHEMA, Column, Table
from knowledgesmith.graph_schema.probes.draw import PREFIX, streams
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.phrasing import Phraser
from knowledgesmith.graph_schema.probes.questions import Question
from knowledgesmith.graph_schema.probes.types import Context, ProbeKind
from knowledgesmith.graph_schema.probes.vector_draw import Keys
from knowledgesmith.graph_schema.probes.verbalise import FALSE_TEXT, TRUE_TEXT, Stem, leaks

_TRUTH = (TRUE_TEXT, FALSE_TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Questions of one kind with their options: uids in drawn order, and which one is right.

    ``keys`` are the questions' keys (shape ``(questions,)``); lists run parallel to ``questions``.
    """

    questions: Sequence[Question]
    options: Sequence[tuple[str, ...]]
    answers: Sequence[int]
    keys: Keys


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
        """The probes, sorted by anchor, path and id, with one more column: the ``key`` of their question."""
        prefixes = self._prefix_places(kind, drawn.keys)
        columns: dict[str, list[Any]] = {name: [] for name in _VARYING}
        rows = zip(drawn.questions, drawn.options, drawn.answers, drawn.keys.tolist(), prefixes, strict=True)
        for question, options, answer, key, places in rows:
            made = self._stems(question, options)
            if not made:
                continue
            if kind is ProbeKind.CONTEXTUAL and (prefix := self._prefix(question, options, places)):
                made = [made[0], (made[0][0], prefix)]
            self._append(columns, question, options, answer, key, made)
        self._phraser.forget()
        return _sorted(kind, columns)

    def _append(
        self,
        columns: dict[str, list[Any]],
        question: Question,
        options: tuple[str, ...],
        answer: int,
        key: int,
        made: Sequence[tuple[Stem, str]],
    ) -> None:
        graph_id = self._lexicon.graph_id
        facts = question.facts(graph_id, (options[answer],))
        texts = self._texts(question, options)
        for stem, prefix in made:
            columns["id"].append(probe_id(graph_id, question, options=options, stem=stem, prefix=prefix))
            columns["anchor"].append(question.anchor)
            columns["path"].append(question.path)
            columns["stem"].append(stem.text)
            columns["options"].append(texts)
            columns["option_uids"].append(options)
            columns["answers"].append((answer,))
            columns["template"].append(stem.template)
            columns["fact_ids"].append(facts)
            columns["context"].append(question.context.value)
            columns["prefix"].append(prefix)
            columns["key"].append(key)

    def _stems(self, question: Question, options: tuple[str, ...]) -> list[tuple[Stem, str]]:
        comparing = question.kind is ProbeKind.COMPARISON
        found = self._phraser.stems(question, self._names(sorted(options)) if comparing else ())
        if not found:
            self._dropped[NO_TEMPLATE] += 1
            return []
        if not comparing and question.kind is not ProbeKind.CONFLICT:
            answers = self._surfaces(question.before)
            found = [stem for stem in found if not leaks(stem.text, answers)]
            if not found:
                self._dropped[LEAK] += 1
        return [(stem, "") for stem in found]

    def _surfaces(self, uids: Sequence[str]) -> Sequence[str]:
        lexicon = self._lexicon
        return [surface for uid in uids for surface in lexicon.surfaces[lexicon.index[uid]]]

    def _names(self, uids: Sequence[str]) -> list[str]:
        lexicon = self._lexicon
        return [lexicon.entities[lexicon.index[uid]].name for uid in uids]

    def _texts(self, question: Question, options: tuple[str, ...]) -> Sequence[str]:
        if question.kind is ProbeKind.CONFLICT:
            return _TRUTH if options[0] == "true" else _TRUTH[::-1]
        return self._names(options)

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


_VARYING = (
    "id",
    "anchor",
    "path",
    "stem",
    "options",
    "option_uids",
    "answers",
    "template",
    "fact_ids",
    "context",
    "prefix",
    "key",
)


def _sorted(kind: ProbeKind, columns: dict[str, list[Any]]) -> Table:
    count = len(columns["id"])
    order = sorted(range(count), key=lambda n: (columns["anchor"][n], columns["path"][n], columns["id"][n]))
    arrays: dict[str, Column] = {}
    for field in SCHEMA:
        if field.name == "kind":
            arrays["kind"] = pa.repeat(kind.value, count)
        elif field.name == "chain_length":
            arrays["chain_length"] = pa.array([len(columns["path"][n]) for n in order], type=field.type)
        elif field.name == "context" and kind is not ProbeKind.CONTEXTUAL:
            arrays["context"] = pa.repeat(Context.NONE.value, count)
        else:
            values = columns[field.name]
            arrays[field.name] = pa.array([values[n] for n in order], type=field.type)
    keys = columns["key"]
    arrays["key"] = pa.array([keys[n] for n in order], type=pa.uint64())
    return pa.table(arrays)
