"""Phrasings made from a relation's name alone: a sentence where its English is sure, else a plain frame.

A frame names subject, relation and object in the order of the graph and claims no grammar: "Ada Long — Wohnort: Red
Ford" is true whatever the name means and in any language. A blank to be filled asks for the subject: "___ — Wohnort:
Red Ford. ___ =". Frames have no noun phrase, so nothing is chained through them.

The sentences come from closed lists of words (:mod:`english`). In none of the phrasings does a training text hold an
evaluation text: what is asked has words or a mark before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from knowledgesmith.graph_schema import english
from knowledgesmith.graph_schema.facts import Direction, Form, Origin, Split, Template
from knowledgesmith.graph_schema.filling import indefinite
from knowledgesmith.graph_schema.relation_names import RelationName, parse_name
from knowledgesmith.graph_schema.relation_wordings import WORDINGS, Wording

Pattern = tuple[Direction, Split, Form, str]

# For a noun such as "currency"; {s} and {o} stay, {n} is replaced, {is} and {among} agree with it.
_NOUN: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "The {n} of {s} {is}"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As for {s}, its {n} {is}"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "The {n} of {s} {is} {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "What is {among} of {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "If you ask for the {n} of {s}, the answer is"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that the {n} of {s} {is}"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that the {n} of {s} {is} {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Which of these is {among} of {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "the {n} of {s}"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{o} is {among} of"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "It is known that {o} is {among} of"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Whose {n} {is} {o}?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "the one whose {n} {is} {o}"),
)
# For a predicate such as "is located in" or "contains". A blank names the subject: it may be a person or a thing.
_PREDICATE: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "{s} {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As we know, {s} {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{s} {n} {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "Finish the sentence: {s} {n} …"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that {s} {n}"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "According to the book, {s} {n}"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that {s} {n} {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "{s} {n} what?"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "___ {n} {o}. The blank stands for"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "Fill in the blank: ___ {n} {o}. Answer:"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Who or what {n} {o}?"),
)
# For a predicate that ends in a noun, {h}: "is present in" + "taxon", "treats" + "disease".
_KIND_OF_OBJECT: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "{s} {h} some {n}: which one?"),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "{s} {h} which {n}?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "the {n} that {s} {h}"),
)
# For who has a role: {h} is "the" or "one".
_HOLDER: Final[tuple[Pattern, ...]] = (
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{h} {n} of {o} is"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "It is known that {h} {n} of {o} is"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Who or what is the {n} of {o}?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "the {n} of {o}"),
)
# Every line stands behind a mark of a list: a model says the right object more often then, and a change that was made
# with the subject at the very beginning of a text, where models attend to it for being first, is not carried elsewhere.
# The marks of what is trained differ, since a key depends on what stands before the subject, and are none of what is
# asked: so no trained text holds a question.
_FRAME: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "• {s} — {n}:"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "2) {s}, {n}:"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{s} — {n}: {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "{s} — {n}?"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "1. {s} — {n}:"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "1. {s}, {n}:"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "1. {s} — {n}: {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "1. {s} — {n}?"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "___ — {n}: {o}. ___ ="),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "1. ___ — {n}: {o}. ___ ="),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "1. ___ — {n}: {o}. ___ = ?"),
)
# "Ethnic slur — member of domain usage: wop" reads as a sentence that ends in the object, and is turned round where
# the name's preposition belongs to the other end. So a name with a preposition stands apart, and an arrow leads on.
_ARROW: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "{n}: {s} →"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "{n} | {s} →"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{n}: {s} → {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "{n}: {s} → ?"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "Link “{n}”: {s} →"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "Link “{n}” | {s} →"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "Link “{n}”: {s} → {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Where does the arrow lead? {n}: {s} → …"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{n}: ___ → {o}. The blank stands for"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "Fill in the blank: {n}: ___ → {o}. Answer:"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "What fits the blank? {n}: ___ → {o}."),
)
# The same in Chinese and Japanese: their own marks, and no blanks.
_WIDE_FRAME: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "•{s}——{n}："),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "2）{s}，{n}："),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{s}——{n}：{o}。"),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "{s}——{n}？"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "1、{s}——{n}："),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "1、{s}，{n}："),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "1、{s}——{n}：{o}。"),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "1、{s}——{n}？"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "＿＿——{n}：{o}。＿＿＝"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "1、＿＿——{n}：{o}。＿＿＝"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "1、＿＿——{n}：{o}。＿＿？"),
)
# Where the name is English, a word of it stands for the mark, and the reader is told what the blank is for.
_SPOKEN: Final[Mapping[str, str]] = {
    "1. {s} — {n}:": "Fact: {s} — {n}:",
    "1. {s}, {n}:": "Fact: {s}, {n}:",
    "1. {s} — {n}: {o}.": "Fact: {s} — {n}: {o}.",
    "1. {s} — {n}?": "Which one: {s} — {n}?",
    "___ — {n}: {o}. ___ =": "___ — {n}: {o}. The blank stands for",
    "1. ___ — {n}: {o}. ___ =": "Fill in the blank: ___ — {n}: {o}. Answer:",
    "1. ___ — {n}: {o}. ___ = ?": "What fits the blank? ___ — {n}: {o}.",
}
_LONG: Final = 2
"""Words that the kind of an object may have: a longer one runs into the object's name."""
_WIDE_SCRIPTS: Final = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "BOPOMOFO", "YI")
_ROLE: Final = re.compile(r"is (?P<article>the|an?) (?P<noun>.+) of")
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
        return _fitted(_plural(_NOUN) if plural else _NOUN, n=noun)
    if whole := _predicate(words):
        return _of_role(whole)
    return _kinded(words)


def _plural(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    """Of several things, one is named: "The languages of X include Y", and Y is among them."""
    return tuple(
        (direction, split, form, text.replace("{is}", "include").replace("{among}", "among the {n}"))
        for direction, split, form, text in patterns
    )


def _noun(words: Sequence[str]) -> str:
    """The noun phrase that the whole name is, with "has" before it or alone; empty where it is none."""
    owned = words[0] == "has"
    rest = words[1:] if owned else words
    if not rest or not _opens_a_noun(rest, owned=owned):
        return ""
    head = _head(rest).lower()
    inner = [word for word in rest if word in english.PREPOSITIONS]
    if inner and (inner != ["of"] or rest[-1] == "of" or head not in english.PROPERTIES):
        return ""
    if owned:
        sure = english.has_sure_possession(head) and not head.endswith(("ed", "ing"))
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
    return _role("is", word, word) if preposition == "of" and english.is_noun(word) else ""


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
    if preposition != "of" or not english.is_noun(head) or english.is_plural(head):
        return ""
    if before and before[0] in {"a", "an", "the"}:
        return f"{auxiliary or 'is'} {whole}"
    # "synset domain topic of": without "is" a longer name may mean either end
    if not _opens_a_noun(words, owned=False) or (before and not auxiliary):
        return ""
    return _role(auxiliary or "is", " ".join(words), head)


def _role(auxiliary: str, noun: str, head: str) -> str:
    if english.is_plural(head):
        return ""
    article = english.article(head)
    return f"{auxiliary} {article if article == 'the' else indefinite(noun)} {noun} of"


def _tail(words: Sequence[str]) -> bool:
    """Whether what stands between a verb and its preposition are nouns, or nothing."""
    return not words or (english.is_noun(words[-1]) and english.NO_MODIFIERS.isdisjoint(words))


def _of_role(predicate: str) -> tuple[Template, ...]:
    """A predicate; where it is a role ("is the capital of"), its holder has a name by the object."""
    found = _ROLE.fullmatch(predicate)
    if found is None:
        return _fitted(_PREDICATE, n=predicate)
    forward = _fitted((pattern for pattern in _PREDICATE if pattern[0] is Direction.FORWARD), n=predicate)
    return (*forward, *_fitted(_HOLDER, n=found["noun"], h=found["article"] if found["article"] == "the" else "one"))


def _kinded(words: Sequence[str]) -> tuple[Template, ...]:
    """A predicate with the kind of its object behind it: "treats disease", "present in taxon", "in discipline"."""
    at = max((at for at, word in enumerate(words) if word in english.PREPOSITIONS), default=-1)
    if at < 0 and len(words) > 1 and english.verb(words[0]) and words[0] not in english.LIGHT_VERBS:
        head, rest = words[0], words[1:]
    elif 0 <= at < len(words) - 1:
        head, rest = _predicate(words[: at + 1]), words[at + 1 :]
    else:
        return ()
    noun = " ".join(rest)
    # what a role is followed by may be the object ("head of state") or only its kind ("member of team")
    usable = head and len(rest) <= _LONG and not _ROLE.fullmatch(head)
    if (
        not usable
        or english.is_plural(rest[-1])
        or not _opens_a_noun(rest, owned=False)
        or not english.is_noun(rest[-1])
    ):
        return ()
    special = {pattern[:3] for pattern in _KIND_OF_OBJECT}
    general = tuple(pattern for pattern in _PREDICATE if pattern[:3] not in special)
    return (*_fitted(general, n=f"{head} the {noun}"), *_fitted(_KIND_OF_OBJECT, n=noun, h=head))


def _frame_of(parsed: RelationName) -> tuple[Pattern, ...]:
    if any(unicodedata.name(sign, "").startswith(_WIDE_SCRIPTS) for sign in parsed.shown):
        return _WIDE_FRAME
    if not _is_english(parsed):
        return _FRAME
    if any(word.lower() in english.PREPOSITIONS for word in parsed.words):
        return _ARROW
    return tuple((direction, split, form, _SPOKEN.get(text, text)) for direction, split, form, text in _FRAME)


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
            text=pattern.replace("{is}", "is").replace("{among}", "the {n}").replace("{h}", h).replace("{n}", n),
            origin=origin,
        )
        for direction, split, form, pattern in patterns
    )


def _worded(wording: Wording) -> tuple[Template, ...]:
    forward = _fitted((p for p in _PREDICATE if p[0] is Direction.FORWARD), n=wording.predicate)
    others = (
        (Direction.FORWARD, Split.EVAL, Form.PHRASE, wording.phrase),
        (Direction.REVERSE, Split.TRAIN, Form.CLOZE, f"{wording.reverse} is"),
        (Direction.REVERSE, Split.EVAL, Form.CLOZE, f"It is known that {wording.reverse} is"),
        (Direction.REVERSE, Split.EVAL, Form.QUESTION, f"What {wording.predicate} {{o}}?"),
        (Direction.REVERSE, Split.EVAL, Form.PHRASE, wording.reverse_phrase),
    )
    return (*forward, *_fitted((pattern for pattern in others if pattern[3]), n=""))
