"""The name and the aliases of a thing from its labels in several languages and by several predicates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from pyoxigraph import Literal

from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, last_part
from knowledgesmith.graph_schema.importing.formats.rdf.options import RdfOptions
from knowledgesmith.graph_schema.importing.formats.rdf.properties import Properties
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import ALIASES, LABEL_WORDS, LABELS
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import FindingKind
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME

_MAX_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A name (empty when there is none) and aliases. ``notes`` tell of another language and of several names."""

    name: str = ""
    aliases: list[str] = field(default_factory=list[str])
    notes: tuple[tuple[FindingKind, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class _Label:
    """Sorted as they are preferred: by length, then language, then predicate, then text; never by order of the file."""

    too_long: bool
    near: int
    rank: int
    language: str
    text: str


class Labels:
    """Chooses by language first, then by predicate, then by text; never by order.

    The languages come in the stated order, each followed by what is nearest to it: the wider language of a narrower one
    (``en`` where ``en-GB`` is asked for), then the narrower ones of a wider one. Then come labels without a language,
    then all other languages by their tags.
    """

    def __init__(self, properties: Properties, options: RdfOptions) -> None:
        self._properties = properties
        self._languages = [language.casefold().replace("_", "-") for language in options.language]
        self._others = options.other_languages
        self._ranks = {iri: rank for rank, iri in enumerate((*options.label_predicates, *LABELS))}
        self._aliases = frozenset((*ALIASES, *options.alias_predicates))
        self._kinds: dict[str, int | None] = {}
        self._untagged = 3 * len(self._languages)

    def is_label(self, predicate: str) -> bool:
        """Whether a predicate gives names or aliases."""
        return self._rank(predicate) is not None

    def choose(self, statements: Iterable[tuple[str, Any]]) -> Choice:
        """Name and aliases.

        Labels of the chosen language that are not the name become aliases; others when the option says so. A label
        that is too long for a name is passed over as long as there is a shorter one.
        """
        names: list[_Label] = []
        aliases: list[str] = []
        for predicate, literal in statements:
            rank = self._rank(predicate)
            if rank is None or not isinstance(literal, Literal) or not (text := clean(literal.value)):
                continue
            language = (literal.language or "").casefold()
            near = self._nearness(language)
            if rank >= 0:
                names.append(_Label(len(text) > MAX_NAME, near, rank, language, text))
            elif near <= self._untagged or self._others:
                aliases.append(text)
        if not names:
            return Choice(aliases=sorted(set(aliases)))
        chosen = min(names)
        aliases += [label.text for label in names if self._others or self._is_near(label, chosen)]
        return Choice(
            name=chosen.text,
            aliases=sorted(set(aliases) - {chosen.text}),
            notes=tuple(self._notes(chosen, names)),
        )

    def _is_near(self, label: _Label, chosen: _Label) -> bool:
        """Whether a label is in the language of the name, or a narrower or wider one of it that was asked for."""
        return max(label.near, chosen.near) <= self._untagged and label.near // 3 == chosen.near // 3

    def _notes(self, chosen: _Label, names: list[_Label]) -> Iterable[tuple[FindingKind, str]]:
        tags = sorted({label.language for label in names if label.language})
        if chosen.near > self._untagged or (chosen.near == self._untagged and tags):
            taken = f"@{chosen.language}" if chosen.language else " without a language"
            wanted = ", ".join(self._languages)
            yield FindingKind.FALLBACK_LANGUAGE, f"{quote(chosen.text)}{taken}, there is no label in {wanted}"
        rivals = sorted(
            {
                label.text
                for label in names
                if (label.near, label.rank, label.language) == (chosen.near, chosen.rank, chosen.language)
            }
        )
        if len(rivals) > 1:
            shown = ", ".join(map(quote, rivals[:_MAX_SHOWN]))
            yield FindingKind.SEVERAL_NAMES, f"{shown} are all its names in one language; the first was taken"

    def _nearness(self, language: str) -> int:
        """Place of a language in the stated order, three steps for each one stated."""
        if not language:
            return self._untagged
        places = [self._untagged + 1]
        for number, wanted in enumerate(self._languages):
            if language == wanted:
                places.append(3 * number)
            elif wanted.startswith(f"{language}-"):
                places.append(3 * number + 1)
            elif language.startswith(f"{wanted}-"):
                places.append(3 * number + 2)
        return min(places)

    def _rank(self, predicate: str) -> int | None:
        """Position among the predicates of names, -1 for aliases, None for neither."""
        if predicate not in self._kinds:
            self._kinds[predicate] = self._find_rank(predicate)
        return self._kinds[predicate]

    def _find_rank(self, predicate: str) -> int | None:
        if predicate in self._ranks:
            return self._ranks[predicate]
        if predicate in self._aliases:
            return -1
        if last_part(predicate) in LABEL_WORDS:
            return len(self._ranks)
        if self._properties.is_below(predicate, self._aliases):
            return -1
        return len(self._ranks) + 1 if self._properties.is_below(predicate, frozenset(self._ranks)) else None
