"""Four-option verdicts on held-out phrasings, scored as the service scores its probes by default."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from knowledgesmith.editors.scoring.beliefs import DEFAULT_SCORER, best_option, option_values
from knowledgesmith.editors.scoring.cloze import Scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.quality_facts import Asked

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot

Item = tuple[str, str]
"""Fact and phrasing."""
ARITY = 4


class Options:
    """The same four options for every measurement of a run; functional relations make every other object false."""

    def __init__(self, loaded: LoadedModel, snapshot: GraphSnapshot, facts: Sequence[Asked], *, seed: int) -> None:
        self._scorer = Scorer(loaded)
        rng = random.Random(f"options-{seed}")  # noqa: S311 - a draw, not a secret
        pools: dict[tuple[str, str], set[str]] = {}
        for fact in snapshot.facts:
            kind = snapshot.entities[fact.object].type
            pools.setdefault((fact.relation, kind), set()).add(snapshot.entities[fact.object].name)
        self._items: list[tuple[Item, str, list[str]]] = []
        for asked in facts:
            kind = snapshot.entities[asked.fact.object].type
            others = sorted(pools[asked.fact.relation, kind] - set(asked.names))
            if not others:
                continue
            options = [asked.names[0], *rng.sample(others, min(ARITY - 1, len(others)))]
            self._items += [(("/".join(asked.fact.key), text), text, options) for text in asked.held_out]

    def right(self) -> dict[Item, bool]:
        """Whether the true option is the best one, under the weights that the model carries now."""
        pairs = [(text, option) for _, text, options in self._items for option in options]
        scores = iter(self._scorer.score(pairs))
        return {
            item: best_option(option_values(DEFAULT_SCORER, [next(scores) for _ in options])) == 0
            for item, _, options in self._items
        }
