"""Scores on disk, keyed by everything that decides them.

The key is made of the state of the model with what is attached to it (``ModelSession.state_digest``), the scorer's
version, dtype, tokenizer and configuration (``Scorer.key``), the stem and the option. How an option's record
becomes a score is no part of it: all scorers read the same record.
"""

from __future__ import annotations

import sqlite3
import struct
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from knowledgesmith.editors.scoring.beliefs import OptionScore

if TYPE_CHECKING:
    from knowledgesmith.editors.scoring.cloze import Scorer

Pair = tuple[str, str]
_SCHEMA = "CREATE TABLE IF NOT EXISTS option_scores (key BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID"
_FIRST_TABLE = "DROP TABLE IF EXISTS scores"
"""Sums and lengths alone, under keys without tokenizer and configuration: what it holds is measured again."""
_ASKED = "CREATE TEMP TABLE IF NOT EXISTS asked (key BLOB PRIMARY KEY) WITHOUT ROWID"
_FIXED = "<dddii"
_BUSY_SECONDS = 60.0


class ScoreCache:
    """A SQLite file of scores; several processes may use it at once.

    Args:
        path: the file, made when absent; ``":memory:"`` for a cache that ends with the object.
    """

    def __init__(self, path: Path | str) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            str(path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        # a lost score is measured again; a damaged file is not possible with WAL
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_SCHEMA)
        self._connection.execute(_FIRST_TABLE)
        self._connection.execute(_ASKED)

    def get(self, revision: str, scorer: str, pairs: Sequence[Pair]) -> dict[Pair, OptionScore]:
        """The known ones of ``pairs`` (stem, continuation)."""
        keys = {_key(revision, scorer, pair): pair for pair in pairs}
        with self._transaction() as connection:
            connection.execute("DELETE FROM asked")
            connection.executemany("INSERT INTO asked VALUES (?)", ((key,) for key in keys))
            rows = connection.execute("SELECT key, record FROM asked JOIN option_scores USING (key)").fetchall()
        return {keys[key]: _unpack(record, keys[key][1]) for key, record in rows}

    def put(self, revision: str, scorer: str, scores: Mapping[Pair, OptionScore]) -> None:
        """Remember scores; what is known already stays."""
        rows = [(_key(revision, scorer, pair), _pack(score)) for pair, score in scores.items()]
        with self._transaction("IMMEDIATE") as connection:
            connection.executemany("INSERT INTO option_scores VALUES (?, ?) ON CONFLICT DO NOTHING", rows)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def __len__(self) -> int:
        with self._lock:
            return int(self._connection.execute("SELECT count(*) FROM option_scores").fetchone()[0])

    def __enter__(self) -> ScoreCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self, kind: str = "DEFERRED") -> Generator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute(f"BEGIN {kind}")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def score_with_cache(scorer: Scorer, cache: ScoreCache, revision: str, requests: Sequence[Pair]) -> list[OptionScore]:
    """Scores of (stem, option) pairs in their order; only unknown ones run through the model.

    Args:
        scorer: scores under the state that the model shows now.
        cache: where known scores are.
        revision: digest of that state; not of its weights alone, which a memory or a context leaves as they are.
        requests: (stem, option) pairs.
    """
    distinct = list(dict.fromkeys(requests))
    known = cache.get(revision, scorer.key, distinct)
    missing = [pair for pair in distinct if pair not in known]
    fresh = dict(zip(missing, scorer.score(missing), strict=True)) if missing else {}
    cache.put(revision, scorer.key, fresh)
    known.update(fresh)
    return [known[pair] for pair in requests]


def _pack(score: OptionScore) -> bytes:
    """An option's record: sum, ends, number of tokens; then, where known, tokens, their heads and two log-shares."""
    known = len(score.tokens)
    head = struct.pack(_FIXED, score.sum_logprob, score.ends, score.goes_on, score.n_tokens, known)
    heads = [ord(character) if character else 0 for character in score.heads]
    return head + struct.pack(_rest(known), *score.tokens, *heads, *score.logprobs, *score.others)


def _unpack(record: bytes, option: str) -> OptionScore:
    total, ends, goes_on, count, known = struct.unpack_from(_FIXED, record)
    rest = struct.unpack_from(_rest(known), record, struct.calcsize(_FIXED))
    tokens, heads, logprobs, others = (rest[known * part : known * (part + 1)] for part in range(4))
    return OptionScore(
        sum_logprob=total,
        n_tokens=count,
        text=option.strip(),
        tokens=tokens,
        heads=tuple(chr(head) if head else "" for head in heads),
        logprobs=logprobs,
        others=others,
        ends=ends,
        goes_on=goes_on,
    )


def _rest(known: int) -> str:
    return f"<{2 * known}i{2 * known}d"


def _key(revision: str, scorer: str, pair: Pair) -> bytes:
    digest = sha256()
    for part in (revision, scorer, *pair):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.digest()
