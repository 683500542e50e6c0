from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.beliefs import OptionScore
from knowledgesmith.editors.score_cache import ScoreCache

SCORE = OptionScore(-1.25, 2)


def test_what_was_put_comes_back_exactly(tmp_path: Path) -> None:
    scores = {(f"stem {i}", f"option {i % 7}"): OptionScore(-i / 3.0 - 0.1, 1 + i % 5) for i in range(3000)}
    with ScoreCache(tmp_path / "deep" / "scores.sqlite") as cache:
        cache.put("r", "s", scores)
        assert cache.get("r", "s", [*scores, ("unknown", "x")]) == scores
    with ScoreCache(tmp_path / "deep" / "scores.sqlite") as cache:
        assert cache.get("r", "s", list(scores)) == scores
        assert len(cache) == 3000


def test_every_part_of_the_key_counts() -> None:
    with ScoreCache(":memory:") as cache:
        cache.put("r", "s", {("a", "b"): SCORE})
        assert cache.get("r", "s", [("a", "b"), ("a", "b")]) == {("a", "b"): SCORE}
        for revision, scorer, pair in (
            ("R", "s", ("a", "b")),
            ("r", "S", ("a", "b")),
            ("r", "s", ("ab", "")),
            ("r", "s", ("", "ab")),
            ("rs", "", ("a", "b")),
        ):
            assert cache.get(revision, scorer, [pair]) == {}


def test_the_first_score_stays() -> None:
    with ScoreCache(":memory:") as cache:
        cache.put("r", "s", {("a", "b"): SCORE})
        cache.put("r", "s", {("a", "b"): OptionScore(-9.0, 9)})
        assert cache.get("r", "s", [("a", "b")]) == {("a", "b"): SCORE}
        cache.put("r", "s", {})
        assert cache.get("r", "s", []) == {}


@given(st.lists(st.tuples(st.text(), st.text()), unique=True, max_size=8))
def test_any_text_is_a_key(pairs: list[tuple[str, str]]) -> None:
    scores = {pair: OptionScore(-float(i), i + 1) for i, pair in enumerate(pairs)}
    with ScoreCache(":memory:") as cache:
        cache.put("r", "s", scores)
        assert cache.get("r", "s", pairs) == scores
        assert len(cache) == len(pairs)


_WRITER = """
import sys
from knowledgesmith.editors.beliefs import OptionScore
from knowledgesmith.editors.score_cache import ScoreCache
name = sys.argv[2]
with ScoreCache(sys.argv[1]) as cache:
    for i in range(100):
        cache.put("r", "s", {(name, str(i)): OptionScore(-float(i), 1), ("both", str(i)): OptionScore(-float(i), 1)})
        assert cache.get("r", "s", [(name, str(i))])
"""


def test_processes_share_one_file(tmp_path: Path) -> None:
    file = tmp_path / "scores.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(file), name]) for name in ("one", "two", "three")]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    with ScoreCache(file) as cache:
        assert len(cache) == 400
        assert cache.get("r", "s", [("both", "99")]) == {("both", "99"): OptionScore(-99.0, 1)}
