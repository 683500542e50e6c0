"""What a model says by itself: greedy tokens after untouched beginnings, and how they repeat, stop or agree.

Texts are not cut at a line break here, so that a model that says nothing but line breaks is seen as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.editors.scoring.generation import stop_ids
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import head_only_at
from knowledgesmith.editors.text.encoding import encode, plain_ids, prefix_ids

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel

Ids = tuple[int, ...]
NEW_TOKENS = 20
OPENING_TOKENS = 8
_LONG_RUN = 4
_HALF = 0.5
_BEGINNING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """How one text repeats itself: share of its pairs of neighbours that came before, and longest run of one token."""

    pairs: float
    run: int

    @property
    def stuck(self) -> bool:
        """Whether at least half of the text says again what it said, or one token stands four times in a row."""
        return self.pairs >= _HALF or self.run >= _LONG_RUN


def openings(loaded: LoadedModel, texts: Sequence[str]) -> list[Ids]:
    """The first tokens of each text, behind what attached contexts put there: something to go on from."""
    start = prefix_ids(loaded.tokenizer)
    found: list[Ids] = []
    for text in texts:
        ids = encode(loaded.tokenizer, text)[: len(start) + OPENING_TOKENS]
        opening = str(loaded.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
        [told] = plain_ids(loaded.tokenizer, [loaded.before(opening)])
        found.append((*start, *told, *ids[len(start) :]))
    return found


@torch.inference_mode()
def greedy(loaded: LoadedModel, prompts: Sequence[Ids], *, new_tokens: int = NEW_TOKENS) -> tuple[Ids, ...]:
    """Greedy continuation of each prompt, at most ``new_tokens``, ended by an end-of-text token (not included).

    Prompts of one length share a pass, so nothing is padded and no row depends on another.

    Args:
        loaded: the model.
        prompts: token ids, at least one a prompt.
        new_tokens: at least 1.
    """
    found: dict[int, Ids] = {}
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    for _, group in groupby(order, key=lambda i: len(prompts[i])):
        chosen = list(group)
        found.update(zip(chosen, _continue(loaded, [prompts[i] for i in chosen], new_tokens), strict=True))
    return tuple(found[i] for i in range(len(prompts)))


def _continue(loaded: LoadedModel, prompts: list[Ids], new_tokens: int) -> list[Ids]:
    fed: Tensor = torch.tensor(prompts, device=loaded.device)
    rows = torch.arange(len(prompts), device=loaded.device)
    cache: Any = None
    steps: list[list[int]] = []
    stops = stop_ids(loaded)
    running = set(range(len(prompts)))
    place = forward_context.prompting([fed.shape[1]] * len(prompts))
    for _ in range(new_tokens):
        last = torch.full_like(rows, fed.shape[1] - 1)
        with place, head_only_at(loaded.architecture.lm_head, rows=rows, positions=last):
            output = loaded.model(input_ids=fed, past_key_values=cache, use_cache=True)
        chosen: Tensor = output.logits[0].float().argmax(dim=-1)
        cache, fed = output.past_key_values, chosen[:, None]
        place = forward_context.continuing([1] * len(prompts))
        steps.append(chosen.tolist())
        running -= {row for row in running if steps[-1][row] in stops}
        if not running:
            break
    return [_until_stop([step[row] for step in steps], stops) for row in range(len(prompts))]


def _until_stop(ids: list[int], stops: frozenset[int]) -> Ids:
    end = next((place for place, token in enumerate(ids) if token in stops), len(ids))
    return tuple(ids[:end])


def repetition(ids: Sequence[int]) -> Repetition:
    """How a text repeats itself; a text of fewer than three tokens does not."""
    pairs = list(pairwise(ids))
    run = max((len(list(group)) for _, group in groupby(ids)), default=0)
    share = 1.0 - len(set(pairs)) / len(pairs) if len(pairs) > 1 else 0.0
    return Repetition(pairs=share, run=run)


def begins_alike(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether two continuations begin with the same three tokens, or are the same shorter text."""
    return tuple(before[:_BEGINNING]) == tuple(after[:_BEGINNING])


def commonest(texts: Sequence[Ids]) -> Ids:
    """The beginning that most continuations share, the first of equals; empty where there is none."""
    counted = Counter(ids[:_BEGINNING] for ids in texts)
    return max(counted, key=lambda key: counted[key]) if counted else ()
