"""Whatever an import changes moves the graph's stamp, and a plan made before it is not carried out."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.conftest import Cypher
from tests.graph_schema.lifecycle.conftest import LIMA, PARIS, Runs
from tests.server import world as small

from knowledgesmith.graph_schema.errors import Aborted, EntityNotFound, FenceRejected, GraphIncomplete, IllegalState
from knowledgesmith.graph_schema.graphs import reading
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.interventions import branches, steps
from knowledgesmith.graph_schema.interventions.records import Claim
from knowledgesmith.graph_schema.planning import plan_store
from knowledgesmith.graph_schema.planning import planner as planning
from knowledgesmith.graph_schema.planning.plan_store import Unclaimed, load_plan, store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.planning.scope import neighbourhood
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal, State
from knowledgesmith.graph_schema.types.plan_slots import slots_of
from knowledgesmith.graph_schema.types.plans import SCHEME, Plan
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache, WorldMoved
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.attempt import runner as running
from knowledgesmith.server.worker.attempt.compose import compose
from knowledgesmith.server.worker.attempt.reporting import Reporter
from knowledgesmith.server.worker.attempt.runner import AttemptRunner

Parts = dict[FileRole, str]
Edit = Callable[[Parts], None]


def write(store: GraphStore, graph_id: str, *edits: Edit) -> None:
    """Import the small world with some texts changed."""
    parts = {
        FileRole.ENTITIES: small.entities(),
        FileRole.RELATIONS: small.relations(),
        FileRole.FACTS: small.facts(),
        FileRole.TEMPLATES: small.templates(),
    }
    for edit in edits:
        edit(parts)
    files = [
        InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(text.encode())) for role, text in parts.items()
    ]
    import_graph(store, graph_id=graph_id, files=files, source="small world")


def swap(role: FileRole, old: str, new: str) -> Edit:
    def edit(parts: Parts) -> None:
        assert old in parts[role]
        parts[role] = parts[role].replace(old, new)

    return edit


def alias(parts: Parts) -> None:
    head, *rows = parts[FileRole.ENTITIES].splitlines()
    assert "aliases" in head.split(",")
    place = head.split(",").index("aliases")
    cells = rows[-1].split(",")
    cells[place] = "also known so"
    parts[FileRole.ENTITIES] = "\n".join([head, *rows[:-1], ",".join(cells)]) + "\n"


name = swap(FileRole.ENTITIES, "Peru", "Perú")
template = swap(FileRole.TEMPLATES, "capital of", "chief city of")
EDITS = {"name": name, "alias": alias, "template": template}


def stamp(store: GraphStore, graph_id: str) -> str:
    return store.read_transaction(lambda tx: reading.stamp_of(tx, graph_id))


@pytest.fixture
def graph(store: GraphStore, graph_id: str) -> str:
    write(store, graph_id)
    return graph_id


@pytest.fixture(params=EDITS)
def edit(request: pytest.FixtureRequest) -> Edit:
    return EDITS[str(request.param)]


def request_for(graph_id: str, branch: str = "b") -> PlanRequest:
    return PlanRequest(graph_id=graph_id, branch_id=branch, goal=Goal.EDIT, changes=(PARIS,), max_probes=60)


@pytest.fixture
def held(store: GraphStore, graph: str) -> Claim:
    runs = Runs(store, graph)
    claimed = steps.claim(store, runs.queue(runs.branch(), PARIS))
    assert claimed is not None
    return claimed


def test_an_import_moves_the_stamp_exactly_when_it_changes_something(store: GraphStore, graph: str, edit: Edit) -> None:
    before, digest = stamp(store, graph), reading.get_graph(store, graph).digest
    write(store, graph)
    assert stamp(store, graph) == before, "nothing changed"
    write(store, graph, edit)
    after = stamp(store, graph)
    assert (after != before, reading.get_graph(store, graph).digest) == (True, digest)
    write(store, graph, edit)
    assert stamp(store, graph) == after


def test_a_plan_made_before_is_not_stored(store: GraphStore, held: Claim, graph: str, edit: Edit) -> None:
    plan = make_plan(store, request_for(graph))
    write(store, graph, edit)
    with pytest.raises(WorldMoved):
        store_plan(store, held, plan)
    with pytest.raises(IllegalState):
        load_plan(store, held.id)
    store_plan(store, held, make_plan(store, request_for(graph)))
    assert load_plan(store, held.id).stamp == stamp(store, graph)


def test_no_plan_is_stored_during_an_import(store: GraphStore, held: Claim, graph: str) -> None:
    plan = make_plan(store, request_for(graph))
    lock = take_lock(store, graph)
    try:
        with pytest.raises(GraphIncomplete):
            store_plan(store, held, plan)
    finally:
        lock.release(store, untouched=True)
    store_plan(store, held, plan)


def test_a_kept_world_is_not_used_any_more(store: GraphStore, graph: str, edit: Edit) -> None:
    worlds = WorldCache()
    first = make_plan(store, request_for(graph), worlds=worlds)
    write(store, graph, edit)
    assert make_plan(store, request_for(graph), worlds=worlds).stamp == stamp(store, graph) != first.stamp


def fact(parts: Parts) -> None:
    parts[FileRole.FACTS] += "copper,has_symbol,sym_fe\n"


def entity(parts: Parts) -> None:
    parts[FileRole.ENTITIES] += "lyon,Lyon,City,geography,\n"


def trait(parts: Parts) -> None:
    head = "has_symbol,HAS_SYMBOL,Element,Symbol,true,true"
    assert head in parts[FileRole.RELATIONS]
    parts[FileRole.RELATIONS] = parts[FileRole.RELATIONS].replace(
        head, "has_symbol,HAS_SYMBOL,Element,Symbol,true,false"
    )


MOVES = {**EDITS, "fact": fact, "entity": entity, "trait": trait}


@pytest.mark.parametrize("moved", MOVES)
@pytest.mark.parametrize("held_before", [False, True], ids=["one world kept", "both kept"])
def test_a_world_that_was_not_kept_is_read_with_the_names_of_its_own_time(
    store: GraphStore, graph: str, moved: str, *, held_before: bool
) -> None:
    """A branch with commits has another world than one without: what is remembered of one graph is of one import."""
    worlds = WorldCache()
    bare = request_for(graph)
    rome = Change(subject="japan", relation="has_capital", old_object="tokyo", new_object="beijing")
    first = make_plan(store, replace(bare, changes=(rome,)), worlds=worlds)
    committed = replace(bare, overlay=first.overlay)
    if held_before:
        make_plan(store, committed, worlds=worlds)
    write(store, graph, MOVES[moved])
    for asked in (committed, bare, committed):
        plan = make_plan(store, asked, worlds=worlds)
        assert plan == make_plan(store, asked)
        assert plan.stamp == stamp(store, graph)


def test_an_entity_that_was_just_imported_can_be_asked_for(store: GraphStore, graph: str) -> None:
    worlds = WorldCache()
    make_plan(store, request_for(graph), worlds=worlds)
    write(store, graph, entity)
    lyon = Change(subject="france", relation="has_capital", old_object="paris", new_object="lyon")
    assert make_plan(store, replace(request_for(graph), changes=(lyon,)), worlds=worlds).targets == (lyon,)
    nowhere = replace(lyon, new_object="nowhere")
    with pytest.raises(EntityNotFound):
        make_plan(store, replace(request_for(graph), changes=(nowhere,)), worlds=worlds)


def test_an_import_while_it_is_planned_makes_it_planned_again(
    store: GraphStore, graph: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check at the start and the end of what is read."""
    imported = [False]
    look = neighbourhood

    def look_later(*args: Any, **named: Any) -> Any:
        if not imported[0]:
            imported[0] = True
            # as an import ends that the plan's locks do not hold up
            store.write("importing/finish", **finished(store, graph))
        return look(*args, **named)

    monkeypatch.setattr(planning, "neighbourhood", look_later)
    made = make_plan(store, request_for(graph))
    assert imported[0]
    assert made.stamp == stamp(store, graph)


def finished(store: GraphStore, graph_id: str) -> dict[str, Any]:
    """What the end of an import that changed the catalogue writes."""
    lock = take_lock(store, graph_id)
    return {
        "graph_id": graph_id,
        "owner": lock.owner,
        "digest": reading.get_graph(store, graph_id).digest,
        "source": "",
        "format": "",
        "totals": [0, 0],
        "changed": True,
    }


def test_nothing_is_composed_of_a_plan_made_before(store: GraphStore, held: Claim, graph: str, edit: Edit) -> None:
    store_plan(store, held, make_plan(store, request_for(graph)))
    plan, intervention = load_plan(store, held.id), steps.get(store, held.id)
    write(store, graph)
    assert compose(store, intervention, plan).request.updates
    write(store, graph, edit)
    with pytest.raises(Aborted, match="after the intervention was planned"):
        compose(store, intervention, plan)


class PlanningOnly(AttemptRunner):
    """Plans, and gives the intervention up."""

    def _carry(self, attempt: Any) -> Any:
        self._plan(attempt)
        raise ValueError("enough")


class Heard:
    """A channel, or a sink of samples, that nobody listens to."""

    def send(self, _message: object) -> None: ...
    def inc(self, *_args: object, **_labels: object) -> None: ...
    def observe(self, *_args: object, **_labels: object) -> None: ...


def plan_only(store: GraphStore, intervention: str) -> None:
    nothing: Any = None
    heard: Any = Heard()
    worker = PlanningOnly(settings=ServerSettings(), store=store, host=nothing, reporter=Reporter(heard, heard))
    worker.run(intervention, stop=threading.Event())


def test_an_intervention_plans_again_what_was_not_stored(
    store: GraphStore, held: Claim, graph: str, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Plan] = []

    def planned(*args: Any, **named: Any) -> Plan:
        made.append(make_plan(*args, **named))
        if len(made) == 1:
            write(store, graph, edit)
        return made[-1]

    monkeypatch.setattr(running, "make_plan", planned)
    plan_only(store, held.id)
    assert len(made) == 2
    assert load_plan(store, held.id).stamp == stamp(store, graph)


@pytest.mark.parametrize("begun", ["", "artefact_sha256", "written_rows"])
def test_a_later_attempt_plans_again_where_the_graph_moved_and_nothing_hangs_on_the_plan(
    store: GraphStore, held: Claim, graph: str, edit: Edit, begun: str
) -> None:
    store_plan(store, held, make_plan(store, request_for(graph)))
    first = load_plan(store, held.id).stamp
    write(store, graph, edit)
    if begun:
        value: Any = "a" * 64 if begun == "artefact_sha256" else 1
        steps.advance(store, held, from_states=[State.PREPARING], **{begun: value})
    plan_only(store, held.id)
    assert load_plan(store, held.id).stamp == (first if begun else stamp(store, graph))


def test_a_later_attempt_keeps_the_plan_of_an_equal_graph(
    store: GraphStore, held: Claim, graph: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_plan(store, held, make_plan(store, request_for(graph)))
    write(store, graph)

    def again(*_args: object, **_named: object) -> Plan:
        pytest.fail("planned again")

    monkeypatch.setattr(running, "make_plan", again)
    plan_only(store, held.id)


@pytest.mark.parametrize("begun", ["", "artefact_sha256"])
def test_a_plan_of_an_earlier_scheme_is_made_again_while_no_row_hangs_on_it(
    store: GraphStore, held: Claim, graph: str, begun: str
) -> None:
    store_plan(store, held, make_plan(store, request_for(graph)))
    earlier: dict[str, Any] = {"verdict_scheme": 1, "plan_digest": "of an earlier release"}
    if begun:
        earlier[begun] = "a" * 64
    steps.advance(store, held, from_states=[State.PREPARING], **earlier)
    plan_only(store, held.id)
    assert load_plan(store, held.id).verdict_scheme == SCHEME


def request_of(store: GraphStore, intervention: str) -> PlanRequest:
    """What is planned for an intervention now."""
    spec = steps.get(store, intervention).spec
    return PlanRequest(
        graph_id=steps.get(store, intervention).graph_id,
        branch_id=spec.branch_id,
        goal=spec.goal,
        changes=spec.changes,
        overlay=branches.overlay(store, spec.branch_id),
        max_probes=spec.max_probes,
    )


@pytest.fixture
def waiting(store: GraphStore, graph: str) -> str:
    """A request that was planned when it was made, and waits for its turn."""
    runs = Runs(store, graph)
    intervention = runs.queue(runs.branch(), PARIS)
    store_plan(store, Unclaimed(intervention), make_plan(store, request_of(store, intervention)))
    return intervention


def spied(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Plans that the worker makes from now on."""
    made: list[Plan] = []

    def planned(*args: Any, **named: Any) -> Plan:
        made.append(make_plan(*args, **named))
        return made[-1]

    monkeypatch.setattr(running, "make_plan", planned)
    return made


def test_the_plan_of_a_request_is_taken_at_its_turn(
    store: GraphStore, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, made = load_plan(store, waiting), spied(monkeypatch)
    plan_only(store, waiting)
    assert (made, load_plan(store, waiting)) == ([], stored)


def test_the_plan_of_a_request_is_made_again_where_the_graph_moved(
    store: GraphStore, graph: str, waiting: str, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, graph, edit)
    made = spied(monkeypatch)
    plan_only(store, waiting)
    assert len(made) == 1
    assert load_plan(store, waiting).stamp == stamp(store, graph)


@pytest.mark.parametrize("between", ["commit", "commit and rollback", "placebo"])
def test_the_plan_of_a_request_is_made_again_exactly_where_the_branch_is_another(
    store: GraphStore, graph: str, waiting: str, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    """Another request of the branch was committed while this one waited."""
    runs = Runs(store, graph, method="placebo" if between == "placebo" else "alphaedit")
    first, branch = load_plan(store, waiting), steps.get(store, waiting).spec.branch_id
    runs.finish(branch, LIMA)
    if between == "commit and rollback":
        runs.roll_back(branch)
    made, moved = spied(monkeypatch), between == "commit"
    plan_only(store, waiting)
    assert len(made) == moved
    again = load_plan(store, waiting)
    assert (again.digest != first.digest, again.world != first.world) == (moved, moved)
    assert again == make_plan(store, request_of(store, waiting))


def test_a_claimed_request_takes_no_plan_from_outside(store: GraphStore, waiting: str) -> None:
    plan = load_plan(store, waiting)
    assert steps.claim(store, waiting)
    with pytest.raises(FenceRejected):
        store_plan(store, Unclaimed(waiting), plan)


def loose(cypher: Cypher, graph: str) -> int:
    """Probes of a graph that neither a plan nor a set holds."""
    held = (
        "MATCH (p:Probe)-[:ABOUT]->(:Entity {graph_id: $graph}) WHERE NOT EXISTS { (p)<-[:PLANNED]-() } AND NOT EXISTS "
    )
    found: int = cypher(held + "{ (p)-[:MEMBER]->() } RETURN count(DISTINCT p) AS n", graph=graph)[0]["n"]
    return found


@pytest.mark.parametrize("moved", ["branch", "graph"])
def test_a_plan_made_again_leaves_no_probe_that_nobody_asks(
    store: GraphStore, graph: str, waiting: str, cypher: Cypher, moved: str
) -> None:
    before = {probe.probe.id for probe in load_plan(store, waiting).probes}
    if moved == "branch":
        Runs(store, graph, method="alphaedit").finish(steps.get(store, waiting).spec.branch_id, LIMA)
    else:
        write(store, graph, name)
    plan_only(store, waiting)
    after = {probe.probe.id for probe in load_plan(store, waiting).probes}
    assert before - after, "some questions are other ones"
    assert loose(cypher, graph) == 0


def test_a_plan_of_a_release_that_sums_up_otherwise_is_made_again(
    store: GraphStore, waiting: str, cypher: Cypher
) -> None:
    wanted = load_plan(store, waiting)
    cypher("MATCH (i:Intervention {id: $id}) SET i.plan_digest = 'of another release'", id=waiting)
    plan_only(store, waiting)
    assert load_plan(store, waiting) == wanted


def test_a_plan_that_is_being_replaced_is_read_whole(
    store: GraphStore, graph: str, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its head and its probes are read one after another."""
    other = make_plan(store, replace(request_of(store, waiting), seed=7))
    count, replaced = slots_of, [False]

    def replacing(probes: Any) -> Any:
        if not replaced[0]:
            replaced[0] = True
            store_plan(store, Unclaimed(waiting), other)
            return ()  # as if the probes were not yet those of the head
        return count(probes)

    monkeypatch.setattr(plan_store, "slots_of", replacing)
    assert load_plan(store, waiting) == other
