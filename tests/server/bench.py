"""The worker's parts in this process, on a real database: a small world, a model, branches, interventions."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from tests.server import world

from knowledgesmith.graph_schema.importing import import_graph
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.interventions import branches, steps
from knowledgesmith.graph_schema.interventions.records import InterventionSpec
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal, TargetDistribution
from knowledgesmith.server.worker.model.host import ModelHost

GOLDENS = Path(__file__).parents[1] / "editors" / "methods" / "goldens"
CHANGES = (
    Change(subject="france", relation="has_capital", old_object="paris"),
    Change(subject="japan", relation="has_capital", old_object="tokyo"),
)


class Deaf:
    """A channel, or a sink of samples, that nobody listens to."""

    def send(self, message: object) -> None:
        pass

    def inc(self, name: str, value: float = 1.0, /, **labels: str) -> None:
        pass

    set = observe = inc


def import_world(store: GraphStore, graph_id: str) -> None:
    """Import the small world."""
    texts = {
        "entities": world.entities(),
        "relations": world.relations(),
        "facts": world.facts(),
        "templates": world.templates(),
    }
    files = [InputFile(name=f"{k}.csv", content=io.BytesIO(text.encode()), role=k) for k, text in texts.items()]
    import_graph(store, graph_id=graph_id, files=files, source="test")


def register(store: GraphStore, host: ModelHost, checkpoint: Path, model_id: str) -> None:
    """Register a model in float32."""
    found = host.describe(path=str(checkpoint), dtype="float32")
    names = ("path", "weights_sha256", "architecture", "parameters")
    branches.register_model(store, branches.ModelInfo(id=model_id, **{name: found[name] for name in names}))


def open_branch(store: GraphStore, branch: str, *, model_id: str, graph_id: str) -> str:
    """A fresh branch."""
    branches.create_branch(store, branch_id=branch, model_id=model_id, graph_id=graph_id, select=False)
    return branch


def queue(store: GraphStore, branch: str, method: str, *, request_id: str = "") -> str:
    """Queue an unlearning of two capitals; the id of the intervention."""
    config: dict[str, Any] = json.loads((GOLDENS / f"{method}.json").read_text(encoding="utf-8"))["config"]
    spec = InterventionSpec(
        branch_id=branch,
        goal=Goal.UNLEARN,
        changes=CHANGES,
        method=method,
        method_config=config,
        target_distribution=TargetDistribution.NEUTRAL_GRAPH,
        max_probes=60,
    )
    intervention, _ = steps.create(
        store, spec, actor="test", request_id=request_id or branch, request_hash="h", graph_digest=""
    )
    return intervention
