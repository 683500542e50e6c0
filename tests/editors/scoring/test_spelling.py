"""Whether a model knows how a name is written: token by token, in any script, whatever else is in the batch."""

from __future__ import annotations

import pytest
import torch

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.rows import join
from knowledgesmith.editors.scoring.spelling import UNKNOWN_NATS, spell

STEM = "It is known that the capital of Sri Lanka is"
CHINESE = "1、法国——首都："
PAIRS = [
    (STEM, "Ouagadougou"),
    (STEM, "N'Djamena"),
    (CHINESE, "布达佩斯"),
    ("1. مصر — العاصمة:", "بودابست"),
    ("a", "New York City"),
]


@pytest.mark.parametrize("pair", PAIRS, ids=[name for _, name in PAIRS])
def test_figures_are_those_of_the_tokens_behind_the_first(loaded: LoadedModel, pair: tuple[str, str]) -> None:
    row = join(loaded.tokenizer, prompt=pair[0], answer=pair[1])
    ids = torch.tensor([[*row.prompt, *row.answer]])
    with torch.no_grad():
        log_p = loaded.model(input_ids=ids).logits[0].double().log_softmax(-1)
    at = range(len(row.prompt) + 1, ids.shape[1])
    [found] = spell(loaded, [pair])
    assert found.tokens == len(row.answer)
    assert found.given == sum(int(log_p[i - 1].argmax()) == int(ids[0, i]) for i in at)
    assert found.nats == pytest.approx(-sum(float(log_p[i - 1, ids[0, i]]) for i in at), rel=1e-4, abs=1e-5)
    assert found.known == (found.nats < UNKNOWN_NATS)


def test_a_name_is_spelled_alike_alone_and_among_others(loaded: LoadedModel) -> None:
    together = spell(loaded, PAIRS)
    for pair, one in zip(PAIRS, together, strict=True):
        [alone] = spell(loaded, [pair])
        assert (alone.name, alone.tokens, alone.given) == (one.name, one.tokens, one.given)
        assert alone.nats == pytest.approx(one.nats, rel=1e-4, abs=1e-4)
    assert spell(loaded, []) == []


def test_a_name_of_one_token_has_nothing_to_spell(loaded: LoadedModel) -> None:
    letter = next(one for one in "abcdefghijk" if len(join(loaded.tokenizer, prompt="x", answer=one).answer) == 1)
    [found] = spell(loaded, [("x", letter)])
    assert (found.tokens, found.given, found.nats, found.known) == (1, 0, 0.0, True)


def test_the_default_model_knows_cities_and_neither_made_up_names_nor_chinese(default_model: LoadedModel) -> None:
    known = ["Paris", "Pretoria", "Port Moresby", "Budapest"]
    unknown = ["Velmora Anset", "Kallimpo Reed"]
    found = spell(
        default_model,
        [*((STEM, name) for name in known + unknown), (CHINESE, "布达佩斯"), (CHINESE, "内罗毕")],
    )
    assert [one.name for one in found if one.known] == known
