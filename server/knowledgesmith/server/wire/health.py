"""Health of a revision on the wire."""

from __future__ import annotations

from knowledgesmith.graph_schema.types.health import FIGURES, Health
from knowledgesmith.v1 import health_pb2


def health_to(health: Health | None) -> health_pb2.Health | None:
    """The wire's message; None where nothing was measured. Figures that could not be measured stay absent."""
    if health is None:
        return None
    figures = {name: getattr(health, name) for name in FIGURES}
    return health_pb2.Health(
        ok=health.ok,
        verdict=health_pb2.HealthVerdict.Value(f"HEALTH_VERDICT_{health.verdict.value}"),
        reasons=health.reasons,
        **{name: value for name, value in figures.items() if value is not None},
    )
