"""What a value search must leave as it is: rows whose target is what the model itself says before the update.

All prompts about a subject have nearly one key, so a value that serves a new object moves everything else that the
model says about the subject. No linear update can tell them apart: the search has to find a value that does not. It is
held to the unedited model's own distributions, so no answer of the graph is learned from:

- at the subject's last token ("About {subject}"), and after openings that ask for nothing ("{subject} is"): what a
  model makes ready there is who the subject is, and its other facts hang on that. No relation of a graph is asked, so
  this holds where an evaluation asks every other fact of the subject;
- in the retained other facts of the subject, which are those that no evaluation asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.editors.locate.lookups import lookup
from knowledgesmith.editors.locate.value_search import SearchRow
from knowledgesmith.editors.objective.passes import own_distributions
from knowledgesmith.editors.objective.rows import Row, join
from knowledgesmith.editors.requests import Prompt

if TYPE_CHECKING:
    from knowledgesmith.editors.locate.keys import Keys
    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.requests import RetainRow, UpdateRequest

_ESSENCE = "About {s}"
_OPENINGS = ("{s} is", "{s} was", "{s} has", "{s} and", "In {s},", "The {s}")
_OWN_FACTS = 4
_MOST_OWN_FACTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Weights of the preserving rows, each shared by the rows of its kind about one subject.

    Attributes:
        essence: of what the model makes ready at the subject itself.
        openings: of what it says after openings about the subject.
        own_facts: of the subject's retained other facts.
    """

    essence: float
    openings: float
    own_facts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A row of a value change, where the change is added and what the row weighs."""

    slot: int
    row: Row
    position: int
    weight: float


def preserving_rows(model: LoadedModel, request: UpdateRequest, keys: Keys, shares: Shares) -> list[SearchRow]:
    """Rows of the search that hold what the model says; none of weight 0.

    Args:
        model: before the update.
        request: in canonical order.
        keys: of the request.
        shares: how much they weigh.
    """
    found = [
        kept
        for slot, subject in _subjects(request, keys)
        for kept in (
            *_essence(model, request, slot, subject, shares.essence),
            *_openings(model, request, slot, subject, shares.openings),
            *_own_facts(model, request, keys, slot, subject, shares.own_facts),
        )
        if kept.weight > 0
    ]
    targets = own_distributions(model.model, [kept.row for kept in found], device=model.device)
    return [
        SearchRow(row=kept.row, lookup=kept.position, edit=kept.slot, targets=own, weight=kept.weight, task=False)
        for kept, own in zip(found, targets, strict=True)
    ]


def _subjects(request: UpdateRequest, keys: Keys) -> dict[tuple[int, str], None]:
    """Each value change with each of its subjects, without repeats and in order."""
    return dict.fromkeys(
        (keys.slot_of[number], update.prompts[0].subject) for number, update in enumerate(request.updates)
    )


def _essence(model: LoadedModel, request: UpdateRequest, slot: int, subject: str, weight: float) -> Iterator[_Kept]:
    essence = Prompt.fill(_ESSENCE, subject)
    if request.permits(essence.text):
        about = lookup(model.tokenizer, essence)
        # what follows the subject is irrelevant: only the distribution at its last token is kept
        yield _Kept(slot=slot, row=Row(prompt=about.ids, answer=(0,)), position=about.position, weight=weight)


def _own_facts(
    model: LoadedModel, request: UpdateRequest, keys: Keys, slot: int, subject: str, weight: float
) -> Iterator[_Kept]:
    """Retained facts of the subject: all that share a key with its edits, and a few more."""
    edited = {keys.lookups[column].key for column, owner in enumerate(keys.slots) if owner == slot}
    own = [item for item in request.retain if item.prompt.subject == subject]
    shared = [item for item in own if lookup(model.tokenizer, item.prompt).key in edited][:_MOST_OWN_FACTS]
    others: list[RetainRow] = [item for item in own if item not in shared]
    chosen = shared + others[: max(0, _OWN_FACTS - len(shared))]
    for item in chosen:
        row = join(model.tokenizer, prompt=item.prompt.text, answer=item.answer)
        position = lookup(model.tokenizer, item.prompt).position
        # no more for each than where there are a few, so that many of them count more than one
        yield _Kept(slot=slot, row=row, position=position, weight=weight / min(len(chosen), _OWN_FACTS))


def _openings(model: LoadedModel, request: UpdateRequest, slot: int, subject: str, weight: float) -> Iterator[_Kept]:
    """What comes after each opening, but where that is what an update learns or an evaluation asks."""
    learned = {prompt.text.strip() for update in request.updates for prompt in update.prompts}
    prompts = [Prompt.fill(opening, subject) for opening in _OPENINGS]
    free = [prompt for prompt in prompts if prompt.text not in learned and request.permits(prompt.text)]
    for prompt in free:
        found = lookup(model.tokenizer, prompt)
        row = Row(prompt=found.ids, answer=(0,))
        yield _Kept(slot=slot, row=row, position=found.position, weight=weight / len(free))
