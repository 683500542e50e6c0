"""The precision to compute in: measured, judged by its results, kept under everything that decides it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest
import torch
from pydantic import Field

from knowledgesmith.editors.contract import MethodConfig
from knowledgesmith.editors.models import precision
from knowledgesmith.editors.models.dtypes import DTYPES, check_dtype
from knowledgesmith.editors.models.loading import DTYPES as LOADABLE
from knowledgesmith.editors.models.precision import Figure, Precision, choose, compute_dtype, decide, resolved
from knowledgesmith.graph_schema.errors import InvalidInput

CPU = torch.device("cpu")


def figure(dtype: str, seconds: float, *, usable: bool = True) -> Figure:
    return Figure(dtype=dtype, seconds=seconds, rounds=3, error=0.01 if usable else None, usable=usable)


@pytest.mark.parametrize(
    ("figures", "chosen"),
    [
        ((figure("float32", 1.0), figure("bfloat16", 0.4)), "bfloat16"),
        ((figure("float32", 1.0), figure("bfloat16", 50.0)), "float32"),
        ((figure("float32", 1.0), figure("bfloat16", 0.97)), "float32"),  # not worth its rounding
        ((figure("float32", 1.0), figure("bfloat16", 0.1, usable=False)), "float32"),
        ((figure("float32", 1.0), figure("bfloat16", 0.4), figure("float16", 0.3)), "float16"),
        ((figure("float32", 1.0), figure("bfloat16", 0.4), figure("float16", 0.3, usable=False)), "bfloat16"),
    ],
)
def test_the_fastest_whose_results_hold_is_chosen(figures: tuple[Figure, ...], chosen: str) -> None:
    assert choose(figures) == chosen


def test_both_formats_are_measured_and_judged() -> None:
    found = precision.measure(CPU)
    assert [one.dtype for one in found.figures] == ["float32", "bfloat16"]
    assert all(one.usable and one.rounds >= 1 and one.seconds > 0 for one in found.figures)
    exact, rounded = (one.error or 0.0 for one in found.figures)
    assert 0 < exact < 1e-4 < rounded < 0.1, "the short format is the one that rounds"
    assert found.chosen == choose(found.figures)
    assert all(one.dtype in found.reason for one in found.figures)


@pytest.mark.parametrize("spoilt", [float("nan"), float("inf"), 3.0])
def test_wrong_results_are_never_chosen_however_fast(monkeypatch: pytest.MonkeyPatch, spoilt: float) -> None:
    whole, clock = precision.one_pass, precision.timed_pass

    def broken(weights: list[torch.Tensor], rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        first, *rest = whole(weights, rows)
        return (first * spoilt if rows.dtype == torch.bfloat16 else first, *rest)

    def quick(weights: list[torch.Tensor], rows: torch.Tensor, device: torch.device) -> float:
        return clock(weights, rows, device) * (0.001 if rows.dtype == torch.bfloat16 else 1.0)

    monkeypatch.setattr(precision, "one_pass", broken)
    monkeypatch.setattr(precision, "timed_pass", quick)
    found = precision.measure(CPU)
    assert not found.figures[1].usable
    assert found.chosen == "float32"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """Measurements that were made."""
    made: list[torch.device] = []

    def measure(device: torch.device) -> Precision:
        made.append(device)
        figures = (figure("float32", 1.0), figure("bfloat16", 0.5))
        return Precision(device="x", threads=torch.get_num_threads(), chosen="bfloat16", figures=figures)

    monkeypatch.setattr(precision, "measure", measure)
    return made


def test_it_is_measured_once(counted: list[torch.device], tmp_path: Path) -> None:
    cache = tmp_path / "below" / "precision.json"
    assert compute_dtype(CPU, cache) is torch.bfloat16
    assert decide(CPU, cache) == decide(CPU, cache)
    assert len(counted) == 1


@pytest.mark.parametrize("variable", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
def test_what_decides_it_is_in_its_key(
    counted: list[torch.device], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    cache = tmp_path / "precision.json"
    decide(CPU, cache)
    monkeypatch.setenv(variable, "AVX2")
    decide(CPU, cache)
    monkeypatch.setattr(torch, "__version__", "0.0.0")
    decide(CPU, cache)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    decide(CPU, cache)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "NONE")
    decide(CPU, cache)
    assert len(counted) == 5
    monkeypatch.undo()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        '{"KEY": 3}',
        '{"KEY": {}}',
        '{"KEY": {"device": "x", "threads": 1, "figures": []}}',
        "\x00\xff",
    ],
)
def test_a_damaged_cache_is_measured_again_and_replaced(
    counted: list[torch.device], tmp_path: Path, content: str
) -> None:
    cache = tmp_path / "precision.json"
    cache.write_text(content.replace("KEY", precision.cache_key(CPU)), "latin-1")
    decide(CPU, cache)
    decide(CPU, cache)
    assert len(counted) == 1
    assert list(json.loads(cache.read_text())) == [precision.cache_key(CPU)]


@pytest.mark.parametrize(
    "change", [{"chosen": "float64"}, {"chosen": "float32"}, {"chosen": "__class__"}, {"figures": []}, {"more": 1}]
)
def test_an_answer_that_its_figures_do_not_support_is_measured_again(
    counted: list[torch.device], tmp_path: Path, change: dict[str, object]
) -> None:
    cache = tmp_path / "precision.json"
    decide(CPU, cache)
    raw = json.loads(cache.read_text())
    cache.write_text(json.dumps({key: {**value, **change} for key, value in raw.items()}))
    assert decide(CPU, cache).chosen == "bfloat16"
    assert len(counted) == 2


def test_a_cache_that_cannot_be_written_costs_only_the_measurement(counted: list[torch.device], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    assert decide(CPU, file / "precision.json").chosen == "bfloat16"
    assert len(counted) == 1


class Measured(MethodConfig):
    compute_dtype: Literal["auto", "float32", "bfloat16", "model"] = "auto"
    rank: int = Field(default=1)


class Plain(MethodConfig):
    rank: int = Field(default=1)


def test_auto_becomes_what_was_measured_and_nothing_else_changes() -> None:
    half = torch.bfloat16
    assert resolved(Measured, {"rank": 2}, half) == {"rank": 2, "compute_dtype": "bfloat16"}
    assert resolved(Measured, {"compute_dtype": "auto"}, half) == {"compute_dtype": "bfloat16"}
    assert resolved(Measured, {"compute_dtype": "float32"}, half) == {"compute_dtype": "float32"}
    assert resolved(Plain, {"rank": 2}, half) == {"rank": 2}
    assert not precision.needs_measurement(Plain, {})


def test_the_names_are_those_that_can_be_loaded() -> None:
    assert tuple(LOADABLE) == DTYPES
    assert [precision.name_of(precision.as_dtype(name)) for name in DTYPES] == list(DTYPES)
    with pytest.raises(InvalidInput, match="float32, bfloat16, float16, float64") as caught:
        check_dtype("half", "--dtype")
    assert (caught.value.field, caught.value.value) == ("--dtype", "'half'")
