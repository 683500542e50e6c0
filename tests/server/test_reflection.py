"""Server reflection: off unless asked for; then tools see every service with its messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc import aio
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.server.service import PATIENCE, Service, free_port

from knowledgesmith.server.app import listen
from knowledgesmith.server.front.policies import OPERATIONS, services
from knowledgesmith.server.metrics import Metrics
from knowledgesmith.server.settings import ServerSettings

Request = reflection_pb2.ServerReflectionRequest


@asynccontextmanager
async def asked(folder: Path, *, reflection: bool) -> AsyncGenerator[Any]:
    """A server of all services that reads and writes nothing; the value asks it for itself."""
    address = f"127.0.0.1:{free_port()}"
    settings = ServerSettings(listen=address, data_dir=folder, reflection=reflection)
    parts: Any = SimpleNamespace(settings=settings, metrics=Metrics(), draining=asyncio.Event(), operations=None)
    server, _ = await listen(parts)
    try:
        channel: Any  # the stub's types know channels that are not of asyncio
        async with aio.insecure_channel(address) as channel:
            stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)

            async def ask(request: Request) -> reflection_pb2.ServerReflectionResponse:
                found: list[reflection_pb2.ServerReflectionResponse] = [
                    one async for one in stub.ServerReflectionInfo(iter([request]), timeout=PATIENCE)
                ]
                (answer,) = found
                return answer

            yield ask
    finally:
        await server.stop(None)


async def test_tools_see_all_services_and_their_messages(tmp_path: Path) -> None:
    async with asked(tmp_path, reflection=True) as ask:
        told = (await ask(Request(list_services="*"))).list_services_response
        names = {one.name for one in told.service}
        assert {one.full_name for one in services()} | {OPERATIONS, "grpc.health.v1.Health"} <= names
        for name in names - {"grpc.reflection.v1alpha.ServerReflection"}:
            answer = await ask(Request(file_containing_symbol=name))
            files = [
                descriptor_pb2.FileDescriptorProto.FromString(raw)
                for raw in answer.file_descriptor_response.file_descriptor_proto
            ]
            assert any(f"{file.package}.{one.name}" == name for file in files for one in file.service)


async def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    assert not ServerSettings().reflection
    async with asked(tmp_path, reflection=False) as ask:
        with pytest.raises(grpc.RpcError) as refused:
            await ask(Request(list_services="*"))
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_running_server_does_not_tell(service: Service) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(service.channel)
    with pytest.raises(grpc.RpcError) as refused:
        list(stub.ServerReflectionInfo(iter([Request(list_services="*")]), timeout=PATIENCE))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
