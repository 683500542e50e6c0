"""One line of OBO, read as people write it: what a tag says, without its modifiers, references and comment.

The format's grammar is stricter than the files that are about: names hold ``{``, ``!`` and quotes that nobody escaped,
lists of references are not closed. Each reader takes what can only be meant, and says in ``notes`` what it passed over,
so that no name, alias or target is lost without a word. Nothing here looks at more than one line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.importing.formats.ontology.names import compact

_TAG: Final = re.compile(r"([A-Za-z][\w.-]*)\s*:(.*)", re.DOTALL)
_PAIR: Final = r'[^\s=,{}"]++\s*+=\s*+(?:"(?:\\.|[^"\\])*+"|[^\s",{}][^",{}]*+)'
_MODIFIERS: Final = re.compile(rf"\{{\s*+(?:{_PAIR}(?:\s*+,\s*+{_PAIR})*+)?\s*+\}}")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))!(?=\s|$)")
_WORD: Final = re.compile(r"(?:\\.|[^\s\\]|\\$)+")
_SCOPE: Final = re.compile(r"(EXACT|NARROW|BROAD|RELATED)\b", re.IGNORECASE)
_OPEN_END: Final = re.compile(r"(?<!\s)\s++(?:(EXACT|NARROW|BROAD|RELATED)\b|\[[^\]]*\]?\s*$)")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "W": " ", **{sign: sign for sign in ':,"\\()[]{}!;@ '}}
_MAX_TRIES: Final = 20
"""Braces and quotes of one line that are tried as the beginning of modifiers or the end of a text."""
OLD_SCOPES: Final = {f"{scope}_synonym": scope.upper() for scope in ("exact", "narrow", "broad", "related")}
"""Tags of OBO 1.0 that tell a synonym's scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A tag and the rest of its line, blanks at both ends taken away."""

    number: int
    tag: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text (unescaped) and what was cut off behind it."""

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Identifiers (``compact``, unescaped; ``raw`` as they stand), the comment behind them, and the modifiers."""

    ids: tuple[str, ...]
    raw: tuple[str, ...]
    comment: str = ""
    modifiers: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Synonym:
    """A synonym's text and scope; ``stated`` says whether the line names the scope. ``text`` empty = there is none."""

    text: str
    scope: str
    stated: bool
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tail:
    """What follows a quoted text: a scope, a word for the type, references, modifiers, a comment, and nothing more."""

    rest: str
    scope: str = ""
    notes: list[str] = field(default_factory=list[str])

    def read(self) -> bool:
        """Whether all of it was understood."""
        if found := _SCOPE.match(self._left()):
            self.scope = found[1].upper()
            self.rest = self.rest[found.end() :]
        if (found := _WORD.match(self._left())) and self.rest[0] not in '[{!"':
            self.rest = self.rest[found.end() :]
        if self._left().startswith("["):
            end = _bracket(self.rest)
            if not end:
                return False
            self.rest = self.rest[end:]
        if found := _MODIFIERS.match(self._left()):
            self.rest = self.rest[found.end() :]
        return not self._left() or bool(_COMMENT.match(self.rest))

    def _left(self) -> str:
        self.rest = self.rest.lstrip()
        return self.rest


def line_of(number: int, text: str) -> Line | None:
    """A line as a tag and its value; None where it has no tag."""
    found = _TAG.fullmatch(text.strip())
    return Line(number=number, tag=found[1], value=found[2].strip()) if found else None


def unescape(text: str) -> str:
    r"""A text without the escapes of the format; a backslash before any other sign is one that was meant."""
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), text) if "\\" in text else text


def identifier(raw: str) -> str:
    """An identifier unescaped, an OBO address in its short form."""
    return compact(unescape(raw))


def is_plain(raw: str) -> bool:
    """Whether an identifier has no prefix; an escaped colon is part of the word."""
    return ":" not in re.sub(r"\\.", "", raw)


def read_text(value: str) -> Text:
    """The text of a name, a namespace and their like, without modifiers and comment."""
    notes: list[str] = []
    bare = _without_modifiers(value)
    if (found := _comment_at(bare)) is not None:
        notes.append(f"what stands behind ' ! ' was cut off as a comment ({bare[found + 1 :].strip()[:60]!r})")
        bare = _without_modifiers(bare[:found].rstrip())
    return Text(text=unescape(bare).strip(), notes=tuple(notes))


def read_words(value: str, count: int) -> Words:
    """The first ``count`` identifiers of a line (fewer where there are fewer), and what follows them."""
    raw: list[str] = []
    rest, ended = value, False
    while len(raw) < count and not ended:
        rest = rest.lstrip()
        found = _WORD.match(rest)
        if found is None or _starts_tail(rest):
            break
        word = found[0]
        if glued := next((at for at in _signs(word, "{") if _MODIFIERS.match(rest, at)), 0):
            word, ended = word[:glued], True
        elif word.endswith("!") and not word.endswith("\\!"):
            word, ended = word[:-1], True
        rest = rest[len(word) :]
        raw.append(word)
    comment, modifiers, notes = _after_words(rest.strip())
    return Words(
        ids=tuple(map(identifier, raw)), raw=tuple(raw), comment=comment, modifiers=modifiers, notes=tuple(notes)
    )


def read_synonym(value: str, tag: str = "synonym") -> Synonym:
    """A synonym in either form; its text ends at the first quote behind which the line goes on as it should."""
    default = OLD_SCOPES.get(tag, "RELATED")
    if not value.startswith('"'):
        return Synonym(text="", scope=default, stated=False, notes=("its text stands in no quotes",))
    ends = [at for at in _signs(value, '"') if at][:_MAX_TRIES]
    for end in ends:
        tail = _Tail(rest=value[end + 1 :])
        if tail.read():
            return _synonym(value[1:end], tail.scope, default, ())
    if ends:
        tail = _Tail(rest=value[ends[-1] + 1 :])
        tail.read()
        note = f"what stands behind its text was not understood ({value[ends[-1] + 1 :].strip()[:60]!r})"
        return _synonym(value[1 : ends[-1]], tail.scope, default, (note,))
    cut = _OPEN_END.search(value)
    text = value[1 : cut.start()] if cut else value[1:]
    return _synonym(text, (cut[1] or "").upper() if cut else "", default, ("the quote of its text is not closed",))


def _synonym(raw: str, scope: str, default: str, notes: tuple[str, ...]) -> Synonym:
    stated = bool(scope) or default != "RELATED"
    return Synonym(text=unescape(raw).strip(), scope=scope or default, stated=stated, notes=notes)


def _without_modifiers(value: str) -> str:
    """The value without modifiers at its end; braces that are none belong to it."""
    if not value.endswith("}"):
        return value
    for at in _signs(value, "{")[-_MAX_TRIES:]:
        if (not at or value[at - 1].isspace()) and _MODIFIERS.fullmatch(value, at):
            return value[:at].rstrip()
    return value


def _comment_at(value: str) -> int | None:
    """Where ``!`` stands between blanks; one inside a word belongs to the word."""
    found = _COMMENT.search(value)
    return found.start() if found else None


def _starts_tail(rest: str) -> bool:
    return bool(_COMMENT.match(rest)) or (rest.startswith("{") and bool(_MODIFIERS.match(rest)))


def _after_words(rest: str) -> tuple[str, str, list[str]]:
    """Comment, modifiers, and notes about what is neither."""
    notes: list[str] = []
    modifiers = ""
    if found := _MODIFIERS.match(rest):
        modifiers, rest = found[0], rest[found.end() :].strip()
    at = _comment_at(rest)
    between = (rest if at is None else rest[:at]).strip()
    if at is None and between.startswith("!"):
        return unescape(between[1:]).strip(), modifiers, notes
    if between:
        notes.append(f"words behind the identifier were passed over ({between[:60]!r})")
    return "" if at is None else unescape(rest[at + 1 :]).strip(), modifiers, notes


def _signs(text: str, sign: str) -> list[int]:
    """Places of a sign that no backslash stands before."""
    found = []
    at = text.find(sign)
    while at >= 0:
        before = at
        while before and text[before - 1] == "\\":
            before -= 1
        if not (at - before) % 2:
            found.append(at)
        at = text.find(sign, at + 1)
    return found


def _bracket(text: str) -> int:
    """Where a list that starts the text ends, behind its bracket; 0 where it is not closed."""
    quotes = _signs(text, '"')
    for end in _signs(text, "]")[:_MAX_TRIES]:
        if not sum(at < end for at in quotes) % 2:
            return end + 1
    # Quotes that do not pair: the last bracket closes the list
    return max((end + 1 for end in _signs(text, "]")), default=0)
