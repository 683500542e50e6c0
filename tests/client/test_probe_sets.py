"""Probe sets in the client and the terminal: what is sent, where files go, how people agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.client.fake_server import FakeServer

from knowledgesmith.client import Balance, KnowledgeSmith, Level, ProbeSetFormat, ServerFault, Split
from knowledgesmith.client._agreement import QUESTIONS, agreement_of, read_sheet
from knowledgesmith.client.cli import main
from knowledgesmith.v1 import common_pb2, probe_pb2


def test_every_choice_of_a_bulk_run_is_sent(smith: KnowledgeSmith, fake: FakeServer) -> None:
    smith.probe_sets.generate(
        graph_id="atlas", phrasings=0, levels=[Level.LEAF], relations=["r"], subtree_uid="top", split=Split.TRAIN
    )
    request = fake.requests("GenerateProbeSet")[0]
    assert request.HasField("phrasings")
    assert (request.phrasings, list(request.levels), list(request.relations)) == (0, [common_pb2.LEVEL_LEAF], ["r"])
    assert (request.subtree_uid, request.split) == ("top", probe_pb2.SPLIT_TRAIN)


def test_samples_and_audits(smith: KnowledgeSmith, fake: FakeServer) -> None:
    assert smith.probe_sets.sample(probe_set_id="s1", size=10, balance=[Balance.KIND, Balance.LEVEL], seed=3).id == "s1"
    request = fake.requests("SampleProbeSet")[0]
    assert (request.size, list(request.balance), request.seed) == (
        10,
        [probe_pb2.BALANCE_KIND, probe_pb2.BALANCE_LEVEL],
        3,
    )
    found = smith.probe_sets.audit(probe_set_id="s1")
    assert (found.findings[0].check, found.letters[0].counts, found.baselines[0].chance) == ("duplicate", (1, 2), 0.25)
    assert found.verified
    assert not found.passed


def test_files_arrive_in_the_folder_and_nowhere_else(smith: KnowledgeSmith, tmp_path: Path) -> None:
    (path,) = smith.probe_sets.export(probe_set_id="s1", format=ProbeSetFormat.DATASET, folder=tmp_path)
    assert path == tmp_path / "data" / "a.parquet"
    assert path.read_bytes() == b"onetwo"
    (path,) = smith.probe_sets.export(probe_set_id="s1", format=ProbeSetFormat.DATASET, folder=tmp_path)
    assert path.read_bytes() == b"onetwo"
    with pytest.raises(ServerFault, match="outside"):
        smith.probe_sets.export(probe_set_id="evil", format=ProbeSetFormat.DATASET, folder=tmp_path / "in")
    assert [found.name for found in tmp_path.iterdir()] == ["data"]


def test_a_file_is_sent_after_its_header(smith: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"x" * 300_000)
    assert smith.probe_sets.import_file(path=path).id == "s1"
    header, *parts = fake.requests("ImportProbeSet")
    assert (header.header.name, header.header.format) == ("set.jsonl", probe_pb2.PROBE_SET_FORMAT_JSONL)
    assert b"".join(part.content for part in parts) == path.read_bytes()


def _sheet(path: Path, rows: list[str]) -> Path:
    lines = ["id,kind,text,options,answer,correct,grammatical,unambiguous"]
    lines += [f"p{n},DIRECT,t,o,A,{row},y,y" for n, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_kappa_of_two_is_that_of_the_textbook(tmp_path: Path) -> None:
    """20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.70, expected 0.50, kappa 0.40."""
    one = ["y"] * 25 + ["n"] * 25
    other = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    sheets = [read_sheet(_sheet(tmp_path / f"{n}.csv", rows)) for n, rows in enumerate((one, other))]
    found = {item.question: item for item in agreement_of(sheets)}
    assert set(found) == set(QUESTIONS)
    assert found["correct"].observed == pytest.approx(0.7)
    assert found["correct"].kappa == pytest.approx(0.4)
    assert found["grammatical"].kappa is None


def test_kappa_of_three_counts_pairs(tmp_path: Path) -> None:
    """Rows yyy, yyn, nnn, ynn: observed (1 + 1/3 + 1 + 1/3) / 4, half of all answers yes."""
    columns = [["y", "y", "n", "y"], ["y", "y", "n", "n"], ["y", "n", "n", "n"]]
    sheets = [read_sheet(_sheet(tmp_path / f"{n}.csv", rows)) for n, rows in enumerate(columns)]
    found = agreement_of(sheets)[0]
    assert found.observed == pytest.approx(2 / 3)
    assert found.kappa == pytest.approx(1 / 3)


def test_agreement_in_the_terminal(tmp_path: Path) -> None:
    sheets = [str(_sheet(tmp_path / f"{n}.csv", rows)) for n, rows in enumerate((["y", "n"], ["y", "y"]))]
    done = CliRunner().invoke(main, ["probes", "agreement", *sheets])
    assert done.exit_code == 0, done.output
    assert "0.500" in done.output
    bad = _sheet(tmp_path / "bad.csv", ["maybe"])
    done = CliRunner().invoke(main, ["probes", "agreement", sheets[0], str(bad)])
    assert done.exit_code == 2
    assert "bad.csv:2" in done.output.replace("\n", "")
    assert CliRunner().invoke(main, ["probes", "agreement", sheets[0]]).exit_code == 2
