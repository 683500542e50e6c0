"""English words whose part of speech is sure: what the wording of relations may build sentences on.

Closed lists (``english.txt``). A word that is not there, or that could be of another part of speech as well ("works",
"records"), is not guessed: its relation gets a plain frame (:mod:`derived_wordings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from typing import Final


def _read() -> dict[str, frozenset[str]]:
    found: dict[str, list[str]] = {}
    text = resources.files("knowledgesmith.graph_schema.catalogue").joinpath("english.txt").read_text(encoding="utf-8")
    words: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            words = found.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            words += line.split()
    return {name: frozenset(listed) for name, listed in found.items()}


_LISTS: Final = _read()
PREPOSITIONS: Final = _LISTS["prepositions"]
PLACES: Final = _LISTS["places"]
"""Prepositions that make a sentence with "is": "X is near Y"."""
AUXILIARIES: Final = _LISTS["auxiliaries"]
QUANTIFIERS: Final = _LISTS["quantifiers"]
"""What may not stand first in the noun of "has …"."""
_OTHER_LANGUAGES: Final = _LISTS["other_languages"]
NO_MODIFIERS: Final = _LISTS["no_modifiers"] | _OTHER_LANGUAGES
"""What cannot stand inside an English noun phrase: pronouns, auxiliaries, other languages' small words."""
GERMAN: Final = _LISTS["german"]
"""Small words of German: in "hatHauptstadt" the capital is the noun's own, in "lugarDeNacimiento" the notation's."""
OF_ADJECTIVES: Final = _LISTS["of_adjectives"]
"""What stands before "of" without an article: "is north of"."""
GENERIC: Final = _LISTS["generic"]
"""Nouns that stand before others only to say what the subject is: a "person father"."""
LIGHT_VERBS: Final = _LISTS["light_verbs"]
"""Verbs whose meaning lies in the noun behind them, which then is no kind of the object: "gets energy"."""
ADVERBS: Final = _LISTS["adverbs"]
PROPERTIES: Final = _LISTS["properties"]
"""Nouns that keep what stands behind "of": "date of birth"; a "member of team" may be either end."""
NOUNS: Final = PROPERTIES | _LISTS["nouns"] | _LISTS["mass"]
"""Heads of "The … of X is Y"."""
UNIQUE: Final = _LISTS["unique"]
"""Nouns of which there is mostly one: "the capital of"; of others one of several: "a member of"."""
MASS: Final = _LISTS["mass"]
"""Nouns without an article: "is evidence for"."""
EVENTS: Final = _LISTS["events"]
"""Participles of something that happened once: "was founded by"."""
STATES: Final = _LISTS["states"]
"""Participles of what lasts: "is located in"."""
PASSIVE_ONLY: Final = _LISTS["passive_only"]
"""Participles that are passive before any preposition; most others may be active ("served in", "played for")."""
ACTIVE_PAST: Final = _LISTS["active_past"]
"""Forms that stand without "is": "resided at", "died in"."""
ADJECTIVES: Final = _LISTS["adjectives"]
"""Adjectives that take a preposition: "native to"."""
_VERBS: Final = _LISTS["verbs"]
AMBIGUOUS: Final = _LISTS["ambiguous"]
"""Verbs that are nouns as well: sure only before a preposition or a noun."""
ELSEWHERE: Final = _LISTS["elsewhere"]
"""Words that mean something else in a language near English: alone they do not say that a name is English."""
_KTION: Final = re.compile(r"\w*k(?:tion|sion)(?:en)?")
"""German, Danish and Swedish spell "function" so."""
_PLURALS: Final = _LISTS["plurals"]
_SINGULAR_S: Final = _LISTS["singular_s"]
_SHIFTED: Final = _LISTS["shifted"]
"""Nouns that mean something else before "of": a concept of X is not a concept that X has."""
_NOUN_ENDING: Final = re.compile(r".{2,}(?:tion|sion|ity|ness|ship|hood|ology|graphy|nym|ism)")
_MASS: Final = re.compile(r".*(?:ity|ness|ship|hood|ology|ism)")


def is_spoken_here(words: Iterable[str]) -> bool:
    """Whether a name that is no sentence is English all the same: a word of it surely is, and none of another one."""
    known = [word.lower() for word in words]
    if not _OTHER_LANGUAGES.isdisjoint(known):
        return False
    small = PREPOSITIONS | AUXILIARIES | NO_MODIFIERS | {"has"}
    sure = (word for word in known if not may_be_elsewhere([word]))
    return any(word in small or verb(word) or is_noun(word) or auxiliary(word) for word in sure)


def may_be_elsewhere(words: Iterable[str]) -> bool:
    """Whether every word of a name is one of another language as well, where it means something else."""
    return all(word.lower() in ELSEWHERE or _KTION.fullmatch(word.lower()) for word in words)


def is_noun(word: str) -> bool:
    """Whether the word is surely a noun, singular or plural."""
    if word in NOUNS or word in _PLURALS or _NOUN_ENDING.fullmatch(word):
        return word not in _SHIFTED
    return is_plural(word) and any(is_noun(one) for one in _singulars(word))


def is_plural(word: str) -> bool:
    """Whether a noun is in the plural, by its form."""
    if word in _PLURALS:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _SINGULAR_S


def has_sure_possession(head: str) -> bool:
    """Whether "the … of X" means the same as "X has …"."""
    return head not in _SHIFTED


def is_owned(word: str) -> bool:
    """Whether the word is surely a noun behind "has", also where "of" would give it another meaning."""
    return word in _SHIFTED or is_noun(word)


def may_be_participle(word: str) -> bool:
    """Whether the word behind "has" may be the rest of the verb: "has won", "has taken", "has lived"."""
    if word in NOUNS:
        return False
    return word.endswith(("ed", "en")) or word in EVENTS | STATES | ACTIVE_PAST


def verb(word: str) -> bool:
    """Whether the word is a verb in the third person."""
    return word in _VERBS


def article(noun: str) -> str:
    """``the`` or ``a`` before a noun and "of"."""
    return "the" if noun in UNIQUE or is_plural(noun) or _MASS.fullmatch(noun) else "a"


def auxiliary(participle: str) -> str:
    """``is`` or ``was`` before a participle; nothing where it is none that is known."""
    return "was" if participle in EVENTS else "is" if participle in STATES or participle in PASSIVE_ONLY else ""


def _singulars(word: str) -> tuple[str, ...]:
    if word.endswith("ies"):
        return (f"{word[:-3]}y",)
    if word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return (word[:-2], word[:-1])
    return (word[:-1],)
