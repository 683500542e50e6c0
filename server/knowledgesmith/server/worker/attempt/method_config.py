"""A method's configuration as it runs: what it leaves to a measurement is resolved here, since methods are pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.editors.models.precision import FIELD, compute_dtype, name_of, needs_measurement, resolved
from knowledgesmith.editors.registry import method_class

if TYPE_CHECKING:
    from pathlib import Path

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.graph_schema.interventions.records import InterventionSpec


def resolve_config(spec: InterventionSpec, loaded: LoadedModel, cache: Path) -> dict[str, Any]:
    """The configuration with a compute dtype instead of ``auto``: the faster one on the model's device.

    A model that was registered in float64 is computed in float64: who chose it wants its digits.

    Args:
        spec: what was asked.
        loaded: the model, on the device where the method runs.
        cache: the file of measured precisions.
    """
    config_type = method_class(spec.method).config_type
    if not needs_measurement(config_type, spec.method_config):
        return dict(spec.method_config)
    if loaded.model.dtype is torch.float64:
        return {**spec.method_config, FIELD: "model"}
    return resolved(config_type, spec.method_config, compute_dtype(loaded.device, cache))


def computed_in(config: Mapping[str, Any], loaded: LoadedModel) -> str | None:
    """Name of the dtype that a resolved configuration computes in; ``None`` where the method does not choose one."""
    chosen = config.get(FIELD)
    return name_of(loaded.model.dtype) if chosen == "model" else chosen
