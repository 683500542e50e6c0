"""Facts for the quality benchmark: what the model knew before, what is drawn, and what is held out."""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.text.matching import matches
from knowledgesmith.graph_schema.language.filling import fill
from knowledgesmith.graph_schema.types.facts import Direction, Fact, Form, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot

NEW_TOKENS = 8
HELD_OUT = 2
"""Held-out phrasings of each fact."""
RUNS = 5
"""Runs of one protocol; each has facts of its own, so that no fact counts as new evidence twice."""


class Part(StrEnum):
    """Which facts may be used for what: settings are chosen on ``DEV`` and reported on ``TEST``."""

    DEV = "dev"
    TEST = "test"


def part_of(fact: Fact) -> Part:
    """The part of a fact, by a hash of its two ends: a fact and its inverse are on the same side, for ever."""
    return Part.TEST if _number(fact, "part") % 2 else Part.DEV


def run_of(fact: Fact) -> int:
    """The one run of :data:`RUNS` that may draw a fact."""
    return _number(fact, "run") % RUNS


def _number(fact: Fact, what: str) -> int:
    ends = "\x1f".join((what, *sorted((fact.subject, fact.object))))
    return int.from_bytes(hashlib.sha256(ends.encode()).digest()[:8], "big")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A fact with its edit prompt (a training phrasing) and its held-out phrasings."""

    fact: Fact
    domain: str
    edit_prompt: str
    held_out: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Edit prompt first."""
        return (self.edit_prompt, *self.held_out)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Targets of one run and the known facts that no training row may show."""

    targets: tuple[Asked, ...]
    new_objects: tuple[str, ...]
    same_relation: tuple[Asked, ...]
    other_domain: tuple[Asked, ...]
    held_out_domain: str = field(default="")


def askable(snapshot: GraphSnapshot) -> list[Asked]:
    """Every fact of a functional relation that has training and held-out clozes."""
    found: list[Asked] = []
    for fact in snapshot.facts:
        relation = snapshot.relations[fact.relation]
        train = relation.pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.TRAIN)
        held = relation.pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.EVAL)
        if not relation.traits.functional or not train or not held:
            continue
        subject, obj = snapshot.entities[fact.subject], snapshot.entities[fact.object]
        texts = [fill(template.text, subject=subject.name, obj="") for template in (train[0], *held[:HELD_OUT])]
        found.append(
            Asked(fact=fact, domain=subject.domain, edit_prompt=texts[0], held_out=tuple(texts[1:]), names=obj.names)
        )
    return found


def answers(loaded: LoadedModel, texts: Iterable[str]) -> dict[str, str]:
    """Greedy continuations of distinct texts."""
    distinct = sorted(set(texts), key=lambda text: (len(text), text))
    return dict(zip(distinct, generate(loaded, distinct, max_new_tokens=NEW_TOKENS), strict=True))


def base_answers(loaded: LoadedModel, facts: Sequence[Asked], cache: Path) -> dict[str, str]:
    """Answers of the untouched model, kept by model and texts."""
    texts = sorted({text for asked in facts for text in asked.texts})
    digest = hashlib.sha256("\n".join([loaded.digest, *texts]).encode()).hexdigest()[:16]
    place = cache / f"base-answers-{digest}.json"
    if place.exists():
        kept: dict[str, str] = json.loads(place.read_text(encoding="utf-8"))
        return kept
    found = answers(loaded, texts)
    cache.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return found


def knows(base: dict[str, str], asked: Asked, text: str) -> bool:
    """Whether the untouched model answered this phrasing rightly."""
    return matches(base[text], asked.names)


def draw(
    snapshot: GraphSnapshot,
    facts: Sequence[Asked],
    base: dict[str, str],
    *,
    part: Part,
    seed: int,
    count: int,
    holdout: int,
) -> Draw:
    """Draw eligible targets outside one held-out domain, new objects, and known facts to preserve.

    Only facts of ``part``, and of them only those of run ``seed`` (modulo :data:`RUNS`), are drawn.
    """
    rng = random.Random(f"quality-{part}-{seed}")  # noqa: S311 - a draw, not a secret
    domains = sorted({asked.domain for asked in facts})
    far = domains[seed % len(domains)]
    own = [a for a in facts if part_of(a.fact) is part and run_of(a.fact) == seed % RUNS]
    near_pool = [a for a in own if knows(base, a, a.edit_prompt) and a.domain != far]
    targets = rng.sample(near_pool, min(count, len(near_pool)))
    changed = {a.fact.key for a in targets}
    relations = {a.fact.relation for a in targets}
    known = [a for a in own if a.fact.key not in changed and any(knows(base, a, text) for text in a.held_out)]
    same = [a for a in known if a.fact.relation in relations and a.domain != far]
    other = [a for a in known if a.domain == far and a.fact.relation not in relations]
    return Draw(
        targets=tuple(targets),
        new_objects=tuple(_new_objects(snapshot, targets, rng)),
        same_relation=tuple(rng.sample(same, min(holdout, len(same)))),
        other_domain=tuple(rng.sample(other, min(holdout, len(other)))),
        held_out_domain=far,
    )


def _new_objects(snapshot: GraphSnapshot, targets: Sequence[Asked], rng: random.Random) -> Iterable[str]:
    """For every target another object of its relation and type; each object is given away once where that matters."""
    pools: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in snapshot.facts:
        pools[fact.relation, snapshot.entities[fact.object].type].add(fact.object)
    taken: set[tuple[str, str]] = set()
    for asked in targets:
        fact = asked.fact
        pool = pools[fact.relation, snapshot.entities[fact.object].type] - {fact.object, fact.subject}
        free = sorted(uid for uid in pool if (fact.relation, uid) not in taken) or sorted(pool)
        chosen = rng.choice(free)
        taken.add((fact.relation, chosen))
        yield chosen
