"""The folder of statistics: bounded, resumable, and files that one user hands to another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tests.editors.statistics.plain import passes

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.statistics.identity import Identity, Kind, Sum, read
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.statistics.store import StatisticsStore
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.errors import Cancelled, InvalidInput

SENTENCES = tuple(f"The number of the house is {number}." for number in range(10))


def identity(number: int) -> Identity:
    return Identity(state="s", map=f"map.{number}", kind=Kind.KEYS, corpus="c")


def total(seed: int) -> Sum:
    drawn = torch.randn(8, 8, generator=torch.Generator().manual_seed(seed)).double()
    return Sum(total=drawn @ drawn.T, items=5, tokens=5, sentences=2)


def fill(folder: Path, count: int) -> int:
    """Files whose last use is in the order of their numbers, long ago; bytes of one."""
    for number in range(count):
        StatisticsStore(folder).save(identity(number), total(number))
        file = folder / f"{identity(number).digest}.safetensors"
        os.utime(file, ns=(1000 + number, 1000 + number))
    return StatisticsStore(folder).bytes() // count


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    size = fill(tmp_path, 4)
    store = StatisticsStore(tmp_path, limit_bytes=3 * size + size // 2)
    assert store.load(identity(0)) is not None, "reading is using"
    store.save(identity(9), total(9))
    left = {number for number in (0, 1, 2, 3, 9) if (tmp_path / f"{identity(number).digest}.safetensors").exists()}
    assert left == {0, 3, 9}
    assert store.bytes() <= 3 * size + size // 2


def test_a_file_in_use_stays_whatever_the_bound(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    store = StatisticsStore(tmp_path, limit_bytes=1)
    for number in (1, 5, 6):
        store.save(identity(number), total(number))
    assert all(store.load(identity(number)) is not None for number in (1, 5, 6))
    assert store.load(identity(0)) is None


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    store = StatisticsStore(tmp_path)
    store.save(identity(1), total(1))
    [file] = tmp_path.iterdir()
    found, kept = read(file)
    assert found == identity(1)
    assert torch.equal(kept.total, total(1).total)
    assert (kept.items, kept.tokens, kept.sentences) == (5, 5, 2)
    assert set(load_file(file)) == {"sum"}


def test_an_interrupted_pass_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TextStatistics(tiny_llama(), SENTENCES, None, batch_rows=2, chunk=4).second_moment(1)
    for folder in (tmp_path, None):
        loaded = tiny_llama()
        seen = passes(loaded, monkeypatch)
        counted = loaded.model.forward
        stopped = TextStatistics(loaded, SENTENCES, folder, batch_rows=2, chunk=4, pause_s=0)

        def leaving(*args: Any, seen: list[int] = seen, counted: Any = counted, **kwargs: Any) -> Any:
            if len(seen) == 3:
                raise Cancelled("nobody waits")
            return counted(*args, **kwargs)

        monkeypatch.setattr(loaded.model, "forward", leaving)
        with pytest.raises(Cancelled):
            stopped.prepare([1])
        monkeypatch.setattr(loaded.model, "forward", counted)
        seen.clear()
        again = stopped if folder is None else TextStatistics(loaded, SENTENCES, folder, batch_rows=2, chunk=4)
        assert torch.equal(again.second_moment(1), whole)
        assert sum(seen) == len(SENTENCES) - 4, "the first chunk was kept"


def test_partial_sums_are_not_written_all_the_time(
    llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    save = StatisticsStore.save

    def counting(store: StatisticsStore, identity: Identity, found: Sum) -> None:
        written.append(found.sentences)
        save(store, identity, found)

    monkeypatch.setattr(StatisticsStore, "save", counting)
    TextStatistics(llama, SENTENCES, tmp_path, chunk=4, pause_s=3600).prepare([0, 1])
    assert written == [10, 10]
    TextStatistics(llama, SENTENCES[1:], tmp_path, chunk=4, pause_s=0).prepare([0])
    assert written[2:] == [4, 8, 9]


def test_maps_that_are_behind_catch_up_in_one_pass(
    llama: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TextStatistics(llama, SENTENCES, tmp_path).prepare([0])
    seen = passes(llama, monkeypatch)
    TextStatistics(llama, SENTENCES, tmp_path).prepare([0, 1, 2])
    assert sum(seen) == len(SENTENCES)


def test_another_user_takes_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs, file = tmp_path / "mine", tmp_path / "theirs", tmp_path / "handed.safetensors"
    loaded = tiny_llama()
    name = loaded.architecture.down_projection(1).name
    giver = TextStatistics(loaded, SENTENCES[1:], mine, corpus=SENTENCES)
    giver.export(name, file)
    seen = passes(loaded, monkeypatch)
    taker = TextStatistics(loaded, SENTENCES[1:], theirs, corpus=SENTENCES)
    taker.adopt(file, name)
    assert torch.equal(taker.second_moment(1), giver.second_moment(1))
    assert sum(seen) == 1, "only the sentence that is not to be seen"


def test_a_file_of_something_else_is_refused(llama: LoadedModel, tmp_path: Path) -> None:
    file, folder = tmp_path / "handed.safetensors", tmp_path / "store"
    names = [llama.architecture.down_projection(layer).name for layer in (0, 1)]
    TextStatistics(llama, SENTENCES, folder).export(names[0], file)
    here = TextStatistics(llama, SENTENCES, tmp_path / "other")
    for taker, map_, kind, word in (
        (TextStatistics(tiny_llama(seed=1), SENTENCES, folder), names[0], Kind.KEYS, "model state"),
        (TextStatistics(llama, SENTENCES[1:], folder), names[0], Kind.KEYS, "corpus"),
        (here, names[1], Kind.KEYS, "map"),
        (here, names[0], Kind.GRADIENTS, "kind"),
    ):
        with pytest.raises(InvalidInput, match=f"of another {word}"):
            taker.adopt(file, map_, kind=kind)
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(InvalidInput, match="damaged"):
        here.adopt(file, names[0])
    save_file({"sum": torch.zeros(2)}, file)
    with pytest.raises(InvalidInput, match="no file of statistics"):
        here.adopt(file, names[0])
    with pytest.raises(InvalidInput, match="in memory only"):
        TextStatistics(llama, SENTENCES, None).export(names[0], file)


def test_an_unfinished_statistic_is_not_handed_on(tmp_path: Path) -> None:
    store = StatisticsStore(tmp_path / "store")
    store.save(identity(1), total(1))
    with pytest.raises(InvalidInput, match="to its end"):
        store.export(identity(1), tmp_path / "out", sentences=3)
    store.export(identity(1), tmp_path / "out", sentences=2)
    for shape, sentences in (((4, 8), 2), ((8, 8), 3)):
        with pytest.raises(InvalidInput, match="cannot be right"):
            store.adopt(tmp_path / "out", identity(1), shape=shape, sentences=sentences)


@pytest.mark.parametrize("items", ["Infinity", "[" * 100_000, '"many"', "null"])
def test_a_header_that_makes_no_sense_is_a_damaged_file(tmp_path: Path, items: str) -> None:
    """Read by anyone it is refused; in the folder of statistics it is measured again."""
    store = StatisticsStore(tmp_path)
    store.save(identity(1), total(1))
    file = tmp_path / f"{identity(1).digest}.safetensors"
    with safe_open(file, framework="pt") as opened:
        [(key, header)] = opened.metadata().items()
    spoilt = header.replace('"items": 5', f'"items": {items}')
    assert spoilt != header
    save_file(load_file(file), file, {key: spoilt})
    with pytest.raises(InvalidInput, match="damaged"):
        read(file)
    assert store.load(identity(1)) is None
