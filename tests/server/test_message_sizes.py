"""Requests of thousands of facts are taken, and every answer fits a client of gRPC's default 4 MiB."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from grpc import aio
from tests.graph_schema.lifecycle.conftest import Runs, import_world
from tests.server.service import PATIENCE, reason_of

from knowledgesmith.client import KnowledgeSmith, View
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.interventions.ledger import LedgerRow, Measured
from knowledgesmith.graph_schema.interventions.records import InterventionSpec
from knowledgesmith.graph_schema.propagation import Pasteable
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal, State, TargetDistribution
from knowledgesmith.graph_schema.types.plans import (
    Cited,
    Cut,
    Plan,
    PlanWarning,
    Proof,
    WarningKind,
    WorldChange,
    WorldOp,
)
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, Probe, ProbeKind, Role
from knowledgesmith.server.app import CHANNEL_OPTIONS
from knowledgesmith.server.front.interceptors import ServiceInterceptor
from knowledgesmith.server.metrics import Metrics
from knowledgesmith.server.servicers import intervention as servicer
from knowledgesmith.server.servicers import probe as probe_servicer
from knowledgesmith.server.servicers import propagation as propagation_servicer
from knowledgesmith.server.wire.message_sizes import FULL_BYTES, LIST_BYTES, REQUEST_BYTES
from knowledgesmith.server.wire.plans import page_of, plan_to
from knowledgesmith.v1 import common_pb2, intervention_pb2, intervention_pb2_grpc, probe_pb2, propagation_pb2

DEFAULT_BYTES = 4 * 2**20
"""What a client of gRPC takes that sets nothing."""
WIDE = "\u6771" * 480
"""A name that takes three bytes a letter."""


class Served(servicer.InterventionServicer):
    """The real servicer, but for the creation: that notes what comes."""

    sizes: list[int]

    async def CreateIntervention(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Note how many facts came."""
        del context
        self.sizes = [*getattr(self, "sizes", []), len(request.spec.changes)]
        return intervention_pb2.CreateInterventionResponse()


@pytest.fixture
async def served(store: GraphStore) -> AsyncIterator[tuple[Served, str]]:
    """A server with the product's limits, and its address."""
    parts: Any = SimpleNamespace(store=store)
    made = Served(parts)
    interceptor = ServiceInterceptor(Metrics(), draining=asyncio.Event())
    server = aio.server(interceptors=[interceptor], options=CHANNEL_OPTIONS)
    intervention_pb2_grpc.add_InterventionServiceServicer_to_server(made, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield made, f"127.0.0.1:{port}"
    await server.stop(None)


def request(facts: int, text: str = "n" * 150) -> intervention_pb2.CreateInterventionRequest:
    change = intervention_pb2.FactChange(subject=text, relation=text, old_object=text, new_object=text)
    return intervention_pb2.CreateInterventionRequest(spec=intervention_pb2.InterventionSpec(changes=[change] * facts))


async def test_ten_thousand_facts_are_taken_and_what_is_too_large_is_refused_with_a_way_out(
    served: tuple[Served, str],
) -> None:
    made, target = served
    async with aio.insecure_channel(target) as channel:
        stub: Any = intervention_pb2_grpc.InterventionServiceStub(channel)
        asked = request(10_000)
        assert asked.ByteSize() > DEFAULT_BYTES
        await stub.CreateIntervention(asked, timeout=PATIENCE)
        assert made.sizes == [10_000]
        large = request(10_000, WIDE)
        assert large.ByteSize() > REQUEST_BYTES
        with pytest.raises(grpc.RpcError) as caught:
            await stub.CreateIntervention(large, timeout=PATIENCE)
        code, reason, told = reason_of(caught.value)
        assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_LARGE")
        assert (told["field"], told["value"]) == ("CreateInterventionRequest", f"'{large.ByteSize():,} bytes'")
        assert "Split" in told["hint"]
        assert made.sizes == [10_000]


def queue(runs: Runs, branch: str, facts: int, text: str) -> str:
    changes = tuple(Change(subject=f"{n}{text}", relation="r", old_object=text, new_object=text) for n in range(facts))
    spec = InterventionSpec(
        branch_id=branch,
        goal=Goal.EDIT,
        changes=changes,
        method="placebo",
        method_config={},
        target_distribution=TargetDistribution.NEW_OBJECT,
    )
    key = str(uuid.uuid4())
    made, _ = steps.create(runs.store, spec, actor="t", request_id=key, request_hash="h", graph_digest="d" * 64)
    steps.finish(runs.store, made, from_states=[State.QUEUED], state=State.CANCELLED)
    return made


@pytest.fixture
def runs(store: GraphStore, graph_id: str) -> Runs:
    import_world(store, graph_id)
    return Runs(store, graph_id)


async def test_a_listing_of_large_interventions_comes_in_pages_that_fit(served: tuple[Served, str], runs: Runs) -> None:
    branch = runs.branch()
    made = [queue(runs, branch, 110, WIDE) for _ in range(24)]
    seen: list[str] = []
    token, pages = "", 0
    async with aio.insecure_channel(served[1]) as channel:
        stub: Any = intervention_pb2_grpc.InterventionServiceStub(channel)
        while True:
            asked = intervention_pb2.ListInterventionsRequest(
                branch_id=branch, page_size=1000, page_token=token, view=common_pb2.VIEW_FULL
            )
            page = await stub.ListInterventions(asked, timeout=PATIENCE)
            assert 0 < page.ByteSize() < DEFAULT_BYTES
            assert {intervention.spec.total_changes for intervention in page.interventions} == {110}
            assert all(intervention.spec.changes for intervention in page.interventions)
            seen += [intervention.id for intervention in page.interventions]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
    assert sorted(seen) == sorted(made)
    assert pages > 1


async def test_every_change_that_was_asked_for_can_be_read(served: tuple[Served, str], runs: Runs) -> None:
    made = queue(runs, runs.branch(), 2_500, "x" * 400)
    stored = steps.get(runs.store, made).spec.changes
    async with aio.insecure_channel(served[1]) as channel:
        stub: Any = intervention_pb2_grpc.InterventionServiceStub(channel)
        first = await stub.GetIntervention(
            intervention_pb2.GetInterventionRequest(intervention_id=made), timeout=PATIENCE
        )
        assert (len(first.intervention.spec.changes), first.intervention.spec.total_changes) == (100, 2_500)
        large = intervention_pb2.GetInterventionRequest(intervention_id=made, page_size=10_000)
        assert (await stub.GetIntervention(large, timeout=PATIENCE)).ByteSize() < DEFAULT_BYTES
        wrong = intervention_pb2.GetInterventionRequest(intervention_id=made, page_token="x")
        with pytest.raises(grpc.RpcError) as caught:
            await stub.GetIntervention(wrong, timeout=PATIENCE)
        assert reason_of(caught.value)[1] == "PAGE_TOKEN_MISMATCH"
    with KnowledgeSmith(served[1]) as smith:
        intervention = await asyncio.to_thread(lambda: smith.interventions.get(intervention_id=made))
        assert [change.subject for change in intervention.spec.changes] == [change.subject for change in stored]
        branch = intervention.spec.branch_id
        (listed,) = await asyncio.to_thread(lambda: list(smith.interventions.list(branch_id=branch, view=View.FULL)))
        assert (len(listed.spec.changes), listed.spec.total_changes) == (100, 2_500)
        (short,) = await asyncio.to_thread(lambda: list(smith.interventions.list(branch_id=branch)))
        assert (len(short.spec.changes), short.spec.total_changes) == (0, 2_500)


def fact(n: int, text: str) -> tuple[str, str, str]:
    return f"s{n}{text}", "r", f"o{n}{text}"


def large_plan(facts: int, text: str) -> Plan:
    """A plan of so many changes, as many that follow and as many cited facts, and of probes with long options."""
    triples = [fact(n, text) for n in range(facts)]
    ids = [fact_id("g", *triple) for triple in triples]

    def change(n: int, op: WorldOp) -> WorldChange:
        s, r, o = triples[n]
        return WorldChange(
            op=op, fact_id=ids[n], subject=s, relation=r, object=o, proof=Proof(rule="inverse", premises=(ids[0],))
        )

    def probe(n: int) -> PlannedProbe:
        asked = Probe(
            id=f"p{n}",
            kind=ProbeKind.DIRECT,
            anchor=triples[n][0],
            path=("r",),
            chain_length=1,
            stem=text,
            options=(text, text, text, text),
            option_uids=("a", "b", "c", "d"),
            answers=(0,),
            fact_ids=(ids[n],),
            template="t",
        )
        return PlannedProbe(
            probe=asked,
            before=(0,),
            after=(1,),
            polarity=Polarity.CHANGE,
            role=Role.TARGET,
            hops=0,
            nearest_target="",
            asked_fact_id=ids[n],
            relation="r",
            row_seq=n + 1,
        )

    cited = tuple(
        Cited(fact_id=ids[n], subject=s, relation=r, object=o, proof=Proof(rule="asserted"), worlds="both")
        for n, (s, r, o) in enumerate(triples)
    )
    return Plan(
        graph_id="g",
        graph_digest="d",
        branch_id="b",
        goal=Goal.EDIT,
        seed=0,
        targets=(),
        overlay=tuple(change(n, WorldOp.RETRACT) for n in range(facts)),
        derived=tuple(change(n, WorldOp.ASSERT) for n in range(facts)),
        probes=tuple(probe(n) for n in range(min(facts, 2_000))),
        slots=(),
        digest="e" * 64,
        cited=cited,
        cut=Cut(facts=tuple(ids)),
        names=tuple((uid, text) for s, _, o in triples for uid in (s, o)),
        warnings=tuple(
            PlanWarning(kind=WarningKind.TYPE, fact_id=ids[n], message=text * 4, hint=text)
            for n in range(min(50, facts))
        ),
    )


@pytest.mark.parametrize(("facts", "text"), [(10_000, "name"), (3_000, WIDE), (0, "")])
def test_a_plan_of_any_size_fits_and_its_pages_are_all_of_it(facts: int, text: str) -> None:
    plan = large_plan(facts, text)
    first = plan_to(plan)
    assert first.ByteSize() < DEFAULT_BYTES
    assert (first.total_changes, first.total_cited, first.total_probes) == (2 * facts, facts, len(plan.probes))
    whole, start = intervention_pb2.Plan(), 0
    while True:
        page = page_of(plan, start=start)
        assert page.plan.ByteSize() < DEFAULT_BYTES
        assert {uid for c in page.plan.changes for uid in (c.subject_uid, c.object_uid)} <= set(page.plan.names)
        whole.MergeFrom(page.plan)
        if page.next is None:
            break
        assert page.next > start
        start = page.next
    assert [c.fact_id for c in whole.changes] == [c.fact_id for c in (*plan.overlay, *plan.derived)]
    assert [c.derived for c in whole.changes] == [False] * facts + [True] * facts
    assert [c.fact_id for c in whole.cited] == [c.fact_id for c in plan.cited]
    assert dict(whole.names) == dict(plan.names)
    assert len(whole.probes) == len(first.probes)


def test_a_client_that_takes_more_may_have_the_whole_plan() -> None:
    whole = plan_to(large_plan(10_000, "name"), limit=FULL_BYTES)
    assert (len(whole.changes), len(whole.cited)) == (20_000, 10_000)
    assert whole.ByteSize() > LIST_BYTES


async def test_the_stored_plan_is_paged_and_our_client_joins_its_pages(
    served: tuple[Served, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = large_plan(6_000, "name")

    async def intervention(_self: object, intervention_id: str) -> Any:
        return SimpleNamespace(id=intervention_id, plan_digest=plan.digest)

    monkeypatch.setattr(servicer.InterventionServicer, "_intervention", intervention)

    def loaded(_store: object, _id: str) -> Plan:
        return plan

    monkeypatch.setattr(servicer, "load_plan", loaded)
    async with aio.insecure_channel(served[1]) as channel:
        stub: Any = intervention_pb2_grpc.InterventionServiceStub(channel)
        small = await stub.GetPlan(intervention_pb2.GetPlanRequest(intervention_id="i", page_size=7), timeout=PATIENCE)
        assert (len(small.plan.changes), len(small.plan.probes)) == (7, 1000)
        more = intervention_pb2.GetPlanRequest(intervention_id="i", page_size=7, page_token=small.next_page_token)
        second = (await stub.GetPlan(more, timeout=PATIENCE)).plan
        assert [c.fact_id for c in second.changes] == [c.fact_id for c in plan.overlay[7:14]]
        assert (len(second.probes), second.total_changes) == (0, 12_000)
        with pytest.raises(grpc.RpcError) as caught:
            await stub.GetPlan(intervention_pb2.GetPlanRequest(intervention_id="i", page_size=-1), timeout=PATIENCE)
        assert reason_of(caught.value)[1] == "INVALID_FIELD"
    with KnowledgeSmith(served[1]) as smith:
        joined = await asyncio.to_thread(lambda: smith.interventions.get_plan(intervention_id="i"))
    assert [c.fact_id for c in joined.changes] == [c.fact_id for c in (*plan.overlay, *plan.derived)]
    assert [c.fact_id for c in joined.cited] == [c.fact_id for c in plan.cited]
    assert joined.names == dict(plan.names)
    assert joined.cut
    assert (joined.total_probes, joined.cut.total_facts, len(joined.cut.fact_ids)) == (2_000, 6_000, 1_000)


def walked(call: Callable[[str], tuple[Any, Sequence[Any]]]) -> tuple[list[Any], int]:
    """Every item of a listing and the number of its pages; each page fits a client's default."""
    items: list[Any] = []
    token, pages = "", 0
    while True:
        answer, shown = call(token)
        assert shown
        assert answer.ByteSize() < DEFAULT_BYTES
        items += shown
        token, pages = answer.next_page_token, pages + 1
        if not token:
            return items, pages


def test_pages_of_probes_fit_whatever_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = [planned.probe for planned in large_plan(900, WIDE).probes]

    def info(_store: object, _id: str) -> Any:
        return SimpleNamespace(digest="d")

    def page(_folder: object, _digest: str, *, kind: object, skip: int, limit: int) -> list[Probe]:
        assert kind is None
        return probes[skip : skip + limit]

    monkeypatch.setattr("knowledgesmith.server.servicers.probe.probe_set.get_info", info)
    monkeypatch.setattr("knowledgesmith.server.servicers.probe.probe_set.read_page", page)
    parts: Any = SimpleNamespace(store=None, settings=SimpleNamespace(probe_set_dir=None))
    servicer_of_probes, context = probe_servicer.ProbeServicer(parts), Any

    def call(token: str) -> tuple[Any, Sequence[Any]]:
        asked = probe_pb2.ListProbesRequest(probe_set_id="p", page_size=1000, page_token=token)
        answer = asyncio.run(servicer_of_probes.ListProbes(asked, context))  # type: ignore[arg-type]
        return answer, answer.probes

    items, pages = walked(call)
    assert [item.id for item in items] == [probe.id for probe in probes]
    assert pages > 1


def test_pages_of_ledger_rows_fit_whatever_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Measured(before=0.5, after=0.5, new_before=0.5, new_after=0.5, n=1, n_preserved=1)
    rows = [
        LedgerRow(
            seq=n,
            entity=f"{n}{WIDE}",
            name=WIDE,
            level="Leaf",
            kind="DIRECT",
            polarity="stay",
            role="stays",
            fact_id="f",
            relation=WIDE,
            hops=1,
            nearest_target=WIDE,
            measured=measured,
        )
        for n in range(1, 1_501)
    ]
    query = Pasteable(cypher="", parameters={})

    def changes(_store: object, _run: str, _which: object, *, skip: int, limit: int) -> Any:
        return rows[skip : skip + limit], query

    async def key(_self: object, *_names: object) -> str:
        return "key"

    monkeypatch.setattr("knowledgesmith.server.servicers.propagation.propagation.changes", changes)
    monkeypatch.setattr(propagation_servicer.PropagationServicer, "_key", key)
    parts: Any = SimpleNamespace(store=None)
    servicer_of_rows, context = propagation_servicer.PropagationServicer(parts), Any

    def call(token: str) -> tuple[Any, Sequence[Any]]:
        asked = propagation_pb2.ListBeliefChangesRequest(intervention_id="i", page_size=1000, page_token=token)
        answer = asyncio.run(servicer_of_rows.ListBeliefChanges(asked, context))  # type: ignore[arg-type]
        return answer, answer.changes

    items, pages = walked(call)
    assert [item.sequence for item in items] == [row.seq for row in rows]
    assert pages > 2
