from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from knowledgesmith.editors.architectures.discover import discover
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.graph_schema.errors import InvalidInput, UnsupportedArchitecture

SMALL: dict[str, Any] = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}


def test_down_projection_maps_the_key_to_the_value(loaded: LoadedModel) -> None:
    architecture = loaded.architecture
    assert architecture.num_layers == len(architecture.down_projections) == len(architecture.block_names)
    for layer in range(architecture.num_layers):
        projection = architecture.down_projection(layer)
        assert projection.name.endswith((".down_proj", ".c_proj"))
        assert ".attn" not in projection.name
        assert projection.name.startswith(architecture.block_names[layer] + ".mlp")
        assert projection.out_features == architecture.hidden_size
        assert projection.in_features > architecture.hidden_size
        key = torch.randn(5, projection.in_features)
        bias = getattr(projection.module, "bias", None)
        expected = key @ projection.matrix().T + (0 if bias is None else bias)
        assert torch.allclose(projection.module(key), expected, atol=1e-5)
        assert projection.as_parameter(projection.matrix()).shape == projection.weight.shape
        assert loaded.model.get_parameter(projection.parameter_name) is projection.weight


def test_head_and_norm_give_the_models_logits(loaded: LoadedModel) -> None:
    from knowledgesmith.editors.surgery.hooks import capture_input, capture_output

    architecture = loaded.architecture
    with capture_input(architecture.lm_head) as seen, capture_output(architecture.final_norm) as normed:
        logits = loaded.model(torch.tensor([[3, 5, 7]])).logits
    assert torch.equal(seen.value, normed.value)
    assert torch.allclose(architecture.lm_head(seen.value), logits)


def test_tied_heads_are_recognised(loaded: LoadedModel) -> None:
    shared = loaded.architecture.lm_head.weight is loaded.model.get_input_embeddings().weight
    assert loaded.architecture.tied_head == shared


def test_linear_names_cover_the_blocks_and_nothing_else(loaded: LoadedModel) -> None:
    names = loaded.architecture.all_linear_names()
    per_block = 7 if "llama" in type(loaded.model).__name__.lower() else 4
    assert len(names) == len(set(names)) == per_block * loaded.architecture.num_layers
    assert not any("lm_head" in name or "embed" in name for name in names)


@pytest.mark.parametrize(
    ("build", "ending"),
    [
        (lambda: MistralForCausalLM(MistralConfig(**SMALL, intermediate_size=24, num_key_value_heads=1)), "down_proj"),
        (lambda: Qwen2ForCausalLM(Qwen2Config(**SMALL, intermediate_size=24, num_key_value_heads=1)), "down_proj"),
        (
            lambda: Phi3ForCausalLM(
                Phi3Config(**SMALL, intermediate_size=24, num_key_value_heads=1, pad_token_id=0, eos_token_id=0)
            ),
            "down_proj",
        ),
        (lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL, intermediate_size=24)), "dense_4h_to_h"),
        (lambda: OPTForCausalLM(OPTConfig(**SMALL, ffn_dim=24, word_embed_proj_dim=16)), "fc2"),
    ],
    ids=["mistral", "qwen2", "phi3", "neox", "opt"],
)
def test_other_families_need_no_adapter(build: Callable[[], Any], ending: str) -> None:
    architecture = discover(build())
    assert architecture.num_layers == 3
    assert all(projection.name.endswith(ending) for projection in architecture.down_projections)


def test_an_equally_wide_mlp_is_not_mistaken_for_attention() -> None:
    config = Qwen2Config(**SMALL, intermediate_size=16, num_key_value_heads=1)
    assert discover(Qwen2ForCausalLM(config)).down_projection(0).name == "model.layers.0.mlp.down_proj"


def test_a_layer_out_of_range_is_refused(llama: LoadedModel) -> None:
    for layer in (-1, 4):
        with pytest.raises(InvalidInput, match="0 to 3"):
            llama.architecture.down_projection(layer)
        with pytest.raises(InvalidInput):
            llama.architecture.block(layer)


def test_what_was_looked_for_is_named(llama: LoadedModel) -> None:
    for block in llama.architecture.blocks:
        block.mlp = nn.Identity()
    with pytest.raises(UnsupportedArchitecture, match="32 outputs") as caught:
        discover(llama.model)
    assert caught.value.metadata["model_class"] == "LlamaForCausalLM"


def test_a_model_without_blocks_is_refused(llama: LoadedModel) -> None:
    llama.model.model.layers = nn.Identity()
    with pytest.raises(UnsupportedArchitecture, match="ModuleList"):
        discover(llama.model)
