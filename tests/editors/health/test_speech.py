from __future__ import annotations

import pytest
import torch

from knowledgesmith.editors.health.speech import (
    Ids,
    begins_alike,
    commonest,
    greedy,
    openings,
    repetition,
)
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.generation import stop_ids
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny
from knowledgesmith.editors.text.encoding import encode

PROMPTS = ["The capital of France is", "Cu", "Kyoto was the capital", "The chemical symbol of copper, the city, is"]


def alone(loaded: LoadedModel, prompt: Ids, steps: int) -> Ids:
    """Greedy continuation by full passes over one text."""
    ids = list(prompt)
    for _ in range(steps):
        with torch.no_grad():
            token = int(loaded.model(torch.tensor([ids])).logits[0, -1].argmax())
        if token in stop_ids(loaded):
            break
        ids.append(token)
    return tuple(ids[len(prompt) :])


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_each_prompt_gets_its_own_text(structure: str) -> None:
    loaded = tiny(structure)
    prompts = [tuple(encode(loaded.tokenizer, text)) for text in PROMPTS] * 2
    assert greedy(loaded, prompts, new_tokens=6) == tuple(alone(loaded, prompt, 6) for prompt in prompts)


def force(loaded: LoadedModel, token: int) -> None:
    """Make a token the winner everywhere."""
    loaded.architecture.lm_head.register_forward_hook(
        lambda _module, _args, logits: torch.nn.functional.one_hot(
            torch.full(logits.shape[:-1], token), logits.shape[-1]
        ).float()
    )


def test_a_model_that_says_nothing_but_line_breaks_is_stuck_not_empty(llama: LoadedModel) -> None:
    [token] = llama.tokenizer("\n", add_special_tokens=False)["input_ids"]
    force(llama, token)
    [said] = greedy(llama, [tuple(encode(llama.tokenizer, "The"))])
    assert repetition(said).stuck


def test_a_model_that_only_ends_says_nothing(llama: LoadedModel) -> None:
    force(llama, next(iter(stop_ids(llama))))
    assert greedy(llama, [(5, 6), (7,)]) == ((), ())


@pytest.mark.parametrize(
    ("ids", "stuck"),
    [
        ((), False),
        ((1,), False),
        ((1, 1), False),
        ((1, 1, 1), True),
        (tuple(range(20)), False),
        ((1, 2, 3, 4, 5, 6, 6, 6, 6, 7, 8, 9, 10), True),  # one token four times
        ((1, 2, 3) * 6, True),  # a phrase again and again
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 11, 12, 13), False),  # a phrase said twice
    ],
)
def test_what_counts_as_stuck(ids: Ids, stuck: bool) -> None:
    assert repetition(ids).stuck is stuck


def test_openings_are_beginnings_of_one_length(loaded: LoadedModel) -> None:
    texts = [
        "The capital of Japan is Tokyo, and Kyoto was the capital.",
        "Berlin is a city of Germany, as all know.",
    ]
    found = openings(loaded, texts)
    assert len({len(ids) for ids in found}) == 1
    assert all(tuple(encode(loaded.tokenizer, text))[: len(ids)] == ids for text, ids in zip(texts, found, strict=True))


def test_beginnings() -> None:
    assert begins_alike((1, 2, 3, 4), (1, 2, 3, 9))
    assert not begins_alike((1, 2, 3), (1, 2))
    assert begins_alike((1, 2), (1, 2))
    assert commonest([(1, 2, 3, 4), (9,), (1, 2, 3, 7)]) == (1, 2, 3)
    assert commonest([]) == ()
