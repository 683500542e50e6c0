"""Moments of gradients and the diagonal Fisher: each against full backward passes, one sentence at a time."""

from __future__ import annotations

import hashlib

import pytest
import torch
from tests.editors.statistics.plain import following, passes, plain_sums

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.statistics.identity import Kind
from knowledgesmith.editors.statistics.maps import linear_map
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.statistics.passes import squared_by_sentence
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny, tiny_llama
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.errors import InvalidInput, ModelNotFinite

SENTENCES = ("The capital of France is Paris.", "Cu", "Osaka is a city of Japan.", "B is boron", "B")
KINDS = (Kind.KEYS, Kind.GRADIENTS, Kind.FISHER)


def sampled(logits: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """One label a token, drawn from the model's distribution by numbers that the sentence gives."""
    seed = int.from_bytes(hashlib.sha256(repr(tuple(ids)).encode()).digest()[:8], "big") % 2**63
    drawn = torch.rand(len(ids), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    below = logits.softmax(-1).cumsum(-1) < drawn[:, None]
    return below.sum(-1)


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_equals_one_sentence_at_a_time(structure: str) -> None:
    loaded = tiny(structure, dtype=torch.float64)
    # of every block another map: what attention reads, what the MLP reads and writes
    names = [loaded.architecture.down_projection(0).name, *loaded.architecture.linear_names[-4:]]
    statistics = TextStatistics(loaded, SENTENCES, None, batch_rows=3)
    statistics.prepare_maps(names, kinds=KINDS)
    for name in names:
        projection = linear_map(loaded, name)
        keys, own, _, tokens = plain_sums(loaded, projection, SENTENCES, sampled)
        _, _, fisher, _ = plain_sums(loaded, projection, SENTENCES, following)
        for found, expected in (
            (statistics.key_moment(name), keys / tokens),
            (statistics.gradient_moment(name), own / tokens),
            (statistics.moment(name, Kind.FISHER), fisher / len(SENTENCES)),
        ):
            assert found.dtype is torch.float64
            assert float(expected.abs().max()) > 0, "there is something to compare"
            assert float((found - expected).norm()) <= 1e-10 * float(expected.norm()), name
        assert statistics.tokens(name) == tokens
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_all_maps_share_a_pass_of_each_kind(llama: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = passes(llama, monkeypatch)
    names = [llama.architecture.down_projection(layer).name for layer in (0, 2, 3)]
    TextStatistics(llama, SENTENCES, None).prepare_maps(names, kinds=KINDS)
    assert seen == [len(SENTENCES)] * len(KINDS)


def test_sentences_that_pull_apart_do_not_cancel() -> None:
    """Of two sentences with opposite gradients the batch's gradient is zero, and its square says nothing."""
    loaded = tiny_llama(tied=False, dtype=torch.float64)
    first, second = "ab", "ac"
    ids = [encode(loaded.tokenizer, text) for text in (first, second)]
    assert [len(row) for row in ids] == [2, 2]
    assert ids[0][0] == ids[1][0]
    head = loaded.architecture.lm_head
    seen: list[torch.Tensor] = []
    handle = head.register_forward_pre_hook(lambda _module, args: seen.append(args[0][0, 0]))
    with torch.no_grad():
        loaded.model(torch.tensor(ids))
        handle.remove()
        across = torch.randn(32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        across -= seen[0] * (across @ seen[0]) / seen[0].square().sum()
        head.get_parameter("weight").zero_()
        # every token is as likely as the next, and these two pull into opposite directions
        head.get_parameter("weight")[ids[0][1]] = across
        head.get_parameter("weight")[ids[1][1]] = -across
    name = loaded.architecture.down_projection(1).name
    found = TextStatistics(loaded, (first, second), None).moment(name, Kind.FISHER)
    projection = linear_map(loaded, name)
    alone = [plain_sums(loaded, projection, (text,), following)[2] for text in (first, second)]
    assert float(alone[0].sum()) > 1e-6
    torch.testing.assert_close(found, (alone[0] + alone[1]) / 2, rtol=1e-10, atol=0)
    torch.testing.assert_close(alone[0], alone[1], rtol=1e-8, atol=1e-20)
    # the gradient of both together: its square is nothing beside the mean of the squares
    keys = torch.ones(2, 1, 3).double()
    pull = torch.tensor([[[1.0, -2.0]], [[-1.0, 2.0]]]).double()
    assert float(squared_by_sentence(keys, pull, (1, 1)).sum()) == pytest.approx(30)
    assert float((pull.sum((0, 1))[:, None] * keys[0]).square().sum()) == 0


def test_half_precision_gives_about_the_same() -> None:
    name = tiny_llama().architecture.down_projection(1).name
    exact = TextStatistics(tiny_llama(), SENTENCES, None)
    for dtype, allowed in ((torch.bfloat16, 0.1), (torch.float16, 0.02)):
        rough = TextStatistics(tiny_llama(dtype=dtype), SENTENCES, None)
        for kind in (Kind.KEYS, Kind.FISHER):
            expected = exact.moment(name, kind)
            assert float((rough.moment(name, kind) - expected).norm()) <= allowed * float(expected.norm())


def test_what_is_not_there_or_not_finite_is_refused(llama: LoadedModel) -> None:
    with pytest.raises(InvalidInput, match="no such linear map"):
        TextStatistics(llama, SENTENCES, None).moment("model.layers.0.mlp.no_proj")
    with pytest.raises(InvalidInput, match="no such linear map"):
        TextStatistics(llama, SENTENCES, None).moment("lm_head", Kind.GRADIENTS)
    with torch.no_grad():
        llama.architecture.down_projection(0).weight.fill_(torch.nan)
    for kind in (Kind.GRADIENTS, Kind.FISHER):
        with pytest.raises(ModelNotFinite):
            TextStatistics(llama, SENTENCES, None).moment(llama.architecture.down_projection(1).name, kind)


def test_a_spectrum_counts_directions(llama: LoadedModel) -> None:
    name = llama.architecture.down_projection(1).name
    statistics = TextStatistics(llama, SENTENCES, None)
    found = statistics.spectrum(name)
    values = torch.linalg.eigvalsh(statistics.key_moment(name))
    shares = (values / values.sum()).clamp_min(1e-300)
    assert found.effective_rank == pytest.approx(float((-(shares * shares.log()).sum()).exp()), rel=1e-9)
    assert 1 < found.effective_rank < len(values)
    assert found.energy(1.0) == pytest.approx(1)
    assert found.energy(0.5) == pytest.approx(float(shares[: len(shares) // 2].sum()), rel=1e-9)
    most = found.directions(0.99)
    assert float(shares[-most:].sum()) >= 0.99 - 1e-12 > float(shares[-most + 1 :].sum())
    assert found.directions(1.0) <= len(values)
    assert found.tokens == sum(len(encode(llama.tokenizer, text)) for text in SENTENCES)
    with pytest.raises(InvalidInput, match="no spectrum"):
        statistics.spectrum(name, Kind.FISHER)
