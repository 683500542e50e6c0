"""What each method may do and how long it may take: read from the wire's own descriptors, once.

Of our services the option ``policy`` says it. ``google.longrunning.Operations`` is not ours and has no such option.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from knowledgesmith.v1 import (
    archive_pb2,
    branch_pb2,
    case_pb2,
    catalogue_pb2,
    graph_pb2,
    intervention_pb2,
    model_pb2,
    options_pb2,
    probe_pb2,
    propagation_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

QUICK_SECONDS: Final = 30.0
LONG_SECONDS: Final = 900.0
_SECONDS: Final = {
    options_pb2.METHOD_DURATION_QUICK: QUICK_SECONDS,
    options_pb2.METHOD_DURATION_LONG: LONG_SECONDS,
    options_pb2.METHOD_DURATION_UNBOUNDED: None,
}
OPERATIONS: Final = "google.longrunning.Operations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Policy of a method: seconds that it may take where its caller sets no deadline, and whether it writes."""

    seconds: float | None
    writes: bool


def services() -> list[ServiceDescriptor]:
    """Our services."""
    files = (
        *(archive_pb2, branch_pb2, case_pb2, catalogue_pb2, graph_pb2),
        *(intervention_pb2, model_pb2, probe_pb2, propagation_pb2),
    )
    return [service for file in files for service in file.DESCRIPTOR.services_by_name.values()]


def policies_of(found: Iterable[ServiceDescriptor]) -> dict[str, Policy]:
    """Policies by path.

    Raises:
        TypeError: a method has none.
    """
    return {f"/{one.full_name}/{method.name}": _policy_of(method) for one in found for method in one.methods}


def _policy_of(method: MethodDescriptor) -> Policy:
    declared = method.GetOptions().Extensions[options_pb2.policy]
    if not declared.scope or not declared.duration:
        raise TypeError(f"{method.full_name} has no policy")
    return Policy(seconds=_SECONDS[declared.duration], writes=declared.scope == options_pb2.METHOD_SCOPE_WRITE)


POLICIES: Final[Mapping[str, Policy]] = MappingProxyType(
    {
        **policies_of(services()),
        f"/{OPERATIONS}/GetOperation": Policy(seconds=QUICK_SECONDS, writes=False),
        f"/{OPERATIONS}/ListOperations": Policy(seconds=QUICK_SECONDS, writes=False),
        f"/{OPERATIONS}/WaitOperation": Policy(seconds=LONG_SECONDS, writes=False),
        f"/{OPERATIONS}/CancelOperation": Policy(seconds=QUICK_SECONDS, writes=True),
        f"/{OPERATIONS}/DeleteOperation": Policy(seconds=QUICK_SECONDS, writes=True),
    }
)
"""Policies of every method that the server offers beside health and reflection."""
