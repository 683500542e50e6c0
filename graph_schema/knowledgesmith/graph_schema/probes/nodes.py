"""Probes as node properties and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledgesmith.graph_schema.types.probes import Context, Probe, ProbeKind


def probe_properties(probe: Probe, *, graph_id: str) -> dict[str, object]:
    """All members of a probe as properties of its node."""
    return {
        "id": probe.id,
        "graph_id": graph_id,
        "kind": probe.kind.value,
        "anchor": probe.anchor,
        "path": list(probe.path),
        "chain_length": probe.chain_length,
        "stem": probe.stem,
        "options": list(probe.options),
        "option_uids": list(probe.option_uids),
        "answers": list(probe.answers),
        "template": probe.template,
        "fact_ids": list(probe.fact_ids),
        "context": probe.context.value,
        "prefix": probe.prefix,
        "counter_stem": probe.counter_stem,
    }


def probe_from(properties: Mapping[str, Any]) -> Probe:
    """The inverse of :func:`probe_properties`."""
    return Probe(
        id=properties["id"],
        kind=ProbeKind(properties["kind"]),
        anchor=properties["anchor"],
        path=tuple(properties["path"]),
        chain_length=properties["chain_length"],
        stem=properties["stem"],
        options=tuple(properties["options"]),
        option_uids=tuple(properties["option_uids"]),
        answers=tuple(properties["answers"]),
        template=properties["template"],
        fact_ids=tuple(properties["fact_ids"]),
        context=Context(properties["context"]),
        prefix=properties["prefix"],
        counter_stem=properties.get("counter_stem") or "",
    )
