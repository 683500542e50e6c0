"""Where the parts of a decoder are: the only vocabulary in which methods speak about a model's modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A linear map of a model: ``nn.Linear``, or GPT-2's ``Conv1D``, which stores its weight transposed.

    Attributes:
        name: dotted name of the module.
        module: the module; called with (..., in_features) it gives (..., out_features).
        weight_is_transposed: whether the parameter has shape (in, out) in place of (out, in).
    """

    name: str
    module: nn.Module
    weight_is_transposed: bool

    @property
    def parameter_name(self) -> str:
        """Dotted name of the weight."""
        return f"{self.name}.weight"

    @property
    def weight(self) -> Tensor:
        """The weight as the model stores it."""
        return cast("Tensor", self.module.weight)

    @property
    def in_features(self) -> int:
        """Width of the input (the keys)."""
        return self.weight.shape[0 if self.weight_is_transposed else 1]

    @property
    def out_features(self) -> int:
        """Width of the output (the values)."""
        return self.weight.shape[1 if self.weight_is_transposed else 0]

    def matrix(self) -> Tensor:
        """The weight as the map acts, a view. shape: (out, in)."""
        return self.weight.T if self.weight_is_transposed else self.weight

    def as_parameter(self, matrix: Tensor) -> Tensor:
        """Bring an (out, in) matrix into the layout of the parameter."""
        return matrix.T if self.weight_is_transposed else matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """The parts of one loaded model, found by structure (see ``architectures.discover``).

    Attributes:
        hidden_size: width of the residual stream.
        blocks: the decoder blocks, lowest first.
        block_names: their dotted names.
        down_projections: the last projection of each block's MLP; its input is the key, its output the value.
        final_norm: the norm before the head.
        lm_head: the output projection (may share its weight with the embedding).
        tied_head: whether it does.
        linear_names: dotted names of every linear map inside the blocks, in module order.
    """

    hidden_size: int
    blocks: tuple[nn.Module, ...]
    block_names: tuple[str, ...]
    down_projections: tuple[Projection, ...]
    final_norm: nn.Module
    lm_head: nn.Module
    tied_head: bool
    linear_names: tuple[str, ...]

    @property
    def num_layers(self) -> int:
        """Number of decoder blocks."""
        return len(self.blocks)

    def block(self, layer: int) -> nn.Module:
        """Decoder block ``layer``.

        Raises:
            InvalidInput: there is no such layer.
        """
        return self.blocks[self._checked(layer)]

    def down_projection(self, layer: int) -> Projection:
        """Down projection of block ``layer``.

        Raises:
            InvalidInput: there is no such layer.
        """
        return self.down_projections[self._checked(layer)]

    def all_linear_names(self) -> tuple[str, ...]:
        """Dotted names of every linear map inside the blocks (what a low-rank method may adapt)."""
        return self.linear_names

    def _checked(self, layer: int) -> int:
        if not 0 <= layer < self.num_layers:
            raise InvalidInput(
                "the model has no such layer",
                field="layer",
                value=layer,
                hint=f"Layers are 0 to {self.num_layers - 1}.",
            )
        return layer
