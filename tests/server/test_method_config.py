"""What a method leaves to a measurement is resolved by the worker, once, and recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from knowledgesmith.editors.models.precision import Figure, Precision
from knowledgesmith.editors.registry import METHODS, build, method_class
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.interventions.records import InterventionSpec
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution
from knowledgesmith.server.worker.attempt.method_config import computed_in, resolve_config


def spec(method: str, **config: Any) -> InterventionSpec:
    return InterventionSpec(
        branch_id="b",
        goal=Goal.EDIT,
        changes=(),
        method=method,
        method_config=config,
        target_distribution=TargetDistribution.NEW_OBJECT,
    )


@pytest.fixture(params=["float32", "bfloat16"])
def measured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine on which this dtype is the faster one."""
    chosen = str(request.param)
    half = 0.1 if chosen == "bfloat16" else 50.0
    figures = tuple(
        Figure(dtype=name, seconds=seconds, rounds=3, error=0.0, usable=True)
        for name, seconds in (("float32", 1.0), ("bfloat16", half))
    )
    found = Precision(device="x", threads=1, chosen=chosen, figures=figures)

    def measure(_device: torch.device) -> Precision:
        return found

    monkeypatch.setattr("knowledgesmith.editors.models.precision.measure", measure)
    return chosen


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_built_method_never_has_to_measure(method: str, measured: str, tmp_path: Path) -> None:
    loaded = tiny_llama()
    config = resolve_config(spec(method), loaded, tmp_path / "precision.json")
    build(method, config)
    chooses = "compute_dtype" in method_class(method).config_type.model_fields
    assert config == ({"compute_dtype": measured} if chooses else {})
    assert computed_in(config, loaded) == (measured if chooses else None)


def test_relearn_computes_in_what_is_faster_here_unless_told_otherwise(measured: str, tmp_path: Path) -> None:
    loaded, cache = tiny_llama(), tmp_path / "precision.json"
    assert resolve_config(spec("relearn", rank=4), loaded, cache) == {"rank": 4, "compute_dtype": measured}
    for told in ("float32", "bfloat16", "model"):
        assert resolve_config(spec("relearn", compute_dtype=told), loaded, cache) == {"compute_dtype": told}


def test_who_chose_float64_keeps_its_digits(measured: str, tmp_path: Path) -> None:
    exact = tiny_llama(dtype=torch.float64)
    config = resolve_config(spec("relearn"), exact, tmp_path / "precision.json")
    build("relearn", config)
    assert computed_in(config, exact) == "float64"
