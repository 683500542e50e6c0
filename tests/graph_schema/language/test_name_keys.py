"""Names that look alike have one key, in any script; what tells them apart is said in words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.graph_schema.language.name_keys import difference_of, name_key, without_invisible


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("Zo\u00eb", "Zoe\u0308", "composed or decomposed letters"),
        ("\uac15\ub0a8", unicodedata.normalize("NFD", "\uac15\ub0a8"), "composed or decomposed letters"),
        ("Ada\u200b Long", "Ada Long", "invisible signs (U+200B)"),
        ("\u200f\u0627\u0644\u0642\u0627\u0647\u0631\u0629", "\u0627\u0644\u0642\u0627\u0647\u0631\u0629", "U+200F"),
        ("\u0645\u06cc\u200c\u0631\u0648\u062f", "\u0645\u06cc\u0631\u0648\u062f", "U+200C"),
        ("Ada Long\ufeff", "Ada Long", "U+FEFF"),
        ("co\u00adoperate", "cooperate", "U+00AD"),
        ("\uff21\uff22\uff23", "ABC", "width"),
        ("Ada\u00a0Long", "Ada Long", "blanks"),
        ("Stra\u00dfe", "STRASSE", "letter case"),
        ("\u041c\u043e\u0441\u043a\u0432\u0430", "\u043c\u043e\u0441\u043a\u0432\u0430", "letter case"),
    ],
)
def test_names_that_look_alike_have_one_key(one: str, other: str, said: str) -> None:
    assert one != other
    assert name_key(one) == name_key(other)
    assert said in difference_of(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("C", "C++"), ("Rome", "Ròme"), ("\u6771\u4eac", "\u4eac\u90fd"), ("7", "70"), ("a b", "ab")]
)
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text(max_size=30))
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key
    assert key == without_invisible(key)
    assert name_key(f"\u200e {unicodedata.normalize('NFD', text)}\u200b ") == key
    assert not difference_of(text, text)
