"""The same text alone, in a batch and in any order: one score and one continuation, on every structure.

Windows are shorter than the texts: what is padded then pushes real tokens out of sight where a cache is continued.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.windows import attention_window
from knowledgesmith.editors.scoring import cloze, generation
from knowledgesmith.editors.scoring.beliefs import ScorerKind, option_values
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.generation import generate, length_of, stop_ids
from knowledgesmith.editors.testing.tiny import STRUCTURES, WINDOW, tiny
from knowledgesmith.editors.text.encoding import encode

_QUIET = "It was a quiet morning in the village and nobody had yet opened the shutters. "
STEMS = [
    "Cu is",
    "The capital of France is",
    f"{_QUIET}The capital of France is",
    f"{_QUIET}{_QUIET}The city is",
    "is",
    "",
]
OPTIONS = ["C", "the city of Osaka in Japan", "7.5", "東京"]
PAIRS = [(stem, option) for stem in STEMS for option in OPTIONS]
PROMPTS = [*STEMS, " ", "<eos>", "京" * 20]
TOLERANCE = 1e-5


def full_pass(loaded: LoadedModel, stem: str, option: str) -> float:
    """Log-likelihood of the option by one pass over one whole text."""
    context, full = encode(loaded.tokenizer, stem), encode(loaded.tokenizer, f"{stem} {option}")
    begin = len(context)
    if full[:begin] != context:  # an empty stem stands on the start token
        begin, full = len(context), context + full
    with torch.no_grad():
        shares = loaded.model(torch.tensor([full])).logits[0].double().log_softmax(dim=-1)
    return math.fsum(float(shares[place - 1, full[place]]) for place in range(begin, len(full)))


def full_passes(loaded: LoadedModel, prompt: str, steps: int) -> str:
    """Greedy continuation by a pass over the whole text for every token."""
    ids = encode(loaded.tokenizer, prompt)
    start = len(ids)
    for _ in range(steps):
        with torch.no_grad():
            token = int(loaded.model(torch.tensor([ids])).logits[0, -1].argmax())
        if token in stop_ids(loaded):
            break
        ids.append(token)
        if "\n" in str(loaded.tokenizer.decode([token])):
            break
    return str(loaded.tokenizer.decode(ids[start:], skip_special_tokens=True)).partition("\n")[0]


def exact(scorer: Scorer, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[float, float]]:
    scores = scorer.score(pairs)
    alone = [option_values(ScorerKind.CLOZE_EXACT, [score])[0] for score in scores]
    return {pair: (score.sum_logprob, value) for pair, score, value in zip(pairs, scores, alone, strict=True)}


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_a_score_is_the_same_alone_in_a_batch_and_in_any_order(structure: str) -> None:
    loaded = tiny(structure)
    scorer = Scorer(loaded)
    together = exact(scorer, PAIRS)
    backwards = exact(scorer, PAIRS[::-1])
    small = exact(Scorer(loaded, batch_rows=2), PAIRS)
    for pair in PAIRS:
        [alone] = exact(scorer, [pair]).values()
        for other in (together[pair], backwards[pair], small[pair]):
            assert other == pytest.approx(alone, abs=TOLERANCE)
        assert alone[0] == pytest.approx(full_pass(loaded, *pair), abs=TOLERANCE)


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_a_continuation_is_the_same_alone_in_a_batch_and_in_any_order(structure: str) -> None:
    loaded = tiny(structure)
    alone = [full_passes(loaded, prompt, 9) for prompt in PROMPTS]
    assert generate(loaded, PROMPTS, max_new_tokens=9) == alone
    assert generate(loaded, PROMPTS[::-1], max_new_tokens=9) == alone[::-1]
    assert [generate(loaded, [prompt], max_new_tokens=9)[0] for prompt in PROMPTS] == alone


def test_every_prompt_has_its_own_limit() -> None:
    loaded = tiny("llama")
    limits = [1 + index % 4 for index in range(len(PROMPTS))]
    found = generate(loaded, PROMPTS, max_new_tokens=limits)
    assert found == [full_passes(loaded, prompt, limit) for prompt, limit in zip(PROMPTS, limits, strict=True)]


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_the_window_is_read_from_the_configuration(structure: str) -> None:
    assert attention_window(tiny(structure).model) == (WINDOW if structure in {"mistral", "gemma3"} else None)


@pytest.mark.parametrize("structure", ["mistral", "gemma3"])
def test_padding_would_be_seen_through_a_window(structure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above notices when windows are not heeded."""

    def unlimited(_: object) -> None:
        """No window."""

    monkeypatch.setattr(cloze, "attention_window", unlimited)
    monkeypatch.setattr(generation, "attention_window", unlimited)
    loaded = tiny(structure)
    found = exact(Scorer(loaded), PAIRS)
    assert any(abs(value[0] - full_pass(loaded, *pair)) > 100 * TOLERANCE for pair, value in found.items())


def test_a_length_fits_the_answer() -> None:
    loaded = tiny("llama")
    long = "one two three four five six seven eight nine ten"
    tokens = len(encode(loaded.tokenizer, f"The city is {long}")) - len(encode(loaded.tokenizer, "The city is"))
    assert length_of(loaded, [("The city is", "B"), ("The city is", long)]) >= tokens + 2
    assert length_of(loaded, []) == length_of(loaded, [("The city is", " ")]) == generation.ENOUGH


def test_a_batch_of_long_options_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head's output is bounded: many long options run in several passes with the same scores."""
    loaded = tiny("llama")
    pairs = [("The city is", f"{'of the city ' * 5}{number}") for number in range(12)]
    whole = exact(Scorer(loaded), pairs)
    places: list[int] = []
    real = cloze._weights  # pyright: ignore[reportPrivateUsage]

    def counted(logits: torch.Tensor) -> torch.Tensor:
        places.append(len(logits))
        return real(logits)

    monkeypatch.setattr(cloze, "_LOGITS_AT_ONCE", 40 * len(loaded.tokenizer))
    monkeypatch.setattr(cloze, "_weights", counted)
    parted = exact(Scorer(loaded), pairs)
    assert max(places) <= 40
    for pair in pairs:
        assert parted[pair] == pytest.approx(whole[pair], abs=TOLERANCE)
