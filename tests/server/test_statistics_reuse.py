"""Two plans on one graph have one measured text: the second measures what only its own text lacks or has."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.editors.statistics.plain import passes
from tests.server.bench import Deaf, import_world, open_branch, register

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.statistics import moments
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.statistics.passes import pass_over
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.editors.text.sentences import general_text
from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates
from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.interventions.records import InterventionSpec
from knowledgesmith.graph_schema.planning.training_set import TrainingMaterial, choose
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Fact, Relation, Traits, fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal, TargetDistribution
from knowledgesmith.graph_schema.types.plans import Plan, WorldChange, WorldOp
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.attempt.compose import corpus_of, request_of
from knowledgesmith.server.worker.attempt.reporting import Reporter
from knowledgesmith.server.worker.attempt.runner import AttemptRunner
from knowledgesmith.server.worker.model.host import ModelHost

GRAPH = "towns"
TOWNS = tuple(f"Town {letter}" for letter in "ABCDEFGHIJKLMNOPQRST")
RELATIONS = ("located_in", "led_by")


def snapshot() -> GraphSnapshot:
    names = (*TOWNS, "North", "South", "Ann", "Bo")
    facts = [
        Fact(subject=town, relation=relation, object=objects[number % 2], source="test")
        for number, town in enumerate(TOWNS)
        for relation, objects in zip(RELATIONS, (("North", "South"), ("Ann", "Bo")), strict=True)
    ]
    return GraphSnapshot(
        graph_id=GRAPH,
        digest="0" * 64,
        entities={name: Entity(uid=name, name=name, type="Thing", domain="all") for name in names},
        levels={},
        relations={
            name: Relation(name=name, rel_type=name.upper(), traits=Traits(), templates=derive_templates(name))
            for name in RELATIONS
        },
        facts=tuple(facts),
    )


def material(*towns: str, seed: int, statistics: int = 600) -> TrainingMaterial:
    """Of a plan that moves some towns from where they are."""
    moves = [(town, *(("North", "South") if TOWNS.index(town) % 2 == 0 else ("South", "North"))) for town in towns]
    changes = [
        WorldChange(op=op, fact_id=fact_id(GRAPH, town, "located_in", o), subject=town, relation="located_in", object=o)
        for town, *objects in moves
        for op, o in zip((WorldOp.RETRACT, WorldOp.ASSERT), objects, strict=True)
    ]
    plan = Plan(
        graph_id=GRAPH,
        graph_digest="0" * 64,
        branch_id="b",
        goal=Goal.EDIT,
        seed=seed,
        targets=tuple(
            Change(subject=town, relation="located_in", old_object=old, new_object=new) for town, old, new in moves
        ),
        overlay=tuple(changes),
        derived=(),
        probes=(),
        slots=(),
        digest="",
    )
    return choose(plan, snapshot(), overlay=(), seed=seed, statistics=statistics)


def text_of(found: TrainingMaterial) -> tuple[str, ...]:
    return request_of(
        found, goal=Goal.EDIT, target_distribution=TargetDistribution.NEW_OBJECT, install_derived=False, seed=0
    ).statistics_text


def test_the_fixed_text_is_the_graphs_and_no_plan_chose_it() -> None:
    one, other = material("Town A", "Town F", seed=1), material("Town K", seed=2)
    assert one.corpus == other.corpus
    assert len(one.corpus) == len(snapshot().facts)
    assert set(one.sentences) < set(one.corpus)
    for found, towns in ((one, ("Town A", "Town F")), (other, ("Town K",))):
        missing = set(found.corpus) - set(found.sentences)
        assert {next(town for town in TOWNS if town in text) for text in missing} == set(towns)
        assert len(missing) == len(towns), "what is said of them otherwise may be seen"


def test_others_take_the_place_of_what_is_asked() -> None:
    found = material("Town A", "Town F", "Town K", seed=1, statistics=30)
    assert len(found.corpus) == len(found.sentences) == len(found.statistics) == 30
    assert found.corpus == material(seed=3, statistics=30).corpus == material(seed=3, statistics=30).sentences


def test_the_second_plan_measures_only_its_own_few_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = tiny_llama()
    seen = passes(loaded, monkeypatch)
    first, second = material("Town A", "Town F", seed=1), material("Town K", seed=2)
    TextStatistics(loaded, text_of(first), tmp_path, corpus=corpus_of(first)).prepare([1])
    assert sum(seen) == len(general_text()) + len(snapshot().facts) + 2
    seen.clear()
    statistics = TextStatistics(loaded, text_of(second), tmp_path, corpus=corpus_of(second))
    found = statistics.second_moment(1)
    assert sum(seen) == 1
    anew = TextStatistics(loaded, text_of(second), None).second_moment(1)
    assert float((found - anew).norm()) <= 1e-5 * float(anew.norm())
    assert not torch.equal(found, TextStatistics(loaded, corpus_of(second), None).second_moment(1))


def test_two_interventions_of_a_worker_share_what_was_measured(
    store: GraphStore, graph_id: str, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's own path: plan, request, statistics, method; each on a branch of its own, from the same weights."""
    import_world(store, graph_id)
    settings = ServerSettings(data_dir=tmp_path, device="cpu")
    settings.create_directories()
    host = ModelHost(settings=settings, store=store)
    register(store, host, tiny_checkpoint, f"m-{graph_id}")
    deaf: Any = Deaf()
    worker = AttemptRunner(settings=settings, store=store, host=host, reporter=Reporter(deaf, deaf))
    read: list[int] = []

    def counting(loaded: LoadedModel, rows: Sequence[Sequence[int]], *rest: Any, **named: Any) -> Any:
        read.append(len(rows))
        return pass_over(loaded, rows, *rest, **named)

    monkeypatch.setattr(moments, "pass_over", counting)
    counts: list[int] = []
    for country, old, new, seed in (("france", "paris", "rome", 1), ("peru", "lima", "oslo", 2)):
        branch = open_branch(store, f"{country}-{graph_id}", model_id=f"m-{graph_id}", graph_id=graph_id)
        spec = InterventionSpec(
            branch_id=branch,
            goal=Goal.EDIT,
            changes=(Change(subject=country, relation="has_capital", old_object=old, new_object=new),),
            method="ultraedit",
            method_config={},
            target_distribution=TargetDistribution.NEW_OBJECT,
            max_probes=20,
            seed=seed,
        )
        intervention, _ = steps.create(store, spec, actor="test", request_id=branch, request_hash="h", graph_digest="")
        read.clear()
        worker.run(intervention, stop=threading.Event())
        assert steps.get(store, intervention).artefact_sha256, steps.get(store, intervention).error_message
        counts.append(sum(read))
    assert counts[0] > len(general_text())
    assert 0 < counts[1] < 0.2 * counts[0], counts
    assert len(list(settings.statistics_dir.iterdir())) == 1, "one map, one text"
