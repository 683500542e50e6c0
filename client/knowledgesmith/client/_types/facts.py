"""Changes of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from knowledgesmith.v1 import intervention_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """One change by uids, names or aliases.

    Attributes:
        old_object: may be empty where the branch's world has exactly one.
        new_object: empty for an unlearning.
    """

    subject: str
    relation: str
    old_object: str = ""
    new_object: str = ""

    @classmethod
    def from_proto(cls, message: intervention_pb2.FactChange) -> Self:
        """Read the wire's message."""
        return cls(
            subject=message.subject,
            relation=message.relation,
            old_object=message.old_object,
            new_object=message.new_object,
        )

    def to_proto(self) -> intervention_pb2.FactChange:
        """Write the wire's message."""
        return intervention_pb2.FactChange(
            subject=self.subject, relation=self.relation, old_object=self.old_object, new_object=self.new_object
        )
