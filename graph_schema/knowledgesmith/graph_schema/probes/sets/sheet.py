"""A sheet for people: some probes of a set in a CSV file, with columns to fill in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key

LETTERS: Final = "ABCDEFGH"
COLUMNS: Final = ("id", "kind", "text", "options", "answer", "correct", "grammatical", "unambiguous")
"""The last three are for people: y or n."""
_RISKY: Final = ("=", "+", "-", "@")


def sheet_of(tables: Iterable[Table], *, rows: int, seed: int) -> str:
    """The CSV text of ``rows`` drawn probes, in the set's order; the answers shown are the set's."""
    kept: list[tuple[int, int, Mapping[str, Any]]] = []
    position = 0
    for table in tables:
        lots = [draw_key(seed, "sheet", probe_id) for probe_id in table["id"].to_pylist()]
        best = sorted(range(len(lots)), key=lots.__getitem__)[:rows]
        kept += [(lots[n], position + n, table.slice(n, 1).to_pylist()[0]) for n in best]
        kept = sorted(kept, key=lambda entry: entry[0])[:rows]
        position += table.num_rows
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _, _, row in sorted(kept, key=lambda entry: entry[1]):
        stem = f"{row['prefix']} {row['stem']}" if row["prefix"] else row["stem"]
        options = "  ".join(f"{letter}) {option}" for letter, option in zip(LETTERS, row["options"], strict=False))
        answer = ", ".join(LETTERS[n] for n in row["answers"])
        writer.writerow([row["id"], row["kind"], _plain(stem), options, answer, "", "", ""])
    return text.getvalue()


def _plain(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text
