"""Uids for things without an IRI: what is said of them and by whom, whatever their order or labels in the file."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode

from knowledgesmith.graph_schema.importing.formats.rdf.triples import Triples

_STEPS: Final = 6
"""Blank nodes further away than this do not tell two things apart; those would be one."""
_MODULUS: Final = 1 << 256


class BlankNodes:
    """Gives each blank node the digest of its surroundings; equal surroundings are one thing."""

    def __init__(self, triples: Triples) -> None:
        self._triples = triples
        self._digest = lru_cache(65_536)(self._compute)

    def uid(self, node: BlankNode) -> str:
        """``_:`` and 32 hexadecimal digits."""
        return f"_:{self._digest(node, _STEPS):064x}"[:34]

    def _compute(self, node: Any, steps: int) -> int:
        total = 0
        seen: set[tuple[str, str, int]] = set()
        for direction, quads in (
            ("out", self._triples.statements(node)),
            ("in", self._triples.about(node)),
        ):
            for quad in quads:
                other = quad.object if direction == "out" else quad.subject
                key = (direction, quad.predicate.value, self._term(other, steps - 1))
                if key not in seen:
                    seen.add(key)
                    # A sum does not depend on the order of the statements
                    total = (total + _hash("|".join(map(str, key)))) % _MODULUS
        return total

    def _term(self, term: Any, steps: int) -> int:
        if isinstance(term, BlankNode):
            return self._digest(term, steps) if steps > 0 else 0
        return _hash(str(term)) if isinstance(term, NamedNode | Literal) else 0


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
