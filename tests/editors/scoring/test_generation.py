from __future__ import annotations

import pytest
import torch

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.generation import generate, stop_ids
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.errors import InvalidInput

PROMPTS = ["The capital of France is", "Cu", "", "The chemical symbol of copper, the city of Japan, is", "Kyoto was"]


def alone(loaded: LoadedModel, prompt: str, steps: int) -> str:
    """Greedy continuation by full passes over one text."""
    ids = encode(loaded.tokenizer, prompt)
    start = len(ids)
    for _ in range(steps):
        with torch.no_grad():
            token = int(loaded.model(torch.tensor([ids])).logits[0, -1].argmax())
        if token in stop_ids(loaded):
            break
        ids.append(token)
        if "\n" in loaded.tokenizer.decode([token]):
            break
    return str(loaded.tokenizer.decode(ids[start:])).partition("\n")[0]


@pytest.mark.parametrize("batch_rows", [1, 2, 32])
def test_a_batch_gives_each_prompt_its_own_text(loaded: LoadedModel, batch_rows: int) -> None:
    texts = generate(loaded, PROMPTS, max_new_tokens=7, batch_rows=batch_rows)
    assert texts == [alone(loaded, prompt, 7) for prompt in PROMPTS]


def force(loaded: LoadedModel, token: int) -> None:
    """Make a token the winner everywhere, through the head's input direction."""
    loaded.architecture.lm_head.register_forward_hook(
        lambda _module, _args, logits: torch.nn.functional.one_hot(
            torch.full(logits.shape[:-1], token), logits.shape[-1]
        ).float()
    )


def test_a_line_break_ends_the_text(llama: LoadedModel) -> None:
    [token] = llama.tokenizer("\n", add_special_tokens=False)["input_ids"]
    force(llama, token)
    assert generate(llama, ["The", "A city"], max_new_tokens=5) == ["", ""]


def test_the_end_token_ends_the_text(llama: LoadedModel) -> None:
    [token] = stop_ids(llama)
    force(llama, token)
    assert generate(llama, ["The"], max_new_tokens=5) == [""]


def test_no_more_tokens_than_asked_for(llama: LoadedModel) -> None:
    [token] = llama.tokenizer("x", add_special_tokens=False)["input_ids"]
    force(llama, token)
    assert generate(llama, ["The", "A city of"], max_new_tokens=3) == ["xxx", "xxx"]


def test_limits_are_checked(llama: LoadedModel) -> None:
    with pytest.raises(InvalidInput):
        generate(llama, ["The"], max_new_tokens=0)
    assert generate(llama, [], max_new_tokens=3) == []
