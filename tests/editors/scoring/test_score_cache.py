from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.scoring.beliefs import OptionScore
from knowledgesmith.editors.scoring.cache import ScoreCache

SCORE = OptionScore(-1.25, 2, text="b")
FULL = OptionScore(
    sum_logprob=-1.5,
    n_tokens=2,
    text="b",
    tokens=(70_000, 3),
    heads=("𝔘", ""),
    logprobs=(-1.0, -0.5),
    others=(-0.4586751453870819, -0.9327521295671886),
    ends=-0.25,
    goes_on=-1.5087,
)


def test_what_was_put_comes_back_exactly(tmp_path: Path) -> None:
    scores = {
        (f"stem {i}", f"option {i % 7}"): OptionScore(-i / 3.0 - 0.1, 1 + i % 5, text=f"option {i % 7}")
        for i in range(3000)
    }
    with ScoreCache(tmp_path / "deep" / "scores.sqlite") as cache:
        cache.put("r", "s", scores)
        assert cache.get("r", "s", [*scores, ("unknown", "x")]) == scores
    with ScoreCache(tmp_path / "deep" / "scores.sqlite") as cache:
        assert cache.get("r", "s", list(scores)) == scores
        assert len(cache) == 3000


def test_a_whole_record_comes_back_exactly() -> None:
    with ScoreCache(":memory:") as cache:
        cache.put("r", "s", {("a", " b "): FULL, ("a", "c"): OptionScore(-math.inf, 1, text="c")})
        assert cache.get("r", "s", [("a", " b ")]) == {("a", " b "): FULL}
        assert cache.get("r", "s", [("a", "c")])["a", "c"].sum_logprob == -math.inf


def test_scores_of_the_first_releases_are_dropped(tmp_path: Path) -> None:
    """They were kept without tokenizer and configuration, and hold too little."""
    file = tmp_path / "scores.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "CREATE TABLE scores (key BLOB PRIMARY KEY, sum_logprob REAL NOT NULL, n_tokens INTEGER NOT NULL)"
        )
        connection.execute("INSERT INTO scores VALUES (?, -1.0, 1)", (b"k",))
    with ScoreCache(file) as cache:
        assert len(cache) == 0
        cache.put("r", "s", {("a", "b"): SCORE})
        assert cache.get("r", "s", [("a", "b")]) == {("a", "b"): SCORE}
    with closing(sqlite3.connect(file)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "scores" not in names


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
    scores = {pair: OptionScore(-float(i), i + 1, text=pair[1].strip()) for i, pair in enumerate(pairs)}
    with ScoreCache(":memory:") as cache:
        cache.put("r", "s", scores)
        assert cache.get("r", "s", pairs) == scores
        assert len(cache) == len(pairs)


_WRITER = """
import sys
from knowledgesmith.editors.scoring.beliefs import OptionScore
from knowledgesmith.editors.scoring.cache import ScoreCache
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
        assert cache.get("r", "s", [("both", "99")]) == {("both", "99"): OptionScore(-99.0, 1, text="99")}
