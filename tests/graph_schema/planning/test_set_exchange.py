"""Sets of probes that leave and come back, samples of them, and what an audit says."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from tests.graph_schema.planning.conftest import describe

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, TraitKind
from knowledgesmith.graph_schema.errors import Aborted, IllegalState, InvalidInput, ProbeSetNotFound
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.probes.columns import FIRST_VERSION, KEY, SCHEMA, VERSION, ColumnDigest, SetWriter
from knowledgesmith.graph_schema.probes.generation.generate import generate_file, tables_of
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.probes.guessing.guessers import Guess, Guesser
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.audit import Audit, audit_set
from knowledgesmith.graph_schema.probes.sets.exchange import MAX_ROWS, SetFormat, export, import_set
from knowledgesmith.graph_schema.probes.sets.fair_sets import guesses_of
from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo, get_info
from knowledgesmith.graph_schema.probes.sets.sampling import Balance, sample_set, turns
from knowledgesmith.graph_schema.probes.wording.grammar import grammar_faults
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.suggesting.accept import accept
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind


@pytest.fixture
def made(store: GraphStore, graph_id: str, lexicon: Lexicon, tmp_path: Path) -> ProbeSetInfo:
    assert lexicon.graph_id == graph_id
    return probe_set.generate_set(store, BulkRequest(graph_id=graph_id, seed=3, phrasings=0), directory=tmp_path)


def _written(info: ProbeSetInfo, folder: Path, form: SetFormat, out: Path) -> list[Path]:
    paths: list[Path] = []
    for name, content in export(info, directory=folder, form=form):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(content))
        paths.append(path)
    return paths


def test_sets_come_back_with_the_same_digest_and_bytes(store: GraphStore, made: ProbeSetInfo, tmp_path: Path) -> None:
    original = (tmp_path / f"{made.digest}.parquet").read_bytes()
    for form in (SetFormat.PARQUET, SetFormat.JSONL):
        (path,) = _written(made, tmp_path, form, tmp_path / form.value)
        with path.open("rb") as content:
            back = import_set(store, name=path.name, content=content, form=form, directory=tmp_path / "back")
        assert back == made
        assert (tmp_path / "back" / f"{made.digest}.parquet").read_bytes() == original


def test_a_changed_file_is_refused_by_name(store: GraphStore, made: ProbeSetInfo, tmp_path: Path) -> None:
    (lines,) = _written(made, tmp_path, SetFormat.JSONL, tmp_path / "j")
    (table,) = _written(made, tmp_path, SetFormat.PARQUET, tmp_path / "p")
    rows = lines.read_bytes().splitlines(keepends=True)
    header, first = json.loads(rows[0]), json.loads(rows[1])
    column = pq.read_table(table)
    swapped = column.set_column(5, "stem", pa.array(["x", *column["stem"].to_pylist()[1:]]))
    about = pq.read_metadata(table).metadata[KEY]
    bad = tmp_path / "bad"
    bad.mkdir()

    def parquet(content: Any) -> bytes:
        sink = io.BytesIO()
        pq.write_table(content.replace_schema_metadata({KEY: about}), sink)
        return sink.getvalue()

    cases: dict[str, bytes] = {
        "other.jsonl": b"".join(
            [rows[0], json.dumps({**first, "answers": [1 - first["answers"][0]]}).encode(), *rows[2:]]
        ),
        "short.jsonl": b"".join(rows[:-1]),
        "range.jsonl": b"".join([rows[0], json.dumps({**first, "answers": [9]}).encode()]),
        "split.jsonl": b"\n".join([json.dumps({**header, "split": "train"}).encode(), b"".join(rows[1:])]),
        "dropped.jsonl": b"".join(
            [json.dumps({**json.loads(rows[0]), "dropped": {"leak": 7}}).encode(), b"\n", *rows[1:]]
        ),
        "escape.jsonl": json.dumps({**header, "dropped": {"\x1b[2J": 1}}).encode(),
        "null.jsonl": b"".join([rows[0], json.dumps({**first, "stem": None}).encode()]),
        "kind.jsonl": b"".join([rows[0], json.dumps({**first, "kind": "ODD"}).encode()]),
        "noise.jsonl": b"\xff\xfe nothing",
        "empty.jsonl": b"",
        "list.jsonl": b"[1]\n",
        "stem.parquet": parquet(swapped),
        "columns.parquet": parquet(column.drop_columns(["prefix"])),
        "noise.parquet": b"PAR1 nothing PAR1",
    }
    told = {"split.jsonl": "does not match its digest", "dropped.jsonl": "does not match", "escape.jsonl": "malformed"}
    for name, content in cases.items():
        form = SetFormat(name.partition(".")[2])
        with pytest.raises(InvalidInput, match=f"{name} was refused: .*{told.get(name, '')}"):
            import_set(store, name=name, content=io.BytesIO(content), form=form, directory=bad)
    assert list(bad.iterdir()) == []
    with pytest.raises(InvalidInput, match="only parquet and jsonl"):
        import_set(store, name="x", content=io.BytesIO(), form=SetFormat.DATASET, directory=bad)


def test_what_would_break_a_reader_is_refused_though_the_digest_is_right(
    store: GraphStore, made: ProbeSetInfo, tmp_path: Path
) -> None:
    (lines,) = _written(made, tmp_path, SetFormat.JSONL, tmp_path / "j")
    header, first, second = (json.loads(line) for line in lines.read_bytes().splitlines()[:3])

    def forge(**members: Any) -> ProbeSetInfo:
        rows = [{**first, **members}, second]
        digest = ColumnDigest(**{key: header[key] for key in ("graph_id", "graph_digest", "seed", "split")})
        digest.update(pa.Table.from_pylist(rows, schema=SCHEMA))
        head = {**header, "digest": digest.hexdigest(header["dropped"])}
        content = b"".join(json.dumps(row).encode() + b"\n" for row in (head, *rows))
        return import_set(store, name="f", content=io.BytesIO(content), form=SetFormat.JSONL, directory=tmp_path / "f")

    wrong = next(n for n in range(len(first["options"])) if n not in first["answers"])
    lie = forge(answers=[wrong])
    assert lie.imported, "nobody verified it here"
    assert not audit_set(store, probe_set_id=lie.id, directory=tmp_path / "f").passed
    options = [f"o{n}" for n in range(14)]
    for members in (
        {"id": "zz"},
        {"path": [], "chain_length": 0},
        {"chain_length": 5},
        {"stem": " "},
        {"options": options, "option_uids": options},
        {"options": ["a"], "option_uids": ["a"], "answers": [0]},
        {"option_uids": first["option_uids"][:1] * len(first["options"])},
    ):
        with pytest.raises(InvalidInput, match="the probe"):
            forge(**members)


def test_a_set_of_an_earlier_release_keeps_its_columns_and_its_digest(
    store: GraphStore, made: ProbeSetInfo, tmp_path: Path
) -> None:
    """Version 3 had no denials: such a set is read, checked, sampled and handed on as it is."""
    about = {"graph_id": made.graph_id, "graph_digest": made.graph_digest, "seed": made.seed, "split": made.split}
    old = tmp_path / "old.parquet"
    with SetWriter(old, about=about, version=FIRST_VERSION) as writer:
        for table in probe_set.tables(tmp_path, made.digest):
            writer.add(table)
        digest = writer.close(dropped=made.dropped)
    assert "counter_stem" not in pq.read_schema(old).names
    assert digest != made.digest
    folder = tmp_path / "sets"
    taken = import_set(
        store, name="old.parquet", content=io.BytesIO(old.read_bytes()), form=SetFormat.PARQUET, directory=folder
    )
    assert taken.digest == digest
    probe_set.verify_file(folder, digest)
    now = probe_set.read_page(tmp_path, made.digest, kind=ProbeKind.CONFLICT, skip=0, limit=5)
    then = probe_set.read_page(folder, digest, kind=ProbeKind.CONFLICT, skip=0, limit=5)
    assert [replace(one, counter_stem="") for one in now] == then
    assert all(one.counter_stem for one in now)
    assert probe_set.read_file(folder, digest).digest == digest
    (lines,) = _written(taken, folder, SetFormat.JSONL, tmp_path / "lines")
    again = import_set(
        store,
        name="old.jsonl",
        content=io.BytesIO(lines.read_bytes()),
        form=SetFormat.JSONL,
        directory=tmp_path / "more",
    )
    assert again.digest == digest
    sample = sample_set(store, probe_set_id=taken.id, size=5, balance=[], seed=1, directory=folder)
    assert sum(sample.counts.values()) == 5
    probe_set.verify_file(folder, sample.digest)


def test_a_sample_of_everything_is_another_set(store: GraphStore, made: ProbeSetInfo, tmp_path: Path) -> None:
    """It says of itself that nothing was left out, where the set that it was drawn from left out something."""
    assert made.dropped
    whole = sample_set(store, probe_set_id=made.id, size=1_000_000, balance=[], seed=made.seed, directory=tmp_path)
    assert whole.counts == made.counts
    assert whole.digest != made.digest
    assert get_info(store, made.id) == made


def test_a_file_that_would_fill_the_memory_or_the_stack_is_refused(store: GraphStore, tmp_path: Path) -> None:
    about = {"graph_id": "g", "graph_digest": "0" * 64, "seed": 1, "split": "eval", "dropped": {}, "digest": "0" * 64}
    header = {"knowledgesmith_probe_set": VERSION, **about}
    many = SCHEMA.empty_table().to_pydict() | {name: [None] * (MAX_ROWS + 1) for name in SCHEMA.names}
    sink = io.BytesIO()
    table = pa.Table.from_pydict(many, schema=SCHEMA).replace_schema_metadata({KEY: json.dumps(about).encode()})
    pq.write_table(table, sink, row_group_size=MAX_ROWS + 1, compression="zstd")
    bad: list[tuple[SetFormat, bytes, str]] = [
        (SetFormat.PARQUET, sink.getvalue(), "row group"),
        (SetFormat.JSONL, b"[" * 200_000, "RecursionError"),
        (SetFormat.JSONL, json.dumps(header).encode() + b"\n" + b"[" * 200_000, "RecursionError"),
        (SetFormat.JSONL, json.dumps(header | {"seed": 1 << 70}).encode(), "malformed"),
        (SetFormat.JSONL, json.dumps(header | {"graph_id": "x" * 9_000}).encode(), "malformed"),
        (SetFormat.JSONL, json.dumps(header | {"graph_digest": "x"}).encode(), "malformed"),
    ]
    for form, content, words in bad:
        with pytest.raises(InvalidInput, match=words) as refused:
            import_set(store, name="bad", content=io.BytesIO(content), form=form, directory=tmp_path / "sets")
        assert (refused.value.field, refused.value.value) == ("file", "'bad'")
        assert not any((tmp_path / "sets").glob("*.parquet"))


def test_a_file_that_is_gone_or_damaged_says_so(store: GraphStore, made: ProbeSetInfo, tmp_path: Path) -> None:
    path = tmp_path / f"{made.digest}.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    ways: list[Callable[[], object]] = [
        lambda: probe_set.read_page(tmp_path, made.digest, kind=None, skip=0, limit=1),
        lambda: _written(made, tmp_path, SetFormat.JSONL, tmp_path / "out"),
        lambda: audit_set(store, probe_set_id=made.id, directory=tmp_path),
        lambda: sample_set(store, probe_set_id=made.id, size=1, balance=[], seed=1, directory=tmp_path),
    ]
    for way in ways:
        with pytest.raises(IllegalState, match="damaged"):
            way()
    results = {r.name: r for r in check_graph(store, made.graph_id, probe_set_dir=tmp_path).results}
    assert [(f.subject, "damaged" in f.found) for f in results["probe sets"].findings] == [(made.id, True)]
    path.unlink()
    for way in ways:
        with pytest.raises(ProbeSetNotFound, match="file of the probe set is gone"):
            way()


def test_a_set_of_a_graph_that_changed_meanwhile_is_not_recorded(
    store: GraphStore, made: ProbeSetInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def and_then(*args: Any, **more: Any) -> Any:
        result = generate_file(*args, **more)
        accept(store, made.graph_id, [Acceptance(kind=TraitKind.DOMAIN, relation="on_continent", others=("Place",))])
        return result

    monkeypatch.setattr(probe_set, "generate_file", and_then)
    request = BulkRequest(graph_id=made.graph_id, seed=4, phrasings=0)
    with pytest.raises(Aborted, match="changed"):
        probe_set.generate_set(store, request, directory=tmp_path)
    assert [path.stem for path in tmp_path.glob("*.parquet")] == [made.digest]


def test_the_data_set_folder_loads_without_a_network(
    made: ProbeSetInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    import datasets

    _written(made, tmp_path, SetFormat.DATASET, tmp_path / "folder")
    datasets.disable_progress_bars()
    whole = datasets.load_dataset(str(tmp_path / "folder"), cache_dir=str(tmp_path / "cache"))
    assert whole["test"].num_rows == made.verified
    part = datasets.load_dataset(str(tmp_path / "folder"), "direct", cache_dir=str(tmp_path / "cache"))
    assert set(part["test"]["kind"]) == {"DIRECT"}
    assert part["test"].num_rows == made.counts["DIRECT"]


def test_the_harness_task_names_columns_that_are_there(made: ProbeSetInfo, tmp_path: Path) -> None:
    paths = {path.suffix: path for path in _written(made, tmp_path, SetFormat.LM_EVAL, tmp_path / "task")}
    task = yaml.safe_load(paths[".yaml"].read_text())
    assert (tmp_path / "task" / task["dataset_kwargs"]["data_files"]["test"]) == paths[".jsonl"]
    rows = [json.loads(line) for line in paths[".jsonl"].read_text().splitlines()]
    assert len(rows) == made.verified
    for row in rows:
        assert 0 <= row[task["doc_to_target"]] < len(row[task["doc_to_choice"]])
        assert row["text"]


def test_samples_are_nested_balanced_and_repeatable(store: GraphStore, made: ProbeSetInfo, tmp_path: Path) -> None:
    def ids(size: int, *balance: Balance, seed: int = 1) -> list[Probe]:
        drawn = sample_set(store, probe_set_id=made.id, size=size, balance=balance, seed=seed, directory=tmp_path)
        return list(probe_set.read_file(tmp_path, drawn.digest).probes)

    sizes = [1, 10, 60, 10_000]
    nested = [{probe.id for probe in ids(size, Balance.KIND)} for size in sizes]
    assert all(small < large for small, large in pairwise(nested))
    assert [len(found) for found in nested] == [1, 10, 60, made.verified]
    assert set(Counter(probe.kind for probe in ids(60, Balance.KIND)).values()) == {10}
    assert ids(30, Balance.KIND) == ids(30, Balance.KIND)
    assert ids(30, Balance.KIND, seed=2) != ids(30, Balance.KIND)
    crossed = Counter((p.kind, p.answers[0]) for p in ids(16, Balance.KIND, Balance.POSITION) if len(p.options) == 4)
    assert max(crossed.values()) - min(crossed.values()) <= 1
    relations = Counter(p.path[-1].removeprefix("~") for p in ids(22, Balance.RELATION))
    assert max(relations.values()) - min(relations.values()) <= 1
    assert {p.chain_length for p in ids(3, Balance.CHAIN_LENGTH)} == {1, 2, 3}
    assert len(ids(12, Balance.LEVEL, Balance.SUBTREE)) == 12
    with pytest.raises(InvalidInput):
        ids(0)
    with pytest.raises(ProbeSetNotFound):
        sample_set(store, probe_set_id="ps_none", size=1, balance=(), seed=0, directory=tmp_path)


def test_every_stratum_takes_its_turn() -> None:
    strata = np.array(["a"] * 50 + ["b"] * 3 + ["c"] * 20)
    order = turns(strata, np.arange(73, dtype=np.uint64), seed=4)
    assert sorted(order.tolist()) == list(range(73))
    for size in range(1, 74):
        counts = Counter(strata[order[:size]])
        assert all(counts[s] >= min(full, max(counts.values()) - 1) for s, full in (("a", 50), ("b", 3), ("c", 20)))


def _findings(audit: Audit) -> dict[str, int]:
    return {found.check: found.count for found in audit.findings}


def test_an_audit_finds_what_is_wrong_and_nothing_else(
    store: GraphStore, graph_id: str, made: ProbeSetInfo, lexicon: Lexicon, tmp_path: Path
) -> None:
    clean = audit_set(store, probe_set_id=made.id, directory=tmp_path)
    assert clean.verified
    assert not _findings(clean)
    assert clean.probes == made.verified
    assert sum(sum(balance.counts) for balance in clean.letters) == clean.guesses[0].tested
    sheet = list(csv.DictReader(io.StringIO(clean.sheet)))
    assert len(sheet) == 100
    data = probe_set.read_file(tmp_path, made.digest)
    direct = [p for p in data.probes if p.kind is ProbeKind.DIRECT]
    lie = replace(direct[0], id="0" * 32, answers=(1 - min(direct[0].answers[0], 1),))
    ugly = replace(direct[2], id="1" * 32, stem=f"the the {{s}} of  {direct[2].stem}")
    leak = replace(direct[4], id="2" * 32, stem=f"{direct[4].options[direct[4].answers[0]]} is {direct[4].stem}")
    statement = next(p for p in data.probes if p.kind is ProbeKind.CONFLICT)
    twisted = replace(statement, id="3" * 32, answers=(1 - statement.answers[0],), prefix="So.")
    kept = (*data.probes, lie, ugly, leak, twisted, direct[0])
    from knowledgesmith.graph_schema.probes.generation.generate import digest_of

    bad = replace(data, probes=kept, digest="")
    info = probe_set.save(store, replace(bad, digest=digest_of(bad)), directory=tmp_path)
    found = _findings(audit_set(store, probe_set_id=info.id, directory=tmp_path))
    assert found["duplicate"] >= 2
    assert found["answer_in_stem"] >= 1
    assert found.get("false_answer", 0) + found.get("true_distractor", 0) == 2
    for check in ("double_article", "double_space", "unfilled_slot", "lower_case_start"):
        assert found[f"grammar_{check}"] == 1
    assert graph_id == info.graph_id
    assert lexicon.graph_digest == info.graph_digest


def test_an_audit_of_an_older_graph_says_so(store: GraphStore, made: ProbeSetInfo, tmp_path: Path) -> None:
    store.write_transaction(lambda tx: describe(tx, made.graph_id, digest="e" * 64))
    assert not audit_set(store, probe_set_id=made.id, directory=tmp_path).verified
    with pytest.raises(InvalidInput, match="other facts"):
        sample_set(store, probe_set_id=made.id, size=5, balance=(Balance.LEVEL,), seed=0, directory=tmp_path)


def _probes(*, biased: bool, count: int = 1200) -> Iterator[Probe]:
    rng = np.random.default_rng(0)
    for number in range(count):
        uids = [f"u{n}" for n in rng.permutation(60)[:4]]
        answer = max(range(4), key=lambda n: (uids[n] < "u3", n)) if biased else int(rng.integers(4))
        yield Probe(
            id=f"{number:032x}",
            kind=ProbeKind.DIRECT,
            anchor=f"a{number}",
            path=("r",),
            chain_length=1,
            stem="The r is",
            options=tuple(uid.upper() for uid in uids),
            option_uids=tuple(uids),
            answers=(answer,),
            template="t",
            fact_ids=(),
        )


def _options_only(probes: Iterable[Probe]) -> tuple[Guess, ...]:
    nobody = Lexicon.build(graph_id="g", entities=(), relations=())
    found = guesses_of(tables_of(probes), lexicon=nobody, seed=0)
    return tuple(guess for guess in found if guess.guesser == Guesser.OPTIONS_ONLY)


def test_the_baseline_sees_a_bias_and_no_ghosts() -> None:
    fair = _options_only(_probes(biased=False))
    assert [b.kind for b in fair] == ["ALL", "DIRECT"]
    assert all(not b.above_chance and b.chance == pytest.approx(0.25) for b in fair)
    assert all(b.above_chance for b in _options_only(_probes(biased=True)))


def test_phrasings_of_a_question_count_once() -> None:
    probes = list(_probes(biased=True, count=200))
    twice = [p for probe in probes for p in (probe, replace(probe, id=f"f{probe.id[1:]}", stem="Its r is"))]
    once = _options_only(probes)
    assert _options_only(twice) == once
    assert once[0].tested == 200


def test_what_a_question_taught_is_not_asked_of_it() -> None:
    """Answers that stand in one question each can be learned by heart, and tell nothing of other questions."""
    probes = [
        replace(p, option_uids=tuple(f"{uid}-{n}" for uid in p.option_uids), options=tuple(map(str, range(4))))
        for n, p in enumerate(_probes(biased=False))
    ]
    (every, _) = _options_only(probes)
    assert every.low < 0.25 < every.high


def test_clean_texts_have_no_faults() -> None:
    for probe in _probes(biased=False, count=2):
        assert list(grammar_faults(probe)) == []
        assert list(grammar_faults(replace(probe, prefix="It rains"))) == ["missing_punctuation"]
        assert list(grammar_faults(replace(probe, stem="Which r? A or B"))) == ["missing_question_mark"]
        for stem in ("The sex of A A Frank is", "Is it Yahoo!? Answer:", "The A-Z of X is"):
            assert list(grammar_faults(replace(probe, stem=stem))) == []
        for stem in ("The the r is", "In the The Hague, r is", "An a is"):
            assert list(grammar_faults(replace(probe, stem=stem))) == ["double_article"]
        for stem in ("Is it Who?? Answer:", "It is D.C.. True", "Of Acme,, it is"):
            assert list(grammar_faults(replace(probe, stem=stem))) == ["double_punctuation"]
