"""From a question to probes: shown answers, options, stems; what cannot be asked is counted by reason."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import FALSE, TRUE, Question
from knowledgesmith.graph_schema.probes.drawing.draw import (
    ANSWER,
    OPTIONS,
    PREFIX,
    draw_key,
    draw_options,
    permutation,
    sample,
    stream,
)
from knowledgesmith.graph_schema.probes.wording.verbalise import FALSE_TEXT, TRUE_TEXT, Stem, leaks, stems
from knowledgesmith.graph_schema.types.probes import Context, Polarity, Probe, ProbeKind

PREFIX_TRIES: Final = 16
"""Sentences that are looked at before a probe goes without a prefix."""
AMBIGUOUS_ANCHOR: Final = "ambiguous_anchor"
AMBIGUOUS_OPTION: Final = "ambiguous_option"
NO_DISTRACTOR: Final = "no_distractor"
NO_TEMPLATE: Final = "no_template"
LEAK: Final = "leak"
REASONS: Final = (AMBIGUOUS_ANCHOR, AMBIGUOUS_OPTION, NO_DISTRACTOR, NO_TEMPLATE, LEAK)
"""Why a question yields no probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A probe with the answers among its options in both worlds, and the answer that its asked fact is about."""

    question: Question
    probe: Probe
    before: tuple[int, ...]
    after: tuple[int, ...]
    asked: str


@dataclass(slots=True, kw_only=True)
class Builder:
    """Builds probes of one graph with one seed; ``dropped`` counts by reason what it could not build.

    ``prefer`` are answers to show where there is a choice (the objects of the targets). ``sentences`` are true
    statements, each with its domain, that stand before a CONTEXTUAL probe as irrelevant text.
    """

    lexicon: Lexicon
    seed: int
    prefer: Collection[str] = ()
    sentences: Sequence[tuple[str, str]] = ()
    same_relation: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def build(self, question: Question, *, phrasings: int = 3) -> list[Built]:
        """The probes of a question, or none with the reason counted in ``dropped``.

        Raises:
            Cancelled: nobody waits for them any more.
        """
        cancellation.check()
        if self.lexicon.is_ambiguous(question.anchor) or (
            question.object and self.lexicon.is_ambiguous(question.object)
        ):
            return self._drop(AMBIGUOUS_ANCHOR)
        shown = self._shown(question)
        options = self._options(question, shown)
        if options is None:
            return self._drop(NO_DISTRACTOR)
        found = stems(question, lexicon=self.lexicon, options=sorted(options))
        if not found:
            return self._drop(NO_TEMPLATE)
        if question.kind not in {ProbeKind.CONFLICT, ProbeKind.COMPARISON}:
            answers = self.lexicon.names_of({*shown, *question.before, *question.after})
            found = [stem for stem in found if not leaks(stem.text, answers)]
            if not found:
                return self._drop(LEAK)
        limit = 2 if question.kind is ProbeKind.COMPARISON else phrasings
        asked = shown[0]
        built = [self._probe(question, options=options, stem=stem, asked=asked) for stem in found[:limit]]
        if question.kind is ProbeKind.CONTEXTUAL and (prefix := self._prefix(question, options)):
            built = [built[0], self._probe(question, options=options, stem=found[0], asked=asked, prefix=prefix)]
        return built

    def _drop(self, reason: str) -> list[Built]:
        self.dropped[reason] += 1
        return []

    def _shown(self, question: Question) -> list[str]:
        """The answers among the options: the old and the new one, or one that stays."""
        before, after = set(question.before), set(question.after)
        if question.kind is ProbeKind.CONFLICT:
            return [*question.before, *question.after][:1]
        groups = [before - after, after - before] if question.polarity is Polarity.CHANGE else [before & after]
        return [self._pick(sorted(group), question) for group in groups if group]

    def _pick(self, answers: list[str], question: Question) -> str:
        preferred = [uid for uid in answers if uid in self.prefer] or answers
        return sample(preferred, 1, key=draw_key(self.seed, *question.parts) ^ ANSWER)[0]

    def _options(self, question: Question, shown: list[str]) -> tuple[str, ...] | None:
        key = draw_key(self.seed, *question.parts) ^ OPTIONS
        if question.kind is ProbeKind.CONFLICT:
            return tuple((TRUE, FALSE)[position] for position in permutation(2, key=key))
        avoided = {
            *question.nodes_before,
            *question.nodes_after,
            *question.before,
            *question.after,
            *question.doubtful,
            question.anchor,
        }
        pool = self.lexicon.pool(
            answer=shown[0],
            relation=question.relation,
            reverse=question.reverse,
            same_relation=self.same_relation.get((question.relation, question.reverse), ()),
        )
        return draw_options(self.lexicon, pool=pool, shown=shown, excluded=avoided, arity=question.kind.arity, key=key)

    def _prefix(self, question: Question, options: Iterable[str]) -> str:
        """A true sentence of another domain that names nothing of the question."""
        if not self.sentences:
            return ""
        domain = self.lexicon.entity(question.anchor).domain
        names = self.lexicon.names_of({question.anchor, *options, *question.before, *question.after})
        for number in stream(draw_key(self.seed, *question.parts) ^ PREFIX, PREFIX_TRIES):
            text, other = self.sentences[int(number % np.uint64(len(self.sentences)))]
            if other != domain and not leaks(text, names):
                return text
        return ""

    def _probe(
        self, question: Question, *, options: tuple[str, ...], stem: Stem, asked: str, prefix: str = ""
    ) -> Built:
        before = tuple(n for n, uid in enumerate(options) if uid in question.before)
        after = tuple(n for n, uid in enumerate(options) if uid in question.after)
        answers = [uid for uid in options if uid in {*question.before, *question.after}]
        texts = option_texts(self.lexicon, question.kind, options)
        probe = Probe(
            id=id_of(asked_with(self.lexicon.graph_id, question, options, texts), stem, prefix),
            kind=question.kind,
            anchor=question.anchor,
            path=question.path,
            chain_length=len(question.path),
            stem=stem.text,
            options=texts,
            option_uids=options,
            answers=before,
            template=stem.template,
            fact_ids=question.facts(self.lexicon.graph_id, answers),
            context=context_of(question),
            prefix=prefix,
            counter_stem=stem.counter,
        )
        return Built(question=question, probe=probe, before=before, after=after, asked=asked)


def context_of(question: Question) -> Context:
    """Where a contextual question stands to what is changed; other kinds have no context."""
    return question.context if question.kind is ProbeKind.CONTEXTUAL else Context.NONE


def option_texts(lexicon: Lexicon, kind: ProbeKind, options: Sequence[str]) -> tuple[str, ...]:
    """The texts to score, in the order of the options' uids."""
    if kind is ProbeKind.CONFLICT:
        return tuple(TRUE_TEXT if uid == TRUE else FALSE_TEXT for uid in options)
    return tuple(lexicon.entity(uid).name for uid in options)


def asked_with(graph_id: str, question: Question, options: Sequence[str], texts: Sequence[str]) -> str:
    """What the ids of all phrasings of a question have in common.

    All that a probe's node keeps is in it, so that plans share a node only where it is the same for both: neither the
    question's context (it depends on the plan) nor an entity's name (an import may change it) can differ under one id.
    No part can hold a separator: texts with control characters are refused at import.
    """
    return "\x1f".join((graph_id, *question.parts, context_of(question).value, *options, *texts, ""))


def id_of(asked: str, stem: Stem, prefix: str) -> str:
    """The id of one phrasing, 32 hexadecimal digits; ``asked`` is what :func:`asked_with` gave."""
    content = f"{asked}\x1f{stem.text}\x1f{stem.template}\x1f{prefix}"
    if stem.counter:
        content += f"\x1f{stem.counter}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
