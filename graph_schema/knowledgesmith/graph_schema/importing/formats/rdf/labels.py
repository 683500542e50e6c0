"""The name and the aliases of a thing from its labels in several languages and by several predicates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyoxigraph import Literal

from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, last_part
from knowledgesmith.graph_schema.importing.formats.rdf.options import RdfOptions
from knowledgesmith.graph_schema.importing.formats.rdf.properties import Properties
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import ALIASES, LABEL_WORDS, LABELS
from knowledgesmith.graph_schema.text_checks import MAX_NAME


class Labels:
    """Chooses by language first, then by predicate, then by text; never by order."""

    def __init__(self, properties: Properties, options: RdfOptions) -> None:
        self._properties = properties
        self._language = options.language.casefold()
        self._others = options.other_languages
        self._ranks = {iri: rank for rank, iri in enumerate((*options.label_predicates, *LABELS))}
        self._aliases = frozenset((*ALIASES, *options.alias_predicates))
        self._kinds: dict[str, int | None] = {}

    def is_label(self, predicate: str) -> bool:
        """Whether a predicate gives names or aliases."""
        return self._rank(predicate) is not None

    def choose(self, statements: Iterable[tuple[str, Any]]) -> tuple[str, list[str]]:
        """Name (empty when there is none) and aliases.

        Labels of the chosen language that are not the name become aliases; others when the option says so. A label
        that is too long for a name is passed over as long as there is a shorter one.
        """
        names: list[tuple[bool, int, int, str, str]] = []
        aliases: list[str] = []
        for predicate, literal in statements:
            rank = self._rank(predicate)
            if rank is None or not isinstance(literal, Literal) or not (text := clean(literal.value)):
                continue
            language = (literal.language or "").casefold()
            near = self._nearness(language)
            if rank < 0:
                if near < 3 or self._others:
                    aliases.append(text)
            else:
                names.append((len(text) > MAX_NAME, near, rank, language, text))
        if not names:
            return "", aliases
        chosen = min(names)
        aliases += [text for *_, text in names if text != chosen[-1] and self._others]
        aliases += [text for _, near, _, _, text in names if text != chosen[-1] and near == chosen[1] < 3]
        return chosen[-1], sorted(set(aliases) - {chosen[-1]})

    def _nearness(self, language: str) -> int:
        if language == self._language:
            return 0
        if language.startswith(f"{self._language}-"):
            return 1
        return 3 if language else 2

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
