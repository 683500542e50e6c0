"""Whose distributions make the neutral one: siblings in the order of their draw, all of them at every token."""

from __future__ import annotations

import pytest
import torch

from knowledgesmith.editors.objective.neutral import neutral_answers
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import Row, answer_batch, join
from knowledgesmith.editors.requests import FactUpdate, Prompt
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.types.interventions import TargetDistribution

DRAWN = ("Zagreb", "Yaren", "Windhoek", "Vaduz", "Ulm", "Tirana", "Sofia", "Riga", "Accra", "Berlin")
"""Further back in the alphabet first: kin (here the last two) would come in by sorting."""
GRAPH = TargetDistribution.NEUTRAL_GRAPH


def update(*siblings: str) -> FactUpdate:
    return FactUpdate(
        fact_id="f",
        relation="located_in",
        prompts=(Prompt.fill("{s} is located in", "Lyon"),),
        old="the north of France",
        new="",
        candidates=("the north of France", "the north of Spain", "Quito"),
        neutral_prompts=tuple(Prompt.fill("{s} is located in", name) for name in siblings),
    )


def mean(siblings: tuple[str, ...], prefix: tuple[int, ...]) -> torch.Tensor:
    """The plain mean of the model's next-token distributions. shape: (V,)."""
    loaded = tiny_llama()
    found: list[torch.Tensor] = []
    for name in siblings:
        stem = join(loaded.tokenizer, prompt=f"{name} is located in", answer="x").prompt
        batch = answer_batch([Row(prompt=(*stem, *prefix), answer=(0,))])
        with torch.no_grad():
            found.append(answer_logits(loaded.model, batch)[0].softmax(-1))
    return torch.stack(found).mean(0)


def test_the_first_drawn_are_asked_whatever_their_names() -> None:
    (answers,) = neutral_answers(tiny_llama(), [update(*DRAWN)], distribution=GRAPH, k=10_000)
    (far,) = neutral_answers(tiny_llama(), [update(*DRAWN[:8])], distribution=GRAPH, k=10_000)
    (near,) = neutral_answers(tiny_llama(), [update(*sorted(DRAWN)[:8])], distribution=GRAPH, k=10_000)
    for got, wanted, other in zip(answers, far, near, strict=True):
        assert torch.equal(got.targets.probs, wanted.targets.probs)
        assert not torch.equal(got.targets.probs, other.targets.probs)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_every_token_is_the_mean_over_all_siblings(count: int) -> None:
    (answers,) = neutral_answers(tiny_llama(), [update(*DRAWN[:count])], distribution=GRAPH, k=10_000)
    # the candidate that shares no token with the old object is never capped
    path = next(found for found in answers if found.answer == join_answer("Quito"))
    for depth in range(1, len(path.answer)):
        wanted = mean(DRAWN[:count], path.answer[:depth])
        got = torch.zeros_like(wanted).scatter(0, path.targets.tokens[depth], path.targets.probs[depth])
        assert torch.allclose(got, wanted, atol=1e-6)
    assert len(path.answer) > 1


def join_answer(name: str) -> tuple[int, ...]:
    """Tokens of an object behind the update's prompt."""
    return join(tiny_llama().tokenizer, prompt="Lyon is located in", answer=name).answer
