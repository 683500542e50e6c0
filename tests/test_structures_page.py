"""The page on structures says what its results say: every structure in every precision, and no wreck committed."""

from __future__ import annotations

from benchmarks.structures import DOCS, DTYPES, page, read

from knowledgesmith.editors.testing.tiny import STRUCTURES


def test_the_page_is_made_from_the_results() -> None:
    assert DOCS.read_text(encoding="utf-8") == page(read())


def test_every_structure_works_truly_or_is_refused() -> None:
    rows = read()
    assert rows.keys() == {(name, dtype) for name in (*STRUCTURES, "default", "second") for dtype in DTYPES}
    for key, row in rows.items():
        if row["state"] in {"REFUSED", "FAILED"}:
            assert row["said"], key
            assert "\n" not in row["said"], key
            continue
        assert row["state"] == "SUCCEEDED", key
        assert row["health"]["ok"], key
        assert row["health"]["realised_min"] > 0.5, key
        assert row["installed"] > 0, key
