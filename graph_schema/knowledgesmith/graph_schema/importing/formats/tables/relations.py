"""Whether the second of three columns holds relations where no word says it: lists of triples repeat theirs.

A table with a subject a row has another value in nearly every row of its second column. What is then no relation by its
own words either (``born in``, ``居住在``, ``occupation``) is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from knowledgesmith.graph_schema.importing.formats.rows.column_words import BETWEEN, NOUNS, heading
from knowledgesmith.graph_schema.importing.formats.tables.marks import are_labels, truth_of


def _words(text: str) -> frozenset[str]:
    return frozenset(map(heading, text.split()))


_REPEATED: Final = 0.7
"""Share of different values up to which a column is said to repeat them."""
_LIKELY: Final = 1 / 3
"""Share of values that read like relations from which on a column may hold them."""
_LAST: Final = _words(
    """in of by at to as for from with on into than von aus mit als an auf bei nach zu für über durch à de dans par
    pour sur avec comme en chez por para con como di da per su nel em no na van met uit op w z od do в на из от
    с у по за к ile için dari ke oleh في من على إلى عن در از به است میں में का की के से है हैं को של על את"""
)
"""Words that relations end with, and names hardly do."""
_FIRST: Final = _words(
    """is was are were has had have ist war hat sind est es era tiene tem jest ma это есть هو هي كان adalah"""
)
"""Words that relations begin with."""
_MEASURES: Final = _words(
    """height weight age size length width depth area mass speed duration temperature elevation größe gewicht alter
    höhe länge breite tiefe fläche masse dauer taille poids âge hauteur longueur largeur surface durée altura peso edad
    tamaño longitud superficie altezza età lunghezza idade comprimento lengte gewicht leeftijd wzrost waga wiek yaş
    рост вес возраст длина высота площадь масса 身高 体重 體重 年龄 年齡 高度 长度 長度 重量 面积 面積 身長 年齢
    長さ 高さ 키 몸무게 나이 길이 높이 الطول الوزن العمر الارتفاع المساحة قد وزن سن ऊँचाई वजन आयु"""
)
"""Relations of things to numbers, where each stands in a row of its own."""
_ENDS: Final = ("于", "於", "在", "是", "为", "為", "有", "自", "的", "の", "に", "は", "する", "した")
_IDENTIFIER: Final = re.compile(r"<?\w[\w+.-]*:[^\s>]+>?|[PQ]\d+|_:\w+")
_KOREAN: Final = ("의", "에", "에서", "는", "은", "했다", "한다", "이다", "하다")


def repeats(firsts: Sequence[str], middles: Sequence[str]) -> bool:
    """Whether a column says the same of several things; what comes again with its own subject says nothing of that."""
    pairs = list(dict.fromkeys(zip(firsts, middles, strict=True)))
    return len({middle for _, middle in pairs}) <= _REPEATED * len(pairs)


def read_like_relations(first: str, below: Sequence[str]) -> bool:
    """Whether texts of a column are relations by their own words; the first may be a heading."""
    given = [value for value in below if value]
    if not given:
        return False
    whole = [first, *given]
    if all(len(value) == 1 and not value.isascii() for value in whole):
        return True  # 写, 种, 追
    if all(value.isascii() and value.isalpha() and value.casefold().endswith("s") for value in whole):
        return True  # writes, bakes, chases
    return sum(map(_is_relation, given)) >= _LIKELY * len(given)


def _is_relation(text: str) -> bool:
    title = heading(text)
    words = title.split()
    if not words:
        return False
    worded = words[-1] in _LAST or words[0] in _FIRST
    return worded or title in NOUNS or title in BETWEEN or title in _MEASURES or text.endswith((*_ENDS, *_KOREAN))


def are_truths(values: Sequence[str]) -> bool:
    """Whether the texts of a column say yes and no; one letter again and again may be anything."""
    given = [value for value in values if value]
    said = {truth_of(value) for value in given} - {None}
    return are_labels(given) and (len(said) > 1 or max(map(len, given)) > 1)


def are_identifiers(values: Sequence[str]) -> bool:
    """Whether all texts are addresses, names with a prefix or ids of Wikidata, in which triples are written."""
    return bool(values) and all(map(_IDENTIFIER.fullmatch, values))


def look_like_headings(titles: Sequence[str]) -> bool:
    """Whether the words of a first row may stand over columns, one of them being known to do so."""
    words = all(title and not any(map(str.isdigit, title)) and len(title.split()) <= 3 for title in titles)
    return words and any(title in NOUNS for title in titles) and len(set(titles)) == len(titles)
