"""Linear maps by their dotted name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from knowledgesmith.editors.architectures.discover import linear_maps
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from torch import nn

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.models.loaded import LoadedModel


def linear_map(loaded: LoadedModel, name: str) -> Projection:
    """The linear map inside the blocks that has this name.

    Raises:
        InvalidInput: there is none; names one that there is.
    """
    if name in loaded.architecture.linear_names:
        return next(linear_maps(loaded.model.get_submodule(name), prefix=name))
    raise InvalidInput(
        "the model's blocks have no such linear map",
        field="map",
        value=name,
        hint=f"Their maps have names such as {loaded.architecture.linear_names[0]}.",
    )


def highest_block(loaded: LoadedModel, names: Iterable[str]) -> nn.Module:
    """The block behind which none of the maps lies."""
    blocks = loaded.architecture.block_names
    places = (place for name in names for place, block in enumerate(blocks) if name.startswith(f"{block}."))
    return loaded.architecture.block(max(places))
