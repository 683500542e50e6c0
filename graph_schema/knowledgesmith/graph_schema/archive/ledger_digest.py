"""The digest of a ledger: SHA-256 over its rows in the order of their sequence numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from knowledgesmith.graph_schema.archive.format import dump_line
from knowledgesmith.graph_schema.storage.store import GraphStore

_PAGE: Final = 5_000


def ledger_rows(store: GraphStore, intervention_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Entity uid and properties of every ledger row of an intervention, by sequence number, page by page."""
    after = 0
    while True:
        rows = store.read("archive/write_ledger", id=intervention_id, after=after, limit=_PAGE)
        for row in rows:
            yield row["entity"], row["properties"]
        if len(rows) < _PAGE:
            return
        after = rows[-1]["properties"]["seq"]


def ledger_digest(store: GraphStore, intervention_id: str) -> str:
    """SHA-256 in hexadecimal over (entity, properties) of the rows as canonical JSON lines; of nothing when empty."""
    digest = hashlib.sha256()
    for entity, values in ledger_rows(store, intervention_id):
        digest.update(dump_line([entity, values]))
    return digest.hexdigest()
