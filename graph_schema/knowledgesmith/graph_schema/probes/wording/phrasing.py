"""Many texts quickly: the phrasings of :mod:`verbalise`, with every template taken apart once.

The first phrasing of a question is the one that :func:`verbalise.stems` gives; here there may be as many as the
relation has templates. Only templates of one split are looked at: those for evaluation, if nobody asks for training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.language.filling import fill_one, opened
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, Question
from knowledgesmith.graph_schema.probes.wording.verbalise import Phrase, Stem, choice, judged
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split
from knowledgesmith.graph_schema.types.probes import ProbeKind

_EVERY: Final = 1 << 30
_MARK: Final = "\x1e"
Texts = Sequence[tuple[str, str]]
"""Template texts with the template's name in probes."""


class Phraser:
    """Texts of one graph's questions, at most ``limit`` phrasings each (0: all of the split)."""

    def __init__(self, lexicon: Lexicon, *, limit: int, split: Split = Split.EVAL) -> None:
        self._lexicon = lexicon
        self._limit = limit or _EVERY
        self._split = split
        self._texts: dict[tuple[str, Direction, Form], Texts] = {}
        self._phrases: dict[tuple[str, tuple[str, ...]], tuple[Phrase | None, str]] = {}

    def stems(self, question: Question, options: Sequence[str]) -> list[Stem]:
        """All phrasings of a question; ``options`` are the names of the two things to compare, in uid order."""
        return self._makers[question.kind](question, options)

    def frames(self, path: tuple[str, ...]) -> list[str]:
        """The texts of all phrasings of a path that asks for its end, with a mark where the anchor's name stands."""
        step, *further = path
        if further:
            return [stem.text for stem in self._chained("", _MARK, path)]
        return [fill_one(text, _MARK) for text, _ in self._step(step, Form.CLOZE)[: self._limit]]

    def forget(self) -> None:
        """Drop what was kept for the chains of earlier anchors."""
        self._phrases.clear()

    @cached_property
    def _makers(self) -> Mapping[ProbeKind, Callable[[Question, Sequence[str]], list[Stem]]]:
        plain = self._plain
        return {
            ProbeKind.DIRECT: plain,
            ProbeKind.REVERSE: plain,
            ProbeKind.CONTEXTUAL: plain,
            ProbeKind.MULTI_HOP: self._chain,
            ProbeKind.COMPARISON: self._comparison,
            ProbeKind.CONFLICT: self._judgement,
        }

    def _plain(self, question: Question, _options: Sequence[str]) -> list[Stem]:
        name = self._name(question.anchor)
        direction = Direction.REVERSE if question.reverse else Direction.FORWARD
        found = self._of(question.relation, direction, Form.CLOZE)[: self._limit]
        return [Stem(text=fill_one(opened(text), name), template=template) for text, template in found]

    def _chain(self, question: Question, _options: Sequence[str]) -> list[Stem]:
        return self._chained(question.anchor, self._name(question.anchor), question.path)

    def _chained(self, anchor: str, name: str, path: tuple[str, ...]) -> list[Stem]:
        phrase, used = self._phrase(anchor, name, path[:-1])
        if phrase is None:
            return []
        found: list[Stem] = []
        for text, template in self._step(path[-1], Form.CLOZE):
            if whole := phrase.inside(text, first=False):
                found.append(Stem(text=whole.opening, template=f"{used}+{template}"))
            if len(found) == self._limit:
                break
        return found

    def _phrase(self, anchor: str, name: str, path: tuple[str, ...]) -> tuple[Phrase | None, str]:
        """The noun phrase of the chain so far, and its templates; ``None`` where no phrasing nests."""
        known = self._phrases.get((anchor, path))
        if known is not None:
            return known
        *before, step = path
        inner, used = self._phrase(anchor, name, tuple(before)) if before else (Phrase.of_name(name), "")
        made: tuple[Phrase | None, str] = (None, "")
        for text, template in self._step(step, Form.PHRASE) if inner else ():
            if inner and (whole := inner.inside(text, first=not before)):
                made = (whole, f"{used}+{template}" if used else template)
                break
        self._phrases[anchor, path] = made
        return made

    def _comparison(self, question: Question, options: Sequence[str]) -> list[Stem]:
        if len(options) != 2:
            return []
        name = self._name(question.anchor)
        one, other = options
        found: list[Stem] = []
        for text, template in self._of(question.relation, Direction.FORWARD, Form.QUESTION)[: self._limit]:
            asked = fill_one(opened(text), name).rstrip()
            found.append(Stem(text=choice(asked, one, other), template=f"{template}/0"))
            found.append(Stem(text=choice(asked, other, one), template=f"{template}/1"))
        return found

    def _judgement(self, question: Question, _options: Sequence[str]) -> list[Stem]:
        subject, obj = self._name(question.anchor), self._name(question.object)
        found = self._of(question.relation, Direction.FORWARD, Form.STATEMENT)[: self._limit]
        return [judged(text, template, subject=subject, obj=obj) for text, template in found]

    def _name(self, uid: str) -> str:
        return self._lexicon.entities[self._lexicon.index[uid]].name

    def _step(self, step: str, form: Form) -> Texts:
        direction = Direction.REVERSE if step.startswith(BACKWARD) else Direction.FORWARD
        return self._of(step.removeprefix(BACKWARD), direction, form)

    def _of(self, relation: str, direction: Direction, form: Form) -> Texts:
        key = (relation, direction, form)
        known = self._texts.get(key)
        if known is None:
            picked = self._lexicon.relation(relation).pick(direction=direction, form=form, split=self._split)
            known = [(t.text, f"{relation}/{direction}/{form}/{number}") for number, t in enumerate(picked)]
            self._texts[key] = known
        return known
