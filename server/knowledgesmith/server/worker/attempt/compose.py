"""From a plan to a request for a method: texts only, filled from the graph's training templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.text.sentences import general_text
from knowledgesmith.graph_schema.errors import Aborted, FailedPrecondition
from knowledgesmith.graph_schema.graphs.reading import load_snapshot
from knowledgesmith.graph_schema.planning.training_set import training_material
from knowledgesmith.graph_schema.worlds.structural import revive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.graph_schema.interventions.records import Intervention
    from knowledgesmith.graph_schema.planning.training_set import RetainFact, TrainingMaterial, TrainingUpdate
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution
    from knowledgesmith.graph_schema.types.plans import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What a method is given, and what its statistics are taken from.

    Attributes:
        request: holds nothing that the plan measures.
        corpus: the text whose statistics every plan of the graph shares. It states what this plan measures too, so no
            method sees it; from the statistics that a method gets, the sentences that the request lacks are subtracted.
    """

    request: UpdateRequest
    corpus: tuple[str, ...]


def compose(store: GraphStore, intervention: Intervention, plan: Plan) -> Composed:
    """The request of an intervention. Nothing that the plan measures is in what a method may learn from.

    Raises:
        FailedPrecondition: no target has a training phrasing.
        Aborted: the graph's facts, names or templates are not those of the plan any more.
    """
    stored = load_snapshot(store, plan.graph_id)
    if stored.digest != plan.graph_digest or (plan.stamp and stored.stamp != plan.stamp):
        raise Aborted(
            "the graph was imported again, or traits or wordings were accepted, after the intervention was planned",
            field="graph_id",
            value=plan.graph_id,
            hint="Ask for the intervention again; it is then planned on the graph as it is.",
        )
    snapshot = revive(stored, plan.inserted)
    material = training_material(store, plan, snapshot, seed=plan.seed)
    request = request_of(
        material,
        goal=plan.goal,
        target_distribution=intervention.spec.target_distribution,
        install_derived=intervention.spec.install_derived,
        seed=plan.seed,
    )
    return Composed(request=request, corpus=corpus_of(material))


def corpus_of(material: TrainingMaterial) -> tuple[str, ...]:
    """Bundled general sentences and the graph's, whatever a plan asks of them."""
    return (*general_text(), *material.corpus)


def request_of(
    material: TrainingMaterial,
    *,
    goal: Goal,
    target_distribution: TargetDistribution,
    install_derived: bool,
    seed: int,
) -> UpdateRequest:
    """Fill the templates. Without ``install_derived`` only the user's own targets are trained.

    The statistics text is bundled general sentences and the graph's allowed facts, so that a graph of which everything
    is asked, or one in another language, has a text too.

    Raises:
        FailedPrecondition: no target has a training phrasing.
    """
    updates = [u for u in material.updates if u.templates and (not u.derived or (install_derived and _fits(u, goal)))]
    if not any(not u.derived for u in updates):
        raise FailedPrecondition(
            "no target has a training phrasing",
            field="changes",
            hint="Give the relation forward cloze templates of the split `train` that no evaluation template repeats.",
        )
    return UpdateRequest(
        goal=goal,
        target_distribution=target_distribution,
        updates=tuple(_update(u) for u in updates),
        retain=tuple(_row(row) for row in material.retain),
        statistics_text=material.forbidden.without((*general_text(), *material.sentences)),
        seed=seed,
        forbidden=material.forbidden,
    )


def _fits(update: TrainingUpdate, goal: Goal) -> bool:
    """A derived change can be trained along with an edit when it has a new object, with an erasure when it has none."""
    return bool(update.new) == (goal.value == "EDIT")


def _update(update: TrainingUpdate) -> FactUpdate:
    return FactUpdate(
        fact_id=update.fact_id,
        relation=update.relation,
        prompts=_prompts(update.templates, update.subject_name),
        old=update.old_name,
        new=update.new_name,
        old_aliases=update.old_aliases,
        candidates=update.candidates,
        neutral_prompts=tuple(Prompt.fill(update.templates[0], name) for name in update.sibling_names),
        subject_type=update.subject_type,
        derived=update.derived,
    )


def _prompts(templates: Sequence[str], subject: str) -> tuple[Prompt, ...]:
    return tuple(Prompt.fill(template, subject) for template in templates)


def _row(row: RetainFact) -> RetainRow:
    return RetainRow(prompt=Prompt.fill(row.template, row.subject_name), answer=row.object_name, scope=row.scope.value)
