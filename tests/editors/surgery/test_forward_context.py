"""A pass says where its prompts end, to what hangs on its modules; whoever forgets it is told so."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
import torch
from tests.editors.artefacts.tiny_methods import Remember

from knowledgesmith.editors.artefacts.memory import Acts, Memory
from knowledgesmith.editors.artefacts.session import ModelSession, attached
from knowledgesmith.editors.contract import MethodConfig
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import answer_batch, rows
from knowledgesmith.editors.objective.suffix import prefill, suffix_logits
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.forward_context import ForwardContext, Phase
from knowledgesmith.editors.surgery.views import view_of
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny
from knowledgesmith.graph_schema.errors import FailedPrecondition
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

REQUEST = rehearsal_request(Goal.EDIT, TargetDistribution.NEW_OBJECT)
IDS = torch.tensor([[3, 5, 7, 9, 11]])


def remembered(loaded: LoadedModel, *, acts: Acts = Acts.FROM_PROMPT_END, layer: int = 1, wide: float = 3.0) -> Memory:
    statistics = TextStatistics(loaded, REQUEST.statistics_text, None)
    method = Remember(MethodConfig(), acts=acts, layer=layer, wide=wide)
    return method.apply(loaded, REQUEST, statistics, Recorder())


def everywhere(loaded: LoadedModel) -> Memory:
    """One entry that meets every input."""
    projection = loaded.architecture.down_projection(1)
    return Memory(
        module=projection.name,
        keys=torch.zeros(1, projection.in_features),
        values=torch.randn(1, projection.out_features, generator=torch.Generator().manual_seed(1)),
        radii=torch.tensor([1e6]),
        labels=("all",),
        acts=Acts.FROM_PROMPT_END,
    )


@pytest.mark.parametrize("values", [list, torch.tensor], ids=["numbers", "tensor"])
def test_places_are_prompt_ends_and_what_follows(values: type[list[int]]) -> None:
    lengths, ends = values([5, 3]), values([2, 2])
    prompt = ForwardContext(phase=Phase.PROMPT, lengths=lengths, ends=ends)
    assert prompt.places(onwards=False) == ([0, 1], [2, 2])
    assert prompt.places(onwards=True) == ([0, 0, 0, 1], [2, 3, 4, 2])
    behind = ForwardContext(phase=Phase.CONTINUATION, lengths=values([1, 2]))
    assert behind.places(onwards=False) == ([], [])
    assert behind.places(onwards=True) == ([0, 1, 1], [0, 0, 1])
    assert ForwardContext(phase=Phase.AT_REST).places(onwards=True) == ([], [])
    with forward_context.prompting(lengths):
        assert forward_context.current(rows=2, width=5).places(onwards=False) == ([0, 1], [4, 2])


@pytest.mark.parametrize("acts", list(Acts))
def test_a_pass_that_says_nothing_of_its_prompts_is_an_error(loaded: LoadedModel, acts: Acts) -> None:
    with attached(loaded, remembered(loaded, acts=acts)):
        with pytest.raises(FailedPrecondition, match=r"prompts of this pass end.*forward_context\.prompting"):
            loaded.model(IDS)
        with forward_context.prompting([5]):
            loaded.model(IDS)
        with forward_context.continuing([5]):
            loaded.model(IDS)
        with pytest.raises(FailedPrecondition, match="another pass"), forward_context.prompting([5, 5]):
            loaded.model(IDS)
        with pytest.raises(FailedPrecondition, match="another pass"), forward_context.prompting([6]):
            loaded.model(IDS)
        with pytest.raises(ZeroDivisionError), forward_context.prompting([5]):
            raise ZeroDivisionError
        with pytest.raises(FailedPrecondition, match="nothing says"):
            loaded.model(IDS)
    loaded.model(IDS)


def test_texts_that_ask_nothing_meet_no_memory(loaded: LoadedModel) -> None:
    before = loaded.model(IDS).logits
    with attached(loaded, everywhere(loaded)):
        with forward_context.at_rest():
            assert torch.equal(loaded.model(IDS).logits, before)
        with forward_context.prompting([5]):
            after = loaded.model(IDS).logits
    assert torch.equal(after[0, :-1], before[0, :-1]), "before the prompt's end nothing changes"
    assert not torch.allclose(after[0, -1], before[0, -1])


def taught(loaded: LoadedModel) -> Sequence[tuple[str, str]]:
    return [(prompt.text, update.new) for update in REQUEST.updates for prompt in update.prompts]


@pytest.mark.parametrize("acts", list(Acts))
@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_answer_passes_see_what_plain_passes_see(structure: str, acts: Acts) -> None:
    """Whole rows in one batch, and only the part above a changed block: for memories below it and above it."""
    loaded = tiny(structure)
    items = rows(loaded.tokenizer, taught(loaded))
    batch = answer_batch(items)
    with torch.no_grad():
        base = answer_logits(loaded.model, batch)
    for layer in range(loaded.architecture.num_layers):
        with attached(loaded, remembered(loaded, acts=acts, layer=layer)), torch.no_grad():
            found = answer_logits(loaded.model, batch)
            alone: list[torch.Tensor] = []
            for item in items:
                ids, begin = (*item.prompt, *item.answer), len(item.prompt)
                with forward_context.prompting([len(ids)], ends=[begin - 1]):
                    alone.append(loaded.model(torch.tensor([ids])).logits[0, begin - 1 : -1])
            starts = torch.tensor([1 + len(item.prompt) // 2 for item in items])
            # windows count places, so rows that start apart share no pass there (``suffix.bucketed``)
            if loaded.model.config.get_text_config().to_dict().get("sliding_window") is None:
                filled = prefill(loaded, batch, layer=1, starts=starts)
                above = suffix_logits(loaded, filled, torch.zeros(len(items), loaded.architecture.hidden_size))
                assert torch.allclose(above, found, atol=2e-4)
                keep = torch.arange(len(items)) % 2 == 0
                some = filled.select(keep)
                part = suffix_logits(loaded, some, torch.zeros(int(keep.sum()), loaded.architecture.hidden_size))
                assert torch.allclose(part, found[keep[batch.row]], atol=2e-4)
        assert torch.allclose(found, torch.cat(alone).float(), atol=2e-4)
        assert not torch.allclose(found, base, atol=1e-2)


def test_two_threads_with_views_of_one_model_do_not_meet(llama: LoadedModel) -> None:
    """In the middle of each pass of the one the other runs, with another end of its prompt."""
    memory = everywhere(llama)
    view = view_of(llama)
    resident, other = ModelSession(llama), ModelSession(view)
    resident.switch([memory])
    other.switch([memory])

    def run(loaded: LoadedModel, end: int) -> torch.Tensor:
        with torch.no_grad(), forward_context.prompting([5], ends=[end]):
            found: torch.Tensor = loaded.model(IDS).logits
        return found

    alone = [run(llama, 1), run(view, 3)]
    assert not torch.equal(*alone)
    seen: list[torch.Tensor] = []

    def meanwhile(_module: object, _args: object) -> None:
        thread = threading.Thread(target=lambda: seen.append(run(view, 3)))
        thread.start()
        thread.join()

    for block in llama.architecture.blocks:
        block.register_forward_pre_hook(meanwhile)
    assert torch.equal(run(llama, 1), alone[0])
    assert len(seen) == llama.architecture.num_layers
    assert all(torch.equal(one, alone[1]) for one in seen)

    forgetful: list[BaseException] = []

    def without() -> None:
        try:
            view.model(IDS)
        except FailedPrecondition as error:
            forgetful.append(error)

    with forward_context.prompting([5]):
        thread = threading.Thread(target=without)
        thread.start()
        thread.join()
    assert len(forgetful) == 1, "another thread's context is not this one's"
