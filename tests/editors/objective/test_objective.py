"""Losses and target distributions: checked against torch's own, against sums by hand, and for their invariances."""

from __future__ import annotations

import pytest
import torch
from tests.editors.losses import answered, cross_entropy, kl_to_reference
from torch.nn import functional

from knowledgesmith.editors.locate.lookups import lookup
from knowledgesmith.editors.objective.divergence import Targets, divergence, per_row
from knowledgesmith.editors.objective.neutral import MASKS, neutral_answers
from knowledgesmith.editors.objective.passes import answer_logits, own_distributions
from knowledgesmith.editors.objective.rows import IGNORE, Row, answer_batch, join, rows
from knowledgesmith.editors.requests import FactUpdate, Prompt
from knowledgesmith.editors.testing.tiny import tiny_gpt2, tiny_llama, tiny_tokenizer
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.types.interventions import TargetDistribution

PAIRS = [
    ("The capital of France is", "Paris"),
    ("The capital of Japan is", "Tokyo, and Kyoto"),
    ("Peru", "Lima"),
]


def _update(**changes: object) -> FactUpdate:
    values: dict[str, object] = {
        "fact_id": "f",
        "relation": "capital",
        "prompts": (Prompt.fill("The capital of {s} is", "France"),),
        "old": "Paris",
        "new": "",
        "candidates": ("Paris", "Rome", "Tokyo", "Lima"),
        "neutral_prompts": tuple(Prompt.fill("The capital of {s} is", name) for name in ("Spain", "Italy")),
    }
    return FactUpdate(**{**values, **changes})  # type: ignore[arg-type]  # keyword values chosen by each test


@pytest.mark.parametrize(
    ("prompt", "answer", "end", "text"),
    [
        ("日本的首都是", "东京", "。", "日本的首都是东京。"),
        ("เมืองหลวงคือ", "กรุงเทพ", "", "เมืองหลวงคือกรุงเทพ"),
        ("The capital is", "東京", ".", "The capital is 東京."),
    ],
)
def test_no_blank_is_trained_where_the_script_has_none(prompt: str, answer: str, end: str, text: str) -> None:
    tokenizer = tiny_tokenizer()
    row = join(tokenizer, prompt=prompt, answer=answer, end=end)
    assert [*row.prompt, *row.answer] == encode(tokenizer, text)


def test_join_cuts_one_tokenisation() -> None:
    tokenizer = tiny_tokenizer()
    row = join(tokenizer, prompt="The capital of France is", answer="Paris", end=".")
    assert [*row.prompt, *row.answer] == encode(tokenizer, "The capital of France is Paris.")
    assert tokenizer.decode(list(row.answer)) == " Paris."
    assert list(row.prompt) == encode(tokenizer, "The capital of France is")
    hostile = join(tokenizer, prompt="The sign <eos> is", answer="<eos>")
    assert tokenizer.eos_token_id not in (*hostile.prompt, *hostile.answer)


def test_answer_only_labels() -> None:
    items = rows(tiny_tokenizer(), PAIRS)
    batch = answer_batch(items)
    for index, item in enumerate(items):
        labelled = batch.labels[index] != IGNORE
        assert tuple(batch.ids[index][labelled].tolist()) == item.answer
        assert int(batch.mask[index].sum()) == len(item.prompt) + len(item.answer)
    assert batch.answers.tolist() == [token for item in items for token in item.answer]


@pytest.mark.parametrize("loaded", [tiny_llama(seed=3), tiny_gpt2(seed=3)], ids=["llama", "gpt2"])
def test_losses_do_not_see_padding_or_prompt(loaded: object) -> None:
    from knowledgesmith.editors.models.loaded import LoadedModel

    assert isinstance(loaded, LoadedModel)
    items = rows(loaded.tokenizer, PAIRS)
    with torch.no_grad():
        together = cross_entropy(loaded.model, answer_batch(items))
        alone = torch.stack([cross_entropy(loaded.model, answer_batch([item])) for item in items]).mean()
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_one_hot_is_cross_entropy_and_full_list_is_exact_kl() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, reference = (torch.randn(5, 30, generator=generator, dtype=torch.float64) * 3 for _ in range(2))
    labels = torch.randint(0, 30, (5,), generator=generator)
    torch.testing.assert_close(
        divergence(logits, Targets.one_hot(labels)), functional.cross_entropy(logits, labels, reduction="none")
    )
    exact = functional.kl_div(logits.log_softmax(-1), reference.log_softmax(-1), log_target=True, reduction="none").sum(
        -1
    )
    torch.testing.assert_close(divergence(logits, Targets.top(reference, k=30)), exact)
    coarse = divergence(logits, Targets.top(reference, k=4))
    assert bool((coarse <= exact + 1e-9).all()), "merging tokens into one bucket can only lose information"
    assert bool((coarse > 0).all())


def test_divergence_has_no_gradient_at_its_target() -> None:
    logits = torch.randn(3, 20, generator=torch.Generator().manual_seed(1), requires_grad=True)
    divergence(logits, Targets.top(logits.detach(), k=6)).sum().backward()  # type: ignore[no-untyped-call]  # torch
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) < 1e-5


def test_joined_targets_keep_their_meaning() -> None:
    logits = torch.randn(4, 20, generator=torch.Generator().manual_seed(1))
    narrow, broad = Targets.one_hot(torch.tensor([3, 0])), Targets.top(logits[2:], k=7)
    both = Targets.join([narrow, broad])
    parts = torch.cat([divergence(logits[:2], narrow), divergence(logits[2:], broad)])
    torch.testing.assert_close(divergence(logits, both), parts)
    torch.testing.assert_close(divergence(logits[2:], both.at(torch.tensor([2, 3]))), parts[2:])


def test_a_model_has_no_distance_to_itself() -> None:
    loaded = tiny_llama(seed=4)
    items = rows(loaded.tokenizer, PAIRS)
    own = own_distributions(loaded.model, items, k=16, size=2)
    assert [len(targets.tokens) for targets in own] == [len(item.answer) for item in items]
    batch = answer_batch(items)
    with torch.no_grad():
        assert float(kl_to_reference(loaded.model, batch, Targets.join(own))) == pytest.approx(0, abs=1e-5)
        other = tiny_llama(seed=5).model
        assert float(kl_to_reference(other, batch, Targets.join(own))) > 0.1


def test_answered_means_every_token() -> None:
    batch = answer_batch([Row(prompt=(1,), answer=(2, 3)), Row(prompt=(1,), answer=(2,))])
    logits = functional.one_hot(torch.tensor([2, 4, 2]), 6).float()
    assert answered(logits, batch).tolist() == [False, True]
    assert per_row(torch.tensor([1.0, 3.0, 5.0]), batch.row, 2).tolist() == [2.0, 5.0]


def test_lookup_finds_the_subject_and_leaves_the_sink() -> None:
    tokenizer = tiny_tokenizer()
    found = lookup(tokenizer, Prompt.fill("The capital of {s} is", "France"))
    before = encode(tokenizer, "The capital of France")
    assert list(found.ids[: found.position + 1]) == before
    letter = lookup(tokenizer, Prompt.fill("{s} is a sign", "B"))
    assert letter.position == 1, "the first token is an attention sink"


def test_graph_neutral_is_the_mean_over_siblings_with_the_old_object_capped() -> None:
    loaded = tiny_llama(seed=6)
    update = _update()
    (found,) = neutral_answers(loaded, [update], distribution=TargetDistribution.NEUTRAL_GRAPH, k=10_000)
    items = [join(loaded.tokenizer, prompt=prompt.text, answer="Paris") for prompt in update.neutral_prompts]
    batch = answer_batch(items)
    with torch.no_grad():
        probs = answer_logits(loaded.model, batch).softmax(-1)
    mean = torch.stack([probs[batch.row == i][0] for i in range(len(items))]).mean(0)
    first = {name: join(loaded.tokenizer, prompt="x", answer=name).answer[0] for name in update.candidates}
    others = sorted({first[name] for name in ("Rome", "Tokyo", "Lima")})
    expected = mean.clone()
    expected[first["Paris"]] = min(float(mean[first["Paris"]]), float(mean[others].mean()))
    expected /= expected.sum()
    for path in found:
        q = torch.zeros_like(mean).scatter(0, path.targets.tokens[0], path.targets.probs[0])
        torch.testing.assert_close(q, expected, rtol=1e-4, atol=1e-7)
    assert sum(path.weight for path in found) == pytest.approx(1)
    assert found[0].answer == items[0].answer


def test_masked_and_missing_siblings_agree() -> None:
    loaded = tiny_llama(seed=6)
    (masked,) = neutral_answers(loaded, [_update()], distribution=TargetDistribution.NEUTRAL_MASK)
    (fallback,) = neutral_answers(loaded, [_update(neutral_prompts=())], distribution=TargetDistribution.NEUTRAL_GRAPH)
    (stated,) = neutral_answers(
        loaded,
        [_update(neutral_prompts=tuple(Prompt.fill("The capital of {s} is", mask) for mask in MASKS))],
        distribution=TargetDistribution.NEUTRAL_GRAPH,
    )
    for left, right in ((masked, fallback), (masked, stated)):
        for one, other in zip(left, right, strict=True):
            torch.testing.assert_close(one.targets.probs, other.targets.probs)


def test_uniform_treats_candidates_alike() -> None:
    loaded = tiny_llama(seed=6)
    (found,) = neutral_answers(loaded, [_update()], distribution=TargetDistribution.UNIFORM)
    for path in found:
        share = 1.0
        for token, tokens, probs in zip(path.answer, path.targets.tokens, path.targets.probs, strict=True):
            share *= float(probs[tokens == token].sum())
        assert share == pytest.approx(0.25)
    assert len({path.answer for path in found}) == 4
