"""Tiny random models with a tokenizer built in memory: for tests and dry runs, without a download, in milliseconds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from knowledgesmith.editors.loading import prepare

if TYPE_CHECKING:
    from knowledgesmith.editors.models import LoadedModel

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
    tokenizer = tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=_INITIAL_SPREAD,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=_END_ID,
        pad_token_id=_END_ID,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    torch.nn.Module.to(model, dtype)
    return prepare(model, tokenizer)


def tiny_gpt2(*, seed: int = 0) -> LoadedModel:
    """A random GPT-2: 3 layers, width 32, ``Conv1D`` projections, tied head; weights drawn from ``seed``."""
    tokenizer = tiny_tokenizer()
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=32,
        n_layer=3,
        n_head=4,
        n_positions=256,
        initializer_range=_INITIAL_SPREAD,
        bos_token_id=None,
        eos_token_id=_END_ID,
        pad_token_id=_END_ID,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(config)
    return prepare(model, tokenizer)


def save_checkpoint(loaded: LoadedModel, folder: Path) -> Path:
    """Write a model and its tokenizer as a checkpoint folder that ``loading.load`` reads."""
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder
