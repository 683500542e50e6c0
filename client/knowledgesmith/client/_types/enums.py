"""Enumerations of the wire, as strings; ``UNSPECIFIED`` also stands for a member that this release does not know."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from google.protobuf.descriptor import EnumDescriptor

from knowledgesmith.v1 import common_pb2, intervention_pb2, model_pb2, propagation_pb2


class Goal(StrEnum):
    """What an intervention wants: insert or modify a fact, or erase one."""

    UNSPECIFIED = "UNSPECIFIED"
    EDIT = "EDIT"
    UNLEARN = "UNLEARN"

    def to_proto(self) -> common_pb2.Goal.ValueType:
        """The wire's number."""
        return common_pb2.Goal.Value(f"GOAL_{self}")


class TargetDistribution(StrEnum):
    """What a method pulls the answer towards."""

    UNSPECIFIED = "UNSPECIFIED"
    NEW_OBJECT = "NEW_OBJECT"
    NEUTRAL_GRAPH = "NEUTRAL_GRAPH"
    NEUTRAL_MASK = "NEUTRAL_MASK"
    UNIFORM = "UNIFORM"
    REFUSAL = "REFUSAL"
    VAGUE = "VAGUE"

    def to_proto(self) -> common_pb2.TargetDistribution.ValueType:
        """The wire's number."""
        return common_pb2.TargetDistribution.Value(f"TARGET_DISTRIBUTION_{self}")


class ProbeKind(StrEnum):
    """The six kinds of probes."""

    UNSPECIFIED = "UNSPECIFIED"
    DIRECT = "DIRECT"
    REVERSE = "REVERSE"
    MULTI_HOP = "MULTI_HOP"
    COMPARISON = "COMPARISON"
    CONTEXTUAL = "CONTEXTUAL"
    CONFLICT = "CONFLICT"

    def to_proto(self) -> common_pb2.ProbeKind.ValueType:
        """The wire's number."""
        return common_pb2.ProbeKind.Value(f"PROBE_KIND_{self}")


class Polarity(StrEnum):
    """Whether the plan expects the answer to change (Q+) or to stay (Q-)."""

    UNSPECIFIED = "UNSPECIFIED"
    CHANGE = "CHANGE"
    STAY = "STAY"


class HealthVerdict(StrEnum):
    """What the measures say of a revision; a WRECKED one waits for a decision, and its rates are withheld."""

    UNSPECIFIED = "UNSPECIFIED"
    HEALTHY = "HEALTHY"
    SUSPECT = "SUSPECT"
    WRECKED = "WRECKED"


class Role(StrEnum):
    """What a planned probe asks about; ``UNSPECIFIED``: verdicts of scheme 1, which did not tell targets apart."""

    UNSPECIFIED = "UNSPECIFIED"
    TARGET = "TARGET"
    FOLLOWS = "FOLLOWS"
    STAYS = "STAYS"

    def to_proto(self) -> common_pb2.Role.ValueType:
        """The wire's number."""
        return common_pb2.Role.Value(f"ROLE_{self}")


class InterventionState(StrEnum):
    """Life of an intervention."""

    UNSPECIFIED = "UNSPECIFIED"
    QUEUED = "QUEUED"
    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    AWAITING_DECISION = "AWAITING_DECISION"
    COMMITTING = "COMMITTING"
    SUCCEEDED = "SUCCEEDED"
    DISCARDED = "DISCARDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        """Whether nothing follows this state."""
        return self in _TERMINAL

    @property
    def settled(self) -> bool:
        """Whether nothing follows this state by itself: terminal, or waiting for a commit or discard."""
        return self.terminal or self is InterventionState.AWAITING_DECISION


_TERMINAL: Final = frozenset(
    {
        InterventionState.SUCCEEDED,
        InterventionState.DISCARDED,
        InterventionState.FAILED,
        InterventionState.CANCELLED,
    }
)


class Grouping(StrEnum):
    """How to group a propagation."""

    UNSPECIFIED = "UNSPECIFIED"
    HOP = "HOP"
    LEVEL = "LEVEL"
    KIND = "KIND"
    RELATION = "RELATION"
    DOMAIN = "DOMAIN"
    ALL = "ALL"
    ROLE = "ROLE"

    def to_proto(self) -> propagation_pb2.Grouping.ValueType:
        """The wire's number."""
        return propagation_pb2.Grouping.Value(f"GROUPING_{self}")


class ChangeFilter(StrEnum):
    """Which ledger rows to list; ``UNSPECIFIED`` = all, by sequence."""

    UNSPECIFIED = "UNSPECIFIED"
    TOP = "TOP"
    COLLATERAL = "COLLATERAL"
    RESIDUAL = "RESIDUAL"
    CONFLICT = "CONFLICT"

    def to_proto(self) -> propagation_pb2.ChangeFilter.ValueType:
        """The wire's number."""
        return propagation_pb2.ChangeFilter.Value(f"CHANGE_FILTER_{self}")


class Verdict(StrEnum):
    """What became of a probe: INSTALLED to NOT_ERASED of targets, PROPAGATED to DRIFTED of what follows from them."""

    UNSPECIFIED = "UNSPECIFIED"
    INSTALLED = "INSTALLED"
    NOT_INSTALLED = "NOT_INSTALLED"
    ERASED = "ERASED"
    NOT_ERASED = "NOT_ERASED"
    INELIGIBLE = "INELIGIBLE"
    PROPAGATED = "PROPAGATED"
    FORGOTTEN = "FORGOTTEN"
    MISSED = "MISSED"
    DRIFTED = "DRIFTED"
    PRESERVED = "PRESERVED"
    COLLATERAL = "COLLATERAL"

    def to_proto(self) -> propagation_pb2.Verdict.ValueType:
        """The wire's number."""
        return propagation_pb2.Verdict.Value(f"VERDICT_{self}")


class ExportFormat(StrEnum):
    """Form of an export."""

    UNSPECIFIED = "UNSPECIFIED"
    HF_CHECKPOINT = "HF_CHECKPOINT"
    PEFT_ADAPTER = "PEFT_ADAPTER"

    def to_proto(self) -> model_pb2.ExportFormat.ValueType:
        """The wire's number."""
        return model_pb2.ExportFormat.Value(f"EXPORT_FORMAT_{self}")


E = TypeVar("E", bound=StrEnum)


def read_enum(kind: type[E], descriptor: EnumDescriptor, number: int) -> E:
    """The member of ``kind`` for a wire number, ``UNSPECIFIED`` when a newer server sends an unknown one."""
    value = descriptor.values_by_number.get(number)
    prefix = descriptor.values_by_number[0].name.removesuffix("UNSPECIFIED")
    name = "UNSPECIFIED" if value is None else value.name.removeprefix(prefix)
    return kind(name)


def read_state(number: int) -> InterventionState:
    """The state for a wire number."""
    return read_enum(InterventionState, intervention_pb2.InterventionState.DESCRIPTOR, number)


def read_kind(number: int) -> ProbeKind:
    """The probe kind for a wire number."""
    return read_enum(ProbeKind, common_pb2.ProbeKind.DESCRIPTOR, number)


def read_polarity(number: int) -> Polarity:
    """The polarity for a wire number."""
    return read_enum(Polarity, common_pb2.Polarity.DESCRIPTOR, number)


def read_role(number: int) -> Role:
    """The role for a wire number."""
    return read_enum(Role, common_pb2.Role.DESCRIPTOR, number)


def read_verdict(number: int) -> Verdict:
    """The verdict for a wire number."""
    return read_enum(Verdict, propagation_pb2.Verdict.DESCRIPTOR, number)
