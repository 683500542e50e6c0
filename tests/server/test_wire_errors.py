"""Every reason of an error: on the wire with its status, as a class on each side, and there and back."""

from __future__ import annotations

from typing import TypeVar

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from knowledgesmith.client import KnowledgeSmithClientError
from knowledgesmith.graph_schema import errors
from knowledgesmith.graph_schema.errors import KnowledgeSmithError
from knowledgesmith.server.wire import statuses
from knowledgesmith.server.worker.channel import dump_error, load_error
from knowledgesmith.v1 import error_pb2

FAMILIES = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Cancelled: grpc.StatusCode.CANCELLED,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""What a class of each family means to a caller, whatever its reason."""


E = TypeVar("E", bound=Exception)


def below(kind: type[E]) -> list[type[E]]:
    return [kind, *(leaf for sub in kind.__subclasses__() for leaf in below(sub))]


ALL = below(KnowledgeSmithError)


def test_the_families_are_the_whole_tree() -> None:
    assert set(errors.KnowledgeSmithError.__subclasses__()) == set(FAMILIES)
    assert statuses.code_of(KnowledgeSmithError("broken")) is grpc.StatusCode.INTERNAL


@pytest.mark.parametrize("kind", ALL[1:], ids=lambda kind: kind.__name__)
def test_the_wire_declares_the_status_that_a_class_implies(kind: type[KnowledgeSmithError]) -> None:
    family = next(one for one in kind.__mro__ if one in FAMILIES)
    assert statuses.code_of(kind("wrong")) is FAMILIES[family]


def test_reasons_name_one_class_each() -> None:
    # A class without a reason of its own is, for everybody outside, the error that it refines.
    reasons = [kind.reason for kind in ALL if "reason" in vars(kind)]
    assert len(set(reasons)) == len(reasons)
    assert all(reason.isupper() and len(reason) <= 63 for reason in reasons)


def test_no_reason_of_the_wire_lacks_a_class_on_one_side() -> None:
    declared = {name.removeprefix("ERROR_REASON_") for name in error_pb2.ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    assert declared == set(statuses.STATUSES)
    raised, told = {kind.reason for kind in ALL}, {kind.default_reason for kind in below(KnowledgeSmithClientError)}
    assert raised <= declared
    assert declared <= raised | told
    assert declared - raised == {"PERMISSION_DENIED"}, "it comes from who stands before the server"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_domain_error_survives_the_wire(kind: type[KnowledgeSmithError]) -> None:
    error = kind("wrong", field="f", value="v" * 1000, hint="do better", metadata={"extra": "x"})
    [(key, raw)] = statuses.trailers(error)
    status = status_pb2.Status.FromString(raw)
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    assert key == "grpc-status-details-bin"
    assert status.code == statuses.code_of(error).value[0]
    assert (info.reason, info.domain) == (kind.reason, "knowledgesmith")
    assert f"ERROR_REASON_{info.reason}" in error_pb2.ErrorReason.keys()  # noqa: SIM118
    assert len(info.metadata["value"]) < 200, "hostile values are cut"
    for again in (load_error(dump_error(error)), statuses.error_of(statuses.status_of(error))):
        assert (again.reason, again.message) == (error.reason, "wrong")
        assert (again.field, again.value, again.hint, again.metadata) == ("f", error.value, "do better", {"extra": "x"})


def test_a_status_of_somebody_else_is_told_as_it_is() -> None:
    found = statuses.error_of(status_pb2.Status(code=13, message="proxy is down"))
    assert (found.reason, found.message) == ("INTERNAL", "proxy is down")


def test_a_status_fits_into_a_trailer_whatever_it_is_about() -> None:
    long = "\u6771" * 5_000
    error = errors.AmbiguousName(long, field="f", value=long, hint=long, metadata={str(n): long for n in range(100)})
    [(_, raw)] = statuses.trailers(error)
    assert len(raw) < 8_000
