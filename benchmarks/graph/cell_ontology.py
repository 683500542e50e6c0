"""The Cell Ontology as a graph for planning: terms, ``is_a`` and ``develops_from``, with plain templates."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from knowledgesmith.graph_schema.importing.rows import FileFormat, FileRole, SourceFile

fastobo: Final[Any] = importlib.import_module("fastobo")  # a compiled module without types
OBO = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "kg" / "biology" / "cl-basic.obo"
"""Where the shared data lies beside a checkout."""
IS_A = "is_a"
DEVELOPS_FROM = "develops_from"

_RELATIONS = (
    ("name", "rel_type", "transitive", "hierarchical"),
    (IS_A, "IS_A", "true", "true"),
    (DEVELOPS_FROM, "DEVELOPS_FROM", "true", "false"),
)
_WORDS = {IS_A: ("is a kind of", "a kind of cell that includes"), DEVELOPS_FROM: ("develops from", "a precursor of")}


def cell_ontology(path: Path = OBO) -> list[SourceFile]:
    """The living terms of the ontology as files ready for import."""
    entities: dict[str, str] = {}
    facts: set[tuple[str, str, str]] = set()
    for frame in fastobo.load(str(path)):
        if not isinstance(frame, fastobo.term.TermFrame):
            continue
        clauses = list(frame)
        if any(isinstance(c, fastobo.term.IsObsoleteClause) and c.obsolete for c in clauses):
            continue
        uid = str(frame.id)
        for clause in clauses:
            if isinstance(clause, fastobo.term.NameClause):
                entities[uid] = clause.name
            elif isinstance(clause, fastobo.term.IsAClause):
                facts.add((uid, IS_A, str(clause.term)))
            elif isinstance(clause, fastobo.term.RelationshipClause) and str(clause.typedef) == DEVELOPS_FROM:
                facts.add((uid, DEVELOPS_FROM, str(clause.term)))
    known = sorted(fact for fact in facts if fact[0] in entities and fact[2] in entities and fact[0] != fact[2])
    return [
        _file(
            FileRole.ENTITIES,
            [("uid", "name", "type", "domain"), *((u, n, "Cell", "biology") for u, n in sorted(entities.items()))],
        ),
        _file(FileRole.RELATIONS, _RELATIONS),
        _file(FileRole.FACTS, [("subject", "relation", "object"), *known]),
        _file(FileRole.TEMPLATES, [("relation", "direction", "split", "form", "text"), *_templates()]),
    ]


def _templates() -> Iterable[tuple[str, ...]]:
    for relation, (verb, noun) in _WORDS.items():
        yield (relation, "forward", "train", "cloze", f"In the body, {{s}} {verb}")
        yield (relation, "forward", "train", "statement", f"In the body, {{s}} {verb} {{o}}.")
        yield (relation, "forward", "eval", "cloze", f"{{s}} {verb}")
        yield (relation, "forward", "eval", "statement", f"{{s}} {verb} {{o}}.")
        yield (relation, "forward", "eval", "phrase", f"the cell that {{s}} {verb}")
        yield (relation, "reverse", "eval", "cloze", f"{{o}} is {noun}")


def _file(role: FileRole, rows: Iterable[Sequence[str]]) -> SourceFile:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    content = io.BytesIO(text.getvalue().encode())
    return SourceFile(role=role, name=f"cell_ontology/{role}.csv", format=FileFormat.CSV, lines=content)
