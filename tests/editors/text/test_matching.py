from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.text.matching import matched_alias, matches


@pytest.mark.parametrize(
    ("generation", "answers", "expected"),
    [
        (" Tokyo, a city", ["Tokyo"], "Tokyo"),
        (" tokyo", ["Tokyo"], None),
        ("boron", ["B"], None),
        (" B.", ["B"], "B"),
        (" CuO", ["Cu"], None),
        (" Cu", ["Cu"], "Cu"),
        (' "Paris"', ["Paris"], "Paris"),
        (" the Netherlands.", ["Netherlands"], "Netherlands"),
        (" The Hague", ["The Hague"], "The Hague"),
        (" The Hague", ["Hague"], "Hague"),
        (' the "Seine"', ["Seine"], "Seine"),
        (" a guitar", ["guitar"], "guitar"),
        (" athens", ["thens"], None),
        (" Guinea-Bissau", ["Guinea"], None),
        (" Guinea - a country", ["Guinea"], "Guinea"),
        (" Niger's capital", ["Niger"], "Niger"),
        (" Nigeria", ["Niger"], None),
        (" Côte d'Ivoire", ["Côte d"], None),
        (" 3.5", ["3"], None),
        (" 3.", ["3"], "3"),
        (" 1,000", ["1"], None),
        (" U.S. dollar", ["U.S."], "U.S."),
        (" New York City", ["New York", "New York City"], "New York City"),
        (" New\tYork", ["New York"], "New York"),
        (" not Tokyo", ["Tokyo"], None),
        (" Tokyo", [""], None),
        ("", ["Tokyo"], None),
        (" 東京", ["東京"], "東京"),
        (" 東京都", ["東京"], None),
        # symbols belong to the word they stand at
        ("C++ is", ["C"], None),
        ("C++ is", ["C++"], "C++"),
        (" C++.", ["C++"], "C++"),
        (" C++11", ["C++"], None),
        (" C#", ["C"], None),
        (" C# is", ["C#"], "C#"),
        (" C-- is", ["C"], None),
        (" C♯ minor", ["C"], None),
        (" A- or", ["A"], None),
        (" AT&T", ["AT"], None),
        (" AC/DC", ["AC"], None),
        (" x=3", ["x"], None),
        (" O−", ["O"], None),
        (" C, C++", ["C"], "C"),
        (" Paris--the capital", ["Paris"], "Paris"),
        (" Paris—the capital", ["Paris"], "Paris"),
        (" Paris–Nice", ["Paris"], None),
        (" Windows™", ["Windows"], "Windows"),
        (" Paris<br>", ["Paris"], "Paris"),
        (" Paris🎉", ["Paris"], "Paris"),
        # full stops
        (" .NET is", [".NET"], ".NET"),
        (" .NET is", ["NET"], None),
        (" Node.js", ["Node"], None),
        (" U.S.", ["U"], None),
        (" U.S.A.", ["U.S."], None),
        (" U.S..", ["U.S."], "U.S."),
        (" U.S.", ["U.S"], "U.S"),
        (" U.S., a", ["U.S."], "U.S."),
        (" Paris.The", ["Paris"], "Paris"),
        (" Paris...", ["Paris"], "Paris"),
        # punctuation as an answer
        (" .", ["."], "."),
        (" ..", ["."], None),
        (" ...", ["..."], "..."),
        (" ....", ["..."], "..."),
        (" .....", ["..."], None),
        (" -.", ["-"], "-"),
        (" -5", ["-"], None),
        (" ->", ["-"], None),
        (" --", ["-"], None),
        (" * ", ["*"], "*"),
        (" +.", ["+"], "+"),
        (" Yahoo! is", ["Yahoo!"], "Yahoo!"),
        (" Yahoo!'s", ["Yahoo!"], "Yahoo!"),
        # numbers
        (" 7.5", ["7"], None),
        (" 7,5", ["7"], None),
        (" 7:30", ["7"], None),
        (" 7/8", ["7"], None),
        (" 7%", ["7"], None),
        (" 75", ["7"], None),
        (" 7th", ["7"], None),
        (" 7-8", ["7"], None),
        (" 7.", ["7"], "7"),
        (" 7, 8", ["7"], "7"),
        (" 7 of them", ["7"], "7"),
        (" 1 000 000", ["1"], None),
        (" 7.5.", ["7.5"], "7.5"),
        (" -7", ["7"], None),
        # emphasis that was opened is closed
        (" **Paris** is", ["Paris"], "Paris"),
        (" _Paris_", ["Paris"], "Paris"),
        (" the **Hague**", ["Hague"], "Hague"),
        (" **C++**", ["C"], None),
        (" Paris_x", ["Paris"], None),
        # an article as an answer
        (" a city", ["a"], None),
        (" a.", ["a"], "a"),
        (" A", ["A"], "A"),
        # other scripts
        (" 東京です。", ["東京"], "東京"),
        (" パリは", ["パリ"], "パリ"),
        (" ニューヨーク・シティ", ["ニューヨーク"], None),
        (" 東京。", ["東京"], "東京"),
        (" 「東京」", ["東京"], "東京"),
        (" iPhone是", ["iPhone"], "iPhone"),
        (" Москва.", ["Москва"], "Москва"),
        (" Москвой", ["Москва"], None),
        (" दिल्ली।", ["दिल्ली"], "दिल्ली"),
        (" दिल्लीवाला", ["दिल्ली"], None),
        (" กรุงเทพมหานคร", ["กรุงเทพ"], None),
        (" القاهرة،", ["القاهرة"], "القاهرة"),
    ],
)
def test_cases(generation: str, answers: list[str], expected: str | None) -> None:
    assert matched_alias(generation, answers) == expected
    assert matches(generation, answers) == (expected is not None)


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert matches(unicodedata.normalize("NFD", " Côte d'Ivoire"), [unicodedata.normalize("NFC", "Côte d'Ivoire")])


def test_a_combining_mark_continues_a_word() -> None:
    assert not matches("x\u0323\u0323", ["x"])


@given(st.text(alphabet="abcXYZ éß", min_size=1).filter(lambda text: bool(text.strip())))
def test_an_answer_matches_itself_but_not_with_a_letter_more(answer: str) -> None:
    answer = answer.strip()
    assert matches(f" {answer}.", [answer])
    assert not matches(f" {answer}q", [answer])
