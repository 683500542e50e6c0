"""The default scorer against texts counted out one by one, and on models that say what an edit wanted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.scoring.beliefs import (
    OptionScore,
    ScorerKind,
    believe,
    best_option,
    option_values,
    scorers_disagree,
)
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.testing.tiny import tiny_tokenizer
from knowledgesmith.editors.text.encoding import encode

EXACT, MEAN, SUM = ScorerKind.CLOZE_EXACT, ScorerKind.CLOZE_MEAN, ScorerKind.CLOZE_SUM

# a toy language whose tokens are texts: letters, words behind a blank, symbols that go on with a word, and an end
PIECES = ("A", " A", " B", "+", ".")
Draws = Callable[[tuple[int, ...]], list[float]]


def goes_on(token: int) -> bool:
    return PIECES[token] in {"A", "+"}


def record(option: tuple[int, ...], law: Draws) -> OptionScore:
    """What a scorer would record of an option under ``law`` (shares of the next token after a prefix)."""
    shares = [law(option[:place]) for place in range(len(option) + 1)]
    here = [shares[place][token] for place, token in enumerate(option)]
    rest = [
        math.fsum(share for index, share in enumerate(shares[place]) if index != token)
        for place, token in enumerate(option)
    ]
    after = shares[-1]
    return OptionScore(
        sum_logprob=math.fsum(map(math.log, here)),
        n_tokens=len(option),
        text="".join(PIECES[token] for token in option).strip(),
        tokens=option,
        heads=tuple(PIECES[token][0] for token in option),
        logprobs=tuple(map(math.log, here)),
        others=tuple(map(math.log, rest)),
        ends=math.log(math.fsum(share for token, share in enumerate(after) if not goes_on(token))),
        goes_on=math.log(math.fsum(share for token, share in enumerate(after) if goes_on(token))),
    )


def counted(options: Sequence[tuple[int, ...]], law: Draws) -> list[float]:
    """Probability of each option's event, added up over all texts."""
    depth = max(map(len, options)) + 1
    totals = [0.0] * len(options)
    for text in itertools.product(range(len(PIECES)), repeat=depth):
        said = [index for index, option in enumerate(options) if text[: len(option)] == option]
        if not said:
            continue
        longest = max(said, key=lambda index: len(options[index]))
        if goes_on(text[len(options[longest])]):
            continue
        probability = math.prod(law(text[:place])[token] for place, token in enumerate(text))
        totals[longest] += probability
    return totals


OPTION = st.lists(st.sampled_from([1, 2]), min_size=1, max_size=3).map(tuple)


@settings(max_examples=40, deadline=None)
@given(st.lists(OPTION, min_size=2, max_size=4, unique=True), st.integers(0, 2**16), st.floats(0.1, 6.0))
def test_beliefs_are_the_shares_of_disjoint_texts(options: list[tuple[int, ...]], seed: int, sharpness: float) -> None:
    """A longer option takes its texts from the shorter one; what goes on inside a word belongs to none."""

    def law(prefix: tuple[int, ...]) -> list[float]:
        draw = torch.Generator().manual_seed(seed + sum(5**place * (token + 1) for place, token in enumerate(prefix)))
        shares: list[float] = (
            (torch.randn(len(PIECES), generator=draw, dtype=torch.float64) * sharpness).softmax(0).tolist()
        )
        return shares

    values = option_values(EXACT, [record(option, law) for option in options])
    for value, expected in zip(values, counted(options, law), strict=True):
        assert math.isclose(math.exp(value), expected, rel_tol=1e-6, abs_tol=1e-11)


@pytest.mark.parametrize("miss", [1e-3, 1e-9, 1e-15])
def test_nearly_all_mass_on_a_longer_option_leaves_the_rest_exact(miss: float) -> None:
    """1 - p is recorded, not computed: at p = 1 - 1e-15 a difference of float64 numbers has one digit left."""
    short = OptionScore(0.0, 1, "New York", (1,), ("N",), (0.0,), (-math.inf,), ends=0.0)
    longer = OptionScore(
        sum_logprob=math.log1p(-miss),
        n_tokens=2,
        text="New York City",
        tokens=(1, 2),
        heads=("N", " "),
        logprobs=(0.0, math.log1p(-miss)),
        others=(-math.inf, math.log(miss)),
    )
    [first, second] = option_values(EXACT, [short, longer])
    assert math.isclose(math.exp(first), max(miss, 1e-12), rel_tol=1e-9)
    assert math.isclose(math.exp(second), 1 - miss, rel_tol=1e-9)


def test_options_with_the_same_tokens_do_not_take_from_each_other() -> None:
    one = OptionScore(-1.0, 1, "A", (1,), ("A",), (-1.0,), (-0.45868,), ends=-0.5, goes_on=-0.93275)
    assert option_values(EXACT, [one, one]) == [pytest.approx(-1.5)] * 2


def test_a_chain_takes_only_from_the_next_shorter_one() -> None:
    def chain(count: int, text: str) -> OptionScore:
        part = (math.log(0.5),) * count
        return OptionScore(math.fsum(part), count, text, tuple(range(count)), (" ",) * count, part, part)

    values = option_values(EXACT, [chain(1, "New York"), chain(2, "New York City"), chain(3, "New York City Hall")])
    assert [math.exp(value) for value in values] == pytest.approx([0.25, 0.125, 0.125])


def test_records_without_tokens_keep_their_sums() -> None:
    """What another program measured may lack them."""
    scores = [OptionScore(-6.0, 3), OptionScore(-2.5, 1)]
    assert option_values(MEAN, scores) == [-2.0, -2.5]
    assert option_values(SUM, scores) == option_values(EXACT, scores) == [-6.0, -2.5]
    assert scorers_disagree(scores)
    assert not scorers_disagree([OptionScore(-1.0, 1), OptionScore(-9.0, 2)])
    assert not scorers_disagree([])


@dataclass
class Kept:
    """The cache of a model by heart: the tokens of each row."""

    rows: list[list[int]]

    def batch_select_indices(self, indices: Tensor) -> None:
        self.rows = [list(self.rows[int(index)]) for index in indices]


class Head(nn.Module):
    """Logits from numbers of tokens: ``sure`` for that token, 0 for the others; all equal below 0."""

    def __init__(self, width: int, sure: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, 1), requires_grad=False)
        self.sure = sure

    def forward(self, wanted: Tensor) -> Tensor:
        tokens = wanted[..., 0].long()
        logits = functional.one_hot(tokens.clamp_min(0), len(self.weight)).float() * self.sure
        return logits * (tokens >= 0)[..., None]


class ByHeart(nn.Module):
    """A model that says one text after its stem, with log-odds ``sure`` at each token, and anything after others."""

    config = SimpleNamespace(get_text_config=SimpleNamespace)
    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, text: list[int], width: int, sure: float) -> None:
        super().__init__()
        self.text = text
        self.head = Head(width, sure)

    def get_output_embeddings(self) -> Head:
        return self.head

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, past_key_values: Kept | None = None, **_: object
    ) -> SimpleNamespace:
        width = input_ids.shape[1]
        before = past_key_values.rows if past_key_values else [[] for _ in input_ids]
        wanted = torch.full((*input_ids.shape, 1), -1.0)
        kept: list[list[int]] = []
        for row, ids in enumerate(input_ids.tolist()):
            said = list(before[row])
            for place in range(width):
                if attention_mask[row, -width + place]:
                    said.append(ids[place])
                    if said == self.text[: len(said)] and len(said) < len(self.text):
                        wanted[row, place] = self.text[len(said)]
            kept.append(said)
        return SimpleNamespace(logits=self.head(wanted), past_key_values=Kept(kept))


def by_heart(text: str, *, sure: float = 20.0) -> LoadedModel:
    """A model that says ``text`` and then ends; the tokenizer is the one of the tiny models."""
    tokenizer = tiny_tokenizer()
    model: Any = ByHeart([*encode(tokenizer, text), 0], len(tokenizer), sure)
    architecture: Any = SimpleNamespace(lm_head=model.head)
    return LoadedModel(model=model, tokenizer=tokenizer, architecture=architecture, digest="")


LONG = " ".join(f"word{number}" for number in range(20))
LONG_OTHER = LONG.replace("word10", "Berlin")
STEM = "The mill firm is led by"

# (options, the one that the model says, what it says)
PERFECT = [
    (["New York", "New York City", "New Delhi", "York"], 1, "New York City."),
    (["New York", "New York City", "New Delhi", "York"], 0, "New York."),
    (["New York", "New York City", "New York City Hall", "Hall"], 0, "New York."),
    (["New York", "New York City", "New York City Hall", "Hall"], 1, "New York City."),
    (["New York", "New York City", "New York City Hall", "Hall"], 2, "New York City Hall."),
    (
        ["George H. W. Bush", "George W. Bush", "George Washington", "George Washington Carver"],
        3,
        "George Washington Carver.",
    ),
    (["George H. W. Bush", "George W. Bush", "George Washington", "George Washington Carver"], 2, "George Washington."),
    (["C", "C++", "C#", "Chlorine"], 1, "C++."),
    (["C", "C++", "C#", "Chlorine"], 0, "C."),
    (["C", "C++", "C#", "Chlorine"], 2, "C#."),
    (["C", "C++", "C#", "Chlorine"], 3, "Chlorine."),
    ([".", "...", "-", "7"], 1, "..."),
    ([".", "...", "-", "7"], 0, "."),
    ([".", "...", "-", "7"], 2, "-"),
    (["7", "7.5", "75", "750"], 0, "7."),
    (["7", "7.5", "75", "750"], 1, "7.5."),
    (["7", "7.5", "75", "750"], 2, "75."),
    (["U.S.", "U.S.A.", "U", "USA"], 0, "U.S."),
    (["U.S.", "U.S.A.", "U", "USA"], 1, "U.S.A."),
    (["東京", "東京都", "京都", "京"], 0, "東京。"),
    (["東京", "東京都", "京都", "京"], 1, "東京都。"),
    (
        ["Oslo", "Tokyo and Kyoto and Osaka by the river of the city of Japan"],
        1,
        "Tokyo and Kyoto and Osaka by the river of the city of Japan.",
    ),
    (["Oslo", "Tokyo and Kyoto and Osaka by the river of the city of Japan"], 0, "Oslo."),
    ([LONG, LONG_OTHER], 1, f"{LONG_OTHER}."),
    ([LONG, LONG_OTHER], 0, f"{LONG}."),
]


@pytest.mark.parametrize(("options", "said", "text"), PERFECT, ids=[text[:24] for _, _, text in PERFECT])
@pytest.mark.parametrize("sure", [12.0, 40.0])
def test_a_perfect_edit_is_believed(options: list[str], said: int, text: str, sure: float) -> None:
    scores = Scorer(by_heart(f"{STEM} {text}", sure=sure)).score([(STEM, option) for option in options])
    values = option_values(EXACT, scores)
    assert best_option(values) == said
    belief = believe(values, before={(said + 1) % len(options)}, after={said})
    assert belief.p_new > 0.95
    assert belief.p_old < 0.01


def test_what_no_option_says_makes_none_of_them_sure() -> None:
    """The model says 75; to be asked for 7 or 9 must not read as a firm 7."""
    scores = Scorer(by_heart(f"{STEM} 75.")).score([(STEM, "7"), (STEM, "9")])
    exact, plain = (option_values(kind, scores)[0] for kind in (EXACT, SUM))
    assert exact < plain - 10


def test_the_mean_and_the_sum_are_wrong_there() -> None:
    """Why they are no default: the same model, asked the same."""
    scores = Scorer(by_heart(f"{STEM} New York City.")).score([(STEM, "New York"), (STEM, "New York City")])
    for kind in (MEAN, SUM):
        assert believe(option_values(kind, scores), before={0}, after={1}).p_new < 0.6
    assert scorers_disagree(scores)
