"""A second model over the same base weights, for questions beside an intervention.

A view has modules of its own, and parameters that begin with the memory of the model's own. Nothing writes to that
memory (``artefacts.apply_deltas``, ``borrowing.borrowed``: a change stands in memory of its own). So whatever an
intervention does to the model meanwhile, the view is the base until it is switched to a revision itself; and whatever
the view shows, the model's results stay the same, bit for bit. It costs the memory of what a revision changes, while it
shows one.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from torch import nn

from knowledgesmith.editors.architectures.discover import discover
from knowledgesmith.editors.models.loaded import LoadedModel


def view_of(loaded: LoadedModel, *, own_tokenizer: bool = True) -> LoadedModel:
    """A view of a model; take it while the model shows its base and nothing hangs on it.

    Args:
        loaded: the model, or a view of it.
        own_tokenizer: whether the view has a copy: a tokenizer that two threads use at once may refuse to work.
    """
    shared: dict[int, Any] = {}
    for parameter in loaded.model.parameters():
        shared[id(parameter)] = nn.Parameter(parameter.data, requires_grad=False)
    for buffer in loaded.model.buffers():
        shared[id(buffer)] = buffer
    model = deepcopy(loaded.model, shared)
    tokenizer = deepcopy(loaded.tokenizer) if own_tokenizer else loaded.tokenizer
    return LoadedModel(model=model, tokenizer=tokenizer, architecture=discover(model), digest=loaded.digest)
