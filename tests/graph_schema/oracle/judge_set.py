"""Judges a bulk set: every probe is right, and every question that can be asked is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tests.graph_schema.oracle.judge import Judge
from tests.graph_schema.oracle.reasoning import Triple
from tests.graph_schema.oracle.shares import Shares
from tests.graph_schema.oracle.worlds import World

from knowledgesmith.graph_schema.probes.generation.generate import ProbeSetData
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

Asked = tuple[str, tuple[str, ...]]


def check_set(data: ProbeSetData, world: World) -> None:
    """Everything that the brute-force closure can say about a set.

    Raises:
        AssertionError: the set says something else.
    """
    shares = Shares(Judge(worlds=(world,)))
    judge = Judge(worlds=(world,), own=shares.own)
    for probe in data.probes:
        judge.check(probe, (probe.answers,))
    verdicts = {"false_answer", "true_distractor", "not_unique", "shortcut", "no_answer"}
    assert verdicts.isdisjoint(data.dropped), data.dropped
    by_kind = {kind: [probe for probe in data.probes if probe.kind is kind] for kind in ProbeKind}
    forward, backward = _answers(judge.truths[0])
    for kind in (ProbeKind.DIRECT, ProbeKind.CONTEXTUAL):
        _check_asked(by_kind[kind], forward, shares)
    _check_asked(by_kind[ProbeKind.REVERSE], backward, shares)
    _check_statements(by_kind[ProbeKind.CONFLICT], shares)
    _check_chains(by_kind[ProbeKind.MULTI_HOP], shares)


def _answers(truth: frozenset[Triple]) -> tuple[dict[Asked, set[str]], dict[Asked, set[str]]]:
    forward: dict[Asked, set[str]] = {}
    backward: dict[Asked, set[str]] = {}
    for s, r, o in truth:
        forward.setdefault((s, (r,)), set()).add(o)
        backward.setdefault((o, (f"~{r}",)), set()).add(s)
    return forward, backward


def _check_asked(probes: list[Probe], expected: Mapping[Asked, set[str]], shares: Shares) -> None:
    """A question is missing only where nothing false can stand beside an answer, or something gives it away."""
    judge = shares.judge
    asked = {(probe.anchor, probe.path) for probe in probes}
    assert asked <= expected.keys()
    for anchor, path in expected.keys() - asked:
        right = expected[anchor, path]
        taken = {anchor, *right, *judge.may_be(anchor, path)}
        hindered = (
            judge.ambiguous(anchor)
            or any(_no_company(uid, taken, judge) for uid in right)
            or any(not judge.surfaces(uid).isdisjoint(judge.surfaces(anchor)) for uid in right)
            or any(_name_inside(uid, anchor, path, judge) for uid in right)
            or shares.predictable(path[0], 1, right, taken)
        )
        assert hindered, f"{anchor} {path} could have been asked: {right}"


def _no_company(answer: str, excluded: set[str], judge: Judge) -> bool:
    """Whether no other entity of the answer's type could be told from it, and from every other by its name."""
    kind = judge.graph.entities[answer].type
    return judge.ambiguous(answer) or all(
        judge.ambiguous(uid) or not judge.surfaces(uid).isdisjoint(judge.surfaces(answer))
        for uid, entity in judge.graph.entities.items()
        if entity.type == kind and uid not in excluded
    )


def _name_inside(answer: str, anchor: str, path: tuple[str, ...], judge: Judge) -> bool:
    """Whether the answer's name stands in the texts that a question is made of."""
    names = [step.removeprefix("~") for step in path]
    texts = [template.text for name in names for template in judge.graph.relations[name].templates]
    return any(judge.says(text, [answer]) for text in (judge.graph.entities[anchor].name, *texts))


def _check_statements(probes: list[Probe], shares: Shares) -> None:
    """As many false as true statements of each subject and relation; all true ones, where false ones are no scarcer."""
    judge = shares.judge
    true = {judge.statement(probe) for probe in probes if probe.option_uids[probe.answers[0]] == "true"}
    false = [judge.statement(probe) for probe in probes if probe.option_uids[probe.answers[0]] == "false"]
    plain = {fact for fact in judge.truths[0] if not judge.ambiguous(fact[0]) and not judge.ambiguous(fact[2])}
    assert true <= plain
    assert len(set(false)) == len(false)
    assert Counter((s, r) for s, r, _ in true) == Counter((s, r) for s, r, _ in false)
    for s, r, _ in plain - true:
        assert shares.scarce(s, r, {o for a, b, o in judge.truths[0] if (a, b) == (s, r)}), f"{s} {r} could be stated"
    assert all(s != o for s, _, o in false)


def _check_chains(probes: list[Probe], shares: Shares) -> None:
    """The entities along the asked chains are those of every proper chain."""
    judge = shares.judge
    truth = judge.truths[0]
    found: set[tuple[str, ...]] = set()
    for probe in probes:
        found.add((probe.anchor, *(next(iter(step)) for step in judge.walk(probe, truth))))
    for length in (2, 3):
        for nodes in judge.chains(truth, length) - found:
            anchor, end = nodes[0], nodes[-1]
            taken = {*nodes, *judge.may_follow(nodes, truth)}
            hindered = (
                judge.ambiguous(anchor)
                or _no_company(end, taken, judge)
                or shares.predictable("", length, [end], taken)
                or judge.says(judge.graph.entities[anchor].name, [end])
                or any(
                    judge.says(template.text, [end])
                    for relation in judge.graph.relations.values()
                    for template in relation.templates
                )
            )
            assert hindered, f"the chain {nodes} could have been asked"
