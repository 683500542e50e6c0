"""The same small graph in files as people have them: byte order marks, line ends, list options, records with a slot."""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import reverse_templates
from knowledgesmith.graph_schema.importing.formats.mapped import changed
from knowledgesmith.graph_schema.importing.pipeline import check_options, stage_files
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.mapping import Case, Pick
from knowledgesmith.graph_schema.importing.registry import importer_names, load_importer
from knowledgesmith.graph_schema.types.facts import Direction

BROADER = "http://www.w3.org/2004/02/skos/core#broader"
NAME = "http://www.w3.org/2004/02/skos/core#prefLabel"
MAPPING = """files:
  - match: towns.csv
    entities:
      - {uid: id, name: title, facts: [{relation: lies_in, object: state, make: {prefix: "state:"}}]}
"""
TEXTS: dict[str, tuple[str, Mapping[str, str]]] = {
    "obo": ("obo", {"a.obo": "[Term]\nid: T:1\nname: animal\n\n[Term]\nid: T:2\nname: dog\nis_a: T:1 ! animal\n"}),
    "obograph": (
        "obograph",
        {
            "a.json": json.dumps(
                {
                    "graphs": [
                        {
                            "nodes": [{"id": "x:1", "lbl": "animal", "type": "CLASS"}, {"id": "x:2", "lbl": "dog"}],
                            "edges": [{"sub": "x:2", "pred": "is_a", "obj": "x:1"}],
                        }
                    ]
                },
                indent=1,
            )
        },
    ),
    "turtle": ("rdf", {"a.ttl": f'@prefix e: <http://e.org/> .\ne:b <{BROADER}> e:a .\ne:a <{NAME}> "Optics"@en .\n'}),
    "n-triples": (
        "rdf",
        {"a.nt": f'<http://e.org/b> <{BROADER}> <http://e.org/a> .\n<http://e.org/a> <{NAME}> "O" .\n'},
    ),
    "json-ld": (
        "rdf",
        {"a.json": json.dumps([{"@id": "http://e.org/b", BROADER: [{"@id": "http://e.org/a"}]}], indent=1)},
    ),
    "triples": ("triples", {"a.txt": "a\tknows\tb\nb\tknows\tc\n"}),
    "nodelink": (
        "nodelink",
        {"a.json": json.dumps({"nodes": [{"id": 1}, {"id": 2}], "edges": [{"source": 1, "target": 2}]})},
    ),
    "mapped": ("mapped", {"a.mapping.yaml": MAPPING, "towns.csv": "id,title,state\n1,Ulm,Baden\n2,Graz,Styria\n"}),
    "tables": ("", {"entities.csv": "uid,name\na,Ann\nb,Bob\n", "facts.csv": "subject,relation,object\na,knows,b\n"}),
}


def _digest(files: Mapping[str, bytes], format_name: str, **options: Any) -> tuple[str, int, list[str]]:
    """Digest, number of cases, and reasons of rejections."""
    reasons: list[str] = []
    with stage_files(
        [InputFile(name=name, content=io.BytesIO(content)) for name, content in files.items()],
        source="",
        format=format_name,
        options=options,
        strict=False,
        folder=None,
        progress=lambda _stage, _done: None,
        on_rejection=lambda rejection: reasons.append(rejection.reason),
    ) as (staging, _):
        assert staging.facts
        return staging.digest, sum(1 for _ in staging.cases()), reasons


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_byte_order_mark_and_other_line_ends_change_nothing(name: str) -> None:
    format_name, texts = TEXTS[name]
    plain = {file: text.encode() for file, text in texts.items()}
    marked = {file: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode() for file, text in texts.items()}
    assert _digest(marked, format_name) == _digest(plain, format_name)


@pytest.mark.parametrize("given", ["is_a, part_of", ["is_a", "part_of"], "is_a,part_of,"])
def test_options_that_are_lists_take_commas(given: object) -> None:
    options = check_options(load_importer("obo"), {"hierarchical": given})
    assert options.model_dump()["hierarchical"] == ("is_a", "part_of")


def test_every_option_of_every_importer_is_described() -> None:
    undescribed = [
        f"{name}.{key}"
        for name in importer_names()
        for key, field in load_importer(name).options.model_fields.items()
        if not field.description
    ]
    assert not undescribed


def test_flat_counterfact_records_may_have_a_slot() -> None:
    record = {"case_id": 1, "subject": "Ada Blum", "target_new": "Welsh", "ground_truth": "German"}
    found = [
        _digest({"c.json": json.dumps([record | {"prompt": prompt}]).encode()}, "counterfact")
        for prompt in ("{} speaks", "Ada Blum speaks")
    ]
    assert found[0] == found[1]
    assert found[0][1:] == (1, [])


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("The capital of {} is", ["{o} is the capital of", "It is known that {o} is the capital of"]),
        ("{} plays for", ["The one that plays for {o} is", "It is known that the one that plays for {o} is"]),
        ("On the outside, {} are", []),
        ("In {} people speak", []),
    ],
)
def test_a_prompt_is_turned_round_only_where_it_names_the_object(prompt: str, texts: list[str]) -> None:
    found = reverse_templates(prompt)
    assert sorted(template.text for template in found) == sorted(texts)
    assert {template.direction for template in found} <= {Direction.REVERSE}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("ZURICH III", "Zurich III"),
        ("MEUSE-ARGONNE PHASE II (VICE HILL)", "Meuse-Argonne Phase II (Vice Hill)"),
        ("KING'S MOUNTAIN", "King's Mountain"),
        ("2ND RIVER/CIVIL MIX", "2nd River/Civil Mix"),
    ],
)
def test_titles_keep_roman_numerals(text: str, title: str) -> None:
    assert changed(Pick(path="name", case=Case.TITLE), text) == title
