"""Greedy generation in batches that gives each prompt the text it would get alone.

Rows are padded on the right and every token carries its own position; the gap between a short prompt and its
generated tokens is masked. So no row depends on its neighbours' lengths. Memories act at the end of each prompt, and
contexts stand before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.editors.models.windows import attention_window
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import head_only_at
from knowledgesmith.editors.text.encoding import encode, pad_right, pad_token_id, plain_ids
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.language.joining import joined

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel


ENOUGH = 8
"""Tokens of a short answer with what may stand before and behind it."""
_AROUND = 4


def length_of(loaded: LoadedModel, pairs: Sequence[tuple[str, str]]) -> int:
    """How many tokens a greedy text needs to say any of these answers and to show that it ends there.

    Args:
        loaded: the model.
        pairs: (stem, answer) pairs.
    """
    distinct = [pair for pair in dict.fromkeys(pairs) if pair[1].strip()]
    alone = plain_ids(loaded.tokenizer, [stem for stem, _ in distinct])
    whole = plain_ids(loaded.tokenizer, [joined(stem, answer.strip()) for stem, answer in distinct])
    longest = max((len(text) - len(stem) for stem, text in zip(alone, whole, strict=True)), default=0)
    return max(ENOUGH, longest + _AROUND)


def generate(
    loaded: LoadedModel, prompts: Sequence[str], *, max_new_tokens: int | Sequence[int], batch_rows: int = 32
) -> list[str]:
    """Greedy continuations, each cut at its first line break or end-of-text token, in the order of ``prompts``.

    Args:
        loaded: the model.
        prompts: plain texts to continue.
        max_new_tokens: longest continuation in tokens, at least 1: one for all prompts, or one for each
            (:func:`length_of`).
        batch_rows: prompts in one forward pass.

    Raises:
        InvalidInput: ``max_new_tokens`` or ``batch_rows`` is below 1, or the limits are not as many as the prompts.
    """
    limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    least = min(limits, default=1) if not isinstance(max_new_tokens, int) else max_new_tokens
    if least < 1 or batch_rows < 1:
        raise InvalidInput("must be at least 1", field="max_new_tokens", value=min(least, batch_rows))
    if len(limits) != len(prompts):
        raise InvalidInput("one limit for each prompt", field="max_new_tokens", value=len(limits))
    encoded = [encode(loaded.tokenizer, f"{loaded.before(prompt)}{prompt}") for prompt in prompts]
    order = sorted(range(len(prompts)), key=lambda i: (len(encoded[i]), i))
    texts = [""] * len(prompts)
    window = attention_window(loaded.model)
    for chosen in _batches(order, [len(ids) for ids in encoded], limits, rows=batch_rows, window=window):
        rows = _continue(loaded, [encoded[i] for i in chosen], [limits[i] for i in chosen])
        for index, text in zip(chosen, rows, strict=True):
            texts[index] = text
    return texts


def _batches(
    order: Sequence[int], lengths: Sequence[int], limits: Sequence[int], *, rows: int, window: int | None
) -> Iterator[list[int]]:
    """Prompts in chunks; where a window would count padding (``windows``), only prompts of one length together."""
    batch: list[int] = []
    for index in order:
        width = lengths[index] + max(limits[i] for i in (*batch, index))
        mixed = batch and window is not None and width > window and lengths[batch[0]] != lengths[index]
        if len(batch) == rows or mixed:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


@torch.inference_mode()
def _continue(loaded: LoadedModel, prompts: list[list[int]], limits: list[int]) -> list[str]:
    batch = pad_right(prompts, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
    lengths = torch.tensor(batch.lengths, device=loaded.device)
    rows = torch.arange(len(prompts), device=loaded.device)
    stops = stop_ids(loaded)
    generated: list[list[int]] = [[] for _ in prompts]
    running = [True] * len(prompts)
    arguments: dict[str, Any] = {**batch.arguments(), "use_cache": True}
    positions = lengths - 1
    place = forward_context.prompting(batch.lengths)
    for step in range(max(limits)):
        with place, head_only_at(loaded.architecture.lm_head, rows=rows, positions=positions):
            output = loaded.model(**arguments)
        chosen: Tensor = output.logits[0].float().argmax(dim=-1)
        _collect(loaded, chosen.tolist(), generated, running, stops)
        running = [alive and len(ids) < limit for alive, ids, limit in zip(running, generated, limits, strict=True)]
        if not any(running):
            break
        positions = torch.zeros_like(positions)
        place = forward_context.continuing([1] * len(prompts))
        arguments = {
            "input_ids": chosen[:, None],
            "attention_mask": torch.cat(
                [batch.attention_mask, batch.attention_mask.new_ones(len(prompts), step + 1)], dim=1
            ),
            "position_ids": (lengths + step)[:, None],
            "past_key_values": output.past_key_values,
            "use_cache": True,
        }
    return [_text(loaded, ids) for ids in generated]


def stop_ids(loaded: LoadedModel) -> frozenset[int]:
    """Tokens that end a generation."""
    found: set[int] = set()
    for source in (loaded.model.generation_config, loaded.tokenizer):
        value = getattr(source, "eos_token_id", None)
        found.update([value] if isinstance(value, int) else value or ())
    return frozenset(found)


def _collect(
    loaded: LoadedModel, chosen: list[int], generated: list[list[int]], running: list[bool], stops: frozenset[int]
) -> None:
    for row, token in enumerate(chosen):
        if not running[row]:
            continue
        if token in stops:
            running[row] = False
            continue
        generated[row].append(token)
        running[row] = "\n" not in _decode(loaded, [token])


def _text(loaded: LoadedModel, ids: list[int]) -> str:
    return _decode(loaded, ids).partition("\n")[0]


def _decode(loaded: LoadedModel, ids: list[int]) -> str:
    return str(loaded.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
