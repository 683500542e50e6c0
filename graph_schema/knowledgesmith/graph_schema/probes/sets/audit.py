"""Audit of a probe set: can it be guessed without knowledge, and is every probe a sound question."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scipy import stats

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.generation.generate import TIMEOUT_S
from knowledgesmith.graph_schema.probes.generation.request import LeftOut
from knowledgesmith.graph_schema.probes.guessing.guessers import Guess, Guesser
from knowledgesmith.graph_schema.probes.nodes import probe_from
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.duplicates import Twins
from knowledgesmith.graph_schema.probes.sets.fair_sets import Survey, unfair_because
from knowledgesmith.graph_schema.probes.sets.sheet import sheet_of
from knowledgesmith.graph_schema.probes.verification.verify import verify
from knowledgesmith.graph_schema.probes.wording.grammar import grammar_faults
from knowledgesmith.graph_schema.probes.wording.stated import stated_object
from knowledgesmith.graph_schema.probes.wording.verbalise import leaks
from knowledgesmith.graph_schema.reasoning.closure import close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

EXAMPLES: Final = 5
"""Probe ids that are named for each finding."""
SHEET_ROWS: Final = 100
_ALPHA: Final = 0.001
"""Letter counts so uneven that chance would give them once in a thousand sets count as a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How many probes a check is about, with the ids of some."""

    check: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterBalance:
    """How often the right option stands at each place, for questions with this many options."""

    options: int
    counts: tuple[int, ...]
    chi_square: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found; ``verified`` is false where the graph is another one by now, so nothing was judged again."""

    probe_set_id: str
    probes: int
    verified: bool
    findings: tuple[Finding, ...]
    letters: tuple[LetterBalance, ...]
    guesses: tuple[Guess, ...]
    left_out: Mapping[str, LeftOut]
    sheet: str

    @property
    def baselines(self) -> tuple[Guess, ...]:
        """What the options say without the question, for all probes and by kind."""
        return tuple(guess for guess in self.guesses if guess.guesser == Guesser.OPTIONS_ONLY)

    @property
    def unfair(self) -> tuple[str, ...]:
        """Why the set is not fair, a line each."""
        return unfair_because(self.guesses, self.left_out)

    @property
    def passed(self) -> bool:
        """No finding, even letters, and nothing that guesses better than chance, as the set is."""
        return (
            not any(finding.count for finding in self.findings)
            and all(balance.p_value >= _ALPHA for balance in self.letters)
            and all(guess.fair for guess in self.guesses)
        )


class _Findings:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, check: str, probe_id: str) -> None:
        self._counts[check] += 1
        kept = self._examples.setdefault(check, [])
        if len(kept) < EXAMPLES:
            kept.append(probe_id)

    def listed(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(check=check, count=count, examples=tuple(self._examples[check]))
            for check, count in sorted(self._counts.items())
        )


def audit_set(store: GraphStore, *, probe_set_id: str, directory: Path, seed: int = 0) -> Audit:
    """Check a stored set.

    Args:
        store: the database.
        probe_set_id: the set.
        directory: where the files of sets lie.
        seed: of the guessers' folds and of the sheet's rows.

    Raises:
        ProbeSetNotFound: there is no such set.
        GraphNotFound: its graph is gone.
    """
    info = probe_set.get_info(store, probe_set_id)
    lexicon = load_lexicon(store, graph_id=info.graph_id)
    current = lexicon.graph_digest == info.graph_digest
    findings = _Findings()
    twins, survey = Twins(), Survey(lexicon, seed=seed)
    for table in probe_set.tables(directory, info.digest):
        survey.add(table)
        for probe in map(probe_from, table.to_pylist()):
            twins.add(probe)
            _check(probe, lexicon=lexicon, findings=findings)
    guesses = survey.guesses()
    places = twins.found()
    for probe_id in _ids_at(probe_set.tables(directory, info.digest), places) if places else ():
        findings.add("duplicate", probe_id)
    if current:
        store.try_out(
            lambda tx: _judge(tx, lexicon, probe_set.tables(directory, info.digest), findings), timeout_s=TIMEOUT_S
        )
    return Audit(
        probe_set_id=probe_set_id,
        probes=info.verified,
        verified=current,
        findings=findings.listed(),
        letters=tuple(_balance(size, counts) for size, counts in sorted(survey.letters.items())),
        guesses=guesses,
        left_out=info.left_out,
        sheet=sheet_of(probe_set.tables(directory, info.digest), rows=SHEET_ROWS, seed=seed),
    )


def _ids_at(tables: Iterator[Table], places: Sequence[int]) -> Iterator[str]:
    """Ids of the probes at these places (rising) of a set."""
    start = 0
    for table in tables:
        first, last = bisect_left(places, start), bisect_left(places, start + table.num_rows)
        ids = table["id"].to_pylist() if first < last else []
        yield from (ids[place - start] for place in places[first:last])
        start += table.num_rows


def _check(probe: Probe, *, lexicon: Lexicon, findings: _Findings) -> None:
    """What shows in one probe without the graph's facts."""
    if len({option.casefold() for option in probe.options}) < len(probe.options):
        findings.add("same_option_twice", probe.id)
    if len(probe.answers) != 1:
        findings.add("several_answers", probe.id)
    if probe.kind not in {ProbeKind.COMPARISON, ProbeKind.CONFLICT}:
        names = lexicon.names_of(probe.option_uids[n] for n in probe.answers)
        if leaks(probe.text, names):
            findings.add("answer_in_stem", probe.id)
    for fault in grammar_faults(probe, names=_opening_names(probe, lexicon)):
        findings.add(f"grammar_{fault}", probe.id)


def _opening_names(probe: Probe, lexicon: Lexicon) -> Iterator[str]:
    """Names that may open the probe's text."""
    if probe.anchor in lexicon:
        yield lexicon.entity(probe.anchor).name
        stated = probe.kind is ProbeKind.CONFLICT and probe.path[0] in lexicon.relations
        if stated and (uid := stated_object(probe, lexicon)):
            yield lexicon.entity(uid).name


def _judge(tx: Transaction, lexicon: Lexicon, tables: Iterator[Table], findings: _Findings) -> None:
    """Every probe against the graph of today: several true options, false answers, chains that are none."""
    close(tx, graph_id=lexicon.graph_id, rules=rules_of(lexicon.relations.values()))
    for table in tables:
        rows: list[tuple[Probe, Question]] = []
        for probe in map(probe_from, table.to_pylist()):
            question = _question(probe, lexicon)
            if question is None:
                findings.add("unknown_entity", probe.id)
            else:
                rows.append((probe, question))
        for probe_id, reason in sorted(verify(tx, lexicon=lexicon, probes=rows).items()):
            findings.add(reason, probe_id)


def _question(probe: Probe, lexicon: Lexicon) -> Question | None:
    """The question of a probe; ``None`` where it names what the graph does not have."""
    steps = [step.removeprefix("~") for step in probe.path]
    if probe.anchor not in lexicon or any(step not in lexicon.relations for step in steps):
        return None
    obj = stated_object(probe, lexicon) if probe.kind is ProbeKind.CONFLICT else ""
    if obj is None:
        return None
    return Question(kind=probe.kind, anchor=probe.anchor, path=probe.path, before=(), after=(), object=obj)


def _balance(size: int, counts: Mapping[int, int]) -> LetterBalance:
    observed: Sequence[int] = [counts.get(place, 0) for place in range(size)]
    statistic, p_value = stats.chisquare(observed)
    return LetterBalance(options=size, counts=tuple(observed), chi_square=float(statistic), p_value=float(p_value))
