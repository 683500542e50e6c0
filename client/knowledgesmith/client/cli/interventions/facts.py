"""What the user writes about a change: facts as words or in a file, gates, configuration."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from knowledgesmith.client._sync.client import KnowledgeSmith
from knowledgesmith.client._types.cases import Case
from knowledgesmith.client._types.enums import GateMetric, Goal, Scorer, TargetDistribution
from knowledgesmith.client._types.facts import FactChange
from knowledgesmith.client._types.interventions import Gate, InterventionSpec
from knowledgesmith.client.cli.interventions.structural import read_structural, structural_options
from knowledgesmith.client.cli.shared.numbers import COUNT, POSITIVE, SEED
from knowledgesmith.client.cli.shared.session import choose_branch

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_METHOD: Final = "alphaedit"
METRICS: Final = {item.value.lower(): item for item in GateMetric if item is not GateMetric.UNSPECIFIED}
SCORERS: Final = {item.value.lower().replace("_", "-"): item for item in Scorer if item is not Scorer.UNSPECIFIED}
_TARGETS: Final = [item.value.lower() for item in TargetDistribution if item is not TargetDistribution.UNSPECIFIED]
_LARGEST_RATIO: Final = 1_000_000
_GATE: Final = re.compile(r"\s*([a-z_]+)\s*(<=|>=)\s*([0-9]*\.?[0-9]+)\s*")
_MEMBERS: Final = ("subject", "relation", "old_object", "new_object")
_USAGE: Final = {
    Goal.EDIT: "Give SUBJECT RELATION [OLD] NEW, or --batch FILE, or --case ID.",
    Goal.UNLEARN: "Give SUBJECT RELATION [OLD], or --batch FILE, or --case ID.",
}


def read_changes(
    goal: Goal, words: Sequence[str], batch: Path | None, *, structural: bool = False
) -> tuple[FactChange, ...]:
    """The changes from the command's words or from a batch file; none where only the structure changes.

    Raises:
        click.UsageError: both or neither are given, or they do not fit the goal.
    """
    if structural and not words and not batch:
        return ()
    if bool(words) == bool(batch):
        raise click.UsageError(_USAGE[goal])
    if batch is not None:
        return read_batch(goal, batch)
    least = 3 if goal is Goal.EDIT else 2
    if not least <= len(words) <= least + 1:
        raise click.UsageError(_USAGE[goal])
    subject, relation, *objects = words
    new = objects.pop() if goal is Goal.EDIT else ""
    old = objects.pop() if objects else ""
    return (FactChange(subject=subject, relation=relation, old_object=old, new_object=new),)


def read_batch(goal: Goal, path: Path) -> tuple[FactChange, ...]:
    """One change a line: ``{"subject": …, "relation": …, "old_object": …, "new_object": …}``.

    Raises:
        click.UsageError: a line cannot be meant; the message names file and line.
    """
    changes: list[FactChange] = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}).") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            changes.append(_read_line(goal, line))
        except ValueError as error:
            raise click.UsageError(f"{path}:{number}: {error}") from None
    if not changes:
        raise click.UsageError(f"{path}: holds no change.")
    return tuple(changes)


def _read_line(goal: Goal, line: str) -> FactChange:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError("must be a JSON object.")  # noqa: TRY004 - one kind of mistake for the caller
    unknown = sorted(set(row) - set(_MEMBERS))
    if unknown:
        raise ValueError(f"unknown member {unknown[0]!r}; use {', '.join(_MEMBERS)}.")
    wrong = [name for name, value in row.items() if not isinstance(value, str)]
    if wrong:
        raise ValueError(f"{wrong[0]} must be a string.")
    needed = ("subject", "relation", "new_object") if goal is Goal.EDIT else ("subject", "relation")
    missing = [name for name in needed if not row.get(name)]
    if missing:
        raise ValueError(f"{missing[0]} is missing.")
    if goal is Goal.UNLEARN and row.get("new_object"):
        raise ValueError("new_object is not allowed when unlearning.")
    return FactChange(**row)


def read_gate(text: str) -> Gate:
    """A gate such as ``collateral<=0.05`` or ``propagated>=0.8``.

    Raises:
        click.BadParameter: the text cannot be meant.
    """
    match = _GATE.fullmatch(text)
    bound = float(match[3]) if match else math.inf
    if match is None or match[1] not in METRICS or bound > (1 if match[1] != "perplexity_ratio" else _LARGEST_RATIO):
        raise click.BadParameter(
            f"{text!r}: write METRIC<=X or METRIC>=X with one of {', '.join(METRICS)}; X is a share from 0 to 1 "
            f"(of perplexity_ratio from 0 to {_LARGEST_RATIO:,})."
        )
    metric = METRICS[match[1]]
    return Gate(metric=metric, max=bound) if match[2] == "<=" else Gate(metric=metric, min=bound)


def read_config(pairs: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` pairs; a value is JSON where it can be, else text.

    Raises:
        click.BadParameter: a pair has no ``=`` or no key, or a number of it is not finite.
    """
    config: dict[str, Any] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise click.BadParameter(f"{pair!r}: write KEY=VALUE.")
        try:
            config[key] = json.loads(value)
        except ValueError:
            config[key] = value
        if not _is_finite(config[key]):
            raise click.BadParameter(f"{pair!r}: a number must be finite.")
    return config


def _is_finite(value: Any) -> bool:
    """Whether no number of a JSON value is infinite or none at all."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def fact_options(function: F) -> F:
    """Add the words and options that describe a change; the command gets them as ``**asked``."""
    options = (
        click.argument("words", nargs=-1, metavar="[SUBJECT RELATION [OLD] [NEW]]"),
        click.option("--batch", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSONL of changes."),
        click.option("--case", "case_id", metavar="ID", help="The changes of a ready intervention (`ksmith cases`)."),
        click.option("--round", type=POSITIVE, default=1, show_default=True, help="Which of its rounds."),
        click.option("--branch", envvar="KSMITH_BRANCH", metavar="ID", help="Branch; default: the only one."),
        click.option("--method", metavar="NAME", help="Method; default: alphaedit. See `ksmith methods`."),
        click.option("--config", multiple=True, metavar="KEY=VALUE", help="Method configuration; may be repeated."),
        click.option("--target", type=click.Choice(_TARGETS), help="What the answer is pulled towards."),
        click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of every draw."),
        click.option(
            "--scorer", type=click.Choice(list(SCORERS)), help="How options are scored; default: cloze-exact."
        ),
        click.option("--max-probes", type=COUNT, default=0, help="At most so many probes; 0 = 2,000."),
        click.option("--install-derived", is_flag=True, help="Also install what follows by the closure."),
        click.option("--hold", is_flag=True, help="Wait for `ksmith commit` or `discard` after measuring."),
        click.option(
            "--gate", "gates", multiple=True, metavar="METRIC<=X", help="Wait if this fails; X from 0 to 1; repeatable."
        ),
    )
    made = functools.reduce(lambda made, option: option(made), reversed(options), function)
    return structural_options(made)


def branch_spec(smith: KnowledgeSmith, goal: Goal, asked: dict[str, Any]) -> InterventionSpec:
    """The specification on the branch that was named (or the only one), its changes read from a case if one is named.

    Raises:
        click.UsageError: as ``read_spec``, or the case's goal is not the command's.
        InvalidInput: no branch was named and there are none or several, or the case has no such round.
    """
    branch_id = choose_branch(smith, asked["branch"])
    if not asked["case_id"]:
        return read_spec(goal, asked, branch_id)
    graph_id = smith.branches.get(branch_id=branch_id).graph_id
    return read_spec(goal, asked, branch_id, _case(smith, goal, asked["case_id"], graph_id))


def _case(smith: KnowledgeSmith, goal: Goal, case_id: str, graph_id: str) -> Case:
    case = smith.cases.get(graph_id=graph_id, case_id=case_id)
    if case.goal is not goal:
        raise click.UsageError(f"The goal of case {case.id} is {case.goal.lower()}, not {goal.lower()}.")
    return case


def read_spec(goal: Goal, asked: dict[str, Any], branch_id: str, case: Case | None = None) -> InterventionSpec:
    """The specification of a command's words and options (``fact_options``).

    Without ``case``, a named case is left for later: what is wrong with the rest shows before a server is asked.

    Raises:
        click.UsageError: words, batch and case are not exactly one, or they do not fit the goal.
        InvalidInput: the case has no such round.
    """
    target = asked["target"]
    structural = read_structural(goal, asked)
    if asked["case_id"] and (asked["words"] or asked["batch"] or structural):
        raise click.UsageError(_USAGE[goal])
    if case is not None:
        changes = case.changes(round=asked["round"])
    elif asked["case_id"]:
        changes = ()
    else:
        changes = read_changes(goal, asked["words"], asked["batch"], structural=bool(structural))
    return InterventionSpec(
        branch_id=branch_id,
        goal=goal,
        changes=changes,
        structural=structural,
        method=asked["method"] or DEFAULT_METHOD,
        method_config=read_config(asked["config"]),
        target_distribution=TargetDistribution(target.upper()) if target else TargetDistribution.UNSPECIFIED,
        scorer=SCORERS[asked["scorer"]] if asked["scorer"] else Scorer.UNSPECIFIED,
        seed=asked["seed"],
        hold=asked["hold"],
        gates=tuple(read_gate(gate) for gate in asked["gates"]),
        max_probes=asked["max_probes"],
        install_derived=asked["install_derived"],
    )
