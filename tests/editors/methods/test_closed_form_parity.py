"""Every closed-form method end to end in float64, against a plain implementation without batches, sweeps or suffixes.

The plain one shares the request's rows, look-ups and statistics with the engine; it repeats the value search one fact
at a time by whole forward passes, and the solves with dense inverses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.locate.config import LocateConfig
from knowledgesmith.editors.locate.engine import LocateThenEdit
from knowledgesmith.editors.locate.keys import Keys, locate
from knowledgesmith.editors.locate.lookups import Lookup, lookup
from knowledgesmith.editors.locate.preserving import Shares, preserving_rows
from knowledgesmith.editors.locate.value_search import SearchRow
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.loading import prepare
from knowledgesmith.editors.objective.divergence import divergence
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import answer_batch
from knowledgesmith.editors.objective.targets import TargetSource, distinct_prompts
from knowledgesmith.editors.registry import METHODS, build, method_class
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.hooks import add_to_output, capture_input, capture_output
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request
from knowledgesmith.editors.testing.tiny import tiny
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

COMMON: dict[str, Any] = {"steps": 6, "patience": 0, "least_prompts": 1, "clamp": 2.0, "stop": 0.0}
CONFIGS: dict[str, dict[str, Any]] = {
    "alphaedit": {"layers": (0, 1), "kept": 0.75, "penalty": 0.05, "retain": 0.0},
    "memit": {"layers": (0, 1), "weight": 0.5, "damping": 0.01, "retain": 0.0},
    "emmet": {"layers": (1,), "ridge": 0.02, "damping": 0.1},
    "rome": {"layers": (1,), "damping": 0.1},
    "r-rome": {"layers": (1,), "damping": 0.1},
}
GOALS = ((Goal.EDIT, TargetDistribution.NEW_OBJECT), (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH))


def closed_forms() -> list[str]:
    return [name for name in sorted(METHODS) if issubclass(method_class(name), LocateThenEdit)]


def test_every_closed_form_has_a_plain_twin() -> None:
    assert closed_forms() == sorted(CONFIGS) == sorted(SOLVES)


def inverse_of(matrix: Tensor) -> Tensor:
    inverse: Tensor = torch.linalg.inv(matrix)
    return inverse


def dense_alphaedit(k: Tensor, r: Tensor, _first: Tensor, c: Tensor, config: Any) -> Tensor:
    values, vectors = torch.linalg.eigh(c)
    quiet = vectors[:, : round(config.kept * len(values))]
    projected: Tensor = quiet @ quiet.T @ k
    penalty = config.penalty * projected.square().sum(0).mean()
    return r @ inverse_of(projected.T @ projected + penalty * torch.eye(k.shape[1])) @ projected.T


def dense_memit(k: Tensor, r: Tensor, _first: Tensor, c: Tensor, config: Any) -> Tensor:
    whole: Tensor = config.weight * _lifted(c, config) + k @ k.T
    return r @ k.T @ inverse_of(whole)


def dense_emmet(k: Tensor, r: Tensor, _first: Tensor, c: Tensor, config: Any) -> Tensor:
    inverse = inverse_of(_lifted(c, config))
    gram = k.T @ inverse @ k
    gram = gram + config.ridge * gram.diagonal().mean() * torch.eye(len(gram))
    return r @ inverse_of(gram) @ k.T @ inverse


def dense_rome(k: Tensor, r: Tensor, first: Tensor, c: Tensor, config: Any) -> Tensor:
    inverse, total = inverse_of(_lifted(c, config)), r.new_zeros(len(r), len(k))
    for n in range(k.shape[1]):
        u = inverse @ k[:, n] / (inverse @ k[:, n]).norm()
        total = total + torch.outer((r[:, n] - total @ first[:, n]) / (first[:, n] @ u), u)
    return total


def dense_r_rome(k: Tensor, r: Tensor, _first: Tensor, c: Tensor, config: Any) -> Tensor:
    return dense_rome(k, r, k, c, config)


SOLVES: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor, Any], Tensor]] = {
    "alphaedit": dense_alphaedit,
    "memit": dense_memit,
    "emmet": dense_emmet,
    "rome": dense_rome,
    "r-rome": dense_r_rome,
}


def _lifted(c: Tensor, config: Any) -> Tensor:
    lifted: Tensor = c + config.damping * c.diagonal().mean() * torch.eye(len(c))
    return lifted


class Plain:
    """One method, one request, one fact after another."""

    def __init__(self, name: str, loaded: LoadedModel, request: UpdateRequest, config: LocateConfig) -> None:
        self.loaded, self.request, self.config, self.name = loaded, request.canonical(), config, name
        self.inside = method_class(name).one_layer or "gemma" in type(loaded.model).__name__.lower()  # type: ignore[attr-defined]
        self.keys: Keys = locate(loaded.tokenizer, self.request, retain=False)

    def deltas(self) -> dict[str, Tensor]:
        changes = torch.stack([self.searched(slot) for slot in range(len(self.request.updates))])
        statistics = TextStatistics(self.loaded, self.request.statistics_text, None)
        layers = self.config.layers
        moments = {layer: statistics.second_moment(layer).double() for layer in layers}
        names = [self.loaded.architecture.down_projection(layer).parameter_name for layer in layers]
        found: dict[str, Tensor] = {}
        with torch.no_grad(), borrowed(self.loaded.model, names) as parameters:
            clean = self.outputs(layers[-1])
            for done, layer in enumerate(layers):
                k = self.seen(layer)
                slots = list(self.keys.slots)
                if self.inside:
                    residual = changes[slots, done]
                else:
                    residual = (clean + changes[slots, 0] - self.outputs(layers[-1])) / (len(layers) - done)
                keys, wanted, first = self.columns(k, residual)
                delta = SOLVES[self.name](keys, wanted, first, moments[layer], self.config)
                projection = self.loaded.architecture.down_projection(layer)
                change = projection.as_parameter(delta)
                found[projection.parameter_name] = change
                parameters[projection.parameter_name].add_(change)
        return found

    def columns(self, k: Tensor, residual: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Keys, residuals and first prompts' keys, columnwise."""
        own = [[n for n, slot in enumerate(self.keys.slots) if slot == s] for s in range(len(self.request.updates))]
        if self.config.keys == "each":
            first = [own[slot][0] for slot in self.keys.slots]
            return k.T, residual.T, k[first].T
        mean = [0.5 * k[o[0]] + 0.5 * k[o[1:]].mean(0) if len(o) > 1 else k[o[0]] for o in own]
        lead = [o[0] for o in own]
        return torch.stack(mean).T, residual[lead].T, k[lead].T

    def seen(self, layer: int) -> Tensor:
        """Keys, one whole pass a look-up."""
        module = self.loaded.architecture.down_projection(layer).module
        keys: list[Tensor] = []
        for item in self.keys.lookups:
            with capture_input(module) as k:
                self.loaded.model(input_ids=torch.tensor([item.ids]))
            keys.append(k.value[0, item.position])
        return torch.stack(keys)

    def outputs(self, layer: int) -> Tensor:
        return torch.stack([self.output(item, layer) for item in self.keys.lookups])

    def output(self, item: Lookup, layer: int) -> Tensor:
        with torch.no_grad(), capture_output(self.loaded.architecture.block(layer)) as block:
            self.loaded.model(input_ids=torch.tensor([item.ids]))
        return block.value[0, item.position]

    def rows(self) -> list[SearchRow]:
        source = TargetSource(self.loaded, self.request, end=self.config.end, paths=self.config.paths)
        task = [
            SearchRow(
                row=target.row,
                lookup=lookup(self.loaded.tokenizer, prompt).position,
                edit=self.keys.slot_of[number],
                targets=target.targets,
                weight=target.weight / len(distinct_prompts(update.prompts, self.config.search_prompts)),
            )
            for number, update in enumerate(self.request.updates)
            for prompt in distinct_prompts(update.prompts, self.config.search_prompts)
            for target in source.rows(number, prompt.text)
        ]
        shares = Shares(essence=self.config.essence, openings=0.0, own_facts=self.config.own_facts)
        return task + preserving_rows(self.loaded, self.request, self.keys, shares)

    def searched(self, slot: int) -> Tensor:
        """torch's own Adam on whole passes, row by row. shape: (places, d)."""
        rows = [row for row in self.rows() if row.edit == slot]
        architecture, layers = self.loaded.architecture, self.config.layers
        modules = (
            [architecture.down_projection(layer).module for layer in layers]
            if self.inside
            else [architecture.block(layers[-1])]
        )
        norms = self.clean_norms(modules, next(row for row in rows if row.task))
        width = architecture.hidden_size
        change = [torch.zeros(width, dtype=torch.float64, requires_grad=True) for _ in modules]
        rates = [self.config.learning_rate * norm / width**0.5 for norm in norms]
        optimiser = torch.optim.Adam([{"params": [c], "lr": r} for c, r in zip(change, rates, strict=True)])
        for _ in range(self.config.steps - 1):
            optimiser.zero_grad()
            losses = torch.stack([self.row_loss(row, modules, change) for row in rows])
            decay = torch.stack([c.norm() / n**2 for c, n in zip(change, norms, strict=True)])
            torch.autograd.backward(losses.sum() + self.config.decay * decay.sum())
            optimiser.step()
            with torch.no_grad():
                for c, norm in zip(change, norms, strict=True):
                    c.mul_(min(1.0, self.config.clamp * norm / max(float(c.norm()), 1e-8)))
        return torch.stack([c.detach() for c in change])

    def clean_norms(self, modules: Sequence[Any], row: SearchRow) -> list[float]:
        norms = []
        for module in modules:
            with torch.no_grad(), capture_output(module) as seen:
                self.loaded.model(input_ids=torch.tensor([row.row.prompt + row.row.answer]))
            norms.append(float(seen.value[0, row.lookup].norm()))
        return norms

    def row_loss(self, row: SearchRow, modules: Sequence[Any], change: Sequence[Tensor]) -> Tensor:
        with ExitStack() as stack:
            for module, vector in zip(modules, change, strict=True):
                at = torch.tensor([row.lookup])
                stack.enter_context(add_to_output(module, vector[None], rows=torch.tensor([0]), positions=at))
            logits = answer_logits(self.loaded.model, answer_batch([row.row]))
        return row.weight * divergence(logits, row.targets).mean()


def exact(structure: str) -> LoadedModel:
    """A tiny model that computes in float64 throughout: the library's RMS norms round to float32 in every dtype."""
    loaded = tiny(structure, dtype=torch.float64)
    model = loaded.model
    for name, module in list(model.named_modules()):
        if type(module).__name__.endswith("RMSNorm"):
            weight, made = cast("Any", module).weight, torch.nn.RMSNorm(len(cast("Any", module).weight), eps=1e-6)
            made.weight = torch.nn.Parameter(weight + (1.0 if structure == "gemma3" else 0.0), requires_grad=False)
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, made)
    return prepare(model, loaded.tokenizer)


def engine(name: str, loaded: LoadedModel, request: UpdateRequest, config: dict[str, Any]) -> Weights:
    statistics = TextStatistics(loaded, request.statistics_text, None)
    artefact = build(name, config).apply(loaded, request, statistics, Recorder())
    assert isinstance(artefact, Weights)
    return artefact


@pytest.mark.parametrize("goal", GOALS, ids=lambda pair: pair[0].value)
@pytest.mark.parametrize("name", closed_forms())
def test_it_equals_its_plain_twin(name: str, goal: tuple[Goal, TargetDistribution]) -> None:
    for structure, keys in (("llama", "each"), ("gpt2", "mean"), ("gemma3", "each")):
        loaded = exact(structure)
        config = {**COMMON, **CONFIGS[name], "keys": keys}
        request = rehearsal_request(*goal)
        found = engine(name, loaded, request, config)
        plain = Plain(name, loaded, request, build(name, config).config).deltas()  # type: ignore[attr-defined]
        assert found.deltas.keys() == plain.keys()
        for parameter, delta in found.deltas.items():
            assert isinstance(delta, Dense)
            gap = float((delta.delta - plain[parameter]).norm() / plain[parameter].norm())
            assert gap <= 1e-8, (structure, keys, parameter, gap)
