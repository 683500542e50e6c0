"""Statistics the plain way: one sentence at a time, everything in float64, full backward passes through the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
import torch

from knowledgesmith.editors.architectures.base import Projection
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.surgery.hooks import capture_input, capture_output
from knowledgesmith.editors.text.encoding import encode

Labels = Callable[[torch.Tensor, list[int]], torch.Tensor]


def following(_logits: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """The sentence's own next tokens; its last token predicts nothing."""
    return torch.tensor(ids[1:])


def plain_sums(
    loaded: LoadedModel, projection: Projection, sentences: Sequence[str], labels: Labels
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
    """Σ k kᵀ, Σ g gᵀ and Σ (∂loss/∂W)² of a map, and the tokens."""
    weight = cast("torch.nn.Parameter", projection.module.weight)
    weight.requires_grad_(True)
    f, d = projection.in_features, projection.out_features
    keys, gradients, fisher, tokens = torch.zeros(f, f).double(), torch.zeros(d, d).double(), torch.zeros(d, f), 0
    fisher = fisher.double()
    for text in sentences:
        ids = encode(loaded.tokenizer, text)
        with capture_input(projection.module) as read, capture_output(projection.module) as written:
            logits = cast("Any", loaded.model)(torch.tensor([ids])).logits[0].double()
            chosen = labels(logits, ids)
            picked = logits[: len(chosen)].log_softmax(-1).gather(-1, chosen[:, None])
        whole, own = torch.autograd.grad(-picked.sum(), [weight, written.value])
        key, gradient = read.value[0].detach().double(), own[0].double()
        keys += key.T @ key
        gradients += gradient.T @ gradient
        matrix = whole.T if projection.weight_is_transposed else whole
        fisher += matrix.double().square()
        tokens += len(ids)
    weight.requires_grad_(False)
    return keys, gradients, fisher, tokens


def passes(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows with each forward pass by its number of rows."""
    seen: list[int] = []
    forward = loaded.model.forward

    def counting(*args: Any, **kwargs: Any) -> Any:
        seen.append(len(kwargs["input_ids"]))
        return forward(*args, **kwargs)

    monkeypatch.setattr(loaded.model, "forward", counting)
    return seen
