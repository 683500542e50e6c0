"""Which keys an edit writes at: look-ups, and which prompts share one.

The key of a prompt at its subject depends on the tokens up to there alone (causal attention). So prompts that begin
with the same text up to the subject have the same key in every layer, whatever they ask. A linear update can give one
key one value only: columns of equal key with different wanted values would be averaged, and an edit beside n retained
columns of its own key would come out as 1/(1+n) of itself. Hence

- facts whose prompts share a key share one value change, which is searched for all of them together;
- a retained prompt that shares an edited key is no column of the solve: the search keeps what the model says there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.editors.locate.lookups import Lookup, lookup

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from knowledgesmith.editors.requests import UpdateRequest

EQUAL = 0.999
"""Cosine of two keys from which on a linear map cannot tell them apart in practice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Prompts whose keys enter a solve: first those of the edits, then the retained ones.

    Attributes:
        lookups: all of them.
        slots: number of the value change that each leading look-up is given. The rest are retained.
        columns: for each update of the request, the look-ups (indices) of its prompts.
        slot_of: for each update of the request, its value change.
    """

    lookups: tuple[Lookup, ...]
    slots: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]
    slot_of: tuple[int, ...]

    @property
    def edits(self) -> int:
        """Number of edited look-ups."""
        return len(self.slots)


def locate(tokenizer: PreTrainedTokenizerBase, request: UpdateRequest, *, retain: bool) -> Keys:
    """Edited look-ups without repeats, then the retained ones that share no key with them.

    Args:
        tokenizer: of the model.
        request: in canonical order.
        retain: whether retained rows are columns, each at its subject and at its last token.
    """
    found = [[lookup(tokenizer, prompt) for prompt in dict.fromkeys(update.prompts)] for update in request.updates]
    slot_of = value_slots(found)
    numbers: dict[tuple[int, ...], int] = {}
    edited: list[Lookup] = []
    columns: list[tuple[int, ...]] = []
    for lookups in found:
        for item in lookups:
            if item.key not in numbers:
                numbers[item.key] = len(edited)
                edited.append(item)
        columns.append(tuple(dict.fromkeys(numbers[item.key] for item in lookups)))
    slots = {column: slot for slot, own in zip(slot_of, columns, strict=True) for column in own}
    kept: dict[tuple[int, ...], Lookup] = {}
    for prompt in dict.fromkeys(row.prompt for row in request.retain) if retain else ():
        item = lookup(tokenizer, prompt)
        for one in (item, Lookup(ids=item.ids, position=len(item.ids) - 1)):
            if one.key not in numbers:
                kept.setdefault(one.key, one)
    return Keys(
        lookups=(*edited, *kept.values()),
        slots=tuple(slots[column] for column in range(len(edited))),
        columns=tuple(columns),
        slot_of=slot_of,
    )


def value_slots(lookups: Sequence[Sequence[Lookup]]) -> tuple[int, ...]:
    """For each update, the number of its value change: updates that share a key, directly or in turn, share it."""
    parent = list(range(len(lookups)))

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    owner: dict[tuple[int, ...], int] = {}
    for index, own in enumerate(lookups):
        for item in own:
            first, second = sorted((root(owner.setdefault(item.key, index)), root(index)))
            parent[second] = first
    numbers = {r: n for n, r in enumerate(dict.fromkeys(root(index) for index in range(len(lookups))))}
    return tuple(numbers[root(index)] for index in range(len(lookups)))


def distinct_from(edited: torch.Tensor, retained: torch.Tensor) -> torch.Tensor:
    """Which retained keys a linear map can tell from every edited one. shapes: (f, n), (f, m) -> (m,), bool."""
    one = edited / edited.norm(dim=0).clamp_min(1e-30)
    other = retained / retained.norm(dim=0).clamp_min(1e-30)
    closest: torch.Tensor = (other.T @ one).amax(dim=1)
    return closest <= EQUAL
