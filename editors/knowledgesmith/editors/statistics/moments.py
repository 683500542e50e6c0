"""Moments of linear maps over a text: measured once for a corpus, and for a text near it by the difference alone.

The uncentred second moment of a down projection's inputs is the C0 of locate-then-edit methods (MEMIT, equation 14);
beside the moment of the gradients of its outputs it is a K-FAC factor. What a plan asks must not be in its statistics,
so every plan has a text of its own; they all are one fixed text less a few sentences, whose sums are subtracted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.models.digests import state_sha256
from knowledgesmith.editors.statistics.corpus import Corpus, parts_of
from knowledgesmith.editors.statistics.differences import combined
from knowledgesmith.editors.statistics.identity import Identity, Kind, Sum
from knowledgesmith.editors.statistics.maps import linear_map
from knowledgesmith.editors.statistics.passes import Seen, Wanted, pass_over
from knowledgesmith.editors.statistics.spectra import Spectrum, spectrum
from knowledgesmith.editors.statistics.store import DEFAULT_LIMIT_BYTES, StatisticsStore
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel

_CHUNK = 256
"""Sentences that are summed before what is kept is looked at again."""
_PAUSE_S = 30.0
"""Between two writes of partial sums, which are as large as whole ones."""


class TextStatistics:
    """Moments over all tokens of some sentences, computed on demand and kept by content.

    The identity of what is kept covers the model's whole state (weights, tokenizer, configuration, dtype, attached
    artefacts), the map and the text, so that no model or text can use another's statistics. Call it while the model
    carries the weights that the statistics shall describe. A pass that was interrupted goes on behind the last chunk
    of sentences that it finished.

    Args:
        loaded: the model.
        sentences: plain texts; their order does not matter.
        cache_dir: folder of the files; ``None`` keeps results in memory only.
        corpus: a fixed text that most of ``sentences`` are of. What is kept is over this text; the sentences that it
            has and ``sentences`` has not are measured each time and subtracted, those that it lacks are added.
        artefacts: digests of the artefacts that are attached to the model now, in order.
        batch_rows: sentences in one forward pass.
        chunk: sentences after which a pass can be gone on with.
        pause_s: seconds between two writes of partial sums; a process that dies loses what it summed since.
        limit_bytes: bound of the folder.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        sentences: Sequence[str],
        cache_dir: Path | None,
        *,
        corpus: Sequence[str] = (),
        artefacts: Sequence[str] = (),
        batch_rows: int = 16,
        chunk: int = _CHUNK,
        pause_s: float = _PAUSE_S,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self._loaded = loaded
        self._parts = parts_of(sentences, corpus)
        self._empty = not sentences
        self._store = None if cache_dir is None else StatisticsStore(cache_dir, limit_bytes=limit_bytes)
        self._artefacts = tuple(artefacts)
        self._batch_rows = batch_rows
        self._chunk = chunk
        self._pause_s = pause_s
        self._partial: dict[tuple[str, Wanted], Sum] = {}
        self._found: dict[Wanted, Sum] = {}

    def prepare(self, layers: Sequence[int]) -> None:
        """Compute what is missing of the down projections of ``layers`` in one pass that ends at the highest of them.

        Raises:
            InvalidInput: the model has no such layer, or there is no text.
        """
        self.prepare_maps([self._loaded.architecture.down_projection(layer).name for layer in layers])

    def second_moment(self, layer: int) -> Tensor:
        """E[k kᵀ] of the down projection of ``layer``. shape: (f, f), float32, on the CPU."""
        return self.moment(self._loaded.architecture.down_projection(layer).name).float()

    def prepare_maps(self, names: Iterable[str], *, kinds: Iterable[Kind] = (Kind.KEYS,)) -> None:
        """Compute what is missing of these kinds for these maps, all in one pass over the text.

        Raises:
            InvalidInput: the model has no such linear map, or there is no text.
            ModelNotFinite: what the model computes is not finite.
            Cancelled: nobody waits any more; finished chunks are kept.
        """
        if self._empty:
            raise InvalidInput(
                "key statistics need text", field="statistics_text", hint="Give the sentences that the model must keep."
            )
        wanted: list[Wanted] = [(name, kind) for name in dict.fromkeys(names) for kind in dict.fromkeys(kinds)]
        for name, _ in wanted:
            linear_map(self._loaded, name)
        missing = [item for item in wanted if item not in self._found]
        if not missing:
            return
        parts = self._parts
        whole = self._summed(parts.whole, missing, self._store)
        removed = self._summed(parts.removed, missing, None)
        added = self._summed(parts.added, missing, None)
        for item in missing:
            found = combined(item[1], whole[item], removed=removed.get(item), added=added.get(item))
            self._found[item] = found
        self._partial.clear()

    def moment(self, name: str, kind: Kind = Kind.KEYS) -> Tensor:
        """The mean of a kind for a map, over tokens (``FISHER``: over sentences). float64, on the CPU."""
        self.prepare_maps([name], kinds=[kind])
        return self._found[name, kind].mean()

    def key_moment(self, name: str) -> Tensor:
        """A = E[k kᵀ] of a map. shape: (f, f), float64, on the CPU."""
        return self.moment(name, Kind.KEYS)

    def gradient_moment(self, name: str) -> Tensor:
        """G = E[g gᵀ] of a map (``Kind.GRADIENTS``). shape: (d, d), float64, on the CPU."""
        return self.moment(name, Kind.GRADIENTS)

    def tokens(self, name: str, kind: Kind = Kind.KEYS) -> int:
        """Tokens that a statistic was taken over."""
        self.prepare_maps([name], kinds=[kind])
        return self._found[name, kind].tokens

    def spectrum(self, name: str, kind: Kind = Kind.KEYS) -> Spectrum:
        """Eigenvalues of a moment; not of ``FISHER``, which is no matrix of that kind.

        Raises:
            InvalidInput: of what :meth:`prepare_maps` refuses, and of ``FISHER``.
        """
        if kind is Kind.FISHER:
            raise InvalidInput("a diagonal has no spectrum", field="kind", value=kind.value, hint="Ask for its moment.")
        return spectrum(self.moment(name, kind), tokens=self.tokens(name, kind))

    def export(self, name: str, target: Path, *, kind: Kind = Kind.KEYS) -> None:
        """Write the statistic of the fixed text for somebody with the same model (:meth:`adopt`), measured if need be.

        Raises:
            InvalidInput: there is no folder of statistics.
        """
        self.prepare_maps([name], kinds=[kind])
        whole = self._parts.whole
        self._folder().export(self._identity(whole, (name, kind)), target, sentences=len(whole))

    def adopt(self, source: Path, name: str, *, kind: Kind = Kind.KEYS) -> None:
        """Take over a statistic of the fixed text that somebody exported.

        Raises:
            InvalidInput: it is of another model, map, kind or text, or damaged.
        """
        projection = linear_map(self._loaded, name)
        f, d = projection.in_features, projection.out_features
        shape = {Kind.KEYS: (f, f), Kind.GRADIENTS: (d, d), Kind.FISHER: (d, f)}[kind]
        whole = self._parts.whole
        self._folder().adopt(source, self._identity(whole, (name, kind)), shape=shape, sentences=len(whole))

    def _folder(self) -> StatisticsStore:
        if self._store is None:
            raise InvalidInput("these statistics are in memory only", field="cache_dir", hint="Name a folder.")
        return self._store

    @cached_property
    def _state(self) -> str:
        return state_sha256(self._loaded, self._artefacts)

    def _identity(self, corpus: Corpus, wanted: Wanted) -> Identity:
        return Identity(state=self._state, map=wanted[0], kind=wanted[1], corpus=corpus.digest)

    def _summed(self, corpus: Corpus, wanted: Sequence[Wanted], store: StatisticsStore | None) -> dict[Wanted, Sum]:
        """Sums over a whole corpus; what is kept of them already is gone on with. Empty without sentences."""
        sums = {item: self._begun(corpus, item, store) for item in wanted} if len(corpus) else {}
        written = time.monotonic()
        while open_ := [item for item, found in sums.items() if found.sentences < len(corpus)]:
            start = min(sums[item].sentences for item in open_)
            behind = [item for item in open_ if sums[item].sentences == start]
            # up to where the others are: from there on all go together
            ahead = [sums[item].sentences for item in open_ if sums[item].sentences > start]
            end = min(start + self._chunk, len(corpus), *ahead)
            seen = self._pass(corpus.sentences[start:end], behind)
            for item in behind:
                sums[item] = _more(sums[item], seen, item)
                self._partial[corpus.digest, item] = sums[item]
            due = end == len(corpus) or time.monotonic() - written >= self._pause_s
            if store is not None and due:
                for item in behind:
                    store.save(self._identity(corpus, item), _here(sums[item]))
                written = time.monotonic()
        return {item: _here(found) for item, found in sums.items()}

    def _begun(self, corpus: Corpus, item: Wanted, store: StatisticsStore | None) -> Sum:
        if (corpus.digest, item) in self._partial:
            return self._partial[corpus.digest, item]
        kept = None if store is None else store.load(self._identity(corpus, item))
        return Sum(total=torch.zeros((), dtype=torch.float64)) if kept is None else kept

    def _pass(self, sentences: Sequence[str], wanted: Sequence[Wanted]) -> Seen:
        rows = sorted((encode(self._loaded.tokenizer, text) for text in sentences), key=len)
        maps = {item: linear_map(self._loaded, item[0]) for item in wanted}
        return pass_over(self._loaded, rows, maps, batch_rows=self._batch_rows)


def _more(before: Sum, seen: Seen, item: Wanted) -> Sum:
    """A sum with the next sentences; it stays on the device until the pass is over."""
    part = seen.sums[item]
    return Sum(
        total=before.total.to(part.device) + part,
        items=before.items + (seen.sentences if item[1] is Kind.FISHER else seen.tokens),
        tokens=before.tokens + seen.tokens,
        sentences=before.sentences + seen.sentences,
    )


def _here(found: Sum) -> Sum:
    return replace(found, total=found.total.cpu())
