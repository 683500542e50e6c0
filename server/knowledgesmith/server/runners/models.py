"""Registration of models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import ModelNotFound
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.interventions.branches import ModelInfo
from knowledgesmith.server.operations.tasks import InLoop, Runner, Task
from knowledgesmith.server.runners.to_the_end import to_the_end
from knowledgesmith.server.wire.enums import word_from_wire
from knowledgesmith.server.wire.models import model_to
from knowledgesmith.v1 import model_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knowledgesmith.server.front.dependencies import Parts

DEFAULT_MODEL: Final = "smollm2-135m-instruct"


class ModelRunners:
    """Runners of ``model.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def table(self) -> Mapping[str, Runner]:
        """By method."""
        return {"RegisterModel": InLoop(request=pb.RegisterModelRequest, run=self._register)}

    async def _register(self, task: Task) -> pb.RegisterModelResponse:
        """Load the model once to prove that it is one, and record its digest."""
        request: pb.RegisterModelRequest = task.request
        task.report("load")
        model_id = request.model_id or DEFAULT_MODEL
        dtype = await self._dtype(model_id, word_from_wire(pb.DType, request.dtype, "dtype"))
        found = await self._parts.worker.call("describe_model", path=request.path, dtype=dtype)
        model = ModelInfo(id=model_id, **found)
        kept = await to_the_end(asyncio.to_thread(branches.register_model, self._parts.store, model))
        return pb.RegisterModelResponse(model=model_to(kept))

    async def _dtype(self, model_id: str, asked: str) -> str:
        """What was asked for, else what the id is registered with, else the server's setting."""
        if asked:
            return asked
        try:
            known = await asyncio.to_thread(branches.get_model, self._parts.store, model_id)
        except ModelNotFound:
            return self._parts.settings.dtype
        return known.dtype
