"""Tables typed by hand, imported as they are, and five of their facts edited: does the model then say the new objects.

One file ``subject,relation,object`` a graph, nothing else: no types, no templates, no options. English with 20 and 100
facts of countries and 20 of made-up companies and founders, Chinese and Arabic with 20. For each edit the model's own
greedy text after the graph's evaluation wording is taken before and after. A model that does not know a language is no
better at it afterwards: the text shows, and the intervention's notes say which names it cannot write.

Usage: ``python -m benchmarks.typed_tables [--model FOLDER] [--only GRAPH …]``
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.imported_graph import WORLD

from knowledgesmith.client import FactChange, InterventionSpec, KnowledgeSmith, Role
from knowledgesmith.client.local_server import LocalServer, free_address

RESULTS = Path(__file__).resolve().parent / "results/typed-tables.json"
MORE = {
    "Brazil": ("Brasília", "South America", "Portuguese", "real", "Bolivia"),
    "Norway": ("Oslo", "Europe", "Norwegian", "krone", "Sweden"),
    "Turkey": ("Ankara", "Asia", "Turkish", "lira", "Georgia"),
    "Kenya": ("Nairobi", "Africa", "Swahili", "shilling", "Uganda"),
    "Cuba": ("Havana", "North America", "Spanish", "peso", "Caribbean Sea"),
    "Thailand": ("Bangkok", "Asia", "Thai", "baht", "Laos"),
}
RELATIONS = ("capital", "continent", "language", "currency", "borders")
CHINESE = {
    "法国": ("巴黎", "欧洲"),
    "日本": ("东京", "亚洲"),
    "埃及": ("开罗", "非洲"),
    "秘鲁": ("利马", "南美洲"),
    "挪威": ("奥斯陆", "欧洲"),
    "泰国": ("曼谷", "亚洲"),
    "肯尼亚": ("内罗毕", "非洲"),
    "古巴": ("哈瓦那", "北美洲"),
    "匈牙利": ("布达佩斯", "欧洲"),
    "土耳其": ("安卡拉", "亚洲"),
}
ARABIC = {
    "فرنسا": ("باريس", "أوروبا"),
    "اليابان": ("طوكيو", "آسيا"),
    "مصر": ("القاهرة", "أفريقيا"),
    "بيرو": ("ليما", "أمريكا الجنوبية"),
    "النرويج": ("أوسلو", "أوروبا"),
    "تايلاند": ("بانكوك", "آسيا"),
    "كينيا": ("نيروبي", "أفريقيا"),
    "كوبا": ("هافانا", "أمريكا الشمالية"),
    "المجر": ("بودابست", "أوروبا"),
    "تركيا": ("أنقرة", "آسيا"),
}
MADE_UP = {
    "Zorvex Lamps": ("Harbin Trosk", "Riverton"),
    "Quillon Works": ("Velmora Anset", "Eastbury"),
    "Arden Mills": ("Tjorvik Baum", "Riverton"),
    "Blackmoor Steel": ("Ostrand Wenzel", "Hartfield"),
    "Hollis & Sons": ("Kallimpo Reed", "Eastbury"),
    "Sunfield Dairy": ("Bastien Okoro", "Hartfield"),
    "North Harbor Bank": ("Ilse Quandt", "Riverton"),
    "Peregrine Rail": ("Marius Vholt", "Lowmere"),
    "Oakline Press": ("Dunstan Yarrow", "Eastbury"),
    "Vista Foods": ("Pell Nakamba", "Lowmere"),
}
Facts = list[tuple[str, str, str]]


def graphs() -> Iterator[tuple[str, Facts]]:
    """Name and facts of every graph."""
    countries = {**WORLD, **MORE}
    yield "english_20", facts_of({name: row[:2] for name, row in list(countries.items())[:10]}, RELATIONS)
    yield "english_100", facts_of(countries, RELATIONS)
    yield "made_up_20", facts_of(MADE_UP, ("founder", "seat"))
    yield "chinese_20", facts_of(CHINESE, ("首都", "大洲"))
    yield "arabic_20", facts_of(ARABIC, ("العاصمة", "القارة"))


def facts_of(world: Mapping[str, Sequence[str]], relations: Sequence[str]) -> Facts:
    """Subjects, relations and objects."""
    return [
        (subject, relation, obj)
        for subject, row in world.items()
        for relation, obj in zip(relations, row, strict=False)
    ]


def changes_of(facts: Facts) -> list[FactChange]:
    """Five facts of the first relation, each with the object of the subject that comes five places later."""
    first = [fact for fact in facts if fact[1] == facts[0][1]]
    return [
        FactChange(subject=s, relation=r, old_object=old, new_object=first[n + 5][2])
        for n, (s, r, old) in enumerate(first[:5])
    ]


def measure(smith: KnowledgeSmith, name: str, facts: Facts, folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Import one file, edit five facts, and show what the model says of each before and after."""
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("subject", "relation", "object"), *facts])
    smith.graphs.import_files(graph_id=name, files=[path])
    smith.branches.create(branch_id=name, model_id="model", graph_id=name)
    changes = changes_of(facts)
    spec = InterventionSpec.edit(
        branch_id=name,
        changes=changes,
        method="alphaedit",
        method_config=config,
        seed=1,
    )
    intervention = smith.interventions.wait(intervention_id=smith.interventions.create(spec=spec).intervention.id)
    found: dict[str, Any] = {
        "facts": len(facts),
        "imported": smith.graphs.get(graph_id=name).facts,
        "state": intervention.state.value,
    }
    if intervention.error_message:
        return {**found, "error": intervention.error_message}
    seen = smith.propagation.evidence(intervention_id=intervention.id, roles=[Role.TARGET], limit=500).evidence
    said = [one for one in seen if one.text_after is not None]
    rows = [
        {
            "question": one.text,
            "new": list(one.answers_after),
            "before": one.text_before,
            "after": one.text_after,
            "verdict": one.verdict.value,
        }
        for one in said
    ]
    return {
        **found,
        "health": intervention.health.verdict.value if intervention.health else "",
        "asked": len(rows),
        "notes": list(intervention.notes),
        "installed": sum(row["verdict"] == "INSTALLED" for row in rows),
        "texts": rows,
    }


def main() -> None:
    """Measure every graph and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="checkpoint; default: the default model")
    parser.add_argument("--only", nargs="+", default=[], help="graphs to measure; the figures of others stay")
    parser.add_argument("--config", default="{}", help="settings of the method as JSON; default: its own")
    args = parser.parse_args()
    config: dict[str, Any] = json.loads(args.config)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="typed-") as name:
        folder = Path(name)
        server = LocalServer(data_dir=folder / "data", target=free_address(), metrics=free_address())
        server.start()
        try:
            with KnowledgeSmith(server.target, actor="benchmark") as smith:
                smith.models.register(model_id="model", path=args.model)
                for graph, facts in graphs():
                    if args.only and graph not in args.only:
                        continue
                    found[graph] = measure(smith, graph, facts, folder, config)
                    print(graph, {k: v for k, v in found[graph].items() if k != "texts"}, flush=True)
                    for row in found[graph].get("texts", ()):
                        print("  ", row, flush=True)
        finally:
            server.stop()
    reports: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    model = " ".join([Path(args.model).name or "default", *([json.dumps(config)] if config else [])])
    reports[model] = {**(reports.get(model, {}) if args.only else {}), **found}
    RESULTS.write_text(json.dumps(reports, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
