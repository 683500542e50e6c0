"""UltraEdit against a plain implementation in float64, and what each of its settings is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
import torch

from knowledgesmith.editors.architectures.base import Projection
from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.methods.ultraedit import UltraEdit, UltraEditConfig, late_layers, read_features
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import Row, answer_batch, join
from knowledgesmith.editors.objective.targets import TargetSource
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.statistics.maps import linear_map
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.hooks import capture_input, capture_output
from knowledgesmith.editors.surgery.views import view_of
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import tiny, tiny_llama
from knowledgesmith.editors.text.answers import end_that_keeps_tokens
from knowledgesmith.graph_schema.errors import EditDiverged, InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

EDIT = (Goal.EDIT, TargetDistribution.NEW_OBJECT)
SMALL: dict[str, Any] = {"layers": (1, 2), "step": 1.0, "protect": 0.5}
UNLEARN = (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH)


def apply(loaded: LoadedModel, request: UpdateRequest, **settings: Any) -> Weights:
    method = UltraEdit(UltraEditConfig(**{**SMALL, **settings}))
    return method.apply(loaded, request, TextStatistics(loaded, request.statistics_text, None), Recorder())


def dense(artefact: Weights) -> dict[str, torch.Tensor]:
    found = {name: delta.delta for name, delta in artefact.deltas.items() if isinstance(delta, Dense)}
    assert len(found) == len(artefact.deltas)
    return found


def loss_of(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """KL(q ‖ p), mean over the answer's tokens, each listed token and the bucket of all others by themselves."""
    total = torch.zeros((), dtype=torch.float64)
    for row, tokens, probs in zip(logits.double(), targets.tokens, targets.probs.double(), strict=True):
        p = row.softmax(-1)
        rest_q, rest_p = 1 - probs.sum(), torch.ones((), dtype=torch.float64)
        for token, q in zip(tokens, probs, strict=True):
            if q > 0:
                total = total + q * (q.log() - p[token].log())
                rest_p = rest_p - p[token]
        if rest_q > 1e-9:
            total = total + rest_q * (rest_q.log() - rest_p.log())
    return total / len(logits)


def read(
    loaded: LoadedModel, item: Projection, row: Row, targets: Targets | None, weight: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and gradients of one row, by a backward pass through the weights."""
    parameter = cast("torch.nn.Parameter", item.module.weight)
    parameter.requires_grad_(True)
    ids = (*row.prompt, *row.answer)
    places = range(len(row.prompt) - 1, len(ids) - 1)
    with torch.enable_grad(), capture_input(item.module) as keys, capture_output(item.module) as values:
        logits = cast("Any", loaded.model)(torch.tensor([ids])).logits[0][list(places)]
        loss = logits.sum() * 0 if targets is None else weight * loss_of(logits, targets)
        [gradient] = torch.autograd.grad(loss, [values.value])
    parameter.requires_grad_(False)
    return keys.value.detach()[0][list(places)].double(), gradient[0][list(places)].double()


def plain(
    loaded: LoadedModel, request: UpdateRequest, names: Sequence[str], config: UltraEditConfig
) -> dict[str, torch.Tensor]:
    """The method, written down once more: a row at a time, primal solves, no batches, no hooks that add."""
    request, base = request.canonical(), view_of(loaded)
    source = TargetSource(loaded, request, end=config.end, paths=config.paths)
    held = [
        join(
            loaded.tokenizer,
            prompt=item.prompt.text,
            answer=item.answer,
            end=end_that_keeps_tokens(loaded.tokenizer, item.prompt.text, item.answer),
        )
        for item in request.retain
    ]
    changes = {name: torch.zeros_like(linear_map(loaded, name).matrix()) for name in names}
    seen: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for start in range(0, len(request.updates), config.turn):
        weights = {f"{name}.weight": Dense(linear_map(loaded, name).as_parameter(changes[name])) for name in names}
        with attached(loaded, Weights(deltas=weights)):
            new: dict[str, torch.Tensor] = {}
            for name in names:
                item = linear_map(loaded, name)
                rows: list[tuple[torch.Tensor, torch.Tensor]] = []
                for fact in range(start, min(start + config.turn, len(request.updates))):
                    prompts = request.updates[fact].prompts[: config.prompts]
                    rows += [
                        read(loaded, item, target.row, target.targets, target.weight / len(prompts))
                        for prompt in prompts
                        for target in source.rows(fact, prompt.text)
                    ]
                keys, gradients = (torch.cat(parts) for parts in zip(*rows, strict=True))
                seen[name].append(torch.cat([keys, gradients], dim=1))
                every = torch.cat(seen[name])
                mean = every.mean(0) if config.centre else torch.zeros(every.shape[1]).double()
                spread = (every.square().mean(0) - mean.square()).clamp_min(0).sqrt()
                scaled = (seen[name][-1] - mean) / spread
                scaled[:, spread == 0] = 0
                small, pull = scaled[:, : keys.shape[1]], scaled[:, keys.shape[1] :]
                wanted = torch.stack([-(h @ h) * g for h, g in zip(small, pull, strict=True)])
                output = torch.stack([item.matrix().double() @ key for key in keys])
                wanted *= config.step * output.norm(dim=1).mean() / wanted.norm(dim=1).mean()
                kept = torch.cat([read(loaded, item, row, None, 1.0)[0] for row in held]) * config.retain**0.5
                columns = torch.cat([keys, kept])
                values = torch.cat([wanted, torch.zeros(len(kept), wanted.shape[1]).double()])
                penalty = config.penalty * keys.square().sum(1).mean()
                moment = TextStatistics(base, request.statistics_text, None).key_moment(name)
                system = columns.T @ columns + penalty * torch.eye(columns.shape[1]).double()
                system = system + config.protect * len(columns) * moment
                new[name] = torch.linalg.solve(system, columns.T @ values).T
        for name, delta in new.items():
            changes[name] = changes[name] + delta
    return changes


@pytest.mark.parametrize("pair", [EDIT, UNLEARN])
@pytest.mark.parametrize(
    ("structure", "settings"),
    [
        ("llama", {"retain": 0.7}),
        ("llama", {"centre": True, "retain": 0.0, "protect": 0.0}),
        ("gpt2", {"turn": 2, "retain": 0.5, "sites": "up"}),
        ("gemma3", {"turn": 1, "prompts": 1}),
        ("phi", {"penalty": 2.0, "sites": "up", "protect": 3.0}),
    ],
)
def test_equals_a_plain_implementation(
    pair: tuple[Goal, TargetDistribution], structure: str, settings: Mapping[str, Any]
) -> None:
    loaded = tiny(structure, dtype=torch.float64)
    request = rehearsal_request(*pair)
    chosen: dict[str, Any] = {**SMALL, "margin": 0.0, "protect": 30.0, **settings}
    config = UltraEditConfig(**chosen)
    statistics = TextStatistics(loaded, request.statistics_text, None)
    found = dense(UltraEdit(config).apply(loaded, request, statistics, Recorder()))
    names = [name.removesuffix(".weight") for name in found]
    assert len(names) == (4 if structure not in ("gpt2", "phi") and config.sites == "up" else 2)
    for name, expected in plain(loaded, request, names, config).items():
        delta = found[f"{name}.weight"]
        assert delta.dtype is torch.float64
        turned = linear_map(loaded, name).as_parameter(expected)
        assert float(turned.norm()) > 0
        assert float((delta - turned).norm()) <= 1e-8 * float(turned.norm()), name


def test_gate_and_up_are_what_reads_the_stream(llama: LoadedModel) -> None:
    found = dense(apply(llama, rehearsal_request(*EDIT), sites="up", layers=(2,)))
    assert sorted(found) == [f"model.layers.2.mlp.{name}_proj.weight" for name in ("gate", "up")]


@pytest.mark.parametrize("pair", [EDIT, UNLEARN])
def test_answers_move_to_their_targets(loaded: LoadedModel, pair: tuple[Goal, TargetDistribution]) -> None:
    request = rehearsal_request(*pair)
    loaded = teach(loaded, request, steps=60)
    source = TargetSource(loaded, request.canonical(), end=".", paths=2)
    rows = [r for n, u in enumerate(request.canonical().updates) for p in u.prompts for r in source.rows(n, p.text)]
    targets = Targets.join([row.targets for row in rows])

    def loss() -> float:
        with torch.no_grad():
            return float(divergence(answer_logits(loaded.model, answer_batch([r.row for r in rows])), targets).mean())

    before = loss()
    with attached(loaded, apply(loaded, request)):
        assert loss() < 0.8 * before


def test_the_wanted_change_is_a_share_of_the_output() -> None:
    loaded = tiny_llama(dtype=torch.float64)
    request = rehearsal_request(*EDIT)
    one = replace(request, updates=request.updates[:1])
    name = loaded.architecture.down_projection(2).name
    item = linear_map(loaded, name)
    for step in (0.5, 2.0):
        settings: dict[str, Any] = {"layers": (2,), "step": step, "penalty": 1e-12, "prompts": 1}
        settings |= {"retain": 0.0, "protect": 0.0}
        delta = dense(apply(loaded, one, **settings))[f"{name}.weight"]
        method = UltraEdit(UltraEditConfig(**settings))
        source = TargetSource(loaded, one, end=".", paths=2)
        asked = method.rows(one, source, 0)
        keys = read_features(loaded, asked, {name: item})[name].keys
        share = (keys @ delta.T).norm(dim=1).mean() / (keys @ item.matrix().T).norm(dim=1).mean()
        assert float(share) == pytest.approx(step, rel=1e-6)


def test_retained_rows_hold_their_neighbours(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    llama = teach(llama, request, steps=60)
    rows = [join(llama.tokenizer, prompt=item.prompt.text, answer=item.answer) for item in request.retain]
    own = Targets.join(own_distributions(llama.model, rows))

    def drift(artefact: Weights) -> float:
        with attached(llama, artefact), torch.no_grad():
            return float(divergence(answer_logits(llama.model, answer_batch(rows)), own).mean())

    assert drift(apply(llama, request, retain=4.0)) < 0.8 * drift(apply(llama, request, retain=0.0))


def test_the_protected_text_moves_less(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    item = llama.architecture.down_projection(2)
    moment = TextStatistics(llama, request.statistics_text, None).second_moment(2)

    def moved(protect: float) -> float:
        delta = dense(apply(llama, request, layers=(2,), protect=protect))[item.parameter_name]
        return float(torch.trace(delta @ moment @ delta.T))

    assert moved(30.0) < 0.3 * moved(0.0)


def test_a_fact_that_is_met_wants_nothing(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    nothing = apply(llama, request, margin=1e6)
    assert all(float(delta.abs().max()) == 0 for delta in dense(nothing).values())
    known = teach(tiny_llama(), request, steps=120)
    met = replace(request, updates=(replace(request.updates[0], new=request.updates[0].old),), retain=())
    # what was taught ends without a mark; alone, its small gradient would be scaled up to a step of full size
    for margin, moves in ((1.0, False), (0.0, True)):
        found = dense(apply(known, met, margin=margin, end=""))
        assert all((float(delta.norm()) > 0.1) == moves for delta in found.values())


def test_one_position_cannot_be_centred(llama: LoadedModel) -> None:
    request = rehearsal_request(*EDIT)
    tokens = {
        word: len(join(llama.tokenizer, prompt="The sign is", answer=word).answer) for word in ("B", "Cu", "Paris")
    }
    word = next(word for word, count in tokens.items() if count == 1)
    one = replace(request, updates=(replace(request.updates[0], new=word),), retain=())
    settings: dict[str, Any] = {"prompts": 1, "end": "", "layers": (2,)}
    assert float(dense(apply(llama, one, **settings)).popitem()[1].norm()) > 0
    with pytest.raises(EditDiverged, match="vanish"):
        apply(llama, one, centre=True, **settings)


def test_default_layers_lie_late_and_wrong_ones_are_named(llama: LoadedModel) -> None:
    assert [late_layers(depth) for depth in (1, 2, 4, 30)] == [(0,), (1,), (3,), tuple(range(22, 30))]
    assert list(dense(apply(llama, rehearsal_request(*EDIT), layers=()))) == ["model.layers.3.mlp.down_proj.weight"]
    with pytest.raises(InvalidInput, match="layer"):
        apply(llama, rehearsal_request(*EDIT), layers=(99,))
    empty = replace(rehearsal_request(*EDIT).updates[0], new="")
    with pytest.raises(InvalidInput, match="new object"):
        apply(llama, replace(rehearsal_request(*EDIT), updates=(empty,)))


def test_half_precision_weights_lose_nothing() -> None:
    """What a turn adds may be smaller than the spacing of bfloat16 numbers; the change is kept apart, in float32."""
    request = rehearsal_request(*EDIT)
    found = dense(apply(tiny_llama(dtype=torch.bfloat16), request, step=1e-3))
    exact = dense(apply(tiny_llama(), request, step=1e-3))
    for name, delta in found.items():
        assert delta.dtype is torch.float32
        assert float(torch.cosine_similarity(delta.flatten(), exact[name].flatten(), dim=0)) > 0.9
