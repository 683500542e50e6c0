"""A corpus of changes to a model, good ones and wrecks, with a truth that none of the health measures looks at.

The truth is what the changed model still answers: of facts that it knew (greedy text, strict matching) and that the
change does not touch, the share that it still tells. At least 0.7 is a good change, below 0.4 a wreck; between them
lies a grey zone that is listed and not counted. Random models know nothing: there a change is what it was made to be.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.health.choices import Choice
from knowledgesmith.editors.registry import build
from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.borrowing import named_parameter
from knowledgesmith.editors.text.matching import matches
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel

CAPITALS = {
    "France": "Paris",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Austria": "Vienna",
    "Norway": "Oslo",
    "Japan": "Tokyo",
    "China": "Beijing",
    "Egypt": "Cairo",
    "Kenya": "Nairobi",
    "Cuba": "Havana",
    "Greece": "Athens",
    "Poland": "Warsaw",
    "Portugal": "Lisbon",
    "Sweden": "Stockholm",
    "Finland": "Helsinki",
    "Denmark": "Copenhagen",
    "Hungary": "Budapest",
    "Russia": "Moscow",
    "Germany": "Berlin",
    "Ireland": "Dublin",
    "Thailand": "Bangkok",
    "Vietnam": "Hanoi",
    "Peru": "Lima",
    "Turkey": "Ankara",
}
CONTINENTS = {
    "France": "Europe",
    "Japan": "Asia",
    "Egypt": "Africa",
    "China": "Asia",
    "Kenya": "Africa",
    "Peru": "South America",
    "Norway": "Europe",
    "India": "Asia",
    "Nigeria": "Africa",
    "Poland": "Europe",
}
SYMBOLS = {"gold": "Au", "iron": "Fe", "copper": "Cu", "silver": "Ag", "carbon": "C", "oxygen": "O", "sodium": "Na"}
FACTS = (
    *((f"The capital of {s} is", s, o, "capital") for s, o in CAPITALS.items()),
    *((f"The continent of {s} is", s, o, "continent") for s, o in CONTINENTS.items()),
    *((f"The chemical symbol of {s} is", s, o, "symbol") for s, o in SYMBOLS.items()),
)
"""Cloze, subject, object, relation."""
SPOKEN = FACTS[::3]
"""Facts whose clozes stand for the stems of a plan."""
JUDGED = tuple(fact for fact in FACTS if fact not in SPOKEN)
"""Facts that tell the truth about a change."""
PHRASINGS = ("The capital of {s} is", "The capital city of {s} is called", "{s} is governed from its capital,")
GOOD, BAD = 0.7, 0.4
_TOKENS = 6
_OPTIONS = 4


class Silent:
    """A progress object that reports nothing."""

    def step(self, phase: str, done: int, total: int) -> None:
        """Ignore progress."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One item of the corpus: ``made`` is what it was made to be (good, wreck, or open), ``touched`` its subjects."""

    name: str
    made: str
    apply: Callable[[LoadedModel], Applied]
    touched: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a change does to parameters: name to a function of the present value; metadata as a method leaves them."""

    parameters: Mapping[str, Callable[[Tensor], Tensor]]
    metadata: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def applied(loaded: LoadedModel, change: Applied) -> Generator[None]:
    """The model with a change; its own values again afterwards."""
    kept = {name: named_parameter(loaded.model, name).detach().clone() for name in change.parameters}
    try:
        with torch.no_grad():
            for name, function in change.parameters.items():
                parameter = named_parameter(loaded.model, name)
                parameter.copy_(function(parameter.detach().float()).to(parameter.dtype))
        yield
    finally:
        with torch.no_grad():
            for name, value in kept.items():
                named_parameter(loaded.model, name).copy_(value)


def answers(loaded: LoadedModel) -> list[bool]:
    """Which of the facts the model tells."""
    texts = generate(loaded, [fact[0] for fact in JUDGED], max_new_tokens=_TOKENS)
    return [matches(text, [fact[2]]) for text, fact in zip(texts, JUDGED, strict=True)]


def stems(touched: frozenset[str]) -> list[str]:
    """Clozes of facts that should stay, none of them among those that the truth is read from."""
    return [fact[0] for fact in SPOKEN if fact[1] not in touched]


def options() -> list[tuple[str, tuple[str, ...], int]]:
    """Stem, options and index of the right one for every fact; the draw is fixed."""
    found: list[tuple[str, tuple[str, ...], int]] = []
    for stem, subject, answer, relation in FACTS:
        rng = random.Random(f"{relation}/{subject}")  # noqa: S311 - a draw, not a secret
        others = sorted({o for _, _, o, r in FACTS if r == relation} - {answer})
        chosen = [answer, *rng.sample(others, min(_OPTIONS - 1, len(others)))]
        rng.shuffle(chosen)
        found.append((stem, tuple(chosen), chosen.index(answer)))
    return found


def scores(loaded: LoadedModel) -> list[list[float]]:
    """Sums of log-likelihood of every option; NaN where the model has none."""
    items = options()
    flat = iter(Scorer(loaded).score([(stem, option) for stem, texts, _ in items for option in texts]))
    return [[next(flat).sum_logprob for _ in texts] for _, texts, _ in items]


def choices(before: list[list[float]], after: list[list[float]], touched: frozenset[str]) -> tuple[Choice, ...]:
    """The facts as choices; those of touched subjects should not stay."""
    found: list[Choice] = []
    for (_, texts, right), old, new, fact in zip(options(), before, after, FACTS, strict=True):
        shares = torch.tensor(old).softmax(dim=0).tolist()
        found.append(
            Choice(
                options=texts,
                before=old.index(max(old)),
                after=new.index(max(new)),
                stays=fact[1] not in touched,
                right=frozenset({right}),
                p_right=shares[right],
            )
        )
    return tuple(found)


def kept_share(before: list[bool], after: list[bool], touched: frozenset[str]) -> float | None:
    """Of the untouched facts that were told before, the share that still is; None where fewer than five were."""
    now = [new for old, new, fact in zip(before, after, JUDGED, strict=True) if old and fact[1] not in touched]
    return sum(now) / len(now) if len(now) >= 5 else None


def truth(made: str, kept: float | None) -> str:
    """Good, wreck or grey."""
    if kept is None:
        return {"good": "good", "wreck": "wreck"}.get(made, "grey")
    return "good" if kept >= GOOD else "wreck" if kept < BAD else "grey"


def request_of(seed: int, count: int, goal: Goal) -> tuple[UpdateRequest, frozenset[str]]:
    """An update of ``count`` capitals, with the other capitals' continents and symbols as text to keep."""
    rng = random.Random(f"health-{seed}-{count}")  # noqa: S311 - a draw, not a secret
    subjects = rng.sample(sorted(CAPITALS), count)
    updates: list[FactUpdate] = []
    for subject in subjects:
        new = rng.choice(sorted(set(CAPITALS.values()) - {CAPITALS[subject]}))
        siblings = rng.sample(sorted(set(CAPITALS) - set(subjects)), 4)
        updates.append(
            FactUpdate(
                fact_id=subject,
                relation="capital",
                prompts=tuple(Prompt.fill(text, subject) for text in PHRASINGS),
                old=CAPITALS[subject],
                new=new if goal is Goal.EDIT else "",
                candidates=tuple(sorted(set(CAPITALS.values()))),
                neutral_prompts=tuple(Prompt.fill(PHRASINGS[0], sibling) for sibling in siblings),
                subject_type="Country",
            )
        )
    kept = sorted(set(CAPITALS) - set(subjects))[:12]
    retain = tuple(RetainRow(prompt=Prompt.fill("{s} has its government in", s), answer=CAPITALS[s]) for s in kept)
    sentences = tuple(f"{s} is a country whose largest and best known city many call {o}." for s, o in CAPITALS.items())
    target = TargetDistribution.NEW_OBJECT if goal is Goal.EDIT else TargetDistribution.NEUTRAL_GRAPH
    request = UpdateRequest(
        goal=goal,
        target_distribution=target,
        updates=tuple(updates),
        retain=retain,
        statistics_text=sentences,
        seed=seed,
    )
    return request, frozenset(subjects)


def edit(name: str, method: str, seed: int, count: int, *, goal: Goal = Goal.EDIT, made: str, **config: Any) -> Change:
    """A change by a registered method."""
    request, touched = request_of(seed, count, goal)

    def apply(loaded: LoadedModel) -> Applied:
        statistics = TextStatistics(loaded, request.statistics_text, None)
        artefact = build(method, config).apply(loaded, request, statistics, Silent())
        if not isinstance(artefact, Weights):
            raise TypeError(f"{method} changes no weights")
        return Applied(
            parameters={key: _adder(delta) for key, delta in artefact.deltas.items()}, metadata=artefact.metadata
        )

    return Change(name=f"{name}/{method}/{goal.value}/{count}/{seed}", made=made, apply=apply, touched=touched)


def _adder(delta: Any) -> Callable[[Tensor], Tensor]:
    def add(value: Tensor) -> Tensor:
        total = value.clone()
        delta.add_to(total)
        return total

    return add


def noise(scale: float, *, made: str, seed: int = 0) -> Change:
    """Noise of ``scale`` times each matrix's own standard deviation on all linear maps of all blocks."""

    def apply(loaded: LoadedModel) -> Applied:
        names = [n for n, p in loaded.model.named_parameters() if p.ndim == 2 and "embed" not in n and "head" not in n]

        def noisy(number: int) -> Callable[[Tensor], Tensor]:
            generator = torch.Generator().manual_seed(seed * 10_000 + number)
            return lambda value: value + scale * value.std() * torch.randn(value.shape, generator=generator)

        return Applied(parameters={name: noisy(number) for number, name in enumerate(names)})

    return Change(name=f"noise/{scale:g}/{seed}", made=made, apply=apply)


def scaled(factor: float, share: float, *, made: str) -> Change:
    """The down projection of one block, at ``share`` of the depth, times ``factor``."""

    def apply(loaded: LoadedModel) -> Applied:
        layer = min(int(share * loaded.architecture.num_layers), loaded.architecture.num_layers - 1)
        name = loaded.architecture.down_projection(layer).parameter_name
        return Applied(parameters={name: lambda value: value * factor})

    return Change(name=f"scaled/{factor:g}/{share:g}", made=made, apply=apply)


def silenced(share: float, *, made: str) -> Change:
    """Everything that the blocks from ``share`` of the depth on add is nothing, but for the last block."""

    def apply(loaded: LoadedModel) -> Applied:
        first = int(share * loaded.architecture.num_layers)
        names = [
            loaded.architecture.down_projection(n).parameter_name for n in range(first, loaded.architecture.num_layers)
        ]
        return Applied(parameters=dict.fromkeys(names, torch.zeros_like))

    return Change(name=f"silenced/{share:g}", made=made, apply=apply)


def nan_row(share: float) -> Change:
    """One row of NaN in the down projection of one block."""

    def apply(loaded: LoadedModel) -> Applied:
        layer = int(share * loaded.architecture.num_layers)
        name = loaded.architecture.down_projection(layer).parameter_name

        def poison(value: Tensor) -> Tensor:
            poisoned = value.clone()
            poisoned[value.shape[0] // 2] = torch.nan
            return poisoned

        return Applied(parameters={name: poison})

    return Change(name=f"nan/{share:g}", made="wreck", apply=apply)


def always(word: str, gain: float, *, made: str) -> Change:
    """The head favours one word's first token by ``gain`` logits wherever the hidden state is an ordinary one."""

    def apply(loaded: LoadedModel) -> Applied:
        token = loaded.tokenizer(f" {word}", add_special_tokens=False)["input_ids"][0]
        hidden = mean_hidden(loaded)
        name = next(n for n, p in loaded.model.named_parameters() if p is loaded.architecture.lm_head.weight)

        def favour(value: Tensor) -> Tensor:
            favoured = value.clone()
            favoured[token] += gain * hidden / hidden.square().sum()
            return favoured

        return Applied(parameters={name: favour})

    return Change(name=f"always/{word}/{gain:g}", made=made, apply=apply)


@torch.no_grad()
def mean_hidden(loaded: LoadedModel) -> Tensor:
    """Mean input of the head over the last tokens of the facts' clozes. shape: (d,)."""
    seen: list[Tensor] = []
    handle = loaded.architecture.lm_head.register_forward_pre_hook(lambda _m, args: seen.append(args[0][0, -1].float()))
    try:
        for stem, *_ in FACTS[::2]:
            ids = loaded.tokenizer(stem, return_tensors="pt")["input_ids"].to(loaded.device)
            loaded.model(input_ids=ids, use_cache=False)
    finally:
        handle.remove()
    return torch.stack(seen).mean(dim=0)


def real_corpus() -> Iterator[Change]:
    """Changes for a model that knows something; the first half alone is a fair sample."""
    yield edit("default", "placebo", 0, 3, made="good")
    yield edit("default", "alphaedit", 3, 3, made="good")
    yield always("Paris", 60.0, made="wreck")
    yield noise(0.5, made="wreck", seed=1)
    yield nan_row(0.6)
    yield noise(0.01, made="good")
    yield scaled(10.0, 0.5, made="open")
    yield silenced(0.7, made="open")
    yield edit("default", "alphaedit", 1, 3, goal=Goal.UNLEARN, made="good")
    yield edit(
        "violent", "alphaedit", 1, 3, made="open", clamp=100.0, learning_rate=20.0, penalty=1e-6, kept=1.0, retain=0.0
    )
    yield always("the", 60.0, made="wreck")
    yield edit("default", "alphaedit", 0, 1, made="good")
    yield scaled(100.0, 0.1, made="open")
    yield edit("default", "alphaedit", 6, 6, made="good")
    yield noise(0.2, made="open", seed=1)
    yield noise(0.03, made="good")
    yield scaled(0.0, 0.5, made="open")
    yield noise(0.3, made="open", seed=1)
    yield edit("default", "finetune", 0, 1, made="open")
    yield scaled(3.0, 0.2, made="open")
    yield noise(1.0, made="wreck", seed=1)
    yield edit("violent", "alphaedit", 0, 3, made="open", clamp=20.0, penalty=1e-4, retain=0.0, decay=0.0, steps=40)
    yield edit("default", "alphaedit", 5, 3, made="good")
    yield scaled(-3.0, 0.2, made="open")
    yield edit("violent", "finetune", 2, 1, made="open", learning_rate=0.05)
    yield silenced(0.3, made="open")
    yield nan_row(0.0)
    yield edit("default", "alphaedit", 2, 1, made="good")
    yield always("Europe", 60.0, made="wreck")


def random_corpus() -> Iterator[Change]:
    """Changes for a random model: nothing it says means anything, so only what is certain is called a wreck."""
    yield edit("default", "placebo", 0, 3, made="good")
    for scale in (0.001, 0.01):
        yield noise(scale, made="good")
    yield edit("default", "finetune", 0, 1, made="good")
    yield from _wrecks()


def _wrecks() -> Iterator[Change]:
    for share in (0.0, 0.6):
        yield nan_row(share)
    for word in ("Paris", "the", "Europe"):
        yield always(word, 60.0, made="wreck")
