"""Guessers that know nothing: each sees the leak it is made for, none sees one where there is none, in any script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key
from knowledgesmith.graph_schema.probes.generation.generate import tables_of
from knowledgesmith.graph_schema.probes.guessing.clues import Clues, Reader
from knowledgesmith.graph_schema.probes.guessing.guessers import Guess, Guesser, Tally, guess_of
from knowledgesmith.graph_schema.probes.guessing.thinning import evenly_placed, kept
from knowledgesmith.graph_schema.probes.sets.fair_sets import guesses_of, unfair_because
from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

COUNT = 500
SYLLABLES = ["ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "zo", "ka", "le"]
Draw = np.random.Generator
Maker = Callable[[Draw], tuple[str, str, list[str]]]
"""Makes the name in the question, the right option, wrong ones."""


def _word(rng: Draw, size: int = 3) -> str:
    return "".join(rng.choice(SYLLABLES, size=size))


def _plain(rng: Draw) -> tuple[str, str, list[str]]:
    return f"{_word(rng)} {_word(rng)}", _word(rng), [_word(rng) for _ in range(3)]


def _shares_a_word(rng: Draw) -> tuple[str, str, list[str]]:
    one, other, right = _word(rng), _word(rng), _word(rng)
    return f"{one} {other}", f"{other} {right}", [f"{_word(rng)} {_word(rng)}" for _ in range(3)]


def _compound(rng: Draw) -> tuple[str, str, list[str]]:
    end = _word(rng).capitalize()
    return f"{_word(rng).capitalize()}{end.lower()}", end, [_word(rng).capitalize() for _ in range(3)]


def _from(letters: str) -> Maker:
    """A script without spaces between words, or with them: the right name repeats a part of the question's."""

    def make(rng: Draw) -> tuple[str, str, list[str]]:
        def name() -> str:
            return "".join(rng.choice(list(letters), size=3))

        right = name()
        return f"{name()}{right}", right, [name() for _ in range(3)]

    return make


def _arabic(rng: Draw) -> tuple[str, str, list[str]]:
    def name() -> str:
        return "".join(rng.choice(list("بتثجحخدرزسشصطعغفقكلمنهوي"), size=5))

    right = name()
    return f"{right} {name()}", f"{right} ال{name()}", [f"{name()} ال{name()}" for _ in range(3)]


def _longest(rng: Draw) -> tuple[str, str, list[str]]:
    name, right, wrong = _plain(rng)
    return name, right + "xy", wrong


def _shortest(rng: Draw) -> tuple[str, str, list[str]]:
    name, right, wrong = _plain(rng)
    return name, right[:-2], wrong


def _numbered(rng: Draw) -> tuple[str, str, list[str]]:
    numbers = [str(n) for n in rng.permutation(np.arange(10, 99))[:4]]
    return f"{_word(rng)} {numbers[0]}", f"{_word(rng)} {numbers[0]}", [f"{_word(rng)} {n}" for n in numbers[1:]]


def _capital(rng: Draw) -> tuple[str, str, list[str]]:
    name, right, wrong = _plain(rng)
    return name.capitalize(), right.capitalize(), wrong


def _nothing_shared(rng: Draw) -> tuple[str, str, list[str]]:
    """The reverse: the right option is the one that shares no word."""
    one, other = _word(rng), _word(rng)
    return f"{one} {other}", f"{_word(rng)} {_word(rng)}", [f"{_word(rng)} {part}" for part in (one, other, one)]


def _set(make: Maker, *, count: int = COUNT) -> tuple[list[Probe], Lexicon]:
    rng = np.random.default_rng(5)
    probes: list[Probe] = []
    entities: dict[str, Entity] = {}
    for number in range(count):
        name, right, wrong = make(rng)
        texts = [right, *wrong]
        order = np.insert(rng.permutation(3) + 1, number % 4, 0)
        uids = [f"o{number}-{n}" for n in range(4)]
        entities[f"a{number}"] = Entity(uid=f"a{number}", name=name)
        for uid, text in zip(uids, texts, strict=True):
            entities[uid] = Entity(uid=uid, name=text)
        probes.append(
            Probe(
                id=f"{number:032x}",
                kind=ProbeKind.DIRECT,
                anchor=f"a{number}",
                path=("r",),
                chain_length=1,
                stem=f"{name} →",
                options=tuple(texts[n] for n in order),
                option_uids=tuple(uids[n] for n in order),
                answers=(order.tolist().index(0),),
                template="t",
                fact_ids=(str(number),),
            )
        )
    return probes, Lexicon.build(graph_id="g", entities=entities.values(), relations=())


def _guesses(probes: list[Probe], lexicon: Lexicon) -> dict[str, Guess]:
    found = guesses_of(tables_of(probes), lexicon=lexicon, seed=0)
    return {guess.guesser: guess for guess in found if guess.kind != "ALL"}


def test_no_guesser_sees_what_is_not_there() -> None:
    found = _guesses(*_set(_plain))
    assert set(found) == set(Guesser)
    assert all(guess.fair and guess.tested == COUNT for guess in found.values())
    assert unfair_because(found.values(), {}) == ()


LEAKS = {
    "a word": (_shares_a_word, {Guesser.SHARED_WORDS, Guesser.SHARED_WORDS_PART, Guesser.SHARED_LETTERS}),
    "a German compound": (_compound, {Guesser.SHARED_LETTERS, Guesser.SAME_ENDING}),
    "Chinese": (_from("汽油柴发动机电池车轮船帆木铁金水火土山"), {Guesser.SHARED_WORDS, Guesser.SHARED_LETTERS}),
    "Japanese": (_from("あいうえおかきくけこさしすせそたちつてとなにぬ"), {Guesser.SHARED_WORDS}),
    "Thai": (_from("กขคงจชซญดตถทนบปผพฟมยรลวสหอ"), {Guesser.SHARED_WORDS, Guesser.SHARED_LETTERS}),
    "Arabic": (_arabic, {Guesser.SHARED_WORDS, Guesser.SHARED_LETTERS, Guesser.SAME_BEGINNING}),
    "the longest": (_longest, {Guesser.LONGEST}),
    "the shortest": (_shortest, {Guesser.SHORTEST}),
    "a number": (_numbered, {Guesser.NUMBERS}),
    "a capital": (_capital, {Guesser.CAPITALS}),
    "nothing shared": (_nothing_shared, set[Guesser]()),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_seen_by_its_guesser_and_by_the_learned_one(leak: str) -> None:
    make, seen = LEAKS[leak]
    found = _guesses(*_set(make))
    for guesser in {*seen, Guesser.LEARNED}:
        assert found[guesser].accuracy > 0.8, guesser
        assert not found[guesser].fair
    assert found[Guesser.POSITION].fair
    assert any("learned" in line for line in unfair_because(found.values(), {}))


def test_places_types_and_favourites_are_seen() -> None:
    probes, lexicon = _set(_plain)
    first = [replace(p, options=(p.options[p.answers[0]], *p.options), answers=(0,)) for p in probes]
    first = [replace(p, options=p.options[:4], option_uids=(f"x{n}", *p.option_uids[:3])) for n, p in enumerate(first)]
    assert _guesses(first, lexicon)[Guesser.POSITION].accuracy == 1.0
    right = {p.option_uids[p.answers[0]] for p in probes}
    typed = [replace(e, type="Town" if e.uid in right else "River") for e in lexicon.entities]
    by_type = Lexicon.build(graph_id="g", entities=typed, relations=())
    assert _guesses(probes, by_type)[Guesser.TYPE].accuracy == 1.0
    often = [
        replace(
            p,
            options=tuple("Rome" if n == p.answers[0] else text for n, text in enumerate(p.options)),
            option_uids=tuple("rome" if n == p.answers[0] else uid for n, uid in enumerate(p.option_uids)),
        )
        for p in probes
    ]
    assert _guesses(often, lexicon)[Guesser.OPTIONS_ONLY].accuracy == 1.0


def _clues(probes: list[Probe], lexicon: Lexicon) -> Clues:
    reader = Reader(lexicon, seed=0)
    for table in tables_of(probes):
        reader.add(table)
    clues = reader.clues(ProbeKind.DIRECT)
    return replace(clues, keys=np.array([draw_key(0, str(n)) for n in range(len(clues))], dtype=np.uint64))


def _mixed(
    *parts: tuple[Callable[[Draw], tuple[str, str, list[str]]], float],
) -> Callable[[Draw], tuple[str, str, list[str]]]:
    shares = [share for _, share in parts]

    def make(rng: Draw) -> tuple[str, str, list[str]]:
        maker, _ = parts[int(rng.choice(len(parts), p=shares))]
        return maker(rng)

    return make


@pytest.mark.parametrize("leak", [_shares_a_word, _nothing_shared, _longest, _capital])
def test_what_leaks_too_often_is_left_out_until_nobody_gains(
    leak: Callable[[Draw], tuple[str, str, list[str]]],
) -> None:
    """A third of the questions tells its answer; what tells nothing stays."""
    probes, lexicon = _set(_mixed((leak, 0.3), (_plain, 0.7)), count=900)
    clues = _clues(probes, lexicon)
    before, after = Tally(), Tally()
    before.add(clues)
    stays = kept(clues)
    assert (kept(clues) == stays).all()
    after.add(clues.only(stays))
    assert any(not guess.fair for guess in before.guesses())
    assert all(guess.fair for guess in after.guesses())
    assert all(guess.accuracy < 0.3 for guess in after.guesses() if guess.guesser != Guesser.POSITION)
    assert stays.mean() > 0.4


def test_what_tells_nothing_stays() -> None:
    for count in (5, 40, COUNT):
        assert kept(_clues(*_set(_plain, count=count))).mean() > 0.9


def test_places_come_out_even() -> None:
    clues = _clues(*_set(_plain))
    stays = evenly_placed(clues, np.ones(len(clues), dtype=np.bool_))
    assert len(set(np.bincount(clues.right[stays]).tolist())) == 1
    assert stays.mean() > 0.8
    few = _clues(*_set(_plain, count=6))
    assert evenly_placed(few, np.ones(6, dtype=np.bool_)).sum() >= 4


@pytest.mark.parametrize(("right", "tested", "chance"), [(29, 29, 0.25), (12, 12, 0.5), (6, 6, 0.25), (90, 200, 0.25)])
def test_what_chance_cannot_be_is_held_against_a_set_of_any_size(right: int, tested: int, chance: float) -> None:
    guess = guess_of("DIRECT", "longest", right=right, tested=tested, expected=chance * tested)
    assert not guess.fair
    assert unfair_because([guess], {})


@pytest.mark.parametrize(("right", "tested", "chance"), [(1, 1, 0.25), (4, 4, 0.25), (9, 9, 0.5), (68, 200, 0.29)])
def test_what_chance_may_be_is_not(right: int, tested: int, chance: float) -> None:
    guess = guess_of("DIRECT", "longest", right=right, tested=tested, expected=chance * tested)
    assert guess.fair
    assert not guess.within
