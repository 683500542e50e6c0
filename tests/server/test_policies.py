"""What the wire's methods declare of themselves, and that the server takes its limits from nothing else."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, empty_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc import aio
from tests.server.service import PATIENCE, reason_of

import knowledgesmith.v1 as package
from knowledgesmith.server.front import policies
from knowledgesmith.server.front.interceptors import ServiceInterceptor
from knowledgesmith.server.front.policies import POLICIES, Policy, policies_of, services
from knowledgesmith.server.metrics import Metrics
from knowledgesmith.v1 import case_pb2, case_pb2_grpc, options_pb2

OPERATION = "google.longrunning.Operation"
METHODS = [method for service in services() for method in service.methods]
NO_SIDE_EFFECTS = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
by_name = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name.rpartition("v1.")[2])


def test_all_services_of_the_wire_are_known() -> None:
    modules = [
        importlib.import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)
    ]
    files = [module.DESCRIPTOR for module in modules if module.__name__.endswith("_pb2")]
    assert {one.full_name for file in files for one in file.services_by_name.values()} == {
        one.full_name for one in services()
    }


def test_every_file_says_where_other_languages_put_it() -> None:
    """Their generators refuse files that do not say it, or name what they make otherwise once it is said."""
    for service in services():
        for file in (service.file, *service.file.dependencies):
            if file.package == "knowledgesmith.v1":
                options = file.GetOptions()
                assert (options.go_package, options.java_package, options.csharp_namespace) == (
                    "knowledgesmith.dev/v1;knowledgesmithv1",
                    "dev.knowledgesmith.v1",
                    "KnowledgeSmith.V1",
                ), file.name
                assert options.java_multiple_files, file.name


def test_types_of_options_are_named_unlike_those_of_the_standard() -> None:
    """Several languages have one namespace for all files."""
    standard = {*descriptor_pb2.DESCRIPTOR.message_types_by_name, *duration_pb2.DESCRIPTOR.message_types_by_name}
    ours = {*options_pb2.DESCRIPTOR.message_types_by_name, *options_pb2.DESCRIPTOR.enum_types_by_name}
    assert ours == {"MethodPolicy", "MethodScope", "MethodDuration"}
    assert not ours & standard


@by_name
def test_reads_and_no_others_are_without_side_effects(method: MethodDescriptor) -> None:
    options = method.GetOptions()
    reads = options.Extensions[options_pb2.policy].scope == options_pb2.METHOD_SCOPE_READ
    assert reads == (options.idempotency_level == NO_SIDE_EFFECTS)
    policy = POLICIES[f"/{method.containing_service.full_name}/{method.name}"]
    assert policy.writes is not reads


@by_name
def test_a_stream_lasts_as_long_as_it_lasts(method: MethodDescriptor) -> None:
    streams = method.client_streaming or method.server_streaming
    policy = POLICIES[f"/{method.containing_service.full_name}/{method.name}"]
    assert (policy.seconds is None) == streams


@by_name
def test_messages_are_named_after_their_method(method: MethodDescriptor) -> None:
    assert method.input_type.name == f"{method.name}Request"
    if method.output_type.full_name != OPERATION:
        assert method.output_type.name == f"{method.name}Response"
        return
    extension: Any = operations_pb2.operation_info
    info: Any = method.GetOptions().Extensions[extension]
    assert (info.response_type, info.metadata_type) == (f"{method.name}Response", "OperationMetadata")
    assert info.response_type in method.containing_service.file.message_types_by_name
    assert not method.server_streaming


@by_name
def test_what_begins_an_operation_can_be_asked_again(method: MethodDescriptor) -> None:
    if method.output_type.full_name != OPERATION:
        return
    assert method.GetOptions().idempotency_level == descriptor_pb2.MethodOptions.IDEMPOTENT
    asked = method.input_type
    if method.client_streaming:
        header = asked.fields_by_name["header"].message_type
        assert header
        asked = header
    assert "request_id" in asked.fields_by_name


def test_no_message_belongs_to_two_methods() -> None:
    used = [one.full_name for method in METHODS for one in (method.input_type, method.output_type)]
    twice = {name for name in used if used.count(name) > 1}
    assert twice == {OPERATION}


def test_the_standard_service_has_policies_for_all_its_methods() -> None:
    standard: Any = operations_pb2.DESCRIPTOR.services_by_name["Operations"]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    assert standard.full_name == policies.OPERATIONS
    known = {
        path.rpartition("/")[2]: policy
        for path, policy in POLICIES.items()
        if path.startswith(f"/{standard.full_name}/")
    }
    assert set(known) == {method.name for method in standard.methods}
    assert {name for name, policy in known.items() if policy.writes} == {"CancelOperation", "DeleteOperation"}
    assert known["WaitOperation"].seconds == policies.LONG_SECONDS


def service_of(options: descriptor_pb2.MethodOptions) -> ServiceDescriptor:
    """A service with one method of these options."""
    file = descriptor_pb2.FileDescriptorProto(name="x.proto", package="x", syntax="proto3")
    file.dependency.append("google/protobuf/empty.proto")
    kind = f".{empty_pb2.Empty.DESCRIPTOR.full_name}"
    method = descriptor_pb2.MethodDescriptorProto(name="Do", input_type=kind, output_type=kind, options=options)
    file.service.append(descriptor_pb2.ServiceDescriptorProto(name="S", method=[method]))
    pool: Any = descriptor_pool.DescriptorPool()
    for known in (empty_pb2, descriptor_pb2, options_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    found: ServiceDescriptor = pool.FindServiceByName("x.S")
    return found


@pytest.mark.parametrize(
    "declared",
    [
        None,
        options_pb2.MethodPolicy(scope=options_pb2.METHOD_SCOPE_READ),
        options_pb2.MethodPolicy(duration=options_pb2.METHOD_DURATION_QUICK),
    ],
)
def test_a_method_without_a_policy_lets_nothing_start(declared: options_pb2.MethodPolicy | None) -> None:
    options = descriptor_pb2.MethodOptions()
    if declared:
        options.Extensions[options_pb2.policy].CopyFrom(declared)
    with pytest.raises(TypeError, match=r"x\.S\.Do has no policy"):
        policies_of([service_of(options)])
    options.Extensions[options_pb2.policy].CopyFrom(
        options_pb2.MethodPolicy(scope=options_pb2.METHOD_SCOPE_WRITE, duration=options_pb2.METHOD_DURATION_LONG)
    )
    assert policies_of([service_of(options)]) == {"/x.S/Do": Policy(seconds=policies.LONG_SECONDS, writes=True)}


class Cases(case_pb2_grpc.CaseServiceServicer):
    """Lists at once, and never has a case."""

    async def ListCases(self, request: Any, context: Any) -> case_pb2.ListCasesResponse:  # noqa: N802
        """At once."""
        del request, context
        return case_pb2.ListCasesResponse()

    async def GetCase(self, request: Any, context: Any) -> case_pb2.GetCaseResponse:  # noqa: N802
        """Never."""
        del request, context
        await asyncio.Event().wait()
        return case_pb2.GetCaseResponse()


async def test_the_server_keeps_to_the_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call without a deadline of its own has that of its method; a server that drains reads and writes no more."""
    policy = Policy(seconds=0.2, writes=True)
    known = {**POLICIES, "/knowledgesmith.v1.CaseService/GetCase": policy}
    monkeypatch.setattr("knowledgesmith.server.front.interceptors.POLICIES", known)
    draining = asyncio.Event()
    server = aio.server(interceptors=[ServiceInterceptor(Metrics(), draining=draining)])
    case_pb2_grpc.add_CaseServiceServicer_to_server(Cases(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            cases: Any = case_pb2_grpc.CaseServiceStub(channel)
            with pytest.raises(grpc.RpcError) as late:
                await cases.GetCase(case_pb2.GetCaseRequest())
            assert reason_of(late.value)[:2] == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
            draining.set()
            await cases.ListCases(case_pb2.ListCasesRequest(), timeout=PATIENCE)
            with pytest.raises(grpc.RpcError) as refused:
                await cases.GetCase(case_pb2.GetCaseRequest(), timeout=PATIENCE)
            assert reason_of(refused.value)[:2] == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    finally:
        await server.stop(None)
