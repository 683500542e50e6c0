"""Things that have neither an address nor a name: what they are called is an invention that no reader can know."""

from __future__ import annotations

from typing import Final

BLANK: Final = "_:"
"""How the uid of a blank node of RDF begins; signs that depend on what is said of it follow."""
_UNNAMED: Final = "unnamed"
_SIGNS: Final = 6


def invented_name(uid: str, kind: str = "") -> str:
    """A name for a blank node by its uid and what it is one of: told apart in a list, and known to nobody."""
    return " ".join(filter(None, (_UNNAMED, kind, uid.removeprefix(BLANK)[:_SIGNS])))


def is_unnamed(uid: str, name: str) -> bool:
    """Whether an entity is a blank node that has the name which was invented for it: no question may name it."""
    signs = uid.removeprefix(BLANK)[:_SIGNS]
    return uid.startswith(BLANK) and name.startswith(f"{_UNNAMED} ") and name.endswith(f" {signs}")
