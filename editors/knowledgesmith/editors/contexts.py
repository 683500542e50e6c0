"""Training phrasings behind other text, for relations that have few of them.

The key of a subject depends on the text before it. A relation whose wording was made from its name has two phrasings,
both with the subject near their beginning; a value that is written at their keys alone is not met where the same words
stand behind something. MEMIT puts texts that it samples from the model before every prompt; here it is the mark of a
list or a bundled sentence, so that nothing the model says by itself is learned from, and every run repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from knowledgesmith.editors.requests import FactUpdate, Prompt, UpdateRequest
from knowledgesmith.editors.sentences import general_text

_MARKS = ("-", "•")


def in_contexts(request: UpdateRequest, *, least: int) -> UpdateRequest:
    """The request with at least ``least`` phrasings of every update, as far as the evaluation leaves any free.

    An update that has as many is left as it is.
    """
    return replace(request, updates=tuple(_widened(update, request, least) for update in request.updates))


def _widened(update: FactUpdate, request: UpdateRequest, least: int) -> FactUpdate:
    prompts = tuple(dict.fromkeys(update.prompts))
    found = list(prompts)
    for prompt in _behind(prompts):
        if len(found) >= least:
            break
        if request.permits(prompt.text):
            found.append(prompt)
    return replace(update, prompts=tuple(found)) if len(found) > len(prompts) else update


def _behind(prompts: tuple[Prompt, ...]) -> Iterator[Prompt]:
    """The phrasings in turns, each behind the next context: marks first, then sentences, the shortest ones first."""
    sentences = sorted(general_text(), key=lambda text: (len(text), text))
    for number, context in enumerate(chain(_MARKS, sentences)):
        prompt = prompts[number % len(prompts)]
        moved = len(context) + 1
        yield Prompt(text=f"{context} {prompt.text}", start=prompt.start + moved, end=prompt.end + moved)
