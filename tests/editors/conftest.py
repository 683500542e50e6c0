"""Tiny random models of each family, built in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch

from knowledgesmith.editors.models.default_model import ensure_default_model
from knowledgesmith.editors.models.loading import load
from knowledgesmith.editors.testing.tiny import tiny_gpt2, tiny_llama
from knowledgesmith.graph_schema.errors import ModelNotFound

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

FAMILIES: dict[str, Callable[[], LoadedModel]] = {
    "llama": tiny_llama,
    "llama-untied": lambda: tiny_llama(tied=False),
    "gpt2": tiny_gpt2,
}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny matrices gain nothing from threads, and one thread makes sums reproducible."""
    torch.set_num_threads(1)


@pytest.fixture(params=sorted(FAMILIES))
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    """A fresh tiny model of each family."""
    return FAMILIES[request.param]()


@pytest.fixture
def llama() -> LoadedModel:
    """A fresh tiny Llama."""
    return tiny_llama()


@pytest.fixture(scope="session")
def default_model() -> LoadedModel:
    """The default model; the test is skipped where its wheel is not installed."""
    try:
        folder = ensure_default_model()
    except ModelNotFound as error:
        pytest.skip(str(error))
    return load(str(folder), device="cpu")
