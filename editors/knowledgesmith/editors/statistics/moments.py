"""Key statistics of a text: the uncentred second moment of each down projection's inputs (MEMIT, eq. 14: C0)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as save_tensors

from knowledgesmith.editors.files import write_durably
from knowledgesmith.editors.models.digests import state_sha256, text_sha256
from knowledgesmith.editors.surgery.hooks import capture_input, stop_after
from knowledgesmith.editors.text.encoding import encode, pad_right, pad_token_id
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel

_MOMENT = "second_moment"


class TextStatistics:
    """Second moments over all tokens of some sentences, computed on demand and cached by content.

    The cache key covers the model's whole state (weights, tokenizer, configuration, dtype, attached artefacts), the
    layer and the text, so that no model or text can use another's statistics. Call it while the model carries the
    weights that the statistics shall describe.

    Args:
        loaded: the model.
        sentences: plain texts; their order does not matter.
        cache_dir: folder of the cache files; ``None`` keeps results in memory only.
        artefacts: digests of the artefacts that are attached to the model now, in order.
        batch_rows: sentences in one forward pass.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        sentences: Sequence[str],
        cache_dir: Path | None,
        *,
        artefacts: Sequence[str] = (),
        batch_rows: int = 16,
    ) -> None:
        self._loaded = loaded
        self._sentences = sorted(sentences)
        self._cache_dir = cache_dir
        self._artefacts = tuple(artefacts)
        self._state = ""
        self._text_digest = text_sha256(*self._sentences)
        self._batch_rows = batch_rows
        self._moments: dict[int, Tensor] = {}

    def prepare(self, layers: Sequence[int]) -> None:
        """Compute what is missing of ``layers`` in one pass that ends at the highest of them.

        Raises:
            InvalidInput: the model has no such layer, or there is no text.
        """
        if not self._sentences:
            raise InvalidInput(
                "key statistics need text", field="statistics_text", hint="Give the sentences that the model must keep."
            )
        for layer in layers:
            self._loaded.architecture.down_projection(layer)
        missing = [layer for layer in sorted(set(layers)) if not self._recall(layer)]
        if missing:
            for layer, moment in self._measure(missing).items():
                self._keep(layer, moment)

    def second_moment(self, layer: int) -> Tensor:
        """E[k kᵀ] of the down projection of ``layer``. shape: (f, f), float32, on the CPU."""
        self.prepare([layer])
        return self._moments[layer]

    @torch.inference_mode()
    def _measure(self, layers: list[int]) -> dict[int, Tensor]:
        rows = sorted((encode(self._loaded.tokenizer, text) for text in self._sentences), key=len)
        sums: dict[int, Tensor] = {}
        tokens = 0
        for start in range(0, len(rows), self._batch_rows):
            chunk = rows[start : start + self._batch_rows]
            for layer, keys in self._keys(chunk, layers).items():
                # summing batches in float64 keeps the result independent of how many there are
                part = (keys.T @ keys).double().cpu()
                sums[layer] = sums[layer] + part if layer in sums else part
            tokens += sum(map(len, chunk))
        return {layer: (total / tokens).float() for layer, total in sums.items()}

    def _keys(self, rows: list[list[int]], layers: list[int]) -> dict[int, Tensor]:
        loaded = self._loaded
        batch = pad_right(rows, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
        with ExitStack() as stack:
            seen = {
                layer: stack.enter_context(capture_input(loaded.architecture.down_projection(layer).module))
                for layer in layers
            }
            with stop_after(loaded.architecture.block(layers[-1])):
                loaded.model(**batch.arguments(), use_cache=False)
        real = batch.attention_mask.bool()
        return {layer: capture.value[real].float() for layer, capture in seen.items()}

    def _file(self, layer: int) -> Path | None:
        if self._cache_dir is None:
            return None
        if not self._state:
            self._state = state_sha256(self._loaded, self._artefacts)
        name = text_sha256(self._state, str(layer), self._text_digest)
        return self._cache_dir / f"{name}.safetensors"

    def _recall(self, layer: int) -> bool:
        if layer in self._moments:
            return True
        file = self._file(layer)
        if file is None or not file.is_file():
            return False
        try:
            moment = load_file(file)[_MOMENT]
        except (SafetensorError, KeyError, OSError):
            # an unreadable cache file is measured again and replaced
            return False
        self._moments[layer] = moment
        return True

    def _keep(self, layer: int, moment: Tensor) -> None:
        self._moments[layer] = moment
        file = self._file(layer)
        if file is not None:
            write_durably(file, save_tensors({_MOMENT: moment}))
