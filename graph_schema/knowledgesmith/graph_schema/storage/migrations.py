"""Schema migrations: the numbered files in ``migrations/``, applied once and in order.

A file is named ``NNNN_words.cypher``; its statements end with a line that holds only a semicolon. Every statement
says ``IF NOT EXISTS``, so that two servers which start together, or a migration cut off half-way, do no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from knowledgesmith.graph_schema.errors import SchemaTooNew
from knowledgesmith.graph_schema.storage.store import GraphStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    statements: tuple[str, ...]


def split_statements(source: str) -> tuple[str, ...]:
    """The statements of a migration file, without comments and separators."""
    statements: list[str] = []
    lines: list[str] = []
    for line in source.splitlines():
        if line.strip() == ";":
            statements.append("\n".join(lines))
            lines = []
        elif line.strip() and not line.lstrip().startswith("//"):
            lines.append(line)
    if lines:
        raise ValueError(f"the last statement has no separator: {lines[0]}")
    return tuple(statements)


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations that ship with the package, in order.

    Raises:
        ValueError: the numbers have a gap or a double.
    """
    folder = files("knowledgesmith.graph_schema").joinpath("migrations")
    found = sorted(
        (
            Migration(
                version=int(item.name.partition("_")[0]),
                name=item.name.removesuffix(".cypher"),
                statements=split_statements(item.read_text(encoding="utf-8")),
            )
            for item in folder.iterdir()
            if item.name.endswith(".cypher")
        ),
        key=lambda migration: migration.version,
    )
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, 3, …: {[migration.name for migration in found]}")
    return tuple(found)


def _fill_name_keys(store: GraphStore) -> None:
    """Give entities of earlier releases the keys of their names, page by page; one that has them is passed over."""
    for graph in store.read("graphs/every_id"):
        page = {"graph_id": graph["graph_id"], "after": "", "limit": _PAGE}
        while (row := store.write("importing/aliases_fill", **page)[0])["last"] is not None:
            page["after"] = row["last"]


def _rename_head_interventions(store: GraphStore) -> None:
    """Head beliefs of earlier releases called the intervention behind them a run."""
    for graph in store.read("graphs/every_id"):
        while store.write("interventions/ledger/heads_rename", graph_id=graph["graph_id"], limit=_PAGE)[0]["renamed"]:
            pass


_PAGE: Final = 5_000
_BEFORE: Final[dict[int, Callable[[GraphStore], None]]] = {5: _fill_name_keys, 8: _rename_head_interventions}
"""What the contents need before the statements of a migration, in bounded transactions."""


def migrate(store: GraphStore) -> int:
    """Bring the database to this release's schema and return the schema version; a second call changes nothing.

    Raises:
        SchemaTooNew: a newer release migrated this database.
        GraphUnavailable: the database does not answer.
    """
    known = migrations()
    present = int(store.read("storage/schema_version")[0]["version"])
    newest = known[-1].version
    if present > newest:
        raise SchemaTooNew(
            f"the database has schema version {present}, this release knows {newest}",
            field="schema_version",
            value=present,
            hint="Install the newer release of KnowledgeSmith, or use another database.",
            metadata={"present": str(present), "known": str(newest)},
        )
    for migration in known[present:]:
        if migration.version in _BEFORE:
            _BEFORE[migration.version](store)
        store.run_script(migration.statements)
        store.write("storage/schema_record", version=migration.version)
    return newest
