"""``ksmith probes sample``, ``export``, ``import``, ``audit`` and ``agreement``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._agreement import Agreement, agreement_of, read_sheet
from knowledgesmith.client._sync.operation import Operation
from knowledgesmith.client._types.enums import Balance, ProbeKind, ProbeSetFormat
from knowledgesmith.client._types.probes import Guess, LeftOut, ProbeSet, ProbeSetAudit
from knowledgesmith.client.cli.shared.numbers import POSITIVE, SEED
from knowledgesmith.client.cli.shared.operations import finish, finish_all, waiting
from knowledgesmith.client.cli.shared.output import counts, kinds, short, spaced, table
from knowledgesmith.client.cli.shared.session import Session, common

BALANCES = [item.value.lower() for item in Balance if item is not Balance.UNSPECIFIED]
_ALL = "all"
FORMATS = {
    item.value.lower().replace("_", "-"): item for item in ProbeSetFormat if item is not ProbeSetFormat.UNSPECIFIED
}


@click.command(help="Draw a balanced sample as a set of its own; a larger one of the same seed holds a smaller one.")
@click.argument("probe_set_id", metavar="PROBE_SET")
@click.option("-k", "sizes", multiple=True, required=True, type=POSITIVE, help="Probes; may be repeated.")
@click.option("--balance", multiple=True, type=click.Choice(BALANCES), help="What to balance; may be repeated.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the draw.")
@waiting
@common
def sample(
    session: Session, *, probe_set_id: str, sizes: tuple[int, ...], balance: tuple[str, ...], seed: int, wait: bool
) -> None:
    """Draw samples."""
    even = [Balance(name.upper()) for name in balance or ("kind",)]
    with session.connect() as smith:

        def begin(size: int) -> Operation[ProbeSet]:
            return smith.probe_sets.sample(probe_set_id=probe_set_id, size=size, balance=even, seed=seed, wait=False)

        made = finish_all(session, [partial(begin, size) for size in sizes], wait=wait)
    session.emit(made, lambda: Group(*map(describe, made)))


@click.command(help="Write a set as files: Parquet, JSON lines, a harness task, or a data set folder.")
@click.argument("probe_set_id", metavar="PROBE_SET")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="parquet", show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder for the files.")
@common
def export(session: Session, *, probe_set_id: str, form: str, out: Path) -> None:
    """Export a set."""
    with session.connect() as smith:
        files = smith.probe_sets.export(probe_set_id=probe_set_id, format=FORMATS[form], folder=out)
    session.emit({"files": [str(path) for path in files]}, lambda: "\n".join(str(path) for path in files))


@click.command("import", help="Take in a set that was exported as Parquet or JSON lines.")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@waiting
@common
def import_(session: Session, *, path: Path, wait: bool) -> None:
    """Import a set."""
    with session.connect() as smith:
        made = finish(session, lambda: smith.probe_sets.import_file(path=path, wait=False), wait=wait)
    session.emit(made, lambda: describe(made))


@click.command(help="Check a set: can it be guessed, truth, duplicates, letters, grammar.")
@click.argument("probe_set_id", metavar="PROBE_SET")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the guessers' folds and the sheet.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV sheet for people here.")
@waiting
@common
def audit(session: Session, *, probe_set_id: str, seed: int, sheet: Path | None, wait: bool) -> None:
    """Audit a set; ends with code 1 where it does not pass."""
    with session.connect() as smith:
        found = finish(
            session, lambda: smith.probe_sets.audit(probe_set_id=probe_set_id, seed=seed, wait=False), wait=wait
        )
    if sheet is not None:
        sheet.write_text(found.sheet, encoding="utf-8")
    session.emit(found, lambda: _audit(found))
    if not found.passed:
        raise click.exceptions.Exit(1)


@click.command(help="How far people agree who filled in the same sheet (Cohen's kappa, Fleiss' for three or more).")
@click.argument("sheets", metavar="SHEET...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
def agreement(session: Session, *, sheets: tuple[Path, ...]) -> None:
    """Compare filled-in sheets; needs no server."""
    try:
        found = agreement_of([read_sheet(path) for path in sheets])
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    session.emit(found, lambda: _agreement(found))


def describe(made: ProbeSet) -> RenderableType:
    """A set in four lines; then why it is not fair."""
    head = f"probe set {made.id} of {made.graph_id}, seed {made.seed}, digest {short(made.digest)}"
    how = "probes, not verified here (audit the set)" if made.imported else "verified"
    counted = f"{made.verified:,} {how}: {kinds(made.counts)}"
    return Group(
        head,
        counted,
        f"dropped: {counts(made.dropped)}",
        fairness(made.unfair, made.guesses, judged=made.fair is not None),
    )


def guess_table(guesses: Sequence[Guess], left_out: Sequence[LeftOut]) -> RenderableType:
    """How well guessers do that know nothing; what exceeds the room is marked."""
    shares = {one.kind: f"{one.share:.1%}" for one in left_out}
    rows = (
        (
            kind_name(guess.kind),
            spaced(guess.guesser),
            guess.tested,
            f"{guess.accuracy:.3f}{'' if guess.fair else ' !'}",
            f"{guess.low:.3f} to {guess.high:.3f}",
            f"{guess.chance:.3f}",
            shares.get(guess.kind, ""),
        )
        for guess in guesses
    )
    return table(("kind", "guessed by", "questions#", "right#", "95 %", "chance#", "left out#"), rows)


def fairness(unfair: Sequence[str], guesses: Sequence[Guess], *, judged: bool) -> str:
    """Whether knowing nothing helps, in a line; five points are promised only where the intervals bear it out."""
    if not judged:
        return "not judged yet whether it can be guessed (audit the set)"
    if not unfair:
        return _held_against_nothing(guesses)
    return "\n".join(("NOT FAIR:", *(f"  {reason}" for reason in unfair)))


def kind_name(kind: ProbeKind) -> str:
    """The kind of a guess, which may be of all kinds together."""
    return _ALL if kind is ProbeKind.UNSPECIFIED else kind.lower()


def _held_against_nothing(guesses: Sequence[Guess]) -> str:
    open_kinds = {kind_name(guess.kind): guess.tested for guess in guesses if not guess.within}
    if guesses and not open_kinds:
        return "fair: no guesser without knowledge does better than chance and five points"
    if not guesses:
        return "fair: nothing held against it"
    if (tested := open_kinds.get(_ALL)) is not None:
        said = f"{tested:,} {'question is' if tested == 1 else 'questions are'} too few"
        return f"nothing held against it; {said} to promise five points"
    return f"nothing held against it; too few questions to promise five points of a kind: {counts(open_kinds)}"


def _audit(found: ProbeSetAudit) -> RenderableType:
    findings = ((item.check, item.count, " ".join(map(short, item.examples))) for item in found.findings)
    letters = (
        (item.options, " / ".join(f"{count:,}" for count in item.counts), f"{item.p_value:.3f}")
        for item in found.letters
    )
    verdict = "passed" if found.passed else "did not pass"
    again = "" if found.verified else "; the graph is another one by now, so truth was not judged again"
    return Group(
        f"{found.probes:,} probes: {verdict}{again}",
        fairness(found.unfair, found.guesses, judged=True),
        table(("finding", "probes#", "for example"), findings),
        table(("options#", "right option at A / B / …", "p"), letters),
        guess_table(found.guesses, found.left_out),
    )


def _agreement(found: tuple[Agreement, ...]) -> RenderableType:
    rows = (
        (item.question, item.items, f"{item.observed:.3f}", "undefined" if item.kappa is None else f"{item.kappa:.3f}")
        for item in found
    )
    return table(("question", "probes#", "agreement", "kappa"), rows)
