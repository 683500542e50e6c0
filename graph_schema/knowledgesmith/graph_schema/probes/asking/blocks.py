"""Questions of a bulk run, a block of anchors at a time: one read for all kinds that ask for an object.

What the read found is kept as numbers until every such kind has asked, which takes a few bytes a fact: less than the
names of the graph take.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, TRUE, Question, Scope, ask
from knowledgesmith.graph_schema.reasoning.closure import BEFORE
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.probes import Context, ProbeKind

RETIRED: Final = -1
"""Stands among the answers for an entity that the graph has retired."""
_CONTEXTS: Final = tuple(Context)


@dataclass(slots=True)
class Block:
    """One entry a question, in order of anchor and relation; ``answers`` in order of uid, ``ends`` where they end."""

    anchors: array[int] = field(default_factory=lambda: array("i"))
    relations: array[int] = field(default_factory=lambda: array("i"))
    comparable: array[int] = field(default_factory=lambda: array("b"))
    contexts: array[int] = field(default_factory=lambda: array("b"))
    ends: array[int] = field(default_factory=lambda: array("i"))
    answers: array[int] = field(default_factory=lambda: array("i"))


class Blocks:
    """Asks one transaction; the questions are those of :func:`questions.ask` in the world of a bulk run.

    Args:
        tx: a transaction that holds the closure.
        lexicon: the graph's names.
        keep: nothing but these blocks of anchors will be asked about, by every kind.
    """

    def __init__(self, tx: Transaction, *, lexicon: Lexicon, keep: bool) -> None:
        self._tx = tx
        self._lexicon = lexicon
        self._keep = keep
        self._names = sorted(lexicon.relations)
        self._uids = [entity.uid for entity in lexicon.entities]
        self._kept: dict[tuple[str, int, bool], Block] = {}
        self._forms: Mapping[ProbeKind, Callable[[Block], Iterator[Question]]] = {
            ProbeKind.DIRECT: lambda block: self._choices(ProbeKind.DIRECT, block),
            ProbeKind.COMPARISON: lambda block: self._choices(ProbeKind.COMPARISON, block),
            ProbeKind.CONTEXTUAL: lambda block: self._choices(ProbeKind.CONTEXTUAL, block),
            ProbeKind.REVERSE: lambda block: self._choices(ProbeKind.REVERSE, block),
            ProbeKind.CONFLICT: self._statements,
        }

    def questions(self, kind: ProbeKind, anchors: Sequence[str]) -> list[Question]:
        """The questions of a kind about some anchors, sorted by key."""
        if kind in self._forms:
            return list(self._forms[kind](self.facts(anchors, reverse=kind is ProbeKind.REVERSE)))
        scope = Scope(anchors=anchors, long_anchors=anchors)
        return ask(self._tx, lexicon=self._lexicon, scope=scope, kind=kind, worlds=(BEFORE,))

    def facts(self, anchors: Sequence[str], *, reverse: bool) -> Block:
        """What is true of the anchors as subjects, or as objects."""
        key = (anchors[0], len(anchors), reverse)
        block = self._kept.get(key) or self._read(anchors, reverse=reverse)
        if self._keep:
            self._kept[key] = block
        return block

    def name(self, relation: int) -> str:
        """The relation of this number."""
        return self._names[relation]

    def _read(self, anchors: Sequence[str], *, reverse: bool) -> Block:
        block = Block()
        numbers = {self._lexicon.relations[name].rel_type: n for n, name in enumerate(self._names)}
        index = self._lexicon.index
        (row,) = self._tx.rows(
            "probes/reverse_block" if reverse else "probes/block",
            graph_id=self._lexicon.graph_id,
            world=BEFORE,
            types=self._lexicon.rel_types,
            anchors=list(anchors),
        )
        for anchor, found, context in sorted(row["asked"]):
            number = _CONTEXTS.index(Context(context))
            for relation, answers, comparable in sorted(
                (numbers[rel_type], sorted(uids), comparable) for rel_type, uids, comparable in found
            ):
                block.anchors.append(index[anchor])
                block.relations.append(relation)
                block.comparable.append(comparable)
                block.contexts.append(number)
                block.answers.extend([index.get(uid, RETIRED) for uid in answers])
                block.ends.append(len(block.answers))
        return block

    def _choices(self, kind: ProbeKind, block: Block) -> Iterator[Question]:
        comparing, contextual = kind is ProbeKind.COMPARISON, kind is ProbeKind.CONTEXTUAL
        sign = BACKWARD if kind is ProbeKind.REVERSE else ""
        uids, paths = self._uids, [(sign + name,) for name in self._names]
        start = 0
        for row, end in enumerate(block.ends):
            answers = block.answers[start:end]
            start = end
            if RETIRED in answers or (comparing and not block.comparable[row]):
                continue
            right = tuple([uids[answer] for answer in answers])
            yield Question(
                kind=kind,
                anchor=uids[block.anchors[row]],
                path=paths[block.relations[row]],
                before=right,
                after=right,
                context=_CONTEXTS[block.contexts[row]] if contextual else Context.NONE,
            )

    def _statements(self, block: Block) -> Iterator[Question]:
        uids, paths, right = self._uids, [(name,) for name in self._names], (TRUE,)
        start = 0
        for row, end in enumerate(block.ends):
            anchor, path = uids[block.anchors[row]], paths[block.relations[row]]
            for answer in block.answers[start:end]:
                if answer != RETIRED:
                    yield Question(
                        kind=ProbeKind.CONFLICT,
                        anchor=anchor,
                        path=path,
                        before=right,
                        after=right,
                        object=uids[answer],
                    )
            start = end
