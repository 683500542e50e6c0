"""Following an intervention in the terminal: one bar a phase, belief changes as they are committed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from knowledgesmith.client._errors import ServerFault
from knowledgesmith.client._json import to_json
from knowledgesmith.client._sync.client import KnowledgeSmith
from knowledgesmith.client._types import events
from knowledgesmith.client._types.enums import InterventionState
from knowledgesmith.client._types.interventions import Intervention
from knowledgesmith.client.cli.shared.output import plain_text, signed, spaced
from knowledgesmith.client.cli.shared.rates import change_role

_EVENT_NAMES: Final = {
    events.StateChanged: "state",
    events.Progress: "progress",
    events.BeliefBatch: "batch",
    events.Heartbeat: "heartbeat",
}


class Follower:
    """Shows events; ``shown`` belief changes are printed, the others only counted."""

    def __init__(self, *, out: Console, shown: int) -> None:
        self._out = out
        self._left = shown
        self._state = InterventionState.UNSPECIFIED
        self._tasks: dict[str, TaskID] = {}
        self._phase = ""
        columns = (TextColumn("{task.description:>15}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=out)

    @contextmanager
    def running(self) -> Generator[None]:
        """Bars are on the screen inside this block."""
        with self._bars:
            yield

    def show(self, event: events.WatchEvent) -> None:
        """Show one event."""
        match event:
            case events.StateChanged():
                self._show_state(event.intervention)
            case events.Progress():
                self._enter(event.step or spaced(event.phase))
                self._advance(self._phase, event.done, event.total)
            case events.BeliefBatch():
                self._show_batch(event)
            case events.Heartbeat():
                pass

    def _show_state(self, intervention: Intervention) -> None:
        if intervention.planned_rows:
            self._advance("ledger rows", intervention.written_rows, intervention.planned_rows)
        if intervention.state is not self._state:
            self._state = intervention.state
            if intervention.state is InterventionState.SUCCEEDED:
                self._enter("")
            self._out.print(spaced(intervention.state), style="dim")

    def _show_batch(self, batch: events.BeliefBatch) -> None:
        for change in batch.changes[: self._left]:
            self._out.print(change_line(change))
        self._left = max(0, self._left - len(batch.changes))
        self._advance("ledger rows", batch.last_sequence, 0)

    def _enter(self, phase: str) -> None:
        """Fill the bar of the phase that is over: reports are sampled, so its last one may never have come."""
        task = self._tasks.get(self._phase)
        if phase != self._phase and task is not None:
            self._bars.update(task, completed=self._bars.tasks[self._bars.task_ids.index(task)].total or 0)
        self._phase = phase

    def _advance(self, name: str, done: int, total: int) -> None:
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = self._bars.add_task(plain_text(name), total=total or None)
        known = self._bars.tasks[self._bars.task_ids.index(task)]
        self._bars.update(task, completed=max(done, int(known.completed)), total=total or known.total)


def change_line(change: events.BeliefChange) -> str:
    """One ledger row on one line; where the old world has no answer, the belief in the new one's."""
    hops = "unreachable" if change.hops is None else f"hop {change.hops}"
    where = f"{change.kind.lower()}, {change_role(change)}, {hops}"
    before, after, delta = change.before, change.after, change.delta
    if before is None and after is None and change.new_before is not None and change.new_after is not None:
        before, after, delta = change.new_before, change.new_after, change.new_after - change.new_before
        where += ", the new answer"
    old, new = (f"{value:.3f}" if value is not None else "–" for value in (before, after))
    name = plain_text(change.entity_name or change.entity_uid)[:40]
    relation = plain_text(change.relation)[:28]
    return f"  #{change.sequence:<5} {name:<24} {relation:<18} {old} → {new} ({signed(delta)})  {where}"


def follow(
    smith: KnowledgeSmith,
    intervention_id: str,
    *,
    out: Console,
    as_json: bool = False,
    after_sequence: int = 0,
    shown: int = 12,
) -> Intervention:
    """Show an intervention until it has ended or awaits a decision, and return it as it is then.

    Raises:
        ServerFault: the watch ended without a final state.
    """
    latest: Intervention | None = None
    follower = Follower(out=out, shown=shown)
    with follower.running():
        for event in smith.interventions.watch(intervention_id=intervention_id, after_sequence=after_sequence):
            if as_json:
                click.echo(to_json({"event": _EVENT_NAMES[type(event)], "data": event}))
            else:
                follower.show(event)
            if isinstance(event, events.StateChanged):
                latest = event.intervention
                if latest.state is InterventionState.AWAITING_DECISION:
                    break
    if latest is None:
        raise ServerFault("The watch ended without a state.", field="intervention", value=intervention_id)
    return latest
