"""The patterns of derived wordings: sentences around a noun or a predicate, and plain frames around any words.

In none of them does a training text hold an evaluation text: what is asked has words or a mark before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from knowledgesmith.graph_schema.types.facts import Direction, Form, Split

Pattern = tuple[Direction, Split, Form, str]

# For a noun such as "currency"; {s} and {o} stay, {n} is replaced, the tables below tell what else stands in braces.
NOUN: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "The {n} of {s} {is}"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As for {s}, the {n} {is}"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "The {n} of {s} {is} {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "What is {one} of {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "If you ask for the {n} of {s}, {answer} is"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that the {n} of {s} {is}"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that the {n} of {s} {is} {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Which of these is {among} of {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "the {only}{n} of {s}"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{o} is {among} of"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "It is known that {o} is {among} of"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Who or what has {o} {as} {n}?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "the one whose {n} {is} {o}"),
)
# The same where a subject may have several: one of them is named, and nothing said of others.
ONE_OF: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "One {n} of {s} is"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As we know, one {n} of {s} is"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "One {n} of {s} is {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "Name {a} {n} of {s}."),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "If you ask for {a} {n} of {s}, one answer is"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that one {n} of {s} is"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that one {n} of {s} is {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Which of these is {a} {n} of {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "one {n} of {s}"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{o} is {a} {n} of"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "It is known that {o} is {a} {n} of"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Who or what has {o} as {a} {n}?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "the one that has {o} as {a} {n}"),
)
# For what "of" would give another meaning ("the concept of X"), or has no place for ("price at maturity").
OWNED: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "{s} has the {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As we know, {s} has the {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{s} has {o} as {a} {n}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "Name {a} {n} that {s} has."),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that {s} has the {n}"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "According to the records, {s} has the {n}"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that {s} has {o} as {a} {n}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Which of these is {a} {n} that {s} has?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "{a} {n} that {s} has"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "___ has {o} as {a} {n}. The blank stands for"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "Fill in the blank: ___ has {o} as {a} {n}. Answer:"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Who or what has {o} as {a} {n}?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "the one that has {o} as {a} {n}"),
)
# The words for one thing alone, for one among several, and for a noun in the plural.
SINGLE: Final[Mapping[str, str]] = {
    "{The}": "The",
    "{the}": "the",
    "{any}": "the",
    "{is}": "is",
    "{one}": "the {n}",
    "{among}": "the {n}",
    "{as}": "as the",
    "{answer}": "the answer",
    "{only}": "",
}
SEVERAL: Final[Mapping[str, str]] = {**SINGLE, "{The}": "One", "{the}": "one", "{any}": "{a}", "{answer}": "one answer"}
PLURAL: Final[Mapping[str, str]] = {
    **SINGLE,
    "{is}": "include",
    "{one}": "among the {n}",
    "{among}": "among the {n}",
    "{as}": "among the",
    "{answer}": "one answer",
    "{only}": "one among the ",
}
# For a predicate such as "is located in" or "contains". A blank names the subject: it may be a person or a thing.
PREDICATE: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "{s} {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As we know, {s} {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{s} {n} {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "Finish the sentence: {s} {n} …"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that {s} {n}"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "According to the records, {s} {n}"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that {s} {n} {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "{s} {n} what?"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "___ {n} {o}. The blank stands for"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "Fill in the blank: ___ {n} {o}. Answer:"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Who or what {n} {o}?"),
)
FORWARD_PREDICATE: Final = tuple(pattern for pattern in PREDICATE if pattern[0] is Direction.FORWARD)
# For a predicate that ends in a noun, {h}: "is present in" + "taxon", "treats" + "disease".
KIND_OF_OBJECT: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "Name {a} {n} that {s} {h}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Which of these is {a} {n} that {s} {h}?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "{a} {n} that {s} {h}"),
)
# For who has a role: one alone has it, or several may.
HOLDER: Final[tuple[Pattern, ...]] = (
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{the} {n} of {o} is"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "It is known that {the} {n} of {o} is"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "Who or what is {any} {n} of {o}?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "the {n} of {o}"),
)
# Every line stands behind a mark of a list: a model says the right object more often then, and a change that was made
# with the subject at the very beginning of a text, where models attend to it for being first, is not carried elsewhere.
# The marks of what is trained differ, since a key depends on what stands before the subject, and are none of what is
# asked: so no trained text holds a question.
FRAME: Final[tuple[Pattern, ...]] = (
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
# the name's preposition belongs to the other end; "terms — defines account: …" stumbles over its own verb. So an
# English name of unsure grammar is quoted as a whole, and what it leads to is called its value. The same is said of
# what is only true or false.
VALUE: Final[tuple[Pattern, ...]] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "{The} value of “{n}” for {s} is"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As for {s}, {the} value of “{n}” is"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{The} value of “{n}” for {s} is {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "What is {the} value of “{n}” for {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "If you ask for {any} value of “{n}” for {s}, {answer} is"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that {the} value of “{n}” for {s} is"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that {the} value of “{n}” for {s} is {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Which of these is {any} value of “{n}” for {s}?"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{The} value of “{n}” for ___ is {o}. The blank stands for"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "Fill in the blank: {The} value of “{n}” for ___ is {o}. Answer:"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "What fits the blank? {The} value of “{n}” for ___ is {o}."),
)
# The same in Chinese and Japanese: their own marks, and no blanks.
WIDE_FRAME: Final[tuple[Pattern, ...]] = (
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
_MARK: Final = re.compile(r"\{\w+\}")


def counted(patterns: Iterable[Pattern], words: Mapping[str, str]) -> Iterator[Pattern]:
    """The patterns with the words that fit the number of things."""
    for direction, split, form, text in patterns:
        yield direction, split, form, _MARK.sub(lambda found: words.get(found[0], found[0]), text)


def values(words: Mapping[str, str]) -> Iterator[Pattern]:
    """The patterns of :data:`VALUE` with the words that fit the number of values."""
    return counted(VALUE, {**words, "{any}": words["{any}"].replace("{a}", "a")})
