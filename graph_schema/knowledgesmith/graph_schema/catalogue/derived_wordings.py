"""Phrasings made from a relation's name alone: a sentence where its English is sure, else a plain frame.

A frame names subject, relation and object in the order of the graph and claims no grammar: "Ada Long — Wohnort: Red
Ford" is true whatever the name means and in any language. A blank to be filled asks for the subject: "___ — Wohnort:
Red Ford. ___ =". Frames have no noun phrase, so nothing is chained through them.

The sentences come from closed lists of words (:mod:`english`), their patterns stand in :mod:`wording_patterns`. Whether
"the stage of X" is the only one, no name tells (:mod:`counted_wordings`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from knowledgesmith.graph_schema.catalogue import english
from knowledgesmith.graph_schema.catalogue.relation_names import RelationName, parse_name
from knowledgesmith.graph_schema.catalogue.relation_wordings import WORDINGS, Wording
from knowledgesmith.graph_schema.catalogue.wording_patterns import (
    FORWARD_PREDICATE,
    FRAME,
    HOLDER,
    KIND_OF_OBJECT,
    NOUN,
    OWNED,
    PLURAL,
    PREDICATE,
    SEVERAL,
    SINGLE,
    WIDE_FRAME,
    Pattern,
    counted,
    values,
)
from knowledgesmith.graph_schema.language.filling import indefinite
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Split, Template

_LONG: Final = 2
"""Words that the kind of an object may have: a longer one runs into the object's name."""
_BY_MEANS: Final = 4
"""The words of "defined in relation to"."""
_LONGEST_OWNED: Final = 4
"""The same behind "has", where the words cannot be another verb's."""
_WIDE_SCRIPTS: Final = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "BOPOMOFO", "YI")
_AFTER_A_ROLE: Final = ("of", "for", "on", "in", "to", "against", "from")
"""What may follow what somebody or something is; without "is" only the first."""
_ROLE: Final = re.compile(r"is (?P<article>the|an?) (?P<noun>.+) of")
# An arrow led on to the object where an earlier release made the frame.
_FRAMED: Final = re.compile(r"(?P<mark>1\. |1、|Fact: |Link )?(\{s\} ?—+ ?.*[:：] ?\{o\}[.。]|.*: \{s\} → \{o\}\.)")


def derive_templates(name: str) -> tuple[Template, ...]:
    """Phrasings for a relation that brought none, made from its name; different in train and eval.

    The relations that ontologies and thesauri share (``is_a``, ``broader``, ``partOf``) have wordings of their own.
    Nouns read "The currency of X is", predicates "X is located in"; what is surely neither stands in a plain frame.
    """
    parsed = parse_name(name)
    words = " ".join(parsed.words)
    if words.lower() in WORDINGS:
        return _worded(WORDINGS[words.lower()])
    return _sentences(parsed) or frame_templates(name)


def frame_templates(name: str) -> tuple[Template, ...]:
    """The plain frame around the words of a name."""
    parsed = parse_name(name)
    words = parsed.text if _is_english(parsed) else parsed.own_text
    return _fitted(_frame_of(parsed), n=words, origin=Origin.FRAME)


def truth_templates(name: str) -> tuple[Template, ...]:
    """Phrasings of a relation whose objects are "true" and "false", which are no thing that a noun could name.

    Nobody is asked of what something is true: of many.
    """
    parsed = parse_name(name)
    if not _is_english(parsed):
        return frame_templates(name)
    forward = (pattern for pattern in values(SINGLE) if pattern[0] is Direction.FORWARD)
    return _fitted(forward, n=parsed.text, origin=Origin.FRAME)


def named_frame_templates(name: str) -> tuple[Template, ...]:
    """The plain frame around a name as it stands, with its signs and capitals: for names that differ in these alone."""
    parsed = parse_name(name)
    return _fitted(_frame_of(parsed), n=parsed.shown, origin=Origin.FRAME)


def framed(statement: str) -> str:
    """The bare frame of a statement's template, without the mark before it; empty where it is a sentence."""
    found = _FRAMED.fullmatch(statement)
    return statement[len(found["mark"] or "") :] if found else ""


def _sentences(parsed: RelationName) -> tuple[Template, ...]:
    """Sentences about a name whose grammar is sure; none otherwise."""
    words = tuple(word.lower() if word.isupper() and len(word) == 1 else word for word in parsed.words)
    if not parsed.plain or english.may_be_elsewhere(words):
        return ()
    if noun := _noun(words):
        plural = english.is_plural(_head(words[words[0] == "has" :]).lower())
        return _fitted(counted(NOUN, PLURAL if plural else SINGLE), n=noun)
    if whole := _predicate(words):
        return _of_role(whole)
    return _kinded(words)


def _noun(words: Sequence[str]) -> str:
    """The noun phrase that the whole name is, with "has" before it or alone; empty where it is none."""
    owned = words[0] == "has"
    rest = words[1:] if owned else words
    if not rest or not _opens_a_noun(rest, owned=owned):
        return ""
    head = _head(rest).lower()
    if rest[-1].isdigit():  # "address line 1" takes no article
        return ""
    inner = [word for word in rest if word in english.PREPOSITIONS]
    if inner and (inner != ["of"] or rest[-1] == "of" or head not in english.PROPERTIES):
        return ""
    if owned:
        sure = english.has_sure_possession(head) and not english.may_be_participle(head)
    else:
        sure = english.is_noun(head) and (len(rest) > 1 or not english.is_plural(head) or not head.endswith("s"))
    return " ".join(rest) if sure else ""


def _opens_a_noun(words: Sequence[str], *, owned: bool) -> bool:
    """Whether nothing in the words is a verb, a pronoun or the like that would make a sentence of them."""
    first = words[0]
    if first in english.GENERIC and len(words) > 1 and not owned:
        return False
    if first in english.QUANTIFIERS | english.AUXILIARIES | english.PREPOSITIONS | english.NO_MODIFIERS:
        return False
    if owned:
        return english.NO_MODIFIERS.isdisjoint(words)
    before = words[: -1 if "of" not in words else words.index("of")]
    return not any(_may_be_a_verb(word) for word in before) and english.NO_MODIFIERS.isdisjoint(words)


def _may_be_a_verb(word: str) -> bool:
    if word in english.NOUNS:
        return False
    inflected = word.endswith(("s", "ed")) and not word.endswith(("ss", "us", "is"))
    return inflected or english.verb(word) or english.verb(f"{word}s") or english.verb(f"{word}es")


def _head(words: Sequence[str]) -> str:
    """The noun that a phrase is about: its last word, or the one before "of"."""
    at = next((at for at, word in enumerate(words) if word in english.PREPOSITIONS and at), len(words))
    return words[at - 1]


def _predicate(words: Sequence[str]) -> str:
    """What stands between subject and object where the name ends in a preposition or is a verb; else empty."""
    first, last = words[0], words[-1]
    if len(words) == 1:
        if first in english.PLACES:
            return f"is {first}"
        return first if english.verb(first) and first not in english.AMBIGUOUS else ""
    if last not in english.PREPOSITIONS:
        return ""
    if first in english.AUXILIARIES:
        return _stated(first, words[1:-1], last)
    if len(words) == 2:
        return _two(first, last)
    if english.verb(first):
        return " ".join(words) if _tail(words[1:-1]) else ""
    if len(words) == _BY_MEANS and first in english.PASSIVE_ONLY and words[1] in english.PREPOSITIONS:
        return f"{english.auxiliary(first)} {' '.join(words)}" if english.is_noun(words[2]) else ""
    return _stated("", words[:-1], last)


def _two(word: str, preposition: str) -> str:
    """A word and its preposition: "located in", "resided at", "belongs to", "native to", "capital of"."""
    both = f"{word} {preposition}"
    if preposition == "than":
        return f"is {both}" if re.fullmatch(r"\w{2,}er|more|less", word) else ""
    active = word in english.ACTIVE_PAST and preposition != "by"
    if (active and not (preposition == "with" and english.auxiliary(word))) or english.verb(word):
        return both
    if word in english.ADJECTIVES or (preposition == "of" and word in english.OF_ADJECTIVES):
        return f"is {both}"
    passive = preposition == "by" or word in english.PASSIVE_ONLY
    if passive and (known := english.auxiliary(word)):
        return f"{'is' if preposition == 'of' else known} {both}"
    return _role("is", word, word, preposition) if preposition == "of" and english.is_noun(word) else ""


def _stated(auxiliary: str, words: Sequence[str], preposition: str) -> str:
    """What follows "is": a participle, an adjective or a role ("member of"), each with its preposition."""
    if not words:
        return f"{auxiliary} {preposition}" if auxiliary and preposition in english.PLACES | {"from"} else ""
    *before, head = words
    plain = all(word in english.ADVERBS or word.endswith("ly") for word in before)
    whole = " ".join([*words, preposition])
    participle = head in english.ADJECTIVES or bool(english.auxiliary(head)) or bool(re.fullmatch(r"\w{3,}ed", head))
    if auxiliary and plain and (participle or (preposition == "of" and head in english.OF_ADJECTIVES)):
        return f"{auxiliary} {whole}"
    if auxiliary and head in {"a", "an", "the"}:
        return ""
    if (
        preposition not in _AFTER_A_ROLE[: None if auxiliary else 1]
        or not english.is_noun(head)
        or english.is_plural(head)
    ):
        return ""
    if before and before[0] in {"a", "an", "the"}:
        return f"{auxiliary or 'is'} {whole}"
    # "synset domain topic of": without "is" a longer name may mean either end
    if not _opens_a_noun(words, owned=bool(auxiliary)) or (before and not auxiliary):
        return ""
    return _role(auxiliary or "is", " ".join(words), head, preposition)


def _role(auxiliary: str, noun: str, head: str, preposition: str) -> str:
    if english.is_plural(head):
        return ""
    if head in english.MASS:
        return f"{auxiliary} {noun} {preposition}"
    article = english.article(head) if preposition == "of" else "a"
    return f"{auxiliary} {article if article == 'the' else indefinite(noun)} {noun} {preposition}"


def _tail(words: Sequence[str]) -> bool:
    """Whether what stands between a verb and its preposition are nouns, or nothing."""
    return not words or (english.is_noun(words[-1]) and english.NO_MODIFIERS.isdisjoint(words))


def _of_role(predicate: str) -> tuple[Template, ...]:
    """A predicate; where it is a role ("is the capital of"), its holder has a name by the object."""
    found = _ROLE.fullmatch(predicate)
    if found is None:
        return _fitted(PREDICATE, n=predicate)
    forward = _fitted(FORWARD_PREDICATE, n=predicate)
    words = SINGLE if found["article"] == "the" else SEVERAL
    return (*forward, *_fitted(counted(HOLDER, words), n=found["noun"]))


def _kinded(words: Sequence[str]) -> tuple[Template, ...]:
    """A predicate with the kind of its object behind it: "treats disease", "present in taxon", "in discipline"."""
    if words[0] == "has":
        return _fitted(OWNED, n=" ".join(words[1:])) if _is_owned(words[1:]) else ()
    at = max((at for at, word in enumerate(words) if word in english.PREPOSITIONS), default=-1)
    if at < 0 and len(words) > 1 and english.verb(words[0]) and words[0] not in english.LIGHT_VERBS:
        head, rest = words[0], words[1:]
    elif 0 <= at < len(words) - 1:
        head, rest = _predicate(words[: at + 1]), words[at + 1 :]
    else:
        return ()
    # what a role is followed by may be the object ("head of state") or only its kind ("member of team")
    usable = head and len(rest) <= _LONG and not _ROLE.fullmatch(head) and not english.is_plural(rest[-1])
    if not usable or not _opens_a_noun(rest, owned=False) or not english.is_noun(rest[-1]):
        return ()
    return _with_kind(head, " ".join(rest))


def _with_kind(predicate: str, noun: str, patterns: Iterable[Pattern] = PREDICATE) -> tuple[Template, ...]:
    """A predicate that says before the object's name what it is: "treats *the disease* Y"."""
    special = {pattern[:3] for pattern in KIND_OF_OBJECT}
    general = tuple(pattern for pattern in patterns if pattern[:3] not in special)
    return (*_fitted(general, n=f"{predicate} the {noun}"), *_fitted(KIND_OF_OBJECT, n=noun, h=predicate))


def _is_owned(words: Sequence[str]) -> bool:
    """Whether the words behind "has" surely are a noun phrase, be it one to which "of" would give another meaning."""
    if not words or len(words) > _LONGEST_OWNED or english.is_plural(words[-1]) or not _opens_a_noun(words, owned=True):
        return False
    last = words[-1].lower()
    known = english.is_owned(_head(words).lower())
    return known and last not in english.PREPOSITIONS and not english.may_be_participle(last)


def _frame_of(parsed: RelationName) -> tuple[Pattern, ...]:
    if any(unicodedata.name(sign, "").startswith(_WIDE_SCRIPTS) for sign in parsed.shown):
        return WIDE_FRAME
    if not _is_english(parsed):
        return FRAME
    return tuple(values(SINGLE))


def _is_english(parsed: RelationName) -> bool:
    return parsed.plain and english.is_spoken_here(parsed.words)


def _fitted(
    patterns: Iterable[Pattern], *, n: str, h: str = "", origin: Origin = Origin.DERIVED
) -> tuple[Template, ...]:
    return tuple(
        Template(
            direction=direction,
            split=split,
            form=form,
            text=pattern.replace("{h}", h).replace("{a}", indefinite(n)).replace("{n}", n),
            origin=origin,
        )
        for direction, split, form, pattern in patterns
    )


def _worded(wording: Wording) -> tuple[Template, ...]:
    whole = f"{wording.predicate} the {wording.kind}" if wording.kind else wording.predicate
    if wording.kind:
        kinded = _with_kind(wording.predicate, wording.kind, FORWARD_PREDICATE)
        forward = tuple(template for template in kinded if template.form is not Form.PHRASE)
    else:
        forward = _fitted(FORWARD_PREDICATE, n=whole)
    others = (
        (Direction.FORWARD, Split.EVAL, Form.PHRASE, wording.phrase),
        (Direction.REVERSE, Split.TRAIN, Form.CLOZE, f"{wording.reverse} is"),
        (Direction.REVERSE, Split.EVAL, Form.CLOZE, f"It is known that {wording.reverse} is"),
        (Direction.REVERSE, Split.EVAL, Form.QUESTION, f"What {whole} {{o}}?"),
        (Direction.REVERSE, Split.EVAL, Form.PHRASE, wording.reverse_phrase),
    )
    return (*forward, *_fitted((pattern for pattern in others if pattern[3]), n=""))
