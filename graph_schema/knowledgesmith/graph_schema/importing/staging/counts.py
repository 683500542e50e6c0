"""Which staged relations lead to several things, so that no wording says "the" where there are two.

Counted are the facts that stand in the files and those that follow from them by an inverse, by symmetry and from the
relations below. Where more follows by a rule, nothing is counted: there may be several. That holds for what a kind has
and its subkinds inherit, too: that a lifecycle has a stage does not say that it has one alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from knowledgesmith.graph_schema.catalogue.counted_wordings import as_counted
from knowledgesmith.graph_schema.catalogue.derived_wordings import truth_templates
from knowledgesmith.graph_schema.catalogue.fact_sources import SourceFinder
from knowledgesmith.graph_schema.catalogue.wording_clashes import separate
from knowledgesmith.graph_schema.types.facts import Origin, Relation

_OWN: Final = frozenset({Origin.DERIVED, Origin.FRAME})
_TWO_OBJECTS: Final = (
    "SELECT DISTINCT relation FROM (SELECT relation FROM fact GROUP BY subject, relation HAVING COUNT(*) > 1)"
)
_TRUTH_VALUED: Final = (
    "SELECT relation FROM fact GROUP BY relation HAVING MIN(object IN (SELECT value FROM json_each(?)))"
)


def count_wordings(
    database: sqlite3.Connection, relations: Mapping[str, Relation], ids: Mapping[str, int]
) -> dict[str, Relation]:
    """The relations with derived wordings that are true of the staged facts.

    Args:
        database: of the staging.
        relations: the complete catalogue.
        ids: the numbers of the relations there.
    """
    told = {name: relation for name, relation in relations.items() if _is_derived(relation)}
    if not told:
        return dict(relations)
    truths = _truth_valued(database)
    found = dict(relations)
    with _Counter(database, relations, ids) as counter:
        for name, relation in told.items():
            if ids[name] in truths and all(template.origin in _OWN for template in relation.templates):
                relation = replace(relation, templates=truth_templates(name))
            found[name] = as_counted(relation, partial(counter.several, name))
    return separate(found)


def _truth_valued(database: sqlite3.Connection) -> frozenset[int]:
    """The relations whose every object is "true" or "false"."""
    values = [number for (number,) in database.execute("SELECT id FROM entity WHERE lower(name) IN ('true', 'false')")]
    if not values:
        return frozenset()
    return frozenset(number for (number,) in database.execute(_TRUTH_VALUED, (json.dumps(values),)))


def _is_derived(relation: Relation) -> bool:
    return any(template.origin in _OWN for template in relation.templates)


class _Counter:
    """Counts the ends of single relations; a context manager, which makes the index that they need at the first."""

    def __init__(self, database: sqlite3.Connection, relations: Mapping[str, Relation], ids: Mapping[str, int]) -> None:
        self._database = database
        self._ids = ids
        self._indexed = False
        self._two = {number for (number,) in database.execute(_TWO_OBJECTS)}
        self._sources = SourceFinder(relations)

    def __enter__(self) -> _Counter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._indexed:
            self._database.execute("DROP INDEX fact_relation")

    def several(self, name: str, *, backward: bool) -> bool:
        """Whether a subject has, or may have, several objects; backward: an object several subjects."""
        sources = self._sources.of(name, backward=backward)
        if not sources.sure:
            return True
        if sources.forward == frozenset({name}) and not sources.backward:
            return self._ids[name] in self._two
        if not self._indexed:
            self._database.execute("CREATE INDEX fact_relation ON fact (relation, subject, object)")
            self._indexed = True
        parts = [
            f"SELECT {ends} FROM fact WHERE relation IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants
            for ends in ("subject AS node, object", "object, subject")
        ]
        numbers = [json.dumps(sorted(self._ids[one] for one in side)) for side in (sources.forward, sources.backward)]
        pairs, nodes = self._database.execute(
            f"SELECT COUNT(*), COUNT(DISTINCT node) FROM ({' UNION '.join(parts)})",  # noqa: S608 - constants
            numbers,
        ).fetchone()
        return bool(pairs > nodes)
