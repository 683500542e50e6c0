"""Low-rank adapters: exact export in both layouts, and nothing left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.models.loading import prepare
from knowledgesmith.editors.surgery.computing import computing_in
from knowledgesmith.editors.testing.tiny import tiny_llama, tiny_tokenizer
from knowledgesmith.editors.train.lora import Adapters, Dropout, adaptable, adapted
from knowledgesmith.graph_schema.errors import InvalidInput, UnsupportedArchitecture

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])


def _logits(loaded: LoadedModel) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = loaded.model(input_ids=IDS).logits
    return logits


def _fill(adapters: Adapters) -> None:
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for item in adapters.items:
            item.b.copy_(torch.randn(item.b.shape, generator=generator) * 0.05)


def test_fresh_adapters_change_nothing(loaded: LoadedModel) -> None:
    before = _logits(loaded)
    maps = adaptable(loaded, first_layer=0, last_layer=-1, maps=())
    with adapted(maps, rank=4, alpha=8, generator=torch.Generator().manual_seed(0)) as adapters:
        assert torch.equal(_logits(loaded), before)
        assert len(adapters.items) == len(loaded.architecture.all_linear_names())


def test_the_exported_change_computes_what_the_adapters_did(loaded: LoadedModel) -> None:
    before = _logits(loaded)
    maps = adaptable(loaded, first_layer=0, last_layer=-1, maps=())
    with adapted(maps, rank=4, alpha=8, generator=torch.Generator().manual_seed(0)) as adapters:
        _fill(adapters)
        inside = _logits(loaded)
        artefact = Weights(deltas=adapters.as_deltas())
    assert not torch.allclose(inside, before, atol=1e-3)
    assert torch.equal(_logits(loaded), before)
    with attached(loaded, artefact):
        torch.testing.assert_close(_logits(loaded), inside, atol=2e-5, rtol=1e-5)
    assert torch.equal(_logits(loaded), before)


def test_hooks_are_removed_after_an_exception(loaded: LoadedModel) -> None:
    before = _logits(loaded)
    maps = adaptable(loaded, first_layer=0, last_layer=-1, maps=())

    def fail() -> None:
        with adapted(maps, rank=2, alpha=2, generator=torch.Generator().manual_seed(0)) as adapters:
            _fill(adapters)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert torch.equal(_logits(loaded), before)


def test_layers_and_names_select_maps(llama: LoadedModel) -> None:
    maps = adaptable(llama, first_layer=1, last_layer=2, maps=("down_proj", "q_proj"))
    assert [p.name.split(".")[2] for p in maps] == ["1", "1", "2", "2"]
    assert {p.name.rpartition(".")[2] for p in maps} == {"down_proj", "q_proj"}


def test_mlp_means_the_maps_beside_the_down_projection(loaded: LoadedModel) -> None:
    maps = adaptable(loaded, first_layer=0, last_layer=0, maps=("mlp",))
    assert 2 <= len(maps) <= 3
    assert all(".mlp." in p.name for p in maps)


def test_by_default_the_lower_blocks_are_adapted(llama: LoadedModel) -> None:
    maps = adaptable(llama, first_layer=0, last_layer=None, maps=("down_proj",))
    assert [p.name for p in maps] == ["model.layers.0.mlp.down_proj", "model.layers.1.mlp.down_proj"]


def test_wrong_layers_and_names_are_named(llama: LoadedModel) -> None:
    with pytest.raises(InvalidInput, match="no such layer"):
        adaptable(llama, first_layer=0, last_layer=9, maps=())
    with pytest.raises(InvalidInput, match="empty") as caught:
        adaptable(llama, first_layer=3, last_layer=1, maps=())
    assert caught.value.field == "last_layer"
    with pytest.raises(UnsupportedArchitecture, match="no linear map"):
        adaptable(llama, first_layer=0, last_layer=-1, maps=("c_fc",))


def test_the_rank_is_cut_to_the_smaller_side(llama: LoadedModel) -> None:
    maps = adaptable(llama, first_layer=0, last_layer=0, maps=())
    with adapted(maps, rank=512, alpha=1, generator=torch.Generator().manual_seed(0)) as adapters:
        sides = [min(p.in_features, p.out_features) for p in maps]
        assert [item.a.shape[0] for item in adapters.items] == sides


def test_half_precision_is_only_for_a_while(loaded: LoadedModel) -> None:
    before = {name: p.detach().clone() for name, p in loaded.model.named_parameters()}
    objects = {name: id(p) for name, p in loaded.model.named_parameters()}

    def fail() -> None:
        with computing_in(loaded.model, torch.bfloat16):
            assert {p.dtype for p in loaded.model.parameters()} == {torch.bfloat16}
            assert loaded.model(input_ids=IDS).logits.dtype == torch.bfloat16
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert {name: id(p) for name, p in loaded.model.named_parameters()} == objects
    assert all(torch.equal(p, before[name]) for name, p in loaded.model.named_parameters())
    with computing_in(loaded.model, None):
        assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}


def test_dropout_leaves_out_while_gradients_are_taken_and_only_then(loaded: LoadedModel) -> None:
    before, state = _logits(loaded), torch.get_rng_state()
    maps = adaptable(loaded, first_layer=0, last_layer=-1, maps=())

    def trained(share: float, seed: int = 0) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        with adapted(maps, rank=4, alpha=8, generator=generator, dropout=share) as adapters, torch.enable_grad():
            _fill(adapters)
            exact = _logits(loaded)
            assert torch.equal(exact, _logits(loaded)), "no chance in a measurement"
            assert not torch.equal(exact, before)
            return [loaded.model(input_ids=IDS).logits.detach() for _ in range(2)]

    plain, again = trained(0.0)
    assert torch.equal(plain, again)
    first, second = trained(0.3)
    assert not torch.allclose(first, plain, atol=1e-3)
    assert not torch.allclose(first, second, atol=1e-3)
    assert all(torch.equal(one, other) for one, other in zip((first, second), trained(0.3), strict=True))
    assert not torch.equal(trained(0.3, seed=1)[0], first)
    assert torch.equal(torch.get_rng_state(), state), "draws of its own"


def test_dropout_keeps_the_mean() -> None:
    dropout = Dropout(share=0.3, generator=torch.Generator().manual_seed(0))
    with torch.enable_grad():
        left = dropout(torch.ones(100_000))
    assert sorted(set(left.tolist())) == pytest.approx([0.0, 1 / 0.7])
    assert float(left.mean()) == pytest.approx(1.0, abs=0.01)


def test_attention_and_mlp_are_all_there_is(loaded: LoadedModel) -> None:
    def names(*maps: str) -> set[str]:
        return {p.name for p in adaptable(loaded, first_layer=0, last_layer=-1, maps=maps)}

    assert names("attention") | names("mlp") == names()
    assert not names("attention") & names("mlp")
    assert names("attention")


def test_factors_are_as_wide_as_the_weights_and_at_least_float32() -> None:
    for dtype, wanted in ((torch.bfloat16, torch.float32), (torch.float64, torch.float64)):
        maps = adaptable(tiny_llama(dtype=dtype), first_layer=0, last_layer=0, maps=())
        with adapted(maps, rank=2, alpha=2, generator=torch.Generator().manual_seed(0)) as adapters:
            assert {factor.dtype for factor in adapters.parameters()} == {wanted}


def test_the_mlp_of_a_block_without_a_module_of_its_own_is_no_attention() -> None:
    """OPT hangs both maps of its MLP on the block itself."""
    made = OPTConfig(
        vocab_size=len(tiny_tokenizer()),
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        word_embed_proj_dim=32,
        max_position_embeddings=64,
    )
    opt = prepare(OPTForCausalLM(made), tiny_tokenizer())

    def names(maps: tuple[str, ...]) -> set[str]:
        found = adaptable(opt, first_layer=0, last_layer=0, maps=maps)
        return {projection.name.rpartition(".")[2] for projection in found}

    assert names(("mlp",)) == {"fc1", "fc2"}
    assert names(("attention",)) == {"k_proj", "v_proj", "q_proj", "out_proj"}
