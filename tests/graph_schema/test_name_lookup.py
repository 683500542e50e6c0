"""Names are found and compared as a reader sees them: normal form, width, case and invisible signs aside."""

from __future__ import annotations

import io
import unicodedata
from uuid import uuid4

import pytest

from knowledgesmith.graph_schema.errors import AmbiguousName, EntityNotFound
from knowledgesmith.graph_schema.facts import Entity, Relation
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.name_keys import INVISIBLE, without_invisible
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.resolve import find_relation, resolve_entity
from knowledgesmith.graph_schema.store import GraphStore
from knowledgesmith.graph_schema.suggesting.homonyms import homonyms

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
ENTITIES = f"""uid,name,type,aliases
zh,{DECOMPOSED},City,Züri
te,تهران,City,
tk,東京,City,ＴＯＫＹＯ
bj,Bei\u200bjing,City,
ny,New York,City,
s1,Strasse,Street,
gr,ΣΊΣΥΦΟΣ,Person,
t1,Twin,City,
t2,TWI\u200dN,City,
t3,plain,City,Ｔｗｉｎ
"""


@pytest.fixture(scope="module")
def graph(store: GraphStore) -> str:
    graph_id = f"t_{uuid4().hex}"
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
        ("σίσυφος", "gr"),
    ],
)
def test_a_name_is_found_however_it_is_typed(store: GraphStore, graph: str, typed: str, uid: str) -> None:
    assert resolve_entity(store, graph, typed) == uid


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
