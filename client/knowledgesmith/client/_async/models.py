"""Calls of the model service."""

from __future__ import annotations

import builtins
from typing import Literal, overload

from knowledgesmith.client._types.enums import DType
from knowledgesmith.client._types.models import Method, Model
from knowledgesmith.client._types.operations import OnProgress
from knowledgesmith.client._wire.fill import message
from knowledgesmith.v1 import model_pb2 as pb

from .base import AsyncNamespace, key
from .operation import AsyncOperation


class AsyncModels(AsyncNamespace):
    """Models, and the methods that change them."""

    @overload
    async def register(
        self,
        *,
        model_id: str = ...,
        path: str = ...,
        dtype: DType = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> Model: ...
    @overload
    async def register(
        self, *, model_id: str = ..., path: str = ..., dtype: DType = ..., request_id: str = ..., wait: Literal[False]
    ) -> AsyncOperation[Model]: ...
    async def register(
        self,
        *,
        model_id: str = "",
        path: str = "",
        dtype: DType = DType.UNSPECIFIED,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> Model | AsyncOperation[Model]:
        """Register a Hugging Face id or a directory on the server; an empty path means the default model.

        A model is its weights in one number format. Registering the same again changes nothing.

        Args:
            model_id: 1 to 63 of ``[a-z0-9_.-]``.
            path: where the server finds it.
            dtype: ``UNSPECIFIED`` = what the id is registered with, else the server's setting.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far it is, about once a second.

        Raises:
            ModelNotFound: the path leads nowhere.
            ModelNotLoadable: it does not hold a causal language model, or one that does not compute in this dtype.
            AlreadyExists: the id stands for other weights, or the same in another dtype.
        """
        request = message(
            pb.RegisterModelRequest, model_id=model_id, path=path, dtype=dtype, request_id=key(request_id)
        )
        return await self._begin(request, Model, wait=wait, progress=progress)

    async def list(self, *, limit: int | None = None) -> builtins.list[Model]:
        """All registered models."""
        return await self._list(pb.ListModelsRequest(), pb.ListModelsResponse, "models", Model, limit)

    async def methods(self, *, limit: int | None = None) -> builtins.list[Method]:
        """The methods that the worker offers, by name."""
        return await self._list(pb.ListMethodsRequest(), pb.ListMethodsResponse, "methods", Method, limit)
