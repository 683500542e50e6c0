"""What a statistic is of, and the file that holds it: anyone who has the same model and text may use it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from knowledgesmith.editors.models.digests import tensor_bytes, text_sha256
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_HEADER = "knowledgesmith"
_SUM = "sum"
_FORMAT = 2


class Kind(StrEnum):
    """What is summed for a linear map y = W k over a text.

    - ``KEYS``: k kᵀ at every token; shape (f, f).
    - ``GRADIENTS``: g gᵀ at every token; shape (d, d). g is the gradient, with respect to y at that token, of the
      sentence's loss: the negative log-likelihood of next tokens that the model itself samples, one at every token. So
      the mean is the second K-FAC factor (Martens & Grosse 2015, arXiv 1503.05671, section 2.1: targets are drawn from
      the model, or it is no Fisher matrix; tokens as items: Eschenhagen et al. 2023, arXiv 2311.00636, "expand").
    - ``FISHER``: (∂ loss / ∂W)², elementwise, for every sentence by itself; shape (d, f). The loss is the negative
      log-likelihood of the sentence's own next tokens: the diagonal of the empirical Fisher matrix.
    """

    KEYS = "keys"
    GRADIENTS = "gradients"
    FISHER = "fisher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a statistic depends on; equal identities have equal values up to rounding.

    Attributes:
        state: digest of the model's whole state (``digests.state_sha256``).
        map: dotted name of the linear map.
        kind: what is summed.
        corpus: digest of the sentences (``corpus.Corpus.digest``).
    """

    state: str
    map: str
    kind: Kind
    corpus: str

    @property
    def digest(self) -> str:
        """One digest for all of it."""
        return text_sha256(self.state, self.map, self.kind.value, self.corpus)

    def parts(self) -> dict[str, str]:
        """The parts by name, as a file's header has them."""
        return {"state": self.state, "map": self.map, "kind": self.kind.value, "corpus": self.corpus}


@dataclass(slots=True, kw_only=True)
class Sum:
    """A sum over some sentences.

    Attributes:
        total: float64.
        items: what the mean is taken over: tokens, or sentences for ``FISHER``.
        tokens: tokens that were read.
        sentences: how many of a corpus's sentences are in it, from its first one on.
    """

    total: Tensor
    items: int = 0
    tokens: int = 0
    sentences: int = 0

    def mean(self) -> Tensor:
        """The mean over the items."""
        return self.total / self.items


def to_bytes(identity: Identity, found: Sum) -> bytes:
    """The content of a file."""
    total = found.total.cpu().contiguous()
    header: dict[str, Any] = {
        **identity.parts(),
        "format": _FORMAT,
        "items": found.items,
        "tokens": found.tokens,
        "sentences": found.sentences,
        "sha256": _sha256(total),
    }
    # one key only: the file format does not fix the order of several
    return save_tensors({_SUM: total}, {_HEADER: json.dumps(header, sort_keys=True, ensure_ascii=True)})


def read(file: Path) -> tuple[Identity, Sum]:
    """What a file holds.

    Raises:
        InvalidInput: it is no file of statistics, of another release, or damaged.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            header = cast("dict[str, Any]", json.loads(opened.metadata()[_HEADER]))
            total = cast("Tensor", opened.get_tensor(_SUM))
        if header["format"] != _FORMAT or header["sha256"] != _sha256(total) or total.dtype is not torch.float64:
            raise _unreadable(file)
        kind = Kind(header["kind"])
        identity = Identity(state=header["state"], map=header["map"], kind=kind, corpus=header["corpus"])
        counts = {name: int(header[name]) for name in ("items", "tokens", "sentences")}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise _unreadable(file) from error
    return identity, Sum(total=total, **counts)


def _sha256(total: Tensor) -> str:
    return hashlib.sha256(tensor_bytes(total)).hexdigest()


def _unreadable(file: Path) -> InvalidInput:
    return InvalidInput(
        "this is no file of statistics of this release, or it is damaged",
        field="statistics_file",
        value=str(file),
        hint="Have it exported again.",
    )
