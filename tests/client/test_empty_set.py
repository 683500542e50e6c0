"""Why a probe set is empty, as the terminal says it."""

from __future__ import annotations

import json

import grpc
import pytest
from click.testing import CliRunner
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure

from knowledgesmith.client.cli import main


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        (
            {"no_template": 3, "doubtful": 1200, "odd": 3},
            ["1,200 left out: very much", "3 left out: the rel", "3 left out: odd"],
        ),
        ({}, ["no fact of these kinds"]),
        (["odd"], []),
        (None, []),
    ],
)
def test_an_empty_set_says_why_on_the_terminal(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch, dropped: object, said: list[str]
) -> None:
    metadata = {} if dropped is None else {"dropped": json.dumps(dropped)}
    fake.failures["GenerateProbeSet"] = [
        Failure(code=grpc.StatusCode.FAILED_PRECONDITION, reason="PROBE_SET_EMPTY", message="none", metadata=metadata)
    ]
    monkeypatch.setenv("KSMITH_SERVER", fake.target)
    lines = [line.strip() for line in CliRunner().invoke(main, ["probes", "generate", "g"]).stderr.splitlines()]
    assert [line[: len(start)] for line, start in zip(lines[1:], said, strict=False)] == said
    assert len(lines) == 1 + len(said)
