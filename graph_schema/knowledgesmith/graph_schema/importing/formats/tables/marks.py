"""Marks on rows of facts: true or false, going one way or both; and cells that say there is no value."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from knowledgesmith.graph_schema.importing.formats.rows.column_words import OTHER, Role, heading
from knowledgesmith.graph_schema.importing.reading.literals import is_literal


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _headings(text: str) -> frozenset[str]:
    return frozenset(map(heading, text.split()))


_TRUE: Final = _words(
    """true t yes y correct right valid positive pos wahr ja richtig korrekt vrai oui verdadero sí si cierto correcto
    vero sì corretto verdadeiro sim correto waar juist prawda tak doğru evet sant sand benar ya đúng да истина верно
    правда так 真 是 对 對 正确 正確 はい 正しい 참 예 صحيح صح نعم درست बله हाँ हां सही सत्य จริง ใช่ ναι αληθές נכון כן
    ✓ ✔ ☑ ✅"""
)
_FALSE: Final = _words(
    """false f no n incorrect wrong invalid negative neg falsch nein inkorrekt faux non incorrecte falso incorrecto
    incorretto sbagliato não nao incorreto onwaar nee onjuist fałsz nie yanlış hayır falskt falsk nej salah tidak sai
    không нет ложь неверно ні 假 否 错 錯 错误 錯誤 不是 偽 誤り いいえ 거짓 아니오 아니요 خطأ خاطئ كاذب لا نادرست नहीं
    गलत असत्य เท็จ ไม่ όχι ψευδές שקר לא ✗ ✘ ✕ ❌ ☒"""
)
_DENYING: Final = _headings(
    """false is_false wrong is_wrong incorrect is_incorrect invalid is_invalid negated is_negated negative is_negative
    falsch faux falso ложь неверно 假 错误 錯誤 偽 خطأ"""
)
_DIRECTED: Final = frozenset({"directed", "dir", "one way", "oneway", "->", "\u2192", "gerichtet", "dirigé", "有向"})
_UNDIRECTED: Final = _words(
    "undirected mutual bidirectional reciprocal both symmetric -- <-> \u2194 \u2014 ungerichtet 无向 無向"
)
_ONE_WAY: Final = _headings("directed is_directed gerichtet 有向")
_BOTH_WAYS: Final = _headings(
    "undirected is_undirected bidirectional is_bidirectional mutual reciprocal ungerichtet 无向 無向"
)
_DIRECTION: Final = _headings("direction edge_direction directionality richtung 方向")
_NO_THING: Final = _words(
    """- -- --- \u2212 \u2013 \u2014 ? ?? ??? \uff1f \uff0d n/a N/A N/a #N/A #NA <NA> <na> NaN nan -NaN -nan 1.#QNAN
    NaT \\N (null) <null>"""
)
_NO_VALUE: Final = _NO_THING | _words(
    """null NULL none None NONE unknown Unknown UNKNOWN unbekannt inconnu desconocido desconhecido sconosciuto
    неизвестно 未知 不明 不详 不詳 无 無"""
)


def is_no_value(text: str) -> bool:
    """Whether a cell says that there is no value. Codes such as ``NA`` and names such as ``Nan`` are values."""
    return text in _NO_VALUE


def names_nothing(text: str) -> bool:
    """Whether a text can be no subject: a sign for a missing value; a word for one may be a thing (``null``)."""
    return text in _NO_THING


def truth_of(text: str) -> bool | None:
    """What a label says, as a word in any case or as a number (1; 0 or -1); None where it is neither."""
    word = unicodedata.normalize("NFKC", text).strip().casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    try:
        number = float(word)
    except ValueError:
        return None
    return {1.0: True, 0.0: False, -1.0: False}.get(number)


def denies(title: str) -> bool:
    """Whether ``yes`` below a heading says that the row is false."""
    return heading(title) in _DENYING


def is_label(title: str) -> bool:
    """Whether a heading says that its column labels rows true or false."""
    return heading(title) in OTHER[Role.LABEL] or denies(title)


def is_direction(title: str) -> bool:
    """Whether a heading says that its column tells whether a row goes one way or both."""
    return heading(title) in _ONE_WAY | _BOTH_WAYS | _DIRECTION


def undirected(title: str, text: str) -> bool | None:
    """Whether a row holds both ways, by the word in it and the one over it; None where neither is said."""
    words = {heading(text), text.strip()}
    if words & _DIRECTED or not text.strip():
        return False
    if words & _UNDIRECTED:
        return True
    truth = truth_of(text)
    if truth is None or heading(title) not in _ONE_WAY | _BOTH_WAYS:
        return None
    return truth is (heading(title) in _BOTH_WAYS)


def mostly(values: Sequence[str], said: Callable[[str], bool | None]) -> bool:
    """Whether a column holds such marks, up to a few slips: a number among them is rather another measure."""
    given = [value for value in values if value]
    odd = [value for value in given if said(value) is None]
    spare = len(given) / 10 if any(map(is_literal, odd)) else max(1.0, len(given) / 10)
    return len(odd) <= spare and 2 * len(odd) < len(given)


def with_marks(
    roles: Mapping[int, Role], titles: Sequence[str], column: Callable[[int], Sequence[str]]
) -> dict[int, Role]:
    """The roles of columns with those that label rows or say how they run, by their headings and what is in them.

    Args:
        roles: of the columns that are known; a relation may turn out to be a label or a direction.
        titles: headings, as they are compared.
        column: the texts below a heading.
    """
    found = dict(roles)
    relation = next((n for n, role in found.items() if role is Role.RELATION), None)
    if relation is not None and is_label(titles[relation]) and are_labels(column(relation)):
        del found[relation]
    elif relation is not None and titles[relation] != "label" and _are_directions(column(relation)):
        # What Gephi writes as type is the direction; its relation is the label
        found[relation] = Role.DIRECTION
        name = next((n for n, title in enumerate(titles) if title == "label" and n not in found), None)
        if name is not None and not are_labels(column(name)):
            found[name] = Role.RELATION
    free = [n for n in range(len(titles)) if n not in found]
    if Role.DIRECTION not in found.values():
        ways = [n for n in free if is_direction(titles[n]) and _are_directions(column(n), titles[n])]
        found.update(dict.fromkeys(ways[:1], Role.DIRECTION))
    labels = [n for n in free if is_label(titles[n]) and n not in found]
    read = [n for n in labels if mostly(column(n), truth_of)]
    found.update(dict.fromkeys(read or labels[:1], Role.LABEL))
    return found


def are_labels(values: Sequence[str]) -> bool:
    """Whether the texts of a column that may be a relation label rows: one such word alone may be a verb (``是``)."""
    given = [value for value in values if value]
    if not given or not mostly(given, truth_of):
        return False
    return any(truth_of(value) is False for value in given) or all(map(str.isascii, given))


def _are_directions(values: Sequence[str], title: str = "") -> bool:
    given = [value for value in values if value]
    return mostly(given, lambda value: undirected(title, value)) if given else not title
