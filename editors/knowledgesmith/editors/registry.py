"""Names to methods, loaded on first use so that listing them does not import torch."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

from pydantic import ValidationError

from knowledgesmith.editors.contract import Method, MethodConfig
from knowledgesmith.graph_schema.errors import InvalidInput, MethodMismatch, UnknownMethod
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "alphaedit": "knowledgesmith.editors.methods.alphaedit:AlphaEdit",
        "crispedit": "knowledgesmith.editors.methods.crispedit:CrispEdit",
        "emmet": "knowledgesmith.editors.methods.emmet:Emmet",
        "finetune": "knowledgesmith.editors.methods.finetune:FineTune",
        "lora": "knowledgesmith.editors.methods.lora_finetune:LoraFineTune",
        "memit": "knowledgesmith.editors.methods.memit:Memit",
        "placebo": "knowledgesmith.editors.methods.placebo:Placebo",
        "r-rome": "knowledgesmith.editors.methods.rome:RRome",
        "relearn": "knowledgesmith.editors.methods.relearn:ReLearn",
        "rome": "knowledgesmith.editors.methods.rome:Rome",
        "ultraedit": "knowledgesmith.editors.methods.ultraedit:UltraEdit",
    }
)
"""One line a method: name to ``module:Class``."""


def method_class(name: str) -> type[Method]:
    """The class registered under ``name``.

    Raises:
        UnknownMethod: no such name; the message offers close ones.
    """
    if name not in METHODS:
        close = difflib.get_close_matches(name, METHODS, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise UnknownMethod(
            "unknown method",
            field="method",
            value=name,
            hint=f"{hint}Available: {', '.join(sorted(METHODS))}.",
            metadata={"available": ",".join(sorted(METHODS))},
        )
    module, _, attribute = METHODS[name].partition(":")
    return cast("type[Method]", getattr(import_module(module), attribute))


def build(name: str, config: Mapping[str, Any] | None = None) -> Method:
    """A method with its configuration; missing keys take our defaults (not the authors', see ``MethodConfig``).

    Raises:
        UnknownMethod: no such method.
        InvalidInput: a configuration key is unknown or its value is out of range.
    """
    cls = method_class(name)
    return cls(parse_config(cls.config_type, config or {}))


def parse_config(config_type: type[MethodConfig], values: Mapping[str, Any]) -> MethodConfig:
    """Validate a configuration, naming the first wrong key."""
    try:
        return config_type.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            first["msg"],
            field=f"method_config.{key}",
            value=first.get("input"),
            hint=f"Keys: {', '.join(config_type.model_fields)}.",
        ) from error


def check_accepts(name: str, goal: Goal, target: TargetDistribution) -> None:
    """Refuse a goal or target distribution that the method was not made for.

    Raises:
        MethodMismatch: names what the method accepts.
    """
    accepts = method_class(name).accepts
    if (goal, target) not in accepts:
        offered = ", ".join(sorted(f"{g.value}/{t.value}" for g, t in accepts))
        raise MethodMismatch(
            f"method {name} does not accept this goal and target distribution",
            field="target_distribution",
            value=f"{goal.value}/{target.value}",
            hint=f"It accepts {offered}.",
            metadata={"accepts": offered},
        )
