"""A text near a fixed one: only what differs is measured, and nothing of what was removed is left."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.editors.statistics.plain import passes

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.statistics.differences import semidefinite
from knowledgesmith.editors.statistics.identity import Kind
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny, tiny_llama

CITIES = ("Paris", "Tokyo", "Rome", "Madrid", "Lima", "Berlin", "Cairo", "Oslo", "Bern", "Kyoto", "Osaka", "Lyon")
CORPUS = tuple(f"{city} is a city, and its number is {number}." for number, city in enumerate(CITIES))
HIDDEN, OTHER = CORPUS[2:4], CORPUS[7:8]
EXTRA = ("Cu is the symbol of copper.",)


def shown(*hidden: str) -> tuple[str, ...]:
    return tuple(text for text in CORPUS if text not in hidden)


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_equals_a_measurement_without_the_sentences(structure: str) -> None:
    loaded = tiny(structure, dtype=torch.float64)
    wanted = (*shown(*HIDDEN), *EXTRA)
    name = loaded.architecture.down_projection(1).name
    near = TextStatistics(loaded, wanted, None, corpus=CORPUS, batch_rows=5)
    anew = TextStatistics(loaded, wanted[::-1], None)
    whole = TextStatistics(loaded, CORPUS, None)
    for kind in Kind:
        found, expected = near.moment(name, kind), anew.moment(name, kind)
        assert float((found - expected).norm()) <= 1e-10 * float(expected.norm()), kind
        assert float((whole.moment(name, kind) - expected).norm()) > 1e-4 * float(expected.norm()), "it matters"
        assert near.tokens(name, kind) == anew.tokens(name, kind)
        if kind is not Kind.FISHER:
            assert torch.equal(found, found.T)
            assert float(torch.linalg.eigvalsh(found).min()) >= -2e-13 * float(found.trace())
        else:
            assert float(found.min()) >= 0


def test_a_second_text_measures_only_its_own_sentences(
    llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = passes(llama, monkeypatch)
    TextStatistics(llama, shown(*HIDDEN), tmp_path, corpus=CORPUS).prepare([0, 1])
    assert sum(seen) == len(CORPUS) + len(HIDDEN)
    seen.clear()
    second = TextStatistics(llama, (*shown(*OTHER), *EXTRA), tmp_path, corpus=CORPUS)
    second.prepare([1, 0])
    assert sum(seen) == len(OTHER) + len(EXTRA)
    assert len(list(tmp_path.iterdir())) == 2, "what a plan alone has is not kept"
    anew = TextStatistics(llama, (*shown(*OTHER), *EXTRA), None).second_moment(1)
    torch.testing.assert_close(second.second_moment(1), anew, rtol=1e-4, atol=1e-6)


def test_a_text_that_is_far_from_the_fixed_one_is_measured_by_itself(
    llama: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = passes(llama, monkeypatch)
    few = CORPUS[:5]
    found = TextStatistics(llama, few, None, corpus=CORPUS).second_moment(1)
    assert sum(seen) == len(few)
    assert torch.equal(found, TextStatistics(llama, few, None).second_moment(1))


def test_a_sentence_that_stands_twice_counts_twice(llama: LoadedModel) -> None:
    twice = (*CORPUS, CORPUS[0])
    near = TextStatistics(llama, twice, None, corpus=CORPUS).second_moment(0)
    torch.testing.assert_close(near, TextStatistics(llama, twice, None).second_moment(0), rtol=1e-4, atol=1e-6)


def test_nothing_comes_out_negative_in_half_precision() -> None:
    """Another batch gives a sentence slightly other keys; what only it used must not fall below zero."""
    loaded = tiny_llama(dtype=torch.bfloat16)
    name = loaded.architecture.down_projection(2).name
    for number in range(0, len(CORPUS), 4):
        hidden = CORPUS[number : number + 4]
        found = TextStatistics(loaded, shown(*hidden), None, corpus=CORPUS, batch_rows=5).moment(name)
        assert float(torch.linalg.eigvalsh(found).min()) >= -2e-13 * float(found.trace())


def test_a_repair_takes_away_only_what_is_negative() -> None:
    vectors = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)).double()).Q
    values = torch.tensor([3.0, 2.0, 1.0, 0.5, -0.25, -1e-3]).double()
    found = semidefinite(vectors * values @ vectors.T)
    torch.testing.assert_close(found, vectors * values.clamp_min(0) @ vectors.T, rtol=0, atol=1e-12)
    assert torch.equal(found, found.T)
    whole = vectors * values.abs() @ vectors.T
    whole = (whole + whole.T) / 2
    assert torch.equal(semidefinite(whole), whole)
    assert torch.equal(semidefinite(torch.zeros(3, 3).double()), torch.zeros(3, 3).double())
