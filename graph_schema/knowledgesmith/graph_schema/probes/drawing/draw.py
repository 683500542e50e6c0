"""Seeded draws: distractors, options and their order. No global generator: a draw is a hash of seed and question."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.types.digests import prefixed

TRIES: Final = 24
SMALL_POOL: Final = 48
GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1


def draw_key(seed: int, *parts: str) -> int:
    """A 64-bit key for one draw, from the seed and what the draw is for."""
    content = b"".join(map(_prefixed, parts))
    digest = hashlib.blake2b(seed.to_bytes(16, "big", signed=True) + content, digest_size=8)
    return int.from_bytes(digest.digest(), "big")


_prefixed = lru_cache(maxsize=1 << 14)(prefixed)
"""Relations, and the entities of one neighbourhood, stand in very many keys."""
ANSWER: Final = draw_key(0, "answer")
OPTIONS: Final = draw_key(0, "options")
PREFIX: Final = draw_key(0, "prefix")
ORDER: Final = draw_key(0, "order")
STATEMENT: Final = draw_key(0, "false")
"""What a draw is for: combined by exclusive or with the key of a question, they give keys of their own."""


def stream(key: int, count: int) -> NDArray[np.uint64]:
    """``count`` pseudo-random 64-bit numbers of one key (SplitMix64, Steele et al. 2014). Shape ``(count,)``."""
    numbers: NDArray[np.uint64] = streams(np.array([key & _MASK], dtype=np.uint64), count)[0]
    return numbers


def streams(keys: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """The streams of many keys at once. Shape ``(keys, count)``."""
    counter = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN) + keys[:, None]
    mixed = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def permutation(count: int, *, key: int) -> list[int]:
    """A permutation of ``range(count)``."""
    return [int(position) for position in np.argsort(stream(key, count), kind="stable")]


def sample(items: Sequence[str], count: int, *, key: int) -> list[str]:
    """``count`` different items (fewer where there are fewer), in drawn order; ``items`` must be sorted."""
    return [items[position] for position in permutation(len(items), key=key)[:count]]


def _candidates(pool: Sequence[int], *, key: int) -> Iterable[int]:
    """Members of the pool in drawn order; of a large pool a few draws first, then all of it."""
    if len(pool) > SMALL_POOL:
        for number in stream(key, TRIES) % np.uint64(len(pool)):
            yield pool[int(number)]
    for position in permutation(len(pool), key=key):
        yield pool[position]


def draw_distractors(
    lexicon: Lexicon, *, pool: Sequence[int], shown: Sequence[str], excluded: Collection[str], count: int, key: int
) -> list[str]:
    """Entities of the pool that are false, and that nobody could take for one another or for an entity outside.

    Args:
        lexicon: the graph's names.
        pool: dense indices to draw from.
        shown: uids that are among the options already.
        excluded: uids that are right in one of the worlds, or stand in the question.
        count: how many are wanted; fewer come back where the pool holds fewer.
        key: from :func:`draw_key`.
    """
    taken = {key for uid in shown for key in lexicon.keys[lexicon.index[uid]]}
    banned = {*shown, *excluded}
    drawn: list[str] = []
    for position in _candidates(pool, key=key):
        if len(drawn) == count:
            break
        uid = lexicon.entities[position].uid
        keys = lexicon.keys[position]
        if uid in banned or lexicon.ambiguous[position] or not taken.isdisjoint(keys):
            continue
        banned.add(uid)
        taken |= keys
        drawn.append(uid)
    return drawn


def draw_options(
    lexicon: Lexicon,
    *,
    pool: Sequence[int],
    shown: Sequence[str],
    excluded: Collection[str],
    arity: int,
    key: int,
) -> tuple[str, ...] | None:
    """The shown answers and drawn distractors in drawn order, or ``None`` where fewer than two options exist.

    ``None`` also where two shown answers share a name, since nobody could tell them apart.
    """
    known: set[str] = set()
    for uid in shown:
        keys = lexicon.keys[lexicon.index[uid]]
        if not known.isdisjoint(keys):
            return None
        known |= keys
    # an old and a new answer leave no false option in a question of two, and need none
    missing = max(arity - len(shown), 0)
    drawn = draw_distractors(lexicon, pool=pool, shown=shown, excluded=excluded, count=missing, key=key)
    options = [*shown, *drawn]
    if len(options) < 2:
        return None
    return tuple(options[position] for position in permutation(len(options), key=key ^ GOLDEN))
