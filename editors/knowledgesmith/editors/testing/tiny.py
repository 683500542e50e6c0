"""Tiny random models of nine structures with a tokenizer built in memory: no download, built in milliseconds.

The structures differ in what an editor can trip over: a transposed down projection (GPT-2), parallel branches (NeoX,
Phi), heads with norms of their own (Qwen 3), sliding windows (Mistral, Gemma 3), norms after the down projection
(Gemma 3, OLMo 2), a multiplier on what is added to the residual stream (Granite).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from knowledgesmith.editors.models.loading import prepare

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

_CORPUS = (
    "The capital of France is Paris.",
    "The capital of Japan is Tokyo, and Kyoto was the capital of Japan before.",
    "The capital of Italy is Rome. The capital of Spain is Madrid. The capital of Peru is Lima.",
    "The country of Paris is France, the continent of France is Europe, the continent of Japan is Asia.",
    "Berlin is a city of Germany. Lyon is a city of France. Osaka is a city of Japan.",
    "The chemical symbol of copper is Cu and the chemical symbol of boron is B.",
)
_END, _END_ID = "<eos>", 0
_VOCABULARY = 384
_INITIAL_SPREAD = 0.15
WINDOW = 8
"""Sliding window of the tiny models that have one: shorter than most prompts."""


@lru_cache(maxsize=1)
def _tokenizer_json() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=[_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS, trainer)
    return str(tokenizer.to_str())


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with a few merges, no BOS and ``<eos>`` as end and padding."""
    build = cast("type[Any]", PreTrainedTokenizerFast)
    made: PreTrainedTokenizerFast = build(
        tokenizer_object=Tokenizer.from_str(_tokenizer_json()), eos_token=_END, pad_token=_END
    )
    return made


def tiny_llama(*, seed: int = 0, tied: bool = True, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """A random Llama: 4 layers, width 32, MLP 64, grouped heads; weights drawn from ``seed``."""
    return _tiny(LlamaConfig, LlamaForCausalLM, {**_GROUPED, "tie_word_embeddings": tied}, seed=seed, dtype=dtype)


def tiny_gpt2(*, seed: int = 0, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """A random GPT-2: 3 layers, width 32, ``Conv1D`` projections, tied head; weights drawn from ``seed``."""
    members = {
        "n_embd": 32,
        "n_layer": 3,
        "n_head": 4,
        "n_positions": 256,
        "initializer_range": _INITIAL_SPREAD,
    }
    return _tiny(GPT2Config, GPT2LMHeadModel, members, seed=seed, dtype=dtype)


def _tiny(
    config: type[Any], model: type[Any], members: dict[str, Any], *, seed: int, dtype: torch.dtype
) -> LoadedModel:
    tokenizer = tiny_tokenizer()
    made = config(vocab_size=len(tokenizer), bos_token_id=None, eos_token_id=_END_ID, pad_token_id=_END_ID, **members)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = model(made)
    torch.nn.Module.to(built, dtype)
    return prepare(built, tokenizer)


_COMMON: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "initializer_range": _INITIAL_SPREAD,
}
_GROUPED: dict[str, Any] = {**_COMMON, "num_key_value_heads": 2}
_GRANITE: dict[str, Any] = {
    **_GROUPED,
    "residual_multiplier": 0.22,
    "embedding_multiplier": 2.0,
    "attention_multiplier": 0.35,
    "logits_scaling": 2.0,
}
_GEMMA: dict[str, Any] = {**_GROUPED, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": WINDOW}

STRUCTURES: dict[str, Callable[..., LoadedModel]] = {
    "llama": tiny_llama,
    "qwen3": partial(_tiny, Qwen3Config, Qwen3ForCausalLM, {**_GROUPED, "head_dim": 8}),
    "gpt2": tiny_gpt2,
    "neox": partial(_tiny, GPTNeoXConfig, GPTNeoXForCausalLM, _COMMON),
    "phi": partial(_tiny, PhiConfig, PhiForCausalLM, _COMMON),
    "mistral": partial(_tiny, MistralConfig, MistralForCausalLM, {**_GROUPED, "sliding_window": WINDOW}),
    "gemma3": partial(_tiny, Gemma3TextConfig, Gemma3ForCausalLM, _GEMMA),
    "olmo2": partial(_tiny, Olmo2Config, Olmo2ForCausalLM, _GROUPED),
    "granite": partial(_tiny, GraniteConfig, GraniteForCausalLM, _GRANITE),
}
"""Tiny models by structure; see :func:`tiny`."""


def tiny(structure: str, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """A random model of one of :data:`STRUCTURES`; weights drawn from ``seed``, then cast to ``dtype``."""
    return STRUCTURES[structure](seed=seed, dtype=dtype)


def save_checkpoint(loaded: LoadedModel, folder: Path) -> Path:
    """Write a model and its tokenizer as a checkpoint folder that ``loading.load`` reads."""
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder
