from __future__ import annotations

from pathlib import Path

import pytest
import torch

from knowledgesmith.editors.artefacts.reading import load_artefact
from knowledgesmith.editors.artefacts.session import attached
from knowledgesmith.editors.artefacts.weights import Dense, LowRank, Weights
from knowledgesmith.editors.models.digests import file_sha256, weights_sha256
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.errors import ArtefactCorrupt, ArtefactNotFound, EditDiverged, UnsupportedArchitecture

IDS = torch.tensor([[3, 5, 7, 9]])


def example(loaded: LoadedModel, seed: int = 0) -> Weights:
    """A dense change of one layer and a low-rank change of another."""
    draw = torch.Generator().manual_seed(seed)
    dense, low = loaded.architecture.down_projection(0), loaded.architecture.down_projection(1)
    rows, columns = low.weight.shape
    return Weights(
        deltas={
            low.parameter_name: LowRank(
                torch.randn(2, columns, generator=draw), torch.randn(rows, 2, generator=draw), 0.3
            ),
            dense.parameter_name: Dense(torch.randn(dense.weight.shape, generator=draw)),
        },
        metadata={"method": "example", "goal": "EDIT", "note": 'ü\n"x"'},
    )


def test_attach_and_detach_are_bit_exact(loaded: LoadedModel) -> None:
    artefact = example(loaded)
    before = {name: p.detach().clone() for name, p in loaded.model.named_parameters()}
    with attached(loaded, artefact):
        now = dict(loaded.model.named_parameters())
        for name, delta in artefact.deltas.items():
            total = before[name].clone()
            delta.add_to(total)
            assert torch.equal(now[name], total)
            assert not torch.equal(now[name], before[name])
        assert {name for name in now if not torch.equal(now[name], before[name])} == set(artefact.deltas)
    assert weights_sha256(loaded.model) == loaded.digest


def test_low_rank_equals_its_product(loaded: LoadedModel) -> None:
    name = loaded.architecture.down_projection(1).parameter_name
    delta = example(loaded).deltas[name]
    assert isinstance(delta, LowRank)
    total = torch.zeros(delta.shape)
    delta.add_to(total)
    assert torch.allclose(total, 0.3 * delta.b @ delta.a, atol=1e-6)
    assert delta.rank == 2


def test_restoring_twice_is_harmless_and_errors_restore(loaded: LoadedModel) -> None:
    with attached(loaded, example(loaded)) as session:
        session.switch(())
        with torch.no_grad():
            loaded.architecture.down_projection(0).weight.add_(1.0)
        moved = weights_sha256(loaded.model)
    assert weights_sha256(loaded.model) == moved

    other = tiny_llama()
    with pytest.raises(ZeroDivisionError), attached(other, example(other)):
        raise ZeroDivisionError
    assert weights_sha256(other.model) == other.digest


def test_half_precision_sums_in_float32_and_restores() -> None:
    loaded = tiny_llama(dtype=torch.bfloat16)
    name = loaded.architecture.down_projection(0).parameter_name
    base = loaded.model.get_parameter(name).detach().clone()
    delta = torch.full(base.shape, 1e-2)
    with attached(loaded, Weights(deltas={name: Dense(delta)})):
        assert torch.equal(loaded.model.get_parameter(name), (base.float() + delta).bfloat16())
    assert weights_sha256(loaded.model) == loaded.digest


def test_a_tied_weight_changes_once_under_each_of_its_names(llama: LoadedModel) -> None:
    table = llama.model.get_parameter("lm_head.weight")
    assert llama.model.get_parameter("model.embed_tokens.weight") is table
    base = table.detach().clone()
    both = {name: Dense(torch.full(table.shape, 0.25)) for name in ("lm_head.weight", "model.embed_tokens.weight")}
    with attached(llama, Weights(deltas=both)):
        assert torch.equal(table, base + 0.25 + 0.25)
        assert llama.architecture.lm_head.weight is table
    assert torch.equal(table, base)
    with attached(llama, Weights(deltas={"lm_head.weight": both["lm_head.weight"]})):
        assert torch.equal(table, base + 0.25)
    assert weights_sha256(llama.model) == llama.digest


def test_equal_content_has_equal_bytes(loaded: LoadedModel, tmp_path: Path) -> None:
    one, other = example(loaded), example(loaded)
    reordered = Weights(
        deltas=dict(sorted(other.deltas.items(), reverse=True)),
        metadata=dict(sorted(other.metadata.items(), reverse=True)),
    )
    assert one.to_bytes() == other.to_bytes() == reordered.to_bytes()
    assert example(loaded, seed=1).sha256 != one.sha256
    assert Weights(deltas=one.deltas, metadata={**one.metadata, "goal": "UNLEARN"}).sha256 != one.sha256
    digest = one.save(tmp_path)
    file = tmp_path / f"{digest}.safetensors"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert file_sha256(file) == digest == one.sha256 == one.save(tmp_path)


def test_bytes_and_digests_are_those_of_earlier_releases() -> None:
    artefact = Weights(
        deltas={
            "model.b.weight": LowRank(torch.arange(6.0).reshape(2, 3) / 7, torch.arange(8.0).reshape(4, 2) / 3, 0.25),
            "model.a.weight": Dense(torch.arange(12.0).reshape(3, 4) / 5),
        },
        metadata={"method": "example", "note": 'ü\n"x"'},
    )
    assert artefact.sha256 == "b711474390bd248d9336d108cd9c2a1ecb953e765c64512a1d5c755bdc96c580"
    assert artefact.sha256 is artefact.sha256, "computed once"


def test_a_saved_artefact_reads_as_it_was(loaded: LoadedModel, tmp_path: Path) -> None:
    artefact = example(loaded)
    digest = artefact.save(tmp_path)
    again = load_artefact(tmp_path / f"{digest}.safetensors", digest)
    assert isinstance(again, Weights)
    assert again.to_bytes() == artefact.to_bytes()
    assert dict(again.metadata) == dict(artefact.metadata)
    with attached(loaded, artefact):
        first = weights_sha256(loaded.model)
    with attached(loaded, again):
        assert weights_sha256(loaded.model) == first


def test_an_empty_artefact_changes_nothing(loaded: LoadedModel, tmp_path: Path) -> None:
    artefact = Weights(deltas={}, metadata={"method": "none"})
    digest = artefact.save(tmp_path)
    with attached(loaded, load_artefact(tmp_path / f"{digest}.safetensors", digest)):
        assert weights_sha256(loaded.model) == loaded.digest


@pytest.mark.parametrize("place", [0, 9, 200, -1])
def test_one_changed_byte_is_found(llama: LoadedModel, tmp_path: Path, place: int) -> None:
    digest = example(llama).save(tmp_path)
    file = tmp_path / f"{digest}.safetensors"
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArtefactCorrupt, match="digest"):
        load_artefact(file, digest)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_foreign_file_is_no_artefact(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(content)
    with pytest.raises(ArtefactCorrupt):
        load_artefact(file, file_sha256(file))
    with pytest.raises(ArtefactNotFound):
        load_artefact(tmp_path / "absent.safetensors", "0" * 64)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(EditDiverged, match="finite"):
        Weights(deltas={"w": Dense(torch.tensor([1.0, value]))})
    with pytest.raises(EditDiverged):
        Weights(deltas={"w": LowRank(torch.full((1, 2), value), torch.ones(2, 1))})


def test_an_artefact_of_another_model_changes_nothing(llama: LoadedModel) -> None:
    good = example(llama).deltas
    for name, delta in (("no.such.weight", Dense(torch.zeros(1))), ("lm_head.weight", Dense(torch.zeros(2, 2)))):
        wrong = Weights(deltas={**good, name: delta})
        with pytest.raises(UnsupportedArchitecture, match="another model"), attached(llama, wrong):
            pass
        assert weights_sha256(llama.model) == llama.digest


def test_factors_must_fit_each_other() -> None:
    with pytest.raises(UnsupportedArchitecture):
        LowRank(torch.ones(2, 3), torch.ones(4, 1))


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_a_scale_that_is_not_finite_is_refused(scale: float) -> None:
    with pytest.raises(EditDiverged, match="scale"):
        LowRank(torch.ones(1, 2), torch.ones(2, 1), scale)


def test_wide_factors_fit_a_narrower_model(llama: LoadedModel) -> None:
    name = llama.architecture.down_projection(0).parameter_name
    rows, columns = llama.model.get_parameter(name).shape
    wide = LowRank(torch.ones(1, columns, dtype=torch.float64), torch.ones(rows, 1, dtype=torch.float64), 0.5)
    base = llama.model.get_parameter(name).detach().clone()
    with attached(llama, Weights(deltas={name: wide})):
        assert torch.equal(llama.model.get_parameter(name), base + 0.5)
