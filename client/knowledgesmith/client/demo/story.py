"""The steps of the demo, in order; each is timed, and any failure ends the story with its reason."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from knowledgesmith.client._cypher import pasteable
from knowledgesmith.client._errors import FailedPrecondition, ServerFault
from knowledgesmith.client._picture import draw
from knowledgesmith.client._sync.client import KnowledgeSmith
from knowledgesmith.client._types.enums import ChangeFilter, Goal, Grouping, InterventionState
from knowledgesmith.client._types.interventions import Intervention, InterventionSpec
from knowledgesmith.client._types.propagation import Propagation
from knowledgesmith.client.cli.graphs.probes import probe_table
from knowledgesmith.client.cli.interventions.plan import show_plan
from knowledgesmith.client.cli.results.propagation import change_table
from knowledgesmith.client.cli.shared.follow import follow
from knowledgesmith.client.cli.shared.output import counts, kinds, levels, plain_text, short, spaced, table
from knowledgesmith.client.cli.shared.rates import group_table
from knowledgesmith.client.demo.estimates import Pace, duration, pace
from knowledgesmith.client.demo.facts import Candidate, answers, candidates, choose
from knowledgesmith.client.demo.live import QUERY, HeadWatcher
from knowledgesmith.client.examination import FAILED, examine
from knowledgesmith.client.local_server import LocalServer, free_address

STEPS = (
    *("start", "import", "probes", "register", "ask", "plan", "edit", "compare", "propagation", "draw"),
    *("unlearn", "compare", "rollback"),
)
"""Names of the steps in their order."""

_GRAPH = "atlas"
_ANSWER_TOKENS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the demo may be told.

    Attributes:
        data_dir: where its own server keeps everything; used again by the next run.
        facts: how many known facts are changed on each branch.
        edit_method, unlearn_method: names of methods.
        probes_per_kind: size of the probe set that is shown.
        max_probes: probes planned for each of the two interventions.
        picture: file to draw; default: ``propagation.html`` in the data directory.
    """

    data_dir: Path
    facts: int = 8
    edit_method: str = "alphaedit"
    unlearn_method: str = "alphaedit"
    probes_per_kind: int = 50
    max_probes: int = 200
    picture: Path | None = None


def tell(*, settings: Settings, out: Console) -> None:
    """Run the whole story on a server of its own, and stop that server at the end.

    Raises:
        KnowledgeSmithClientError: a step failed; the reason is the step's.
    """
    server = LocalServer(data_dir=settings.data_dir, target=free_address(), metrics=free_address())
    clock = Clock(out=out, pace=_look(settings, out))
    out.print(f"The whole demo takes {duration(clock.pace.remaining(list(STEPS)))} here.", style="bold")
    with clock.step("start", "Start a server of its own: gRPC service, model worker, Neo4j"):
        running = server.running() or server.start(on_start=lambda: out.print(f"log: {server.log}", style="dim"))
        out.print(f"serving at {running.target}, metrics at http://{running.metrics}/metrics")
    try:
        with KnowledgeSmith(running.target, actor="demo") as smith:
            Story(smith=smith, out=out, clock=clock, settings=settings).tell()
    finally:
        server.stop()
    clock.summary()


@dataclass(kw_only=True)
class Clock:
    """Announces steps with what they will take, and keeps their durations: title, expected and measured seconds."""

    out: Console
    pace: Pace
    seconds: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])

    @contextmanager
    def step(self, name: str, title: str) -> Generator[None]:
        """One step: a headline and an estimate before, its duration after; a failing one is named.

        Args:
            name: one of ``estimates.COSTS``.
            title: the headline.
        """
        expected = self.pace.seconds(name)
        self.out.print()
        self.out.rule(f" {len(self.seconds) + 1}. {title} ", align="left", style="bold cyan")
        self.out.print(duration(expected), style="dim")
        start = time.monotonic()
        try:
            yield
        except Exception:
            self.out.print(f"this step failed after {time.monotonic() - start:.1f} s: {title}", style="bold red")
            raise
        measured = time.monotonic() - start
        self.pace.learn(name, measured)
        self.seconds.append((title, expected, measured))
        self.out.print(f"{measured:.1f} s", style="dim")

    def summary(self) -> None:
        """Seconds of every step, beside what was expected before it."""
        every = [*self.seconds, ("all", sum(x for _, x, _ in self.seconds), sum(x for _, _, x in self.seconds))]
        rows = [(title, f"{expected:.0f}", f"{measured:.1f}") for title, expected, measured in every]
        self.out.print()
        self.out.print(table(("step", "expected#", "seconds#"), rows, title="Time"))


@dataclass(kw_only=True)
class Story:
    """The story on a server that runs; ``base_texts`` keeps the unchanged model's answers by prompt."""

    smith: KnowledgeSmith
    out: Console
    clock: Clock
    settings: Settings
    base_texts: dict[str, str] = field(default_factory=dict[str, str])

    def tell(self) -> None:
        """Every step after the server's start."""
        with self.clock.step("import", "Import the bundled graph into Neo4j"):
            self._import()
        with self.clock.step("probes", "Derive probes from the graph with Cypher"):
            self._probe()
        with self.clock.step("register", "Register the model and open a branch for the edit"):
            model_id = self._register()
            editing = self._branch("demo-edit", model_id)
        with self.clock.step("ask", "Ask the unchanged model what it knows"):
            edits, unlearnings = self._choose(editing)
        with self.clock.step(
            "plan", f"Plan the edit of {len(edits)} facts: what follows, what should change, what should stay"
        ):
            self._plan(Goal.EDIT, editing, edits)
        with self.clock.step(
            "edit", f"Edit with {self.settings.edit_method}; a second client reads the nodes meanwhile"
        ):
            edit = self._change(Goal.EDIT, editing, edits)
        with self.clock.step("compare", "Ask before and after the edit"):
            self._compare(editing, edits, edit)
        with self.clock.step("propagation", "How far the edit went"):
            self._propagation(edit)
        with self.clock.step("draw", "Draw it"):
            self._draw(edit)
        with self.clock.step(
            "unlearn", f"Unlearn {len(unlearnings)} facts with {self.settings.unlearn_method} on a second branch"
        ):
            unlearning = self._branch("demo-unlearn", model_id)
            unlearn = self._change(Goal.UNLEARN, unlearning, unlearnings)
        with self.clock.step("compare", "Ask before and after the unlearning"):
            self._compare(unlearning, unlearnings, unlearn)
            self.out.print(group_table(self._grouped(unlearn, Grouping.KIND), "kind"))
        with self.clock.step("rollback", "Take the unlearning back"):
            self._rollback(unlearning, unlearn, unlearnings)

    def _import(self) -> None:
        done = self.smith.graphs.import_bundled(name=_GRAPH)
        graph, report = self.smith.graphs.get(graph_id=_GRAPH), done.report
        self.out.print(
            f"{graph.id}: {graph.entities:,} entities, {graph.facts:,} facts, {graph.relations} relations "
            f"({report.entities_created:,} entities and {report.facts_created:,} facts new)"
        )
        self.out.print(f"levels: {levels(graph.entities_by_level)}")
        self.out.print(f"domains: {counts(graph.entities_by_domain)}")

    def _probe(self) -> None:
        made = self.smith.probe_sets.generate(graph_id=_GRAPH, seed=1, limit_per_kind=self.settings.probes_per_kind)
        self.out.print(f"{made.verified:,} probes verified by a second query: {kinds(made.counts)}")
        seen = {probe.kind: probe for probe in self.smith.probe_sets.probes(probe_set_id=made.id)}
        self.out.print(probe_table([seen[kind] for kind in sorted(seen)]))

    def _register(self) -> str:
        model = self.smith.models.register()
        digest = short(model.weights_sha256)
        self.out.print(f"{model.id}: {model.architecture}, {model.parameters / 1e6:.0f} M parameters, weights {digest}")
        return model.id

    def _branch(self, name: str, model_id: str) -> str:
        """Open a branch whose beliefs stand on the nodes, under the first free name."""
        taken = {branch.id for branch in self.smith.branches.list()}
        free = next(one for one in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)
        self.smith.branches.create(branch_id=free, model_id=model_id, graph_id=_GRAPH, select=True)
        self.out.print(f"branch {free}: its beliefs now stand on the graph's nodes")
        return free

    def _choose(self, branch_id: str) -> tuple[list[Candidate], list[Candidate]]:
        chosen: list[list[Candidate]] = []
        for goal in (Goal.EDIT, Goal.UNLEARN):
            found = candidates(goal)
            texts = self._ask(branch_id, found, "base")
            self.base_texts |= dict(zip((one.prompt for one in found), texts, strict=True))
            known = sum(answers(text, one.old_object) for one, text in zip(found, texts, strict=True))
            self.out.print(f"to {goal.lower()}: {known} of {len(found)} candidate facts are known")
            chosen.append(choose(found, texts, wanted=self.settings.facts))
        return chosen[0], chosen[1]

    def _ask(self, branch_id: str, asked: Sequence[Candidate], revision: str) -> tuple[str, ...]:
        prompts = [one.prompt for one in asked]
        return self.smith.branches.ask(
            branch_id=branch_id, prompts=prompts, revision_id=revision, max_new_tokens=_ANSWER_TOKENS
        ).texts

    def _spec(self, goal: Goal, branch_id: str, chosen: Sequence[Candidate]) -> InterventionSpec:
        method = self.settings.edit_method if goal is Goal.EDIT else self.settings.unlearn_method
        changes = tuple(one.change for one in chosen)
        return InterventionSpec(
            branch_id=branch_id, goal=goal, changes=changes, method=method, seed=1, max_probes=self.settings.max_probes
        )

    def _plan(self, goal: Goal, branch_id: str, chosen: Sequence[Candidate]) -> None:
        self.out.print(show_plan(self.smith.interventions.plan(spec=self._spec(goal, branch_id, chosen)).plan, most=4))

    def _change(self, goal: Goal, branch_id: str, chosen: Sequence[Candidate]) -> Intervention:
        intervention = self.smith.interventions.create(spec=self._spec(goal, branch_id, chosen)).intervention

        def grew(entities: int, sequence: int) -> None:
            self.out.print(f"  second client: belief_seq {sequence} on {entities} nodes", style="cyan")

        with HeadWatcher(target=self.smith.target, graph_id=_GRAPH, run=intervention.id, on_growth=grew) as heads:
            ended = follow(self.smith, intervention.id, out=self.out, shown=8)
        if ended.state is InterventionState.AWAITING_DECISION:
            return self._discard(ended)
        if ended.state is not InterventionState.SUCCEEDED:
            reason = ended.error_message or "it ended so"
            raise FailedPrecondition(f"Intervention {ended.id} is {spaced(ended.state)}: {reason}")
        self.out.print(f"intervention {ended.id}: {ended.written_rows:,} belief changes in the ledger")
        if heads.samples:
            self.out.print(f"the nodes were read {len(heads.samples)} times while they changed: {QUERY}", style="dim")
        return ended

    def _discard(self, waiting: Intervention) -> Intervention:
        """Say why an intervention was not committed, and decide as a careful user would."""
        reason, *further = waiting.failed_gates or ("it needs a decision",)
        self.out.print(f"intervention {waiting.id} was not committed: {reason}", style="bold yellow")
        for line in further:
            self.out.print(f"  {line}", style="yellow")
        self.out.print("It is discarded: the branch stays at the unchanged model. Its ledger can still be asked.")
        return self.smith.interventions.discard(intervention_id=waiting.id)

    def _compare(self, branch_id: str, chosen: Sequence[Candidate], intervention: Intervention) -> None:
        """Answers of the base and of the head, and how many are as wanted."""
        if intervention.state is not InterventionState.SUCCEEDED:
            self.out.print("Nothing to compare: the change was discarded, so the branch answers as before.")
            return
        after = self._ask(branch_id, chosen, "")
        rows = [
            (one.prompt, self.base_texts[one.prompt].strip(), now.strip(), _verdict(one, now))
            for one, now in zip(chosen, after, strict=True)
        ]
        self.out.print(table(("prompt", "before", "after", "verdict"), rows))
        done = sum(row[3] in ("new object", "forgotten") for row in rows)
        wanted = "answered with the new object" if chosen[0].goal is Goal.EDIT else "no longer give the old answer"
        self.out.print(f"{done} of {len(rows)} {wanted}", style="bold")

    def _grouped(self, intervention: Intervention, grouping: Grouping) -> Propagation:
        return self.smith.propagation.rates(intervention_id=intervention.id, group_by=grouping)

    def _propagation(self, intervention: Intervention) -> None:
        for grouping in (Grouping.HOP, Grouping.LEVEL, Grouping.KIND):
            name = grouping.lower()
            self.out.print(group_table(self._grouped(intervention, grouping), name, title=f"by {name}"))
        top = self.smith.propagation.changes(intervention_id=intervention.id, filter=ChangeFilter.TOP, limit=8)
        self.out.print(change_table(top.changes, title="largest changes"))
        self.out.print("The same table in any Neo4j tool:")
        self.out.print(pasteable(self._grouped(intervention, Grouping.HOP).query), style="dim")

    def _draw(self, intervention: Intervention) -> None:
        found = self.smith.propagation.subgraph(intervention_id=intervention.id, max_entities=60)
        path = self.settings.picture or self.settings.data_dir / "propagation.html"
        path.write_text(draw(subgraph=found, intervention=intervention), "utf-8")
        self.out.print(f"{len(found.nodes)} entities, {len(found.edges)} facts: {path.resolve().as_uri()}")

    def _rollback(self, branch_id: str, intervention: Intervention, chosen: Sequence[Candidate]) -> None:
        if intervention.state is not InterventionState.SUCCEEDED:
            self.out.print("Nothing to take back: the change was discarded before it became the branch's head.")
            return
        done = self.smith.branches.rollback(branch_id=branch_id, expected_revision_id=intervention.revision_id)
        self.out.print(f"weights in memory   {done.weights_sha256}")
        self.out.print(f"weights of the base {done.head.weights_sha256}")
        if not done.exact:
            raise ServerFault("The weights after the rollback are not those of the base.")
        rows = self.smith.graphs.cypher(query=QUERY, parameters={"graph_id": _GRAPH, "run": intervention.id}).rows
        self.out.print(f"equal, bit by bit; nodes that still show the unlearning: {rows[0][0]}", style="bold")
        again = self._ask(branch_id, chosen, "")
        known = sum(answers(text, one.old_object) for one, text in zip(chosen, again, strict=True))
        self.out.print(f"{known} of {len(chosen)} facts are answered as before: {plain_text(again[0].strip())} …")


def _look(settings: Settings, out: Console) -> Pace:
    """Look at the machine: what it computes in and why, what is amiss, and how fast it is.

    Raises:
        FailedPrecondition: a part that the demo cannot do without does not work.
    """
    out.print("looking at this machine …", style="dim")
    found = examine(data_dir=settings.data_dir, only=("java", "disk", "memory", "device", "precision"))
    for part in found.parts:
        if part.name in {"device", "precision"} or part.way_out:
            out.print(f"{part.name}: {plain_text(part.text)}")
        if part.way_out:
            out.print(f"  → {plain_text(part.way_out)}", style="yellow")
    broken = next((part for part in found.parts if part.status == FAILED), None)
    if broken is not None:
        raise FailedPrecondition(
            f"This machine is not ready ({broken.name}): {broken.text}", reason="NOT_READY", hint=broken.way_out
        )
    return pace(found, facts=settings.facts)


def _verdict(one: Candidate, text: str) -> str:
    if one.new_object and answers(text, one.new_object):
        return "new object"
    if answers(text, one.old_object):
        return "old object"
    return "something else" if one.new_object else "forgotten"
