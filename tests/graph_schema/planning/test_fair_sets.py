"""Sets of graphs whose names give answers away: balanced where the graph allows it, else marked, and always counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.probes.guessing.guessers import Guesser
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.audit import audit_set
from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation
from knowledgesmith.graph_schema.types.probes import ProbeKind

KINDS = (ProbeKind.DIRECT, ProbeKind.REVERSE)


def _made(
    store: GraphStore, graph_id: str, writer: Any, pairs: list[tuple[str, str]], folder: Path, **choice: Any
) -> ProbeSetInfo:
    """A set about one relation between things with these names."""
    relations = list(build_catalogue([Relation(name="kind", rel_type="")]).values())
    names = sorted({name for pair in pairs for name in pair})
    writer(graph_id, [Entity(uid=name, name=name) for name in names], relations, [(s, "kind", o) for s, o in pairs])
    request = BulkRequest(graph_id=graph_id, phrasings=1, kinds=KINDS, **choice)
    return probe_set.generate_set(store, request, directory=folder)


def _words(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    syllables = np.array([first + second for first in "bdfglmnprstvwz" for second in "aeiou"])
    return lambda: "".join(rng.choice(syllables, size=4))


def test_names_that_repeat_their_answer_make_no_fair_set(
    store: GraphStore, graph_id: str, writer: Any, tmp_path: Path
) -> None:
    """ "jurisdiction of X" for "government of X": nothing else shares the name, so nothing can stand beside it."""
    word = _words(1)
    names = [word() for _ in range(120)]
    made = _made(store, graph_id, writer, [(f"Government of {n}", f"law of {n}") for n in names], tmp_path)
    assert made.fair is False
    assert made.unfair
    share = made.left_out["DIRECT"]
    assert share.share > 0.5
    assert share.askable - share.left_out == made.counts.get("DIRECT", 0)
    assert made.dropped["guessable"] > 100
    stored = probe_set.get_info(store, made.id)
    assert stored == made


def test_names_without_a_hint_make_a_fair_set_and_its_audit_agrees(
    store: GraphStore, graph_id: str, writer: Any, tmp_path: Path
) -> None:
    word = _words(2)
    pairs = [(word(), word()) for _ in range(150)]
    made = _made(store, graph_id, writer, pairs, tmp_path)
    assert made.fair
    assert made.counts["DIRECT"] > 110
    audit = audit_set(store, probe_set_id=made.id, directory=tmp_path)
    assert audit.passed
    assert {(g.kind, g.guesser, g.tested, round(g.accuracy, 9)) for g in audit.guesses} == {
        (g.kind, g.guesser, g.tested, round(g.accuracy, 9)) for g in made.guesses
    }


def test_what_shares_a_word_with_the_answer_stands_beside_it(
    store: GraphStore, graph_id: str, writer: Any, tmp_path: Path
) -> None:
    """Every second word names four kinds of things, so that a shared word can be had among the wrong options too."""
    word = _words(3)
    pairs: list[tuple[str, str]] = []
    for family in (word() for _ in range(30)):
        pairs += [(f"{word()} {family}", f"{word()} {family}") for _ in range(5)]
    made = _made(store, graph_id, writer, pairs, tmp_path)
    found = {(g.kind, g.guesser): g for g in made.guesses}
    for kind in ("DIRECT", "REVERSE"):
        assert found[kind, Guesser.SHARED_WORDS].accuracy < 0.35
        assert found[kind, Guesser.LEARNED].fair
        assert made.left_out[kind].share < 0.7


def test_a_limit_is_filled_with_questions_that_stay(
    store: GraphStore, graph_id: str, writer: Any, tmp_path: Path
) -> None:
    word = _words(4)
    made = _made(store, graph_id, writer, [(word(), word()) for _ in range(150)], tmp_path, limit_per_kind=40)
    assert made.counts == {"DIRECT": 40, "REVERSE": 40}
    (letters,) = audit_set(store, probe_set_id=made.id, directory=tmp_path).letters
    assert max(letters.counts) - min(letters.counts) <= 2
