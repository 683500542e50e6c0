"""Short ids, readable names and relation names from the identifiers of ontologies."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import unquote

from knowledgesmith.graph_schema.language.text_checks import MAX_UID, MAX_WORD

# OBO Foundry identifier policy: the last underscore parts the id space from the local part, so this can be undone.
_OBO_PURL: Final = re.compile(r"http://purl\.obolibrary\.org/obo/([A-Za-z][A-Za-z0-9_]*)_([A-Za-z0-9]+)")
_OBO_FRAGMENT: Final = re.compile(r"http://purl\.obolibrary\.org/obo/[A-Za-z0-9_.-]+#([^#/\s]+)")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OPAQUE: Final = re.compile(r"[A-Za-z]*[_:-]?[0-9]+")


def clean(text: str) -> str:
    """The text with every run of blanks, line breaks and separators as one space."""
    return " ".join(text.split())


def fit(text: str, limit: int = MAX_UID) -> str:
    """The text, or where it is longer than ``limit`` its beginning and 32 digits of its SHA-256."""
    if len(text) <= limit:
        return text
    return f"{text[: limit - 33]}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def compact(iri: str) -> str:
    """``CL:0000000`` for ``http://purl.obolibrary.org/obo/CL_0000000``; any other identifier as it is."""
    found = _OBO_PURL.fullmatch(iri)
    return f"{found[1]}:{found[2]}" if found else iri


def uid_of(identifier: str) -> str:
    """The uid of an entity: the identifier, compact where that can be undone, and never over the limit."""
    return fit(compact(identifier))


def obo_fragment(iri: str) -> str:
    """``develops_from`` for ``http://purl.obolibrary.org/obo/cl#develops_from``, an OBO id without prefix."""
    found = _OBO_FRAGMENT.fullmatch(iri)
    return found[1] if found else ""


def last_part(identifier: str) -> str:
    """What follows the last ``/`` or ``#`` (of a URN the last ``:``), or the identifier where nothing does."""
    body = identifier.rstrip("/#")
    tail = re.split(r"[/#]", body)[-1]
    return (tail.rsplit(":", 1)[-1] if tail == body else tail) or identifier


def readable(identifier: str) -> str:
    """A name for an entity that has none: the last part of an IRI, words parted; an OBO id stays whole."""
    short = compact(identifier)
    if "://" not in short and not short.startswith("urn:"):
        return fit(clean(short))
    words = unquote(last_part(short)).replace("_", " ")
    return fit(clean(_CAMEL.sub(" ", words)) or short)


def is_opaque(part: str) -> bool:
    """Whether a last part is a number in a register (``RO_0002202``, ``P31``) and tells a reader nothing."""
    return _OPAQUE.fullmatch(part) is not None


def relation_word(label: str) -> str:
    """A relation's name from its label: words joined by ``_``, without the signs that write chains."""
    return fit("_".join(label.split()).replace("|", "/").lstrip("~"), MAX_WORD)
