"""Names, relations and changes as a user writes them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import (
    AmbiguousName,
    ConflictingChanges,
    EntityNotFound,
    FactNotFound,
    InvalidInput,
    KnowledgeSmithError,
    NothingToChange,
    RelationNotFound,
    TooLarge,
)
from knowledgesmith.graph_schema.graphs.reading import load_catalogue
from knowledgesmith.graph_schema.importing import InputFile, import_graph
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal, NamedChange
from knowledgesmith.graph_schema.worlds.resolving import find_relation, resolve_changes, resolve_entity

TEXTS = {
    FileRole.ENTITIES: """uid,name,type,aliases
jp,Japan,Country,Nippon
fr,France,Country,
tokyo,Tokyo,City,Edo
kyoto,Kyoto,City,
paris,Paris,City,
lux,Luxembourg,Country,
lux_city,Luxembourg,City,
yen,Yen,Currency,money
euro,Euro,Currency,money
ja,Japanese,Language,
french,French,Language,
gone,Gone,City,
""",
    FileRole.RELATIONS: """name,functional,inverse_functional,inverse_of,symmetric,domain_type,range_type
capital,true,true,capital_of,,Country,City
capital_of,,,,,,
language,,,,,Country,Language
borders,,,,true,Country,Country
currency,true,,,,Country,Currency
""",
    FileRole.FACTS: """subject,relation,object
jp,capital,tokyo
fr,capital,paris
jp,language,ja
fr,language,french
fr,language,ja
fr,borders,lux
""",
}


@pytest.fixture(scope="module")
def world(store: GraphStore) -> tuple[GraphStore, str]:
    graph_id = fresh_graph(__name__)
    for texts in (TEXTS, {**TEXTS, FileRole.ENTITIES: TEXTS[FileRole.ENTITIES].replace("gone,Gone,City,\n", "")}):
        files = [
            InputFile(name=role.value, content=io.BytesIO(text.encode()), role=role) for role, text in texts.items()
        ]
        import_graph(store, graph_id=graph_id, files=files)
    return store, graph_id


World = tuple[GraphStore, str]


def _resolve(world: World, *changes: NamedChange, goal: Goal = Goal.EDIT, **options: Any) -> tuple[Change, ...]:
    return resolve_changes(*world, changes, goal=goal, **options)


def _edit(subject: str, relation: str, new: str, old: str = "") -> NamedChange:
    return NamedChange(subject=subject, relation=relation, old_object=old, new_object=new)


def _erase(subject: str, relation: str, old: str = "") -> NamedChange:
    return NamedChange(subject=subject, relation=relation, old_object=old)


@pytest.mark.parametrize(
    ("text", "uid"),
    [("jp", "jp"), ("Japan", "jp"), ("Nippon", "jp"), ("jAPAN", "jp"), ("lux", "lux"), ("Edo", "tokyo")],
)
def test_a_uid_a_name_an_alias_or_another_case_finds_the_entity(world: World, text: str, uid: str) -> None:
    assert resolve_entity(*world, text) == uid


def test_an_ambiguous_name_lists_the_uids(world: World) -> None:
    with pytest.raises(AmbiguousName) as caught:
        resolve_entity(*world, "Luxembourg", field="subject", expected_type="Country")
    assert caught.value.metadata["uids"] == "lux, lux_city"
    assert "expects the type Country: 'lux'" in caught.value.hint
    assert caught.value.field == "subject"
    with pytest.raises(AmbiguousName):
        resolve_entity(*world, "money")


def test_an_unknown_name_suggests_a_close_one(world: World) -> None:
    with pytest.raises(EntityNotFound, match="Did you mean 'Japan'") as caught:
        resolve_entity(*world, "Japn")
    assert "Japan" in caught.value.metadata["close"]
    with pytest.raises(EntityNotFound, match="Did you mean 'Luxembourg'"):
        resolve_entity(*world, "Lux.")


def test_a_retired_entity_is_not_found(world: World) -> None:
    for text in ("gone", "Gone"):
        with pytest.raises(EntityNotFound):
            resolve_entity(*world, text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", InvalidInput),
        ("a\x00b", InvalidInput),
        ("\ud800", InvalidInput),
        ("x" * 501, TooLarge),
        ("x" * 10_000_000, TooLarge),
        ("x" * 500, EntityNotFound),
        ("' OR 1=1 //", EntityNotFound),
        ("`) DETACH DELETE n //", EntityNotFound),
        ("../../etc/passwd", EntityNotFound),
        ("$text", EntityNotFound),
    ],
)
def test_hostile_texts_are_refused_in_few_words(world: World, text: str, error: type[KnowledgeSmithError]) -> None:
    with pytest.raises(error) as caught:
        resolve_entity(*world, text, field="subject")
    assert len(str(caught.value)) < 600
    change = NamedChange(subject="jp", relation="capital", new_object=text or "\x00")
    with pytest.raises(error):
        _resolve(world, change)


@pytest.mark.parametrize("text", ["capital_of", "CAPITAL_OF", "Capital Of", "capital-of"])
def test_a_relation_is_found_by_name_type_or_spelling(world: World, text: str) -> None:
    assert find_relation(load_catalogue(*world), text).name == "capital_of"


def test_an_unknown_relation_suggests_a_close_one(world: World) -> None:
    with pytest.raises(RelationNotFound, match="Did you mean 'capital'"):
        find_relation(load_catalogue(*world), "captal")
    with pytest.raises(RelationNotFound, match="Known: "):
        find_relation(load_catalogue(*world), "zzzzzzzz")


def test_a_functional_edit_finds_its_old_object(world: World) -> None:
    change = Change(subject="jp", relation="capital", old_object="tokyo", new_object="kyoto")
    assert _resolve(world, _edit("Japan", "capital", "Kyoto")) == (change,)
    assert _resolve(world, _edit("jp", "CAPITAL", "kyoto", "Edo")) == (change,)


def test_an_edit_without_asserted_object_inserts(world: World) -> None:
    assert _resolve(world, _edit("jp", "currency", "Yen")) == (
        Change(subject="jp", relation="currency", new_object="yen"),
    )


def test_an_edit_of_a_many_valued_relation_inserts_unless_told_otherwise(world: World) -> None:
    assert _resolve(world, _edit("jp", "language", "French"))[0].old_object == ""
    assert _resolve(world, _edit("jp", "language", "French", "ja"))[0].old_object == "ja"


def test_unlearning_finds_the_only_object_and_asks_when_there_are_several(world: World) -> None:
    assert _resolve(world, _erase("jp", "language"), goal=Goal.UNLEARN) == (
        Change(subject="jp", relation="language", old_object="ja"),
    )
    with pytest.raises(InvalidInput, match="has 2 objects") as caught:
        _resolve(world, _erase("fr", "language"), goal=Goal.UNLEARN)
    assert caught.value.metadata["uids"] == "french, ja"
    assert caught.value.field == "changes[0].old_object"


def test_the_branchs_world_decides_what_is_asserted(world: World) -> None:
    def objects_of(subject: str, relation: str) -> set[str]:
        return {"kyoto"} if (subject, relation) == ("jp", "capital") else set()

    change = _resolve(world, _edit("jp", "capital", "paris"), objects_of=objects_of)[0]
    assert change.old_object == "kyoto"
    with pytest.raises(FactNotFound, match="Asserted objects: 'kyoto'"):
        _resolve(world, _edit("jp", "capital", "paris", "tokyo"), objects_of=objects_of)


@pytest.mark.parametrize(
    ("change", "goal", "error", "field"),
    [
        (_edit("jp", "capital", ""), Goal.EDIT, InvalidInput, "changes[0].new_object"),
        (_edit("jp", "capital", "kyoto"), Goal.UNLEARN, InvalidInput, "changes[0].new_object"),
        (_edit("jp", "capital", "Tokyo"), Goal.EDIT, InvalidInput, "changes[0].new_object"),
        (_edit("jp", "language", "ja"), Goal.EDIT, NothingToChange, "changes[0]"),
        (_edit("jp", "capital", "kyoto", "paris"), Goal.EDIT, FactNotFound, "changes[0]"),
        (_erase("jp", "currency"), Goal.UNLEARN, FactNotFound, "changes[0]"),
        (_erase("jp", "capital", "paris"), Goal.UNLEARN, FactNotFound, "changes[0]"),
        (_erase("", "capital"), Goal.UNLEARN, InvalidInput, "changes[0].subject"),
        (_erase("jp", ""), Goal.UNLEARN, InvalidInput, "changes[0].relation"),
        (_erase("jp", "no"), Goal.UNLEARN, RelationNotFound, "changes[0].relation"),
        (_erase("Luxembourg", "capital"), Goal.UNLEARN, AmbiguousName, "changes[0].subject"),
        (_edit("jp", "capital", "Atlantis"), Goal.EDIT, EntityNotFound, "changes[0].new_object"),
    ],
)
def test_a_bad_change_names_its_field(
    world: World, change: NamedChange, goal: Goal, error: type[KnowledgeSmithError], field: str
) -> None:
    with pytest.raises(error) as caught:
        _resolve(world, change, goal=goal)
    assert caught.value.field == field
    assert caught.value.hint


def test_a_fact_may_be_named_from_either_end(world: World) -> None:
    from_both_ends = [_erase("tokyo", "capital_of", "jp"), _erase("jp", "capital")]
    assert len(_resolve(world, *from_both_ends, goal=Goal.UNLEARN)) == 1
    assert _resolve(world, _erase("lux", "borders"), goal=Goal.UNLEARN)[0].old_object == "fr"
    with pytest.raises(FactNotFound, match="does not hold") as caught:
        _resolve(world, _erase("tokyo", "capital_of", "fr"), goal=Goal.UNLEARN)
    assert "jp" in caught.value.hint


def test_no_change_at_all_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="no change"):
        _resolve(world)


def test_doubles_collapse_and_the_order_is_canonical(world: World) -> None:
    changes = [_edit("jp", "capital", "kyoto"), _edit("fr", "currency", "Euro"), _edit("Nippon", "capital", "Kyoto")]
    resolved = _resolve(world, *changes)
    assert [change.subject for change in resolved] == ["fr", "jp"]
    assert _resolve(world, *reversed(changes)) == resolved


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ([_edit("jp", "capital", "kyoto"), _edit("jp", "capital", "paris")], ("kyoto", "paris")),
        ([_edit("lux", "currency", "yen"), _edit("lux", "currency", "Euro")], ("yen", "euro")),
        ([_edit("fr", "language", "yen", "ja"), _edit("fr", "language", "euro", "ja")], ("yen", "euro")),
        ([_edit("jp", "capital", "kyoto"), _edit("fr", "capital", "kyoto")], ("jp", "fr")),
        ([_edit("jp", "capital", "kyoto"), _edit("kyoto", "capital_of", "fr")], ("jp", "fr")),
        ([_edit("fr", "language", "yen", "ja"), _edit("jp", "language", "french", "ja")], None),
        ([_edit("fr", "borders", "jp"), _edit("jp", "borders", "lux")], None),
        ([_edit("fr", "language", "french", "ja"), _edit("fr", "language", "euro", "french")], ("ja", "euro")),
    ],
)
def test_contradicting_changes_name_both(
    world: World, changes: list[NamedChange], named: tuple[str, str] | None
) -> None:
    if named is None:
        assert len(_resolve(world, *changes)) == 2
        return
    with pytest.raises(ConflictingChanges) as caught:
        _resolve(world, *changes)
    assert all(word in caught.value.message for word in named)
    assert caught.value.metadata["first"] != caught.value.metadata["second"]
