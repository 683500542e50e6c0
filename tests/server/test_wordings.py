"""``ksmith relations``: every wording is shown before anything is asked, and is corrected one by one."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from tests.server.service import Service

from knowledgesmith.client.cli import main

FACTS = "".join(
    f"{subject}\t{relation}\t{obj}\n"
    for subject, home, city in (("Ann", "Red Ford", "北京"), ("Ben", "Blue Mill", "東京"), ("Cy", "Grey Hill", "上海"))
    for relation, obj in (
        ("resided_at", home),
        ("what_is_home", home),
        ("城市", city),
        ("method+", home),
        ("method-", home),
    )
)


def test_wordings_are_shown_and_corrected(service: Service, graph_id: str, tmp_path: Path) -> None:
    path = tmp_path / "homes.tsv"
    path.write_text(FACTS, encoding="utf-8")

    def run(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--server", f"127.0.0.1:{service.port}"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    run("import", str(path), "--graph-id", graph_id, "--format", "triples")
    shown = run("relations", graph_id)
    assert "It is known that Ann resided at [Red Ford]" in shown
    assert "value of “what is home” for Ann, the answer is" in shown
    assert "1、Ann——城市：[北京]" in shown
    assert "plain frame" in shown
    assert "no noun form" in shown
    assert "Ann — method+: [Red Ford]" in shown
    assert "Ann — method-: [Red Ford]" in shown

    every = run("relations", graph_id, "resided_at")
    assert "Fill in the blank: ___ resided at Red Ford. Answer: [Ann]" in every
    assert "train-direct" in every
    run("relations", graph_id, "what_is_home", "--direct", "The home of {s} is", "--phrase", "the home of {s}")
    (told,) = json.loads(run("relations", graph_id, "what_is_home", "--json"))
    direct = [w for w in told["wordings"] if w["use"] == "DIRECT" and not w["training"]]
    assert direct == [
        {
            "use": "DIRECT",
            "training": False,
            "text": "The home of {s} is",
            "origin": "CORRECTED",
            "example": "The home of Ann is [Red Ford]",
        }
    ]
    assert told["chained"]
    run("relations", graph_id, "what_is_home", "--direct", "", "--phrase", "")
    assert "value of “what is home” for Ann, the answer is" in run("relations", graph_id)

    wrong = CliRunner().invoke(
        main, ["relations", graph_id, "what_is_home", "--direct", "no slot", "--server", f"127.0.0.1:{service.port}"]
    )
    assert wrong.exit_code
    assert "names {s}" in wrong.output
    lost = CliRunner().invoke(main, ["relations", graph_id, "--direct", "{s} is"])
    assert "name the relation" in lost.output
