from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.text.answers import chosen_by_text, end_mark, end_that_keeps_tokens
from knowledgesmith.editors.text.encoding import plain_ids
from knowledgesmith.editors.text.matching import matches

CITIES = [["New York", "NYC"], ["New York City"], ["New York City Hall"], ["York"]]


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (" New York.", CITIES, 0),
        (" New York City.", CITIES, 1),
        (" New York City Hall, built", CITIES, 2),
        (" New York Cityscape", CITIES, 0),
        (" the city of New York", CITIES, None),
        (" NYC", CITIES, 0),
        (" York", CITIES, 3),
        ("", CITIES, None),
        (" C++ is", [["C"], ["C++"], ["C#"]], 1),
        (" C.", [["C++"], ["C"], ["C#"]], 1),
        (" C# is", [["C"], ["C++"]], None),
        (" ....", [["."], ["..."], [".."]], 1),
        (" .", [["..."], ["."]], 1),
        (" 7.5", [["7"], ["7.5"], ["75"]], 1),
        (" 75", [["7"], ["7.5"], ["75"]], 2),
        (" Hague", [["The Hague"], ["Hague"]], 1),
        (" The Hague", [["Hague"], ["The Hague"]], 1),
        (" Paris", [["Rome"], ["Paris"], ["Paris"]], 1),
        (" Paris", [], None),
    ],
)
def test_the_longest_name_of_all_options_is_what_a_text_says(
    text: str, options: list[list[str]], expected: int | None
) -> None:
    assert chosen_by_text(text, options) == expected


WORD = st.text(alphabet="abXY7+#.-", min_size=1, max_size=4)


@given(st.lists(WORD, min_size=1, max_size=5, unique=True), st.data())
def test_a_choice_is_a_longest_match(names: list[str], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(names)) + data.draw(st.sampled_from(["", " x", ".", ", y", "+", "#"]))
    chosen = chosen_by_text(text, [[name] for name in names])
    said = [name for name in names if matches(text, [name])]
    assert (chosen is None) == (not said)
    if chosen is not None:
        assert len(names[chosen]) == max(map(len, said))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Paris", "."),
        ("C++", "."),
        ("7", "."),
        ("-", "."),
        ("U.S.", ""),
        ("...", ""),
        (".", ""),
        ("Who?", ""),
        ("Yahoo!", ""),
        ("“Who?”", ""),
        ("She said “no.” ", ""),
        ("(U.S.)", ""),
        ("東京", "。"),
        ("กรุงเทพ", ""),
        ("दिल्ली", "।"),
        ("القاهرة؟", ""),
        ("لاہور ہے", "۔"),
        ("Guess!", ""),
        ("“U.S.”", ""),
        ("東京。", ""),
        ("दिल्ली।", ""),
        (")", "."),
    ],
)
def test_an_end_mark_is_never_doubled(answer: str, expected: str) -> None:
    assert end_mark(answer) == expected


def test_an_end_leaves_the_tokens_of_the_answer(llama: LoadedModel) -> None:
    for answer in ("Paris", "C++", "...", "U.S.", "-", "7", "東京"):
        end = end_that_keeps_tokens(llama.tokenizer, "It is", answer)
        plain, closed = plain_ids(llama.tokenizer, [f"It is {answer}", f"It is {answer}{end}"])
        assert closed[: len(plain)] == plain
        assert end in {".", "\n", ""}


def test_an_end_that_merges_is_passed_over() -> None:
    from typing import Any, cast

    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"a": 0, " ": 1, "+": 2, ".": 3, "+.": 4, "\n": 5}
    tokenizer = cast("Any", PreTrainedTokenizerFast)(tokenizer_object=Tokenizer(models.BPE(vocabulary, [("+", ".")])))
    assert end_that_keeps_tokens(tokenizer, "a", "a+") == "\n"
    assert end_that_keeps_tokens(tokenizer, "a", "a") == "."


@pytest.mark.parametrize(
    ("stem", "answer", "mark"),
    [
        ("The capital of Japan is", "東京", "."),
        ("日本的首都是", "Tokyo", "。"),
        ("日本——首都：", "东京", "。"),
        ("เมืองหลวงคือ", "กรุงเทพ", ""),
        ("7 × 6 =", "四十二", "。"),
    ],
)
def test_the_text_before_the_answer_says_which_full_stop_closes_it(stem: str, answer: str, mark: str) -> None:
    assert end_mark(answer, stem) == mark
