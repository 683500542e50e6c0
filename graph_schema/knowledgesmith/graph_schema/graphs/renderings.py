"""Which entities read alike, found by putting their names into the surroundings that a graph's texts have for them.

What draws and asks compares names without their end marks; the verifier does not trust that and looks at the texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from knowledgesmith.graph_schema.language.filling import Surroundings, fill, is_fitted, surroundings
from knowledgesmith.graph_schema.language.name_keys import name_key
from knowledgesmith.graph_schema.types.facts import Entity

_OF_CHOICES: Final = frozenset({Surroundings("", ""), Surroundings("", "?")})
"""Whatever the templates are: options stand alone and before the mark of a choice."""


def read_alike(entities: Sequence[Entity], texts: Iterable[str]) -> frozenset[str]:
    """Uids of entities whose name, in one of the texts, reads as the name of another entity or an alias of it.

    Args:
        entities: the graph's entities.
        texts: its templates.
    """
    frames = sorted(surroundings(texts) | _OF_CHOICES)
    plain: dict[str, set[str]] = {}
    fitted: dict[tuple[Surroundings, str], set[str]] = {}
    for entity in entities:
        for name in entity.names:
            if is_fitted(name):
                for frame in frames:
                    fitted.setdefault((frame, _read(name, frame)), set()).add(entity.uid)
            else:  # most names stand as they are in every text
                plain.setdefault(name_key(name), set()).add(entity.uid)
    found: set[str] = set()
    for entity in entities:
        key, own = name_key(entity.name), {entity.uid}
        varies = is_fitted(entity.name)
        for frame in frames:
            read = _read(entity.name, frame) if varies else key
            if not (plain.get(read, own) <= own and fitted.get((frame, read), own) <= own):
                found.add(entity.uid)
                break
    return frozenset(found)


def _read(name: str, frame: Surroundings) -> str:
    """What a reader takes for the name: the text without the template's own article and mark."""
    article, mark = frame
    text = name_key(fill(f"{article} {{s}}{mark}".strip(), subject=name))
    if article:
        text = text.partition(" ")[2]
    return text.removesuffix(name_key(mark)) if mark else text
