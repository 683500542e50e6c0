"""Blanks and full stops of different scripts."""

from __future__ import annotations

import pytest

from knowledgesmith.graph_schema.language.joining import full_stop, joined


@pytest.mark.parametrize(
    ("text", "following", "whole"),
    [
        ("The capital of Japan is", "Tokyo", "The capital of Japan is Tokyo"),
        ("The capital of Japan is", "東京", "The capital of Japan is 東京"),
        ("日本的首都是", "东京", "日本的首都是东京"),
        ("美元的符号是", "USD", "美元的符号是USD"),
        ("日本の首都は", "とうきょう", "日本の首都はとうきょう"),
        ("日本——首都：", "东京", "日本——首都：东京"),
        ("问题：日本的首都是哪里？", "东京", "问题：日本的首都是哪里？东京"),
        ("日本｜首都｜", "东京", "日本｜首都｜东京"),
        ("「", "东京", "「东京"),
        ("เมืองหลวงของญี่ปุ่นคือ", "โตเกียว", "เมืองหลวงของญี่ปุ่นคือโตเกียว"),
        ("เมืองหลวงของญี่ปุ่นคือ", "Tokyo", "เมืองหลวงของญี่ปุ่นคือ Tokyo"),
        ("เมืองหลวง:", "โตเกียว", "เมืองหลวง: โตเกียว"),
        ("រដ្ឋធានី​គឺ", "ភ្នំពេញ", "រដ្ឋធានី​គឺភ្នំពេញ"),
        ("ເມືອງຫຼວງແມ່ນ", "ວຽງຈັນ", "ເມືອງຫຼວງແມ່ນວຽງຈັນ"),
        ("မြို့တော်မှာ", "နေပြည်တော်", "မြို့တော်မှာနေပြည်တော်"),
        ("རྒྱལ་ས་ནི་", "ལྷ་ས", "རྒྱལ་ས་ནི་ལྷ་ས"),
        ("수도는", "서울", "수도는 서울"),
        ("عاصمة مصر هي", "القاهرة", "عاصمة مصر هي القاهرة"),
        ("भारत की राजधानी", "दिल्ली", "भारत की राजधानी दिल्ली"),
        ("Столица —", "Москва", "Столица — Москва"),
        ("The symbol is…", "B", "The symbol is… B"),
        ("答案…", "东京", "答案…东京"),
        ("One calls it 東京。", "The capital of Japan is", "One calls it 東京。 The capital of Japan is"),
        ("叫做东京。", "日本的首都是", "叫做东京。日本的首都是"),
        ("", "Tokyo", " Tokyo"),
    ],
)
def test_a_blank_stands_where_the_script_has_one(text: str, following: str, whole: str) -> None:
    assert joined(text, following) == whole


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("Tokyo", "."),
        ("东京", "。"),
        ("とうきょう", "。"),
        ("C++", "."),
        ("7", "."),
        ("", "."),
        ("กรุงเทพ", ""),
        ("दिल्ली", "।"),
        ("اسلام آباد ہے", "۔"),
        ("القاهرة", "."),
        ("ភ្នំពេញ", "។"),
        ("နေပြည်တော်", "။"),
        ("ལྷ་ས", "།"),
        ("Երևան", "։"),
        ("አዲስ አበባ", "።"),
        ("東京 (Tokyo)", "."),
        ("Москва", "."),
    ],
)
def test_a_sentence_ends_in_the_full_stop_of_its_script(text: str, stop: str) -> None:
    assert full_stop(text) == stop
