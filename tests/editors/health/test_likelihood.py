from __future__ import annotations

import math

import pytest
import torch

from knowledgesmith.editors.health.likelihood import Ratio, TextLoss, paired_ratio, perplexity_of, text_losses
from knowledgesmith.editors.health.passages import passages
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.errors import InvalidInput

TEXTS = ("The capital of France is Paris.", "Copper", "x = [3, 1]; print(x)", "Il a plu toute la semaine, dit-il.")


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_losses_are_those_of_a_full_pass_over_each_text_alone(structure: str) -> None:
    loaded = tiny(structure)
    for text, found in zip(TEXTS, text_losses(loaded, TEXTS), strict=True):
        ids = torch.tensor([encode(loaded.tokenizer, text)])
        with torch.no_grad():
            logits = loaded.model(ids).logits[0, :-1].double()
        wanted = -logits.log_softmax(-1).gather(1, ids[0, 1:, None]).sum()
        assert found.total == pytest.approx(float(wanted), rel=1e-5)
        assert (found.tokens, found.nonfinite) == (ids.shape[1] - 1, 0)


def test_a_text_without_a_token_to_predict_is_refused(llama: LoadedModel) -> None:
    with pytest.raises(InvalidInput, match="two tokens"):
        text_losses(llama, ["The capital", "a"])


def test_logits_that_are_no_numbers_are_counted(llama: LoadedModel) -> None:
    with torch.no_grad():
        llama.architecture.lm_head.get_parameter("weight")[3] = torch.nan
    assert all(loss.nonfinite == loss.tokens for loss in text_losses(llama, TEXTS[:1]))


def test_nothing_changed_is_a_ratio_of_one_without_width(llama: LoadedModel) -> None:
    losses = text_losses(llama, passages()[:10])
    assert paired_ratio(losses, losses) == Ratio(value=1.0, low=1.0, high=1.0, texts=10)


def losses_of(*pairs: tuple[float, int]) -> list[TextLoss]:
    return [TextLoss(total, tokens) for total, tokens in pairs]


def test_the_ratio_is_that_of_the_perplexities() -> None:
    before, after = losses_of((10, 5), (30, 10), (8, 4)), losses_of((14, 5), (33, 10), (15, 4))
    ratio = paired_ratio(before, after)
    assert ratio.value == pytest.approx(perplexity_of(after) / perplexity_of(before))
    assert ratio.low < ratio.value < ratio.high


def test_the_interval_is_paired() -> None:
    """Texts may differ as they like: what is shifted by the same amount a token has no width."""
    before = losses_of((10, 5), (300, 10), (8, 4))
    ratio = paired_ratio(before, [TextLoss(loss.total + 0.5 * loss.tokens, loss.tokens) for loss in before])
    assert ratio.value == pytest.approx(math.exp(0.5))
    assert ratio.high - ratio.low < 1e-9


def test_the_interval_covers_what_it_says() -> None:
    generator = torch.Generator().manual_seed(0)
    inside = 0
    for _ in range(400):
        shift = 0.3 + 0.5 * torch.randn(40, generator=generator, dtype=torch.float64)
        before = losses_of(*[(20.0, 10)] * 40)
        ratio = paired_ratio(before, [TextLoss(20.0 + 10 * float(s), 10) for s in shift])
        inside += ratio.low <= math.exp(0.3) <= ratio.high
    assert 0.92 <= inside / 400 <= 0.98


def test_losses_that_are_no_numbers_make_an_infinite_ratio() -> None:
    ratio = paired_ratio(losses_of((1, 1), (2, 2)), losses_of((math.nan, 1), (2, 2)))
    assert ratio.value == ratio.low == math.inf


def test_other_texts_are_refused() -> None:
    with pytest.raises(InvalidInput):
        paired_ratio(losses_of((1, 1), (2, 2)), losses_of((1, 1)))
    with pytest.raises(InvalidInput, match="length"):
        paired_ratio(losses_of((1, 1), (2, 2)), losses_of((1, 1), (2, 3)))
    with pytest.raises(InvalidInput):
        perplexity_of([])


def test_an_astronomic_ratio_is_capped_and_stays_finite() -> None:
    ratio = paired_ratio(losses_of((1, 1), (2, 2)), losses_of((1e6, 1), (3e6, 2)))
    assert math.isfinite(ratio.value)
    assert math.isfinite(ratio.high)
