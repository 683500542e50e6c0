"""Which object a CONFLICT probe states: the set keeps its fact, not the entity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.language.filling import fill, opened
from knowledgesmith.graph_schema.probes.wording.verbalise import ASKED
from knowledgesmith.graph_schema.types.facts import Direction, Form, fact_id
from knowledgesmith.graph_schema.types.probes import Probe

_END: Final = "\x1e"
_ARTICLE: Final = re.compile(r"\b(?:the|an?) $", re.IGNORECASE)


def stated_object(probe: Probe, lexicon: Lexicon) -> str | None:
    """The uid of the object, read from the statement's text and proved by the fact's id; ``None`` where none fits."""
    relation = lexicon.relation(probe.path[0])
    subject = lexicon.entity(probe.anchor).name
    text = probe.stem.removesuffix(ASKED)
    for template in relation.templates:
        if (template.direction, template.form) != (Direction.FORWARD, Form.STATEMENT):
            continue
        for name in _names(text, fill(opened(template.text), subject=subject, obj=_END)):
            for uid in lexicon.named(name):
                if probe.fact_ids == (fact_id(lexicon.graph_id, probe.anchor, relation.name, uid),):
                    return uid
    return None


def _names(text: str, frame: str) -> Iterator[str]:
    """What may be the name at the frame's mark: an article before it, and a mark after it, may be the name's own."""
    before, _, after = frame.partition(_END)
    other = _ARTICLE.sub("", before)
    starts = {before, other, *(f"{other}{article} " for article in ("a", "an") if other != before)}
    for start in sorted(starts, key=len, reverse=True):
        for end in (after, after[1:]):
            fits = len(text) > len(start) + len(end) and text[1 : len(start)] == start[1:] and text.endswith(end)
            if fits:
                yield text[len(start) : len(text) - len(end)]
