"""What the worker offers: methods with what they accept, and versions."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from knowledgesmith.editors.registry import METHODS, check_accepts, method_class, parse_config
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution


def describe_methods() -> list[dict[str, Any]]:
    """All registered methods by name, as values of JSON; ``wire.models.method_to`` reads them."""
    return [_describe(name) for name in sorted(METHODS)]


def _describe(name: str) -> dict[str, Any]:
    cls = method_class(name)
    row = cls.objective
    return {
        "name": name,
        "family": cls.family.value,
        "accepts": sorted([goal.value, target.value] for goal, target in cls.accepts),
        "task_loss": row.task_loss,
        "preservation": row.preservation,
        "regulariser": row.regulariser,
        "operator": row.operator,
        "source": row.source,
        "config_schema": cls.config_type.model_json_schema(),
    }


def check_method(*, name: str, goal: str, target_distribution: str, config: dict[str, Any]) -> bool:
    """Refuse an unknown method, a goal that it does not accept, or a wrong configuration.

    Raises:
        UnknownMethod, MethodMismatch, InvalidInput: see :mod:`knowledgesmith.editors.registry`.
    """
    check_accepts(name, Goal(goal), TargetDistribution(target_distribution))
    parse_config(method_class(name).config_type, config)
    return True


def versions() -> dict[str, str]:
    """Versions for the build information metric."""
    return {
        "version": version("knowledgesmith"),
        "torch": version("torch"),
        "transformers": version("transformers"),
    }
