"""Print wordings that were made from relations' names, filled with facts, for a reader to judge one by one.

Run: ``python -m scripts.derived_wordings DATA_DIR [--number N] [--seed S] [--json]``. The folder is laid out as for
``import_folder.py``; no server and no database are needed. The draw takes the sets in turn, so that no large ontology
fills the list. Every entry has the relation as its files write it, the question that is asked about a subject, the one
about an object, and a chain where the relation has a noun form.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.import_folder import SETS, DataSet

from knowledgesmith.graph_schema.errors import KnowledgeSmithError
from knowledgesmith.graph_schema.importing.pipeline import stage_files
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.staging.staging import Staging
from knowledgesmith.graph_schema.language.filling import fill, opened
from knowledgesmith.graph_schema.language.joining import joined
from knowledgesmith.graph_schema.probes.wording.verbalise import Phrase
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Relation, Split

_FACTS = 300
_CHAIN = (
    "SELECT s.name, m.name, r.name, o.name FROM fact f JOIN fact g ON g.subject = f.object JOIN relation r ON "
    "r.id = g.relation JOIN entity s ON s.id = f.subject JOIN entity m ON m.id = f.object JOIN entity o ON "
    "o.id = g.object WHERE f.relation = ? AND g.object <> f.subject AND "
    # as the service asks: through steps with one answer only
    "(SELECT COUNT(*) FROM fact x WHERE x.subject = f.subject AND x.relation = f.relation) = 1 AND "
    "(SELECT COUNT(*) FROM fact x WHERE x.subject = g.subject AND x.relation = g.relation) = 1 LIMIT ?"
)
_PAIR = (
    "SELECT s.name, o.name FROM fact f JOIN entity s ON s.id = f.subject JOIN entity o ON o.id = f.object "
    "WHERE f.relation = ? LIMIT ?"
)


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One relation's derived wordings, each with its answer behind it in brackets; empty where there is none."""

    graph: str
    relation: str
    fact: tuple[str, str]
    origin: str
    direct: str
    reverse: str
    chain: str


def wordings(data: DataSet, folder: Path, rng: random.Random) -> list[Wording]:
    """The derived wordings of one set that have a fact to fill them with, in drawn order."""
    with ExitStack() as stack:
        files = [
            InputFile(name=path.name, content=stack.enter_context(path.open("rb")), role=_role(data, path))
            for path in (*data.data(folder), *data.extras(folder))
        ]
        staging, _ = stack.enter_context(
            stage_files(
                files,
                source="",
                format=data.format,
                options=dict(data.options),
                strict=False,
                folder=None,
                progress=_silent,
            )
        )
        names = sorted(staging.relations)
        rng.shuffle(names)
        return [found for name in names for found in _filled(staging, data.name, staging.relations[name], rng)]


def _filled(staging: Staging, graph: str, relation: Relation, rng: random.Random) -> Iterator[Wording]:
    derived = [t for t in relation.templates if t.origin in {Origin.DERIVED, Origin.FRAME} and t.split is Split.EVAL]
    pairs = staging.database.execute(_PAIR, (staging.catalogue.ids[relation.name], _FACTS)).fetchall()
    if not derived or not pairs:
        return
    subject, obj = rng.choice(pairs)
    texts = {(t.direction, t.form): t.text for t in reversed(derived)}
    forward = texts.get((Direction.FORWARD, Form.CLOZE), "")
    backward = texts.get((Direction.REVERSE, Form.CLOZE), "")
    yield Wording(
        graph=graph,
        relation=relation.name,
        fact=(subject, obj),
        origin=derived[0].origin.value,
        direct=_answered(fill(opened(forward), subject=subject), obj) if forward else "",
        reverse=_answered(fill(opened(backward), obj=obj), subject) if backward else "",
        chain=_chain(staging, relation, rng),
    )


def _chain(staging: Staging, relation: Relation, rng: random.Random) -> str:
    phrases = relation.pick(direction=Direction.FORWARD, form=Form.PHRASE, split=Split.EVAL)
    rows = staging.database.execute(_CHAIN, (staging.catalogue.ids[relation.name], _FACTS)).fetchall()
    if not phrases or not rows:
        return ""
    start, _, last, end = rng.choice(rows)
    for template in staging.relations[last].pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.EVAL):
        inner = Phrase.of_name(start).inside(phrases[0].text, first=True)
        if inner and (whole := inner.inside(template.text, first=False)):
            return _answered(whole.opening, end)
    return ""


def _answered(stem: str, answer: str) -> str:
    return joined(stem, f"[{answer}]")


def _role(data: DataSet, path: Path) -> str:
    return path.stem if data.format == "mapped" and len(data.patterns) > 1 else ""


def _silent(_stage: str, _done: int) -> None:
    """The progress is not shown."""


def draw(found: Mapping[str, Sequence[Wording]], number: int) -> list[Wording]:
    """So many, one of each set in turn; what two sets share word for word counts once."""
    drawn: dict[tuple[str, str], Wording] = {}
    for turn in range(max(map(len, found.values()), default=0)):
        for listed in found.values():
            if turn < len(listed) and len(drawn) < number:
                one = listed[turn]
                drawn.setdefault((one.relation, one.origin), one)
    return list(drawn.values())


def main() -> int:
    """Print the draw; 1 when a set could not be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DATA_DIR")
    parser.add_argument("--number", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = parser.parse_args()
    found: dict[str, list[Wording]] = {}
    failed = 0
    for data in SETS:
        if not data.data(asked.folder):
            continue
        try:
            found[data.name] = wordings(data, asked.folder, random.Random(f"{asked.seed} {data.name}"))  # noqa: S311
        except KnowledgeSmithError as error:
            print(f"{data.name}: {error}", file=sys.stderr)
            failed += 1
    for number, one in enumerate(draw(found, asked.number), start=1):
        if asked.json:
            print(json.dumps(asdict(one), ensure_ascii=False))
            continue
        print(f"{number}. {one.graph}: {one.fact[0]} | {one.relation} | {one.fact[1]} ({one.origin})")
        for what, text in (("direct", one.direct), ("reverse", one.reverse), ("chain", one.chain)):
            print(f"   {what:8}{text or '(not asked)'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
