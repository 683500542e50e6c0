"""Which attribute of edges is their relation: by its name in many languages, as the only one in words, or asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest
from tests.graph_schema.importing.own import read_files

Edges = Sequence[tuple[str, str, Mapping[str, str]]]
FORMS = pytest.mark.parametrize("form", ["graphml", "gexf", "nodelink"])
VERBS = {
    "english": ("Ardel", "Bela", "Cato", "likes", "helps"),
    "german": ("Öl AG", "Bär", "Ulm", "mag", "hilft"),
    "chinese": ("林若川", "周远山", "陈小白", "喜欢", "帮助"),
    "russian": ("Арден", "Белла", "Като", "любит", "знает"),
    "arabic": ("سالم", "ليلى", "كريم", "يحب", "يساعد"),
}


def _written(form: str, edges: Edges) -> dict[str, str]:
    ends = list(dict.fromkeys(end for edge in edges for end in edge[:2]))
    names = list(dict.fromkeys(name for edge in edges for name in edge[2]))
    if form == "nodelink":
        links = [{"source": source, "target": target, **said} for source, target, said in edges]
        return {"n.json": json.dumps({"directed": True, "nodes": [{"id": end} for end in ends], "links": links})}
    if form == "graphml":
        keys = "".join(f'<key id="k{n}" for="edge" attr.name="{name}"/>' for n, name in enumerate(names))
        body = "".join(f'<node id="{end}"/>' for end in ends)
        for source, target, said in edges:
            data = "".join(f'<data key="k{names.index(name)}">{text}</data>' for name, text in said.items())
            body += f'<edge source="{source}" target="{target}">{data}</edge>'
        return {"n.graphml": f'<graphml>{keys}<graph edgedefault="directed">{body}</graph></graphml>'}
    keys = "".join(f'<attribute id="{n}" title="{name}" type="string"/>' for n, name in enumerate(names))
    nodes = "".join(f'<node id="{end}" label="{end}"/>' for end in ends)
    body = ""
    for number, (source, target, said) in enumerate(edges):
        data = "".join(f'<attvalue for="{names.index(name)}" value="{text}"/>' for name, text in said.items())
        body += f'<edge id="{number}" source="{source}" target="{target}"><attvalues>{data}</attvalues></edge>'
    return {
        "n.gexf": f'<gexf><graph defaultedgetype="directed"><attributes class="edge">{keys}</attributes>'
        f"<nodes>{nodes}</nodes><edges>{body}</edges></graph></gexf>"
    }


def _edges(language: str, name: str, **more: str) -> Edges:
    one, two, three, first, second = VERBS[language]
    return [
        (one, two, {name: first, **more}),
        (two, three, {name: first, **more}),
        (one, three, {name: second, **more}),
    ]


@FORMS
@pytest.mark.parametrize("language", sorted(VERBS))
@pytest.mark.parametrize(
    "name",
    [
        *("relationship", "Relationship", "interaction", "edge_type", "Beziehung", "Eigenschaft", "relación"),
        *("关系", "отношение", "связь", "العلاقة", "関係", "관계"),
    ],
)
def test_a_word_for_relations_is_known_in_any_language(form: str, language: str, name: str) -> None:
    found = read_files(_written(form, _edges(language, name, weight="2.5", quelle_x="Bibliothek")))
    assert {relation for _, relation, _ in found.facts} == set(VERBS[language][3:])
    assert f"relations of edges from the attribute '{name}'" in found.said("read_as")
    assert "relation_attributes=…" in found.said("read_as")


@FORMS
@pytest.mark.parametrize("language", sorted(VERBS))
@pytest.mark.parametrize("name", ["wie", "how", "方式x", "как"])
def test_the_only_attribute_in_words_that_repeat_is_the_relation(form: str, language: str, name: str) -> None:
    found = read_files(_written(form, _edges(language, name, weight="2.5", since="1999")))
    assert {relation for _, relation, _ in found.facts} == set(VERBS[language][3:])
    assert "the only one of words that repeat" in found.said("read_as")
    kept = read_files(_written(form, _edges(language, name)), relation="meets")
    assert {relation for _, relation, _ in kept.facts} == {"meets"}


@FORMS
@pytest.mark.parametrize(
    ("said", "left"),
    [
        ([{"wie": "oft", "wo": "hier"}, {"wie": "oft", "wo": "dort"}, {"wie": "selten", "wo": "hier"}], ("wie", "wo")),
        ([{"remark x": "a first one"}, {"remark x": "then another"}, {"remark x": "at last"}], ("remark x",)),
        ([{"sicher": "ja"}, {"sicher": "nein"}, {"sicher": "ja"}], ("sicher",)),
        ([{"colour": "red"}, {"colour": "red"}, {"colour": "blue"}], ("colour",)),
        ([{"strength": "1.5"}, {"strength": "1.5"}, {"strength": "2"}], ("strength",)),
    ],
)
def test_attributes_that_are_left_out_are_named_with_the_option(
    form: str, said: list[dict[str, str]], left: tuple[str, ...]
) -> None:
    ends = [("Ardel", "Bela"), ("Bela", "Cato"), ("Ardel", "Cato")]
    edges = [(*pair, words) for pair, words in zip(ends, said, strict=True)]
    found = read_files(_written(form, edges))
    assert {relation for _, relation, _ in found.facts} == {"related_to"}
    assert all(f"relation_attributes={name} makes it" in found.said("ignored") for name in left)
    assert f"relation_attributes={left[0]}" in found.said("defaulted")
    asked = read_files(_written(form, edges), relation_attributes=left[0])
    assert {relation for _, relation, _ in asked.facts} == {words[left[0]] for words in said}
