"""A list of checks on a probe's text: what a reader would stumble over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from knowledgesmith.graph_schema.types.probes import Probe

_CHECKS: Final = {
    "double_article": re.compile(r"^(?:The|An?) (?:the|an?)\b(?!-)|\b(?:the|an?) (?:[Tt]he|[Aa]n?)\b(?!-)"),
    "double_space": re.compile(r"  "),
    "space_before_punctuation": re.compile(r" [,;?!](?:\s|$)"),
    "double_punctuation": re.compile(r"\?[?!]|!!|,,|(?<!\.)\.\.(?!\.)|[,;]\."),
    "unfilled_slot": re.compile(r"\{[a-z]?\}"),
    "outer_space": re.compile(r"^\s|\s$"),
    "underscore": re.compile(r"\b[a-z]+_[a-z]+\b"),
}

_ENDS: Final = frozenset(".!?…‥。．！？｡؟۔।॥։።᙮។།")
_QUOTES: Final = "\"'”’»」』"


def grammar_faults(probe: Probe, *, names: Iterable[str] = ()) -> Iterator[str]:
    """Names of the checks that the text fails.

    What stands inside a name is the graph's, and so is a small letter where one of ``names`` opens the text; names of
    options are not looked at, except that none may be empty.
    """
    for name, pattern in _CHECKS.items():
        if pattern.search(probe.text):
            yield name
    if probe.stem[:1].islower() and not any(name and probe.stem.startswith(name) for name in names):
        yield "lower_case_start"
    if probe.prefix and probe.prefix.rstrip(_QUOTES)[-1:] not in _ENDS:
        yield "missing_punctuation"
    if probe.stem.startswith("Which ") and not probe.stem.rstrip().endswith(("?", ":")):
        yield "missing_question_mark"
    if any(not option.strip() for option in probe.options):
        yield "empty_option"
