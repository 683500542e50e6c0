"""Names are found and compared as a reader sees them: normal form, width, case and invisible signs aside."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import Any

import pytest
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import AmbiguousName, EntityNotFound
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.language.name_keys import INVISIBLE, name_key, without_invisible
from knowledgesmith.graph_schema.storage.queries import load
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.suggesting.homonyms import homonyms
from knowledgesmith.graph_schema.types.facts import Entity, Relation
from knowledgesmith.graph_schema.worlds.resolving import find_relation, resolve_entity

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
ENTITIES = f"""uid,name,type,aliases
zh,{DECOMPOSED},City,Züri
te,تهران,City,
tk,東京,City,ＴＯＫＹＯ
bj,Bei\u200bjing,City,
ny,New York,City,
s1,Strasse,Street,
s2,Schloßstraße,Street,
gr,ΣΊΣΥΦΟΣ,Person,
od,Οδυσσεύς Λαέρτης,Person,
t1,Twin,City,
t2,TWI\u200dN,City,
t3,plain,City,Ｔｗｉｎ
"""


@pytest.fixture(scope="module")
def graph(store: GraphStore) -> str:
    graph_id = fresh_graph(__name__)
    files = [InputFile(name="entities.csv", content=io.BytesIO(ENTITIES.encode()), role=FileRole.ENTITIES)]
    import_graph(store, graph_id=graph_id, files=files)
    return graph_id


@pytest.mark.parametrize(
    ("typed", "uid"),
    [
        (COMPOSED, "zh"),
        (DECOMPOSED, "zh"),
        (COMPOSED.upper(), "zh"),
        ("\u200f" + COMPOSED, "zh"),
        ("zu\u0308ri", "zh"),
        ("\u2067تهران\u2069", "te"),
        ("東\u200b京", "tk"),
        ("Tokyo", "tk"),
        ("Beijing", "bj"),
        ("ＮＥＷ ＹＯＲＫ", "ny"),
        ("new york\ufeff", "ny"),
        ("Straße", "s1"),
        ("SCHLOSSSTRASSE", "s2"),
        ("Schlossstraße", "s2"),
        ("σίσυφος", "gr"),
        ("σίσυφοσ", "gr"),
        ("ΟΔΥΣΣΕΎΣ ΛΑΈΡΤΗΣ", "od"),
        ("οδυσσεύσ λαέρτησ", "od"),
    ],
)
def test_a_name_is_found_however_it_is_typed(store: GraphStore, graph: str, typed: str, uid: str) -> None:
    assert resolve_entity(store, graph, typed) == uid


@pytest.mark.parametrize(
    ("names", "typed", "found"),
    [
        (("Masse", "Maße"), "masse", "e0"),
        (("Masse", "Maße"), "MASSE", "e0"),
        (("Maße", "Masse"), "MASSE", "e1"),
        (("Masse", "Maße"), "maße", "e1"),
        (("Masse", "Maße"), "MA\u1e9eE", "e1"),
        (("Massenmasse", "Maßenmaße"), "massenMASSE", "e0"),
        (("Maße", "Gewicht"), "MASSE", "e0"),
        (("Masse", "Gewicht"), "MAßE", "e0"),
        (("οδοσ", "οδος"), "ΟΔΟΣ", "e1"),
        (("Maßenmasse", "Massenmaße"), "MASSENMASSE", ""),
        (("Masse", "MASSE", "Maße"), "mASSE", ""),
    ],
)
def test_names_that_fold_alike_are_told_apart_by_their_letters(
    store: GraphStore, graph_id: str, names: tuple[str, ...], typed: str, found: str
) -> None:
    """What is written as the name is, case aside, comes before what only folds to the same."""
    text = "uid,name\n" + "".join(f"e{n},{name}\n" for n, name in enumerate(names))
    file = InputFile(name="entities.csv", content=io.BytesIO(text.encode()), role=FileRole.ENTITIES)
    import_graph(store, graph_id=graph_id, files=[file])
    if found:
        assert resolve_entity(store, graph_id, typed) == found
        return
    with pytest.raises(AmbiguousName) as caught:
        resolve_entity(store, graph_id, typed)
    assert caught.value.metadata["uids"] == "e0, e1"


def test_twins_are_told_apart_by_uid_only(store: GraphStore, graph: str) -> None:
    assert resolve_entity(store, graph, "Twin") == "t1", "exactly this name comes first"
    with pytest.raises(AmbiguousName) as caught:
        resolve_entity(store, graph, "tWin")
    assert caught.value.metadata["uids"] == "t1, t2, t3"


@pytest.mark.parametrize("typed", ["Zu\u0308rch", "Züric", "ＺÜＲＩＣＨＯ"])
def test_a_close_name_is_suggested_in_any_form(store: GraphStore, graph: str, typed: str) -> None:
    with pytest.raises(EntityNotFound) as caught:
        resolve_entity(store, graph, typed)
    assert unicodedata.normalize("NFC", caught.value.metadata["close"]).startswith("Zürich")


def test_twins_are_reported_with_what_tells_them_apart(store: GraphStore, graph: str) -> None:
    (twins,) = homonyms(store, graph)
    assert (twins.entities, twins.uids) == (3, ("t1", "t2", "t3"))
    assert set(twins.spellings) == {"Twin", "TWI\u200dN", "Ｔｗｉｎ"}
    assert "invisible signs" in twins.differs
    assert "width" in twins.differs


def test_twins_are_no_anchor_and_no_option() -> None:
    entities = [Entity(uid=uid, name=name) for uid, name in (("a", COMPOSED), ("b", DECOMPOSED), ("c", "Bern"))]
    lexicon = Lexicon.build(graph_id="g", entities=entities, relations=[])
    assert [lexicon.is_ambiguous(uid) for uid in "abc"] == [True, True, False]
    assert lexicon.named("ZÜRICH") == ("a", "b")
    assert lexicon.clusters[lexicon.index["a"]] == lexicon.clusters[lexicon.index["b"]] >= 0


def test_a_relation_is_found_in_another_form() -> None:
    catalogue = {name: Relation(name=name, rel_type="R") for name in (unicodedata.normalize("NFD", "née_à"),)}
    assert find_relation(catalogue, "NÉE À").name in catalogue


def test_every_sign_that_queries_take_away_is_invisible() -> None:
    assert not without_invisible("".join(INVISIBLE))
    assert len(set(INVISIBLE)) == len(INVISIBLE)


KEYED = (
    *("graphs/by_alias", "graphs/similar_names", "archive/load_entities"),
    *("importing/aliases_fill", "importing/entities_create", "importing/entities_update"),
)


@pytest.mark.parametrize("query", KEYED)
def test_all_queries_take_the_same_signs_away(query: str) -> None:
    said = re.findall(r"'\\u([0-9A-F]{4})'", load(query).text)
    assert [chr(int(code, 16)) for code in said] == list(INVISIBLE)


ODD = (
    *("C", "C++", "c++", "C#", "C+", "+", "++", "C\\", "\\", 'a "b"', "a 'b'", "a*b", "*", "?", "a?b"),
    *("(a)", "[a]", "{a}", "a:b", ":", "graph_id:x", "a AND b", "AND", "OR", "NOT", "a~", "~", "a^2"),
    *("^", "a/b", "/", "a&&b", "||", "!a", "-a", "<", ">=", "=", "a-b", "a_b", "a.b", "a,b", "1", "10"),
    *("1.0", "u0041", "\\u0041", "TO", "[a TO b]", "New  York", "New York", "new york", " x ", "x", "♥"),
    *("♥♥", "👩\u200d👩\u200d👧", "🇩🇪", "東京", "東京都", "京", "上海", "とうきょう", "トウキョウ"),
    *("ﾄｳｷｮｳ", "서울", "서울특별시", "تهران", "طهران", "القاهرة", "می\u200cرود", "میرود", "ירושלים"),
    *("กรุงเทพ", "दिल्ली", "Москва", "МОСКВА", "Ёлка", "ΣΊΣΥΦΟΣ", "Σίσυφος", "Straße", "STRASSE"),
    *("İstanbul", "Istanbul", "ISTANBUL", "Zoë", "Zoe\u0308", "Ⅳ", "IV", "ﬁn", "fin", "ﷺ", "½"),
    *("\u200bx", "x\ufeff", "\u200b", "\U00020bb7野家", "吉野家", "ａ＋ｂ"),
)


@pytest.fixture(scope="module")
def odd(store: GraphStore) -> str:
    """A graph with odd names and aliases, some of them retired, beside another one with the same."""
    made = [fresh_graph(__name__) for _ in range(2)]
    for graph_id in made:
        rows = [
            [
                f"e{n:03}",
                name,
                "T",
                "d",
                [ODD[n - 1], ODD[(7 * n) % len(ODD)]] if n % 3 == 0 else [],
                n % 11 == 5,
                None,
                0,
            ]
            for n, name in enumerate(ODD)
        ]
        store.write("archive/load_entities", graph_id=graph_id, rows=rows)
    return made[0]


BEFORE = """
MATCH (e:Entity {graph_id: $graph_id}) WHERE NOT e.retired
WITH e, [text IN [e.name] + e.aliases |
         toLower(normalize(reduce(seen = text, sign IN $invisible | replace(seen, sign, '')), NFKC))] AS keys
"""
"""What the look-ups were before they had an index: they looked at every name of the graph."""


def before(store: GraphStore, graph_id: str, condition: str, value: str, **params: object) -> list[Any]:
    asked = {"graph_id": graph_id, "text": "", "invisible": list(INVISIBLE), **params}
    text = f"{BEFORE} WHERE {condition} RETURN DISTINCT {value} AS found ORDER BY found"
    return [row["found"] for row in store.run_user_query(text, asked, limit=1000, timeout_s=60)[1]]


TYPED = (*ODD, "nothing", "tokyo", "C+++", 'x" OR name_keys:"*', "e", "\\\\", '"', "\u3000", "a\u00a0b")


@pytest.mark.parametrize("number", range(0, len(TYPED), 12))
def test_the_index_finds_what_looking_at_every_name_found(store: GraphStore, odd: str, number: int) -> None:
    for text in TYPED[number : number + 12]:
        found = [row["uid"] for row in store.read("graphs/by_alias", graph_id=odd, text=text)]
        assert found == before(store, odd, "$text IN e.aliases", "e.uid", text=text), text
        keys = sorted({name_key(text), unicodedata.normalize("NFKC", without_invisible(text)).lower()})
        found = [row["uid"] for row in store.read("graphs/by_key", graph_id=odd, keys=keys)]
        assert found == before(store, odd, "any(key IN keys WHERE key IN $keys)", "e.uid", keys=keys), text
        for start in {name_key(text)[:2], name_key(text)[:1], text[:2]}:
            found = [row["name"] for row in store.read("graphs/similar_names", graph_id=odd, start=start)]
            expected = before(store, odd, "keys[0] STARTS WITH toLower($start)", "e.name", start=start)
            assert found == expected, (text, start)


def test_names_that_an_import_changes_are_found_and_the_old_ones_are_not(store: GraphStore, graph_id: str) -> None:
    def write(name: str, alias: str) -> None:
        text = f"uid,name,aliases\na,{name},{alias}\nb,other,\n"
        file = InputFile(name="entities.csv", content=io.BytesIO(text.encode()), role=FileRole.ENTITIES)
        import_graph(store, graph_id=graph_id, files=[file])

    write("Constantinople", "Byzantium")
    assert resolve_entity(store, graph_id, "BYZANTIUM") == "a"
    write("İstanbul", "Stamboul")
    assert resolve_entity(store, graph_id, "stamboul") == "a"
    with pytest.raises(EntityNotFound):
        resolve_entity(store, graph_id, "byzantium")
    file = InputFile(name="entities.csv", content=io.BytesIO(b"uid,name\nb,other\n"), role=FileRole.ENTITIES)
    import_graph(store, graph_id=graph_id, files=[file])
    with pytest.raises(EntityNotFound):
        resolve_entity(store, graph_id, "stamboul")
