from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from tests.editors.statistics.plain import passes
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import WhitespaceSplit

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.hooks import capture_input
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.errors import InvalidInput

SENTENCES = [
    "The capital of France is Paris.",
    "Cu",
    "Osaka is a city of Japan, and Kyoto was its capital.",
    "B is boron",
]


def plain(loaded: LoadedModel, layer: int) -> torch.Tensor:
    """One sentence at a time, everything in float64."""
    keys = []
    for text in SENTENCES:
        with capture_input(loaded.architecture.down_projection(layer).module) as seen, torch.no_grad():
            loaded.model(torch.tensor([encode(loaded.tokenizer, text)]))
        keys.append(seen.value[0].double())
    rows = torch.cat(keys)
    return rows.T @ rows / len(rows)


@pytest.mark.parametrize("batch_rows", [1, 3, 16])
def test_equals_one_sentence_at_a_time(loaded: LoadedModel, batch_rows: int) -> None:
    statistics = TextStatistics(loaded, SENTENCES, None, batch_rows=batch_rows)
    statistics.prepare([2, 0])
    for layer in (0, 1, 2):
        moment = statistics.second_moment(layer)
        width = loaded.architecture.down_projection(layer).in_features
        assert moment.shape == (width, width)
        assert moment.dtype == torch.float32
        assert moment.device.type == "cpu"
        expected = plain(loaded, layer)
        assert torch.allclose(moment.double(), expected, atol=1e-6 * float(expected.abs().max()) + 1e-9)
        assert torch.allclose(moment, moment.T)


def test_prepared_layers_share_one_pass(llama: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = passes(llama, monkeypatch)
    statistics = TextStatistics(llama, SENTENCES, None)
    statistics.prepare([0, 1, 2])
    for layer in (0, 1, 2, 1):
        statistics.second_moment(layer)
    assert len(seen) == 1


def test_the_cache_is_keyed_by_content(llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = passes(llama, monkeypatch)
    first = TextStatistics(llama, SENTENCES, tmp_path).second_moment(1)
    again = TextStatistics(llama, SENTENCES[::-1], tmp_path).second_moment(1)
    assert torch.equal(first, again)
    assert len(seen) == 1
    TextStatistics(llama, SENTENCES[:2], tmp_path).second_moment(1)
    TextStatistics(llama, SENTENCES, tmp_path).second_moment(2)
    TextStatistics(llama, SENTENCES, tmp_path, artefacts=["another revision"]).second_moment(1)
    assert len(seen) == 4
    other = TextStatistics(tiny_llama(seed=1), SENTENCES, tmp_path).second_moment(1)
    assert not torch.allclose(other, first)
    assert len(list(tmp_path.iterdir())) == 5


def test_a_damaged_cache_file_is_measured_again(llama: LoadedModel, tmp_path: Path) -> None:
    first = TextStatistics(llama, SENTENCES, tmp_path).second_moment(1)
    [file] = tmp_path.iterdir()
    file.write_bytes(b"damaged")
    assert torch.equal(TextStatistics(llama, SENTENCES, tmp_path).second_moment(1), first)
    assert len(file.read_bytes()) > 1000


def test_text_and_layer_are_checked(llama: LoadedModel) -> None:
    with pytest.raises(InvalidInput, match="text"):
        TextStatistics(llama, [], None).prepare([0])
    with pytest.raises(InvalidInput, match="layer"):
        TextStatistics(llama, SENTENCES, None).second_moment(9)


def test_nothing_of_another_state_is_used(llama: LoadedModel, tmp_path: Path) -> None:
    """A placebo is the same file on every model; a tokenizer or a setting may change while the weights stay."""
    states = [llama, tiny_llama(seed=1), tiny_llama(dtype=torch.bfloat16), tiny_llama(), tiny_llama(), tiny_llama()]
    states[3].model.config.rms_norm_eps = 0.5
    backends = [cast("Any", state.tokenizer).backend_tokenizer for state in states]
    backends[4].pre_tokenizer = WhitespaceSplit()
    backends[5].normalizer = Lowercase()
    for number, state in enumerate(states, start=1):
        TextStatistics(state, SENTENCES, tmp_path, artefacts=["the placebo"]).second_moment(1)
        assert len(list(tmp_path.iterdir())) == number
    for artefacts in (["a", "b"], ["b", "a"], ["ab"], []):
        TextStatistics(llama, SENTENCES, tmp_path, artefacts=artefacts).second_moment(1)
    assert len(list(tmp_path.iterdir())) == len(states) + 4
