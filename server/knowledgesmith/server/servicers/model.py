"""ModelService: models, and the methods that change them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from google.longrunning import operations_pb2

from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.server.front.callers import actor_of
from knowledgesmith.server.runners.models import DEFAULT_MODEL
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_model_id, check_request_id, check_text
from knowledgesmith.server.wire.enums import word_from_wire
from knowledgesmith.server.wire.models import method_to, model_to
from knowledgesmith.v1 import model_pb2 as pb
from knowledgesmith.v1 import model_pb2_grpc

if TYPE_CHECKING:
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context


class ModelServicer(model_pb2_grpc.ModelServiceServicer):
    """See ``model.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def RegisterModel(self, request: pb.RegisterModelRequest, context: Context) -> operations_pb2.Operation:
        """Load the model once to prove that it is one, and record its digest."""
        path = check_text(request.path, "path", limit=1000)
        model_id = check_model_id(request.model_id or (DEFAULT_MODEL if not path else ""), "model_id")
        word_from_wire(pb.DType, request.dtype, "dtype")
        return await self._parts.operations.begin(
            "RegisterModel",
            request,
            resource_id=model_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
        )

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:
        """All registered models."""
        size = paging.page_size(request.page_size)
        position = paging.decode(["ListModels"], request.page_token, str)
        after = str(position[0]) if position else ""
        found = await asyncio.to_thread(branches.list_models, self._parts.store, after=after, limit=size + 1)
        token = paging.encode(["ListModels"], [found[size - 1].id]) if len(found) > size else ""
        return pb.ListModelsResponse(models=[model_to(m) for m in found[:size]], next_page_token=token)

    async def ListMethods(self, request: pb.ListMethodsRequest, context: Context) -> pb.ListMethodsResponse:
        """The methods that the worker described when it reported for duty."""
        size = paging.page_size(request.page_size)
        position = paging.decode(["ListMethods"], request.page_token, str)
        after = str(position[0]) if position else ""
        described: list[dict[str, Any]] = await self._parts.worker.call("describe_methods")
        found = sorted((m for m in described if m["name"] > after), key=lambda m: m["name"])
        token = paging.encode(["ListMethods"], [found[size - 1]["name"]]) if len(found) > size else ""
        return pb.ListMethodsResponse(methods=[method_to(m) for m in found[:size]], next_page_token=token)
