"""What shows in questions and their options without any knowledge, as numbers: what guessers and balancing read.

A question has a row, whatever the number of its phrasings; the first phrasing speaks for all. About a hundred bytes a
question are kept, so that a set of a million questions can be judged at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.asking.questions import TRUE
from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key
from knowledgesmith.graph_schema.probes.nodes import probe_from
from knowledgesmith.graph_schema.probes.wording.looks import Look, look, parts, same_end, same_start
from knowledgesmith.graph_schema.probes.wording.stated import stated_object
from knowledgesmith.graph_schema.types.probes import ProbeKind

FOLDS: Final = 5
NOTHING: Final = -1
"""Stands for an option that is not there, and for the type of one that has none."""
OBJECT: Final = "object"
"""Column of the stated object's dense index, which tables have while a set is made."""
_COLUMNS: Final = ("anchor", "kind", "path", "fact_ids", "stem", "options", "option_uids", "answers")

Reals = NDArray[np.float64]
Indices = NDArray[np.int64]


class Clue(IntEnum):
    """What an option shows beside its question; the number is the column."""

    WORDS = 0
    WORDS_SHARE = 1
    LETTERS = 2
    LETTERS_SHARE = 3
    BEGINNING = 4
    ENDING = 5
    LENGTH = 6
    COUNT = 7
    NEARNESS = 8
    NUMBERS = 9
    CAPITALS = 10
    CAPITAL = 11
    DIGIT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """The questions of one kind, in the set's order.

    Attributes:
        kind: which kind.
        groups: number of the last step of what is asked (shape ``(questions,)``).
        folds: a part of the set, the same for all questions of an anchor (shape ``(questions,)``).
        keys: of the questions' draws, 0 where the set is a stored one (shape ``(questions,)``).
        options: number of each option, ``NOTHING`` beyond the last (shape ``(questions, options)``). Of a statement:
            the stated entity at the place of "true", and 0 at the place of "false".
        types: number of each option's type (shape ``(questions, options)``).
        right: place of the right option (shape ``(questions,)``).
        values: the :class:`Clue` columns of each option (shape ``(questions, options, clues)``). Of a statement: how
            far the entity is from the middle of what is stated of the relation, and 0 for "false".
        words: numbers of the words of every numbered option.
    """

    kind: ProbeKind
    groups: NDArray[np.int32]
    folds: NDArray[np.int8]
    keys: NDArray[np.uint64]
    options: NDArray[np.int32]
    types: NDArray[np.int32]
    right: NDArray[np.int8]
    values: NDArray[np.float16]
    words: Words

    def __len__(self) -> int:
        return len(self.right)

    @property
    def offered(self) -> NDArray[np.bool_]:
        """Which options there are (shape ``(questions, options)``)."""
        there: NDArray[np.bool_] = self.options != NOTHING
        return there

    def only(self, rows: Indices | NDArray[np.bool_]) -> Clues:
        """Some of the questions."""
        return Clues(
            kind=self.kind,
            groups=self.groups[rows],
            folds=self.folds[rows],
            keys=self.keys[rows],
            options=self.options[rows],
            types=self.types[rows],
            right=self.right[rows],
            values=self.values[rows],
            words=self.words,
        )


class Words:
    """Numbers of the words of numbered options."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._ends = array("q", [0])
        self._words = array("i")

    def add(self, words: Iterable[str]) -> None:
        """The words of the next option."""
        self._words.extend([self._numbers.setdefault(word, len(self._numbers)) for word in sorted(words)])
        self._ends.append(len(self._words))

    @property
    def total(self) -> int:
        """How many different words there are."""
        return len(self._numbers)

    def of(self, options: Indices) -> tuple[Indices, Indices]:
        """Place in ``options`` and word, for every word of every option. Shapes ``(words,)``."""
        ends = np.frombuffer(self._ends, dtype=np.int64)
        words = np.frombuffer(self._words, dtype=np.int32) if self._words else np.zeros(0, dtype=np.int32)
        starts, sizes = ends[options], ends[options + 1] - ends[options]
        places = np.repeat(np.arange(len(options)), sizes)
        before = np.repeat(np.cumsum(sizes) - sizes, sizes)
        return places, words[np.repeat(starts, sizes) + np.arange(len(places)) - before].astype(np.int64)


@dataclass(slots=True)
class _Rows:
    """What is kept of one kind; one entry a question, or a question's options one after another."""

    groups: array[int] = field(default_factory=lambda: array("i"))
    folds: array[int] = field(default_factory=lambda: array("b"))
    keys: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("b"))
    right: array[int] = field(default_factory=lambda: array("b"))
    options: array[int] = field(default_factory=lambda: array("i"))
    types: array[int] = field(default_factory=lambda: array("i"))
    values: list[NDArray[np.float16]] = field(default_factory=list[NDArray[np.float16]])


class Reader:
    """Takes the tables of a set in their order.

    Args:
        lexicon: names and types; what it does not know has only the text of its option.
        seed: of the folds.
    """

    def __init__(self, lexicon: Lexicon, *, seed: int) -> None:
        self._lexicon = lexicon
        self._seed = seed
        self._rows: dict[ProbeKind, _Rows] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._groups: dict[str, int] = {}
        self._types: dict[str, int] = {}
        self._words = Words()
        self._about: tuple[str, str] = ("", "")
        self._fold = 0
        self._seen: dict[tuple[object, ...], int] = {}
        self._number(TRUE + "\x1f", "")  # 0 is what a denial of a statement shows

    def add(self, table: Table) -> NDArray[np.int32]:
        """Read some probes; the number of each one's question among those of its kind. Shape ``(rows,)``."""
        names = table.column_names
        columns = [table[name].to_pylist() for name in _COLUMNS]
        keys = table["key"].to_pylist() if "key" in names else [0] * table.num_rows
        stated = table[OBJECT].to_pylist() if OBJECT in names else None
        flat: list[float] = []
        places = array("i")
        kept: _Rows | None = None
        for row, (anchor, name, path, facts, stem, texts, uids, answers) in enumerate(zip(*columns, strict=True)):
            if (anchor, name) != self._about:
                kept = self._turn_to(anchor, name, kept, flat)
            kept = kept or self._rows[ProbeKind(name)]
            question = (tuple(path), tuple(facts), tuple(uids))
            place = self._seen.get(question)
            if place is None:
                place = self._seen[question] = len(kept.right)
                kept.groups.append(self._groups.setdefault(path[-1], len(self._groups)))
                kept.folds.append(self._fold)
                kept.keys.append(keys[row])
                kept.right.append(answers[0])
                kept.sizes.append(len(texts))
                if name == ProbeKind.CONFLICT:
                    shown = stated[row] if stated is not None else self._stated(table, row)
                    self._statement(kept, flat, anchor=anchor, shown=shown, uids=uids, stem=stem)
                else:
                    self._choice(kept, flat, anchor=anchor, stem=stem, texts=texts, uids=uids)
            places.append(place)
        if kept is not None:
            _settle(kept, flat)
        return np.frombuffer(places, dtype=np.int32) if places else np.zeros(0, dtype=np.int32)

    def clues(self, kind: ProbeKind) -> Clues:
        """All questions of a kind that were read."""
        rows = self._rows.get(kind, _Rows())
        sizes = np.array(rows.sizes, dtype=np.int64)
        width = int(sizes.max()) if len(sizes) else kind.arity
        there = np.arange(width) < sizes[:, None]
        options = np.full(there.shape, NOTHING, dtype=np.int32)
        options[there] = np.array(rows.options, dtype=np.int32)
        types = np.full(there.shape, NOTHING, dtype=np.int32)
        types[there] = np.array(rows.types, dtype=np.int32)
        values = np.zeros((*there.shape, len(Clue)), dtype=np.float16)
        if rows.values:
            values[there] = np.concatenate(rows.values)
        made = Clues(
            kind=kind,
            groups=np.array(rows.groups, dtype=np.int32),
            folds=np.array(rows.folds, dtype=np.int8),
            keys=np.array(rows.keys, dtype=np.uint64),
            options=options,
            types=types,
            right=np.array(rows.right, dtype=np.int8),
            values=values,
            words=self._words,
        )
        if kind is ProbeKind.CONFLICT:
            _centre(made)
        return made

    @property
    def kinds(self) -> list[ProbeKind]:
        """Kinds that were read, in the order of their names."""
        return sorted(self._rows, key=lambda kind: kind.value)

    def forget(self, kind: ProbeKind) -> None:
        """Keep nothing of a kind any more."""
        self._rows.pop(kind, None)

    def _turn_to(self, anchor: str, name: str, kept: _Rows | None, flat: list[float]) -> _Rows:
        if name != self._about[1] and kept is not None:
            _settle(kept, flat)
        if anchor != self._about[0]:
            self._fold = draw_key(self._seed, "fold", anchor) % FOLDS
        self._about = (anchor, name)
        self._seen.clear()
        return self._rows.setdefault(ProbeKind(name), _Rows())

    def _choice(
        self, kept: _Rows, flat: list[float], *, anchor: str, stem: str, texts: Sequence[str], uids: Sequence[str]
    ) -> None:
        name = self._name(anchor)
        if ProbeKind(self._about[1]) is ProbeKind.COMPARISON:
            for text in texts:
                stem = stem.replace(text, " ")
        words, runs = parts(stem)
        for text, uid in zip(texts, uids, strict=True):
            kept.options.append(self._number(uid, text))
            kept.types.append(self._type(uid))
            flat += _shown(look(name), look(text), words=words, runs=runs)

    def _statement(
        self, kept: _Rows, flat: list[float], *, anchor: str, shown: int | None, uids: Sequence[str], stem: str
    ) -> None:
        entity = self._lexicon.entities[shown] if shown is not None and shown >= 0 else None
        about = look(self._name(anchor))
        for uid in uids:
            if uid != TRUE:
                kept.options.append(0)
                kept.types.append(NOTHING)
                flat += _NO_CLUES
                continue
            kept.options.append(self._number(entity.uid, entity.name) if entity else 0)
            kept.types.append(self._type(entity.uid) if entity else NOTHING)
            flat += _shown(about, look(entity.name if entity else stem), words=about.words, runs=about.runs)

    def _stated(self, table: Table, row: int) -> int | None:
        """Dense index of what a stored statement is about; ``None`` where the graph does not know it any more."""
        (properties,) = table.slice(row, 1).to_pylist()
        probe = probe_from(properties)
        known = probe.anchor in self._lexicon and all(step in self._lexicon.relations for step in probe.path)
        uid = stated_object(probe, self._lexicon) if known else None
        return None if uid is None else self._lexicon.index[uid]

    def _name(self, uid: str) -> str:
        place = self._lexicon.index.get(uid)
        return "" if place is None else self._lexicon.entities[place].name

    def _type(self, uid: str) -> int:
        place = self._lexicon.index.get(uid)
        kind = "" if place is None else self._lexicon.entities[place].type
        return self._types.setdefault(kind, len(self._types))

    def _number(self, uid: str, text: str) -> int:
        number = self._numbers.get((uid, text))
        if number is None:
            number = self._numbers[uid, text] = len(self._numbers)
            self._words.add(look(text).words)
        return number


_NO_CLUES: Final = [0.0] * len(Clue)


def _shown(about: Look, option: Look, *, words: frozenset[str], runs: frozenset[str]) -> list[float]:
    """The columns of :class:`Clue` for one option."""
    shared = len(option.words & words)
    letters = len(option.runs & runs)
    return [
        shared,
        shared / (len(option.words) or 1),
        letters,
        letters / (len(option.runs) or 1),
        same_start(option.folded, about.folded),
        same_end(option.folded, about.folded),
        option.length,
        option.count,
        -abs(option.length - about.length),
        2 * len(option.numbers & about.numbers) + (bool(option.numbers) == bool(about.numbers)),
        option.capitals == about.capitals,
        option.capitals >= 2,
        bool(option.numbers),
    ]


def _settle(kept: _Rows, flat: list[float]) -> None:
    if flat:
        kept.values.append(np.array(flat, dtype=np.float16).reshape(-1, len(Clue)))
        flat.clear()


def _centre(clues: Clues) -> None:
    """Statements: the middle of what is stated of a relation becomes 0, which is what "false" shows."""
    stated = clues.options > 0
    rows, places = np.nonzero(stated)
    shown = clues.values[rows, places].astype(np.float64)
    for group in np.unique(clues.groups):
        mine = clues.groups[rows] == group
        if mine.any():
            shown[mine] -= np.median(shown[mine], axis=0)
    clues.values[rows, places] = shown
