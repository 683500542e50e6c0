"""What the names of relations let suspect beyond their traits: that one says another, turned round or in a chain.

"Car has_part wheel" beside "part_of" is a reason not to offer car as a wrong answer to what a wheel is part of, though
nothing follows from it that could be asked, edited or counted. So names are read generously here: words that often mean
the same, or the opposite direction, are enough. Whatever is found only leaves wrong answers out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from knowledgesmith.graph_schema.catalogue.known_traits import known_traits
from knowledgesmith.graph_schema.catalogue.relation_names import parse_name
from knowledgesmith.graph_schema.doubts.words import (
    AGENTS,
    CONTAINMENT,
    INSTANCE,
    IRREGULAR,
    KIND,
    LOCATIVE,
    PLACES,
    PREPOSITIONS,
    SENSES,
    SYMMETRIC,
    TRANSITIVE,
    TRANSITIVE_SENSES,
    WIDER,
)

End = tuple[str, bool]
"""A relation, and whether it is read from its object to its subject."""
_TURNED: Final = re.compile(
    r"(?i)(?:^|[\W_]+)(?:inverse|inv|reverse|reversed)(?:[\W_]+of)?(?:[\W_]+|$)|\^?-1$|\u207b\u00b9$"
)
_BE: Final = frozenset({"is", "are", "was", "were", "be"})
_ARTICLES: Final = frozenset({"a", "an", "the"})
_HAS: Final = frozenset({"has", "have", "had", "having"})
_SMALL: Final = _ARTICLES | _BE | _HAS | PREPOSITIONS
_FROM, _TO = frozenset({"from"}), frozenset({"to", "into"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicions:
    """Rules by the relation that they make doubtful.

    Attributes:
        says: a fact of the other relation, read as it stands or turned, is one of this.
        likens: the same, but no ground for what else the other relation may say: "father of" for "son of".
        goes_on: relations that may be transitive.
        heads: ways from a subject to one of which the relation may hold: what it is a kind of.
        tails: ways from an object to one that the relation may hold of, too: the country of a place.
    """

    says: Mapping[str, frozenset[End]]
    likens: Mapping[str, frozenset[End]]
    goes_on: frozenset[str]
    heads: Mapping[str, frozenset[tuple[End, ...]]]
    tails: Mapping[str, frozenset[tuple[End, ...]]]


class _Reading(NamedTuple):
    """One way to take a name: ``turned`` where the object is what is told of the subject.

    ``special`` meanings are narrower than others of their kind: "father of" beside "parent of".
    """

    kind: str
    words: tuple[str, ...]
    turned: bool
    special: bool = False


def suspicions(names: Iterable[str]) -> Suspicions:
    """What the names of one catalogue let suspect. Without regard to the order of the names."""
    known = sorted(set(names))
    says: defaultdict[str, set[End]] = defaultdict(set)
    likens: defaultdict[str, set[End]] = defaultdict(set)
    _alike(known, says, likens)
    _begun(known, says)
    for name in known:
        if _may_turn(name):
            says[name].add((name, True))
    heads, tails = _inherited(known)
    return Suspicions(
        says={name: frozenset(found) for name, found in says.items()},
        likens={name: frozenset(found) for name, found in likens.items()},
        goes_on=frozenset(filter(_may_go_on, known)),
        heads=heads,
        tails=tails,
    )


def _alike(names: Iterable[str], says: defaultdict[str, set[End]], likens: defaultdict[str, set[End]]) -> None:
    """Names of one meaning, or of a narrower one: the end of a name is what it is a kind of ("birth place")."""
    holders: defaultdict[tuple[str, tuple[str, ...]], list[tuple[str, _Reading]]] = defaultdict(list)
    for name in names:
        for reading in _readings(name):
            holders[reading.kind, reading.words].append((name, reading))
    for name in names:
        for reading in _readings(name):
            for other, wider in (found for what in _wider(reading) for found in holders.get(what, ())):
                turned = reading.turned != wider.turned
                if other == name and not turned:
                    continue
                if not wider.special:
                    says[other].add((name, turned))
                elif turned:
                    likens[other].add((name, turned))


def _wider(reading: _Reading) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Kind and words of everything that a reading is a case of, itself first."""
    for start in range(max(1, len(reading.words))):
        if not start or reading.words[-1] not in _SMALL:
            yield reading.kind, reading.words[start:]
    if reading.kind in WIDER:
        yield WIDER[reading.kind], ()


def _begun(names: Iterable[str], says: defaultdict[str, set[End]]) -> None:
    """What comes after the last word of a whole name only narrows it: "member_of_team" is a "member_of"."""
    whole: dict[tuple[str, ...], str] = {}
    for name in names:
        words = _core(name)
        if len(words) > 1 and words[-1] in PREPOSITIONS:
            whole[words] = name
    for name in names:
        words = _core(name)
        for end in range(2, len(words)):
            other = whole.get(words[:end])
            if other is not None and other != name:
                says[other].add((name, False))


def _inherited(
    names: Sequence[str],
) -> tuple[dict[str, frozenset[tuple[End, ...]]], dict[str, frozenset[tuple[End, ...]]]]:
    """Heads and tails: what kinds and classes hand down, and what holds of a whole or of a wider place too."""
    upward: dict[str, list[End]] = {kind: [] for kind in (KIND, INSTANCE, CONTAINMENT)}
    own = {name: {reading.kind for reading in _readings(name)} for name in names}
    for name in names:
        for reading in _readings(name):
            if reading.kind in upward:
                upward[reading.kind].append((name, reading.turned))
    kinds, instances = upward[KIND], upward[INSTANCE]
    down = {*((one,) for one in kinds), *((one,) for one in instances), *((i, k) for i in instances for k in kinds)}
    heads: dict[str, frozenset[tuple[End, ...]]] = {}
    tails: dict[str, frozenset[tuple[End, ...]]] = {}
    for name in names:
        if KIND in own[name]:
            continue
        if INSTANCE not in own[name]:
            heads[name] = frozenset(down)
        wider = {(one,) for one in kinds}
        if CONTAINMENT not in own[name] and _is_local(name):
            wider |= {(one,) for one in upward[CONTAINMENT]}
        tails[name] = frozenset(wider)
    return heads, tails


def _is_local(name: str) -> bool:
    words = _core(name)
    return bool(words) and ((len(words) > 1 and words[-1] in LOCATIVE) or bool(PLACES.intersection(_ends(words))))


def _ends(words: tuple[str, ...]) -> Iterator[str]:
    return (" ".join(words[start:]) for start in range(len(words)))


def _may_turn(name: str) -> bool:
    words = _core(name)
    return known_traits(name).symmetric or bool(SYMMETRIC.intersection(words)) or words[-1:] == ("with",)


def _may_go_on(name: str) -> bool:
    words = _core(name)
    return (
        known_traits(name).transitive
        or words[-1:] == ("than",)
        or bool(TRANSITIVE.intersection(words))
        or any(reading.kind in TRANSITIVE_SENSES for reading in _readings(name))
    )


@lru_cache(maxsize=1 << 12)
def _core(name: str) -> tuple[str, ...]:
    """Small words of a name without "is", "has been" and articles before what it says, and without marks of turning."""
    words = tuple(word.lower() for word in parse_name(_TURNED.sub(" ", name)).words)
    while len(words) > 1 and words[0] in _BE and words[1:2] not in {("a",), ("an",)}:
        words = words[1:]
    if len(words) > 2 and words[0] in _BE and words[1] in _ARTICLES:
        words = words[2:]
    if len(words) > 2 and words[0] in _HAS and words[1] in _ARTICLES:
        words = (words[0], *words[2:])
    return words[1:] if len(words) > 1 and words[0] in _ARTICLES else words


@lru_cache(maxsize=1 << 12)
def _readings(name: str) -> tuple[_Reading, ...]:
    """Every way to take a name."""
    flipped = bool(_TURNED.search(name)) and _TURNED.sub("", name).strip(" _-") != ""
    found = _plain_readings(_core(name))
    return tuple(dict.fromkeys(r._replace(turned=not r.turned) for r in found) if flipped else dict.fromkeys(found))


def _plain_readings(words: tuple[str, ...]) -> list[_Reading]:
    if not words:
        return []
    found = [_Reading("words", words, turned=False), *_sense(words)]
    first, last, rest = words[0], words[-1], words[:-1]
    if len(words) > 1 and last == "of":
        found += [_Reading("noun", _single(rest), turned=False), *_agent(rest, turned=False)]
    elif first in _HAS and len(words) > 1:
        found += [_Reading("noun", _single(words[1:]), turned=True), *_agent(words[1:], turned=True)]
    elif last == "by" and rest:
        found.append(_Reading("verb", (*rest[:-1], _stem(rest[-1])), turned=True))
    elif len(words) > 1 and last in _FROM | _TO:
        found.append(_Reading("way", (*rest[:-1], _stem(rest[-1])), turned=last in _TO))
    elif last not in PREPOSITIONS:
        found += [_Reading("noun", _single(words), turned=True), *_agent(words, turned=True)]
        found.append(_Reading("verb", (*rest, _stem(last)), turned=False))
    return found


def _sense(words: tuple[str, ...]) -> Iterator[_Reading]:
    """Meanings that are listed for a name, or for its end of at least two words."""
    for start in range(len(words)):
        if start and len(words) - start < 2:
            return
        for kind, turned, special in SENSES.get(" ".join(words[start:]), ()):
            yield _Reading(kind, (), turned=turned, special=special or start > 0)


def _agent(words: tuple[str, ...], *, turned: bool) -> Iterator[_Reading]:
    """Who does it: "producer of" says what "produces" says."""
    for ending in AGENTS:
        if words[-1].endswith(ending) and len(words[-1]) > len(ending) + 2:
            yield _Reading("verb", (*words[:-1], _stem(words[-1].removesuffix(ending))), turned=turned)
            return


def _single(words: tuple[str, ...]) -> tuple[str, ...]:
    last = IRREGULAR.get(words[-1], words[-1])
    if last.endswith("s") and not last.endswith(("ss", "us", "is")) and len(last) > 3:
        last = last[:-1]
    return (*words[:-1], last)


def _stem(verb: str) -> str:
    """What is the same in "causes", "caused" and "causing"; no word that anybody would read."""
    verb = IRREGULAR.get(verb, verb)
    for ending, left in (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if verb.endswith(ending) and len(verb) > len(ending) + 2:
            verb = verb.removesuffix(ending) + left
            break
    return verb[:-1] if len(verb) > 3 and verb[-1] == verb[-2] else verb
