"""What a plan asks: the facts, the questions and the phrasings that nothing a method learns from may show.

A measurement after an update says something only about texts that were not trained. Three things are kept apart:

- *facts*: asked by a probe, part of a probe's chain, or changed by the update, with those that say the same the other
  way round;
- *questions* (subject, relation) of these facts: another object of the same question would train its distribution;
- *phrasings*: the stems of the probes, and every evaluation phrasing of an asked fact, drawn by this plan or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.language.filling import fill
from knowledgesmith.graph_schema.language.spans import Phrases, units
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD
from knowledgesmith.graph_schema.reasoning.closure import Rules, Triple, rules_of
from knowledgesmith.graph_schema.types.facts import Fact, Form, Split, fact_id
from knowledgesmith.graph_schema.types.plans import Plan
from knowledgesmith.graph_schema.types.probes import PlannedProbe, ProbeKind

_ASKING: Final = frozenset({Form.CLOZE, Form.QUESTION, Form.STATEMENT})
"""Forms that a probe is worded with by themselves; a noun phrase is only a part of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: ids of facts, questions as (subject uid, relation), and phrasings."""

    facts: frozenset[str]
    questions: frozenset[tuple[str, str]]
    phrases: Phrases


def asked_of(plan: Plan, *, lexicon: Lexicon, facts: Iterable[Fact], exclude: Collection[Triple] = ()) -> Asked:
    """Everything that a plan asks or changes.

    Args:
        plan: the plan.
        lexicon: names and relations of its graph.
        facts: the branch's asserted facts.
        exclude: further facts that count as asked.
    """
    rules = rules_of(lexicon.relations.values())
    ids = {fact for planned in plan.probes for fact in (planned.asked_fact_id, *planned.probe.fact_ids)}
    triples = {(c.subject, c.relation, c.object) for c in (*plan.overlay, *plan.derived)} | set(exclude)
    triples.update(triple for planned in plan.probes for triple in _answered(planned))
    ids.update(fact_id(lexicon.graph_id, *triple) for triple in triples)
    triples.update(_named(facts, ids, rules, lexicon.graph_id))
    triples.update([mirror for triple in triples for mirror in _mirrors(rules, triple, lexicon)])
    return Asked(
        facts=frozenset(ids | {fact_id(lexicon.graph_id, *triple) for triple in triples}),
        questions=frozenset(triple[:2] for triple in triples) | frozenset(_forward(plan.probes)),
        phrases=_phrases(plan.probes, triples, lexicon),
    )


def _named(facts: Iterable[Fact], ids: Collection[str], rules: Rules, graph_id: str) -> Iterator[Triple]:
    """The asserted facts that are among ``ids``, or say the same as one of them."""
    for fact in facts:
        if any(fact_id(graph_id, *triple) in ids for triple in (fact.key, *rules.mirrors(fact.key))):
            yield fact.key


def _mirrors(rules: Rules, triple: Triple, lexicon: Lexicon) -> Iterable[Triple]:
    return rules.mirrors(triple) if triple[1] in lexicon.relations else ()


def _answered(planned: PlannedProbe) -> Iterator[Triple]:
    """The facts that the answers of a question of one step stand for, derived ones too."""
    probe = planned.probe
    if len(probe.path) != 1 or probe.kind is ProbeKind.CONFLICT:  # true and false are no objects
        return
    (step,) = probe.path
    for number in {*probe.answers, *planned.before, *planned.after}:
        other = probe.option_uids[number]
        if step.startswith(BACKWARD):
            yield (other, step.removeprefix(BACKWARD), probe.anchor)
        else:
            yield (probe.anchor, step, other)


def _forward(probes: Iterable[PlannedProbe]) -> Iterator[tuple[str, str]]:
    """Questions about the anchors themselves, also where no answer is left."""
    for planned in probes:
        path = planned.probe.path
        if len(path) == 1 and not path[0].startswith(BACKWARD):
            yield (planned.probe.anchor, path[0])


def _phrases(probes: Iterable[PlannedProbe], triples: Iterable[Triple], lexicon: Lexicon) -> Phrases:
    texts: dict[str, frozenset[str]] = {}
    for planned in probes:
        probe = planned.probe
        names = frozenset(units(lexicon.entity(probe.anchor).name)) if probe.anchor in lexicon else _NONE
        texts.update((stem, names) for stem in (probe.stem, probe.counter_stem) if stem)
    for subject, relation, obj in triples:
        if relation not in lexicon.relations or subject not in lexicon or obj not in lexicon:
            continue
        one, other = lexicon.entity(subject).name, lexicon.entity(obj).name
        names = frozenset((*units(one), *units(other)))
        for template in lexicon.relations[relation].templates:
            if template.split is Split.EVAL and template.form in _ASKING:
                texts[fill(template.text, subject=one, obj=other)] = names
    # a phrasing that is nothing but a name would forbid every text about it
    bare = frozenset(text for text, names in texts.items() if names.issuperset(units(text)))
    return Phrases(spans=frozenset(texts) - bare, whole=bare)


_NONE: Final[frozenset[str]] = frozenset()
