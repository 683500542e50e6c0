"""Number formats and devices as the client sends, shows and hands them on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.client.fake_server import FakeServer

from knowledgesmith.client import DType, KnowledgeSmith
from knowledgesmith.client.cli import main
from knowledgesmith.client.local_server import LocalServer
from knowledgesmith.v1 import model_pb2


def test_a_dtype_is_sent_and_read(smith: KnowledgeSmith, fake: FakeServer) -> None:
    smith.models.register(model_id="half", path="/models/x", dtype=DType.BFLOAT16)
    smith.models.register()
    asked = [(request.model_id, request.path, request.dtype) for request in fake.requests("RegisterModel")]
    assert asked == [("half", "/models/x", model_pb2.D_TYPE_BFLOAT16), ("", "", model_pb2.D_TYPE_UNSPECIFIED)]
    assert [model.dtype for model in smith.models.list()] == [DType.FLOAT32]


def test_models_are_registered_and_listed_with_their_dtype(fake: FakeServer) -> None:
    words = ["models", "--register", "half", "--path", "/x", "--dtype", "bfloat16", "--server", fake.target]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    assert fake.requests("RegisterModel")[0].dtype == model_pb2.D_TYPE_BFLOAT16
    assert "dtype" in shown.stdout
    assert "float32" in shown.stdout
    as_json = CliRunner().invoke(main, ["models", "--json", "--server", fake.target])
    assert json.loads(as_json.stdout)[0]["dtype"] == "FLOAT32"


@pytest.mark.parametrize("words", [["--dtype", "bfloat16"], ["--path", "/x"]])
def test_what_is_to_be_registered_needs_a_name(words: list[str], fake: FakeServer) -> None:
    refused = CliRunner().invoke(main, ["models", *words, "--server", fake.target])
    assert refused.exit_code == 2
    assert f"{words[0]} needs --register" in refused.stderr
    assert not fake.requests("RegisterModel")


@pytest.mark.parametrize(
    ("settings", "flags"),
    [
        ({}, []),
        ({"device": "cpu"}, ["--device", "cpu"]),
        ({"dtype": "float16"}, ["--dtype", "float16"]),
        ({"device": "cuda:1", "dtype": "bfloat16"}, ["--device", "cuda:1", "--dtype", "bfloat16"]),
    ],
)
def test_settings_reach_the_server(
    settings: dict[str, str], flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them the server reads its environment, which must not be overruled by an empty flag."""
    started: list[list[str]] = []

    class Started(Exception):
        """Enough was seen."""

    def start(command: list[str], **_: Any) -> None:
        started.append(command)
        raise Started

    monkeypatch.setattr("knowledgesmith.client.local_server.subprocess.Popen", start)
    with pytest.raises(Started):
        LocalServer(data_dir=tmp_path, target="127.0.0.1:1", **settings).start()
    words = started[0]
    given = [word for at, word in enumerate(words) if {word, words[at - 1]} & {"--device", "--dtype"}]
    assert given == flags


def test_up_takes_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    class Own(LocalServer):
        """Remembers how it was made, and does not start."""

        def __init__(self, **members: Any) -> None:
            made.append(members)
            super().__init__(**members)

        def start(self, **_: Any) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setattr("knowledgesmith.client.local_server.LocalServer", Own)
    CliRunner().invoke(main, ["up", "--data-dir", str(tmp_path), "--device", "cpu", "--dtype", "bfloat16"])
    assert (made[0]["device"], made[0]["dtype"]) == ("cpu", "bfloat16")
