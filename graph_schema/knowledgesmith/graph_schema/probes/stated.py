"""Which object a CONFLICT probe states: the set keeps its fact, not the entity."""

from __future__ import annotations

from knowledgesmith.graph_schema.facts import Direction, Form, fact_id
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.types import Probe
from knowledgesmith.graph_schema.probes.verbalise import sentence
from knowledgesmith.graph_schema.templates import fill

_END = "\x1e"


def stated_object(probe: Probe, lexicon: Lexicon) -> str | None:
    """The uid of the object, read from the statement's text and proved by the fact's id; ``None`` where none fits."""
    relation = lexicon.relation(probe.path[0])
    subject = lexicon.entity(probe.anchor).name
    for template in relation.templates:
        if (template.direction, template.form) != (Direction.FORWARD, Form.STATEMENT):
            continue
        before, _, after = sentence(fill(template.text, subject=subject, obj=_END)).partition(_END)
        text = probe.stem.removesuffix(" True or false? Answer:")
        if len(text) <= len(before) + len(after) or text[1 : len(before)] != before[1:] or not text.endswith(after):
            continue
        name = text[len(before) : len(text) - len(after)]
        for uid in lexicon.named(name):
            if probe.fact_ids == (fact_id(lexicon.graph_id, probe.anchor, relation.name, uid),):
                return uid
    return None
