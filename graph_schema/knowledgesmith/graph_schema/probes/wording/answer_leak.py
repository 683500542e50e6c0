"""Whether a question says its own answer, so that it will not be asked."""

from __future__ import annotations

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.wording.phrasing import Phraser
from knowledgesmith.graph_schema.probes.wording.verbalise import stands_in


class Telling:
    """Judges questions by anchor, path and answer; questions about one anchor come together."""

    def __init__(self, lexicon: Lexicon, phraser: Phraser) -> None:
        self._lexicon = lexicon
        self._phraser = phraser
        self._frames: dict[tuple[str, ...], list[str]] = {}
        self._anchor = (-1, "")

    def told(self, anchor: int, path: tuple[str, ...], answer: int) -> bool:
        """Whether every phrasing holds a name of the answer, or there is no phrasing (dense indices)."""
        if self._anchor[0] != anchor:
            self._anchor = (anchor, self._lexicon.entities[anchor].name.casefold())
        names = self._lexicon.surfaces[answer]
        return stands_in(self._anchor[1], names) or all(stands_in(frame, names) for frame in self._of(path))

    def _of(self, path: tuple[str, ...]) -> list[str]:
        frames = self._frames.get(path)
        if frames is None:
            frames = self._frames[path] = [text.casefold() for text in self._phraser.frames(path)]
        return frames
