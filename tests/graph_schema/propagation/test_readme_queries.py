"""The README's question after what should have changed and did not, for an edit and for an erasure."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.graph_schema.propagation.conftest import Run

from knowledgesmith.graph_schema.storage.store import GraphStore

README = Path(__file__).resolve().parents[3] / "README.md"


def query(part: str) -> str:
    found = re.findall(r"^```cypher\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (one,) = (text for text in found if part in text)
    return str(one)


def test_what_should_have_changed_and_did_not_holds_what_is_not_erased(
    store: GraphStore, first: Run, erased: Run
) -> None:
    failed: Counter[str] = Counter()
    for run in (first, erased):
        _, rows = store.run_user_query(query("n_not_erased"), {"id": run.id}, limit=100, timeout_s=60)
        expected: Counter[tuple[str, str]] = Counter()
        for slot in run.plan.slots:
            row = run.rows[slot.seq]
            assert slot.role is not None
            if row.n_missed + row.n_not_installed + row.n_not_erased:
                expected[slot.role.value, slot.kind.value] += 1
            failed.update(not_erased=row.n_not_erased, not_installed=row.n_not_installed, missed=row.n_missed)
        assert {(str(row["role"]), str(row["kind"])): row["rows"] for row in rows} == expected
    assert min(failed[name] for name in ("not_erased", "not_installed", "missed")) > 0, "each has its rows"


def test_verdicts_by_role_count_every_row(store: GraphStore, first: Run) -> None:
    _, rows = store.run_user_query(query("AS preserved"), {"id": first.id}, limit=1000, timeout_s=60)
    counted: Counter[str] = Counter()
    for row in rows:
        number = row["rows"]
        assert isinstance(number, int)
        counted[str(row["role"])] += number
    assert counted == Counter(slot.role.value for slot in first.plan.slots if slot.role is not None)
