"""What a method is shown, text by text, compared with what is measured afterwards."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from knowledgesmith.graph_schema.language.spans import Phrases

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.requests import UpdateRequest


@contextmanager
def texts_shown(loaded: LoadedModel) -> Generator[set[str]]:
    """Every text that is tokenised inside the block: prefixes, contexts and whatever else a method puts around them."""
    seen: set[str] = set()
    kind = cast("Any", type(loaded.tokenizer))
    names = ("__call__", "encode")
    originals = {name: getattr(kind, name) for name in names}
    inherited = {name for name in names if name not in vars(kind)}

    def spy(name: str) -> Any:
        def read(self: Any, text: Any, *args: Any, **kwargs: Any) -> Any:
            seen.update([text] if isinstance(text, str) else text)
            return originals[name](self, text, *args, **kwargs)

        return read

    for name in names:
        setattr(kind, name, spy(name))
    try:
        yield seen
    finally:
        for name in names:
            if name in inherited:
                delattr(kind, name)
            else:
                setattr(kind, name, originals[name])


def texts_of(request: UpdateRequest) -> set[str]:
    """Every text of a request as it stands: updates, neutral questions, retained rows with their answers, sentences."""
    found = {prompt.text for update in request.updates for prompt in (*update.prompts, *update.neutral_prompts)}
    found |= {f"{row.prompt.text} {row.answer}" for row in request.retain}
    return found | set(request.statistics_text)


def check_texts(texts: Iterable[str], evaluated: Iterable[str]) -> None:
    """Fail when a text holds an evaluated phrasing.

    Raises:
        AssertionError: names the text.
    """
    phrases = Phrases(spans=frozenset(evaluated))
    held = sorted(text for text in texts if phrases.held_by(text))
    assert not held, f"evaluated phrasing shown in training: {held[0]!r} and {len(held) - 1} more"
