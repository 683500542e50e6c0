"""Models in short and long formats, end to end: registered, shown, asked, changed, and taken back bit by bit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import grpc
import neo4j
import pytest
from tests.server.service import PATIENCE, OperationFailed, Service, reason_of

from knowledgesmith.editors.models.digests import weights_sha256
from knowledgesmith.editors.models.loading import load
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.v1 import branch_pb2, intervention_pb2, model_pb2

PARIS = ("france", "has_capital", "paris", "rome")
PROMPTS = ["The capital of France is", "The chemical symbol of copper is"]


def register(service: Service, checkpoint: Path, dtype: str, model_id: str = "") -> model_pb2.Model:
    """The tiny model in a dtype, under an id of its own."""
    chosen = model_id or f"m-{dtype or 'none'}-{uuid.uuid4().hex[:8]}"
    number = model_pb2.DType.Value(f"D_TYPE_{(dtype or 'unspecified').upper()}")
    request = model_pb2.RegisterModelRequest(model_id=chosen, path=str(checkpoint), dtype=number)
    begun = service.model.RegisterModel(request, timeout=PATIENCE)
    return service.result(begun, model_pb2.RegisterModelResponse).model


def name_of(dtype: model_pb2.DType.ValueType) -> str:
    """The format in the domain's word."""
    return model_pb2.DType.Name(dtype).removeprefix("D_TYPE_").lower()


def open_branch(service: Service, graph_id: str, model_id: str) -> str:
    branch = f"b_{uuid.uuid4().hex[:16]}"
    request = branch_pb2.CreateBranchRequest(branch_id=branch, model_id=model_id, graph_id=graph_id, select=True)
    service.branch.CreateBranch(request, timeout=PATIENCE)
    return branch


def ask(service: Service, branch: str) -> list[str]:
    request = branch_pb2.AskRequest(branch_id=branch, prompts=PROMPTS, max_new_tokens=5)
    return list(service.branch.Ask(request, timeout=PATIENCE).texts)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_a_model_in_any_format_goes_through_the_main_job(
    service: Service, second_client: GraphStore, world: str, tiny_checkpoint: Path, dtype: str
) -> None:
    model = register(service, tiny_checkpoint, dtype)
    own = load(str(tiny_checkpoint), device="cpu", dtype=dtype)
    assert (name_of(model.dtype), model.weights_sha256) == (dtype, weights_sha256(own.model))
    listed = service.model.ListModels(model_pb2.ListModelsRequest(page_size=1000), timeout=PATIENCE).models
    assert {m.id: name_of(m.dtype) for m in listed}[model.id] == dtype

    branch = open_branch(service, world, model.id)
    before = ask(service, branch)
    intervention = service.create(service.spec(branch, PARIS, method="placebo", max_probes=40))
    done = service.wait(intervention.id)
    assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message
    assert done.written_rows == done.planned_rows > 0
    moved = [row.delta for row in service.rows(intervention.id) if row.HasField("delta")]
    assert moved
    assert all(delta == 0 for delta in moved), "a placebo moves nothing in any format"

    back = service.roll_back(branch)
    assert back.weights_sha256 == back.head.weights_sha256 == model.weights_sha256
    assert ask(service, branch) == before
    found = second_client.run_user_query(
        "MATCH (m:Model {id: $id}) RETURN m.dtype AS dtype", {"id": model.id}, limit=1, timeout_s=30
    )
    assert found[1] == [{"dtype": dtype}]


def test_one_id_is_one_format_and_the_host_keeps_them_apart(
    service: Service, world: str, tiny_checkpoint: Path
) -> None:
    half = register(service, tiny_checkpoint, "bfloat16")
    whole = register(service, tiny_checkpoint, "float32")
    assert half.weights_sha256 != whole.weights_sha256
    again = register(service, tiny_checkpoint, "", half.id)
    assert again == half, "an id keeps its format when none is named"
    with pytest.raises(OperationFailed) as refused:
        register(service, tiny_checkpoint, "float16", half.id)
    assert reason_of(refused.value)[:2] == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
    assert "stands for weights in bfloat16, not float16" in refused.value.status.message

    # the same files in two formats, asked in turns: each time the right one is loaded
    for model in (half, whole, half):
        branch = open_branch(service, world, model.id)
        intervention = service.create(service.spec(branch, PARIS, method="placebo", max_probes=12))
        assert service.wait(intervention.id).state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED
        back = service.roll_back(branch)
        assert back.weights_sha256 == model.weights_sha256


def test_an_unknown_format_is_one_clear_error(service: Service, tiny_checkpoint: Path) -> None:
    number: Any = 99
    request = model_pb2.RegisterModelRequest(model_id="never", path=str(tiny_checkpoint), dtype=number)
    with pytest.raises(grpc.RpcError) as refused:
        service.model.RegisterModel(request, timeout=PATIENCE)
    code, reason, metadata = reason_of(refused.value)
    assert (code, reason, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "dtype")
    assert "FLOAT32, BFLOAT16, FLOAT16, FLOAT64" in str(refused.value.details())


def test_a_model_of_an_earlier_release_is_float32(
    service: Service, second_client: GraphStore, world: str, tiny_checkpoint: Path
) -> None:
    model = register(service, tiny_checkpoint, "float32")
    login = service.store_settings()
    auth = (login.user, login.password)
    with neo4j.GraphDatabase.driver(second_client.uri, auth=auth) as driver, driver.session() as session:
        session.run("MATCH (m:Model {id: $id}) REMOVE m.dtype", id=model.id).consume()
    listed = service.model.ListModels(model_pb2.ListModelsRequest(page_size=1000), timeout=PATIENCE).models
    assert {m.id: name_of(m.dtype) for m in listed}[model.id] == "float32"
    assert register(service, tiny_checkpoint, "", model.id) == model
    assert len(ask(service, open_branch(service, world, model.id))) == len(PROMPTS)


def test_the_servers_own_setting_is_for_models_without_one(
    neo4j_uri: str, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    running = Service(data_dir=tmp_path / "server", neo4j_uri=neo4j_uri, flags=("--dtype", "bfloat16")).start()
    try:
        assert name_of(register(running, tiny_checkpoint, "").dtype) == "bfloat16"
        assert name_of(register(running, tiny_checkpoint, "float32").dtype) == "float32"
    finally:
        assert running.stop() == 0


@pytest.mark.parametrize(
    ("flags", "env", "told"),
    [
        (["--dtype", "half"], {}, r"unknown dtype .*--dtype.*'half'.*float32, bfloat16, float16, float64"),
        ([], {"KSMITH_DTYPE": "bf16"}, r"unknown dtype .*KSMITH_DTYPE.*'bf16'.*float32, bfloat16"),
        (["--device", "gpu"], {}, r"unknown device .*--device.*'gpu'.*cuda:1"),
        ([], {"KSMITH_DEVICE": "meta"}, r"unknown device .*KSMITH_DEVICE.*'meta'"),
        (["--device", "cuda:99"], {}, r"this device is not here .*--device.*'cuda:99'.*Use .*cpu"),
    ],
)
def test_a_server_does_not_start_with_a_wrong_setting(
    tmp_path: Path, flags: list[str], env: dict[str, str], told: str
) -> None:
    command = [sys.executable, "-m", "knowledgesmith.server", "--data-dir", str(tmp_path / "server"), *flags]
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert re.search(told, done.stderr), done.stderr
    assert not (tmp_path / "server").exists(), "nothing is made for a server that does not start"
