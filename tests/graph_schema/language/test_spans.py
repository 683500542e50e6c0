"""Phrases in texts of any script: by words where words are parted, by characters where they are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.graph_schema.language.spans import Phrases, holds, units

WORDS = st.sampled_from(("Paris", "is", "東京", "กรุงเทพ", "서울", "दिल्ली", "ירושלים", "القاهرة", "Tomé", "7", "x"))
MARKS = st.sampled_from((" ", ", ", " — ", ". ", "  "))


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("首都は東京です", "東京", True),
        ("首都是北京。", "北京", True),
        ("首都は京都です", "東京", False),
        ("เมืองหลวงคือกรุงเทพมหานคร", "กรุงเทพ", True),
        ("ເມືອງຫຼວງແມ່ນວຽງຈັນ", "ວຽງຈັນ", True),
        ("រាជធានីគឺភ្នំពេញ", "ភ្នំពេញ", True),
        ("မြို့တော်သည်နေပြည်တော်ဖြစ်သည်", "နေပြည်တော်", True),
        ("수도는 서울입니다", "서울", True),
        ("서울은 수도이다", "서울", True),
        ("서울특별시는 크다", "서울", True),
        ("수도는 부산이다", "서울", False),
        ("금은 귀하다", "금", True),
        ("금속은 단단하다", "금", False),
        ("הבירה היא בירושלים", "ירושלים", True),
        ("السفر إلى القاهرة والإسكندرية", "الإسكندرية", True),
        ("भारत की राजधानी दिल्ली है", "दिल्ली", True),
        ("यह दल्ली है", "दिल्ली", False),
        ("Tokyoites live there", "Tokyo", False),
        ("das ist Münchens Mitte", "München", False),
        ("TOKYO!", "tokyo", True),
        ("the New  York-City harbour", "New York City", True),
        ("GDPは東京が7月に", "7", True),
        ("17 of them", "7", False),
        ("ＴＯＫＹＯ", "Tokyo", True),
        ("so\u00adft To\u200bkyo", "Tokyo", True),
        (unicodedata.normalize("NFD", "São Tomé"), unicodedata.normalize("NFC", "Tomé"), True),
        ("anything", "…", False),
    ],
)
def test_a_phrase_is_found_as_its_script_is_read(text: str, phrase: str, expected: bool) -> None:
    assert holds(text, phrase) is expected


def test_case_counts_where_it_is_asked_for() -> None:
    assert holds("a thing", "A")
    assert not holds("a thing", "A", fold=False)


def test_marks_stay_with_their_letters() -> None:
    assert units("दिल्ली") == ("दिल्ली",)
    assert len(units("東京タワー")) == 5
    assert all(not unicodedata.combining(unit[0]) for unit in units("เมืองหลวง"))


@given(words=st.lists(WORDS, min_size=1, max_size=6), marks=st.lists(MARKS, min_size=6, max_size=6), data=st.data())
def test_many_phrases_at_once_are_found_like_one_by_one(
    words: list[str], marks: list[str], data: st.DataObject
) -> None:
    text = "".join(word + mark for word, mark in zip(words, marks, strict=False))
    start = data.draw(st.integers(0, len(words) - 1))
    stop = data.draw(st.integers(start + 1, len(words)))
    inside = " ".join(words[start:stop]).upper()
    assert holds(text, inside)
    assert Phrases(spans=frozenset({inside, "no such words"})).held_by(f"Well: {text}")
    assert Phrases(whole=frozenset({inside})).held_by(inside.lower())
    assert Phrases(whole=frozenset({inside})).held_by(f"Well: {text}") is False


@given(words=st.lists(WORDS, min_size=1, max_size=5), other=st.lists(WORDS, min_size=1, max_size=5))
def test_nothing_is_found_that_is_not_there(words: list[str], other: list[str]) -> None:
    text, phrase = " ".join(words), " ".join(other)
    found, wanted = units(text), units(phrase)
    oracle = any(found[at : at + len(wanted)] == wanted for at in range(len(found)))
    assert Phrases(spans=frozenset({phrase})).held_by(text) is oracle
