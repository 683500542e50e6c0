"""Training phrasings behind other text, for relations that have few of them.

The key of a subject depends on the text before it. A relation whose wording was made from its name has two phrasings,
both with the subject near their beginning; a value that is written at their keys alone is not met where the same words
stand behind something. MEMIT puts texts that it samples from the model before every prompt; here it is the mark of a
list or a sentence, so that nothing the model says by itself is learned from, and every run repeats. The sentences are
the bundled ones, which are English; before a prompt in another script stand facts of its own graph, of those that the
request shows as plain text anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain

from knowledgesmith.editors.requests import FactUpdate, Prompt, UpdateRequest
from knowledgesmith.editors.text.sentences import general_text
from knowledgesmith.graph_schema.language.joining import joined, script_of

_MARKS = ("-", "•")
_BUNDLED = "LATIN"
_ONE_WRITING = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}
"""Scripts that stand in the texts of another one."""


def in_contexts(request: UpdateRequest, *, least: int) -> UpdateRequest:
    """The request with at least ``least`` phrasings of every update, as far as the evaluation leaves any free.

    An update that has as many is left as it is.
    """

    @cache
    def texts(script: str) -> list[str]:
        own = (text for text in request.statistics_text if _script(text) == script)
        return sorted(general_text() if script == _BUNDLED else own, key=lambda text: (len(text), text))

    return replace(request, updates=tuple(_widened(update, request, least, texts) for update in request.updates))


def _widened(
    update: FactUpdate, request: UpdateRequest, least: int, texts: Callable[[str], Sequence[str]]
) -> FactUpdate:
    prompts = tuple(dict.fromkeys(update.prompts))
    if len(prompts) >= least:
        return update
    found = list(prompts)
    for prompt in _behind(prompts, _sentences(update, texts)):
        if len(found) >= least:
            break
        if request.permits(prompt.text):
            found.append(prompt)
    return replace(update, prompts=tuple(found)) if len(found) > len(prompts) else update


def _sentences(update: FactUpdate, texts: Callable[[str], Sequence[str]]) -> Sequence[str]:
    """Sentences in the script of the prompts, the shortest ones first; no fact that names what the update is about."""
    script = _script(update.prompts[0].text)
    if script == _BUNDLED:
        return texts(script)
    named = [name for name in (update.prompts[0].subject, update.old, update.new) if name]
    return [text for text in texts(script) if not any(name in text for name in named)]


def _script(text: str) -> str:
    """The script that most letters of a text are of; empty where it has none."""
    scripts = (script_of(sign) for sign in text if sign.isalpha())
    found = Counter(_ONE_WRITING.get(script, script) for script in scripts)
    return min(found, key=lambda script: (-found[script], script)) if found else ""


def _behind(prompts: tuple[Prompt, ...], sentences: Sequence[str]) -> Iterator[Prompt]:
    """The phrasings in turns, each behind the next context: marks first, then the sentences."""
    for number, context in enumerate(chain(_MARKS, sentences)):
        prompt = prompts[number % len(prompts)]
        text = f"{context} {prompt.text}" if context in _MARKS else joined(context, prompt.text)
        moved = len(text) - len(prompt.text)
        yield Prompt(text=text, start=prompt.start + moved, end=prompt.end + moved)
