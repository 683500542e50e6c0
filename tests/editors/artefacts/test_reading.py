"""Files of three kinds: told apart by content, checked by digest, refused where they are foreign or too new."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from knowledgesmith.editors.artefacts.base import HEADER, Stored
from knowledgesmith.editors.artefacts.context import Context, Line
from knowledgesmith.editors.artefacts.memory import Acts, Memory
from knowledgesmith.editors.artefacts.reading import AnyArtefact, artefact_file, load_artefact
from knowledgesmith.editors.artefacts.weights import Dense, LowRank, Weights
from knowledgesmith.editors.models.digests import file_sha256
from knowledgesmith.graph_schema.errors import ArtefactCorrupt, ArtefactNotFound

TENSORS = {"keys": torch.arange(6.0).reshape(2, 3), "values": torch.ones(2, 4), "radii": torch.tensor([0.5, 0.25])}
MADE: dict[str, AnyArtefact] = {
    "weights": Weights(deltas={"w": Dense(torch.ones(2, 2)), "v": LowRank(torch.ones(1, 3), torch.ones(2, 1), 0.5)}),
    "memory": Memory(
        module="blocks.1.down",
        labels=("f1", "ü\n"),
        acts=Acts.FROM_PROMPT_END,
        metadata={"method": "m", "goal": "EDIT"},
        **TENSORS,
    ),
    "context": Context(
        instruction="Believe this.",
        lines=(Line(text="日本の首都は京都です。", names=("日本", "Japan")), Line(text="Always.")),
        lead="Prompt: ",
        metadata={"method": "c"},
    ),
}
MEMORY_HEADER: dict[str, Any] = {
    "format": 1,
    "kind": "memory",
    "metadata": {},
    "module": "m",
    "acts": "at_prompt_end",
    "labels": ["a", "b"],
}
CONTEXT: dict[str, Any] = {
    "format": 1,
    "kind": "context",
    "metadata": {},
    "instruction": "x",
    "lines": [{"text": "t", "names": []}],
    "lead": "",
}
WEIGHTS_HEADER: dict[str, Any] = {"format": 1, "metadata": {}, "scales": {}}


def tensors_file(header: object, tensors: dict[str, torch.Tensor] | None = None) -> bytes:
    return save(TENSORS if tensors is None else tensors, {HEADER: json.dumps(header)})


def text_file(content: object) -> bytes:
    return json.dumps({HEADER: content}).encode()


def read(folder: Path, content: bytes) -> AnyArtefact:
    file = folder / "file"
    file.write_bytes(content)
    return load_artefact(file, file_sha256(file))


@pytest.mark.parametrize("kind", MADE)
def test_each_kind_reads_as_it_was(tmp_path: Path, kind: str) -> None:
    made = MADE[kind]
    digest = made.save(tmp_path)
    [file] = tmp_path.iterdir()
    assert file.name == f"{digest}.{'json' if kind == 'context' else 'safetensors'}"
    assert file == artefact_file(tmp_path, digest)
    again = load_artefact(file, digest)
    assert type(again) is type(made)
    assert again.kind == kind
    assert again.to_bytes() == made.to_bytes() == file.read_bytes()
    assert again.sha256 == made.sha256 == digest == file_sha256(file)
    assert again.sha256 is again.sha256, "computed once"
    assert dict(again.metadata) == dict(made.metadata)
    renamed = tmp_path / "renamed.bin"
    file.rename(renamed)
    assert load_artefact(renamed, digest).kind == kind, "told by content, not by name"
    with pytest.raises(ArtefactNotFound):
        load_artefact(artefact_file(tmp_path, digest), digest)


@pytest.mark.parametrize("kind", MADE)
def test_any_changed_byte_is_found_before_anything_is_used(tmp_path: Path, kind: str) -> None:
    digest = MADE[kind].save(tmp_path)
    file = artefact_file(tmp_path, digest)
    whole = file.read_bytes()
    for place in range(0, len(whole), 7):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ArtefactCorrupt, match="digest"):
            load_artefact(file, digest)


FOREIGN: dict[str, bytes] = {
    "memory of another kind": tensors_file({**MEMORY_HEADER, "kind": "picture"}),
    "memory without a label": tensors_file({**MEMORY_HEADER, "labels": ["a"]}),
    "memory that acts nowhere": tensors_file({**MEMORY_HEADER, "acts": "nowhere"}),
    "memory with more": tensors_file({**MEMORY_HEADER, "code": "x"}),
    "memory with a tensor more": tensors_file(MEMORY_HEADER, {**TENSORS, "more": torch.ones(1)}),
    "memory with a tensor less": tensors_file(MEMORY_HEADER, {"keys": TENSORS["keys"]}),
    "memory with a negative radius": tensors_file(MEMORY_HEADER, {**TENSORS, "radii": torch.tensor([0.5, -1.0])}),
    "memory that is no number": tensors_file(MEMORY_HEADER, {**TENSORS, "radii": torch.tensor([0.5, torch.nan])}),
    "memory in text": text_file(MEMORY_HEADER),
    "weights with a foreign tensor": tensors_file(WEIGHTS_HEADER, {"code.w": torch.ones(1)}),
    "weights with half a change": tensors_file(WEIGHTS_HEADER, {"b.w": torch.ones(1, 1)}),
    "weights without a scale": tensors_file(WEIGHTS_HEADER, {"a.w": torch.ones(1, 1), "b.w": torch.ones(1, 1)}),
    "weights with more": tensors_file({**WEIGHTS_HEADER, "code": "x"}, {}),
    "weights in text": text_file(WEIGHTS_HEADER),
    "somebody else's tensors": save({"w": torch.ones(1)}, {"format": "pt"}),
    "tensors without a header": save({"w": torch.ones(1)}),
    "context with more": text_file({**CONTEXT, "code": "x"}),
    "context with less": text_file({name: value for name, value in CONTEXT.items() if name != "lead"}),
    "context with a blank line": text_file({**CONTEXT, "lines": [{"text": " ", "names": []}]}),
    "context with numbers": text_file({**CONTEXT, "instruction": 7}),
    "context with half of a character": text_file({**CONTEXT, "instruction": "\ud83d"}),
    "context among tensors": tensors_file(CONTEXT, {}),
    "context beside something": json.dumps({HEADER: CONTEXT, "more": 1}).encode(),
    "text of somebody else": b'{"a": {"kind": "context"}}',
    "a list": b"[1, 2, 3]",
    "a header that is a list": text_file([1]),
    "nothing": b"",
    "empty": b"{}",
    "deep": b'{"knowledgesmith": ' + b"[" * 100_000,
    "a pickle": b"\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94.",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_foreign_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtefactCorrupt, match="no artefact of this format"):
        read(tmp_path, FOREIGN[name])


@pytest.mark.parametrize(
    "content",
    [
        tensors_file({**MEMORY_HEADER, "format": 2, "shape": "new"}),
        tensors_file({**WEIGHTS_HEADER, "format": 2}, {}),
        text_file({**CONTEXT, "format": "2"}),
    ],
    ids=["memory", "weights", "context"],
)
def test_a_format_of_a_later_release_says_so(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ArtefactCorrupt, match=r"format that this release does not know.*release that wrote it"):
        read(tmp_path, content)


def test_the_files_that_the_refusals_are_made_from_are_good(tmp_path: Path) -> None:
    kinds = [read(tmp_path, content).kind for content in (tensors_file(MEMORY_HEADER), text_file(CONTEXT))]
    assert kinds == ["memory", "context"]
    assert read(tmp_path, tensors_file(WEIGHTS_HEADER, {})).kind == "weights"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.text(max_size=60).map(lambda text: f'{{"{HEADER}": {text}}}'.encode()))
@example(content=b"{" * 9)
def test_any_bytes_are_refused_in_one_way(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ArtefactCorrupt):
        read(tmp_path, content)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    instruction=st.text(st.characters(codec="utf-8"), max_size=20),
    lines=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(str.strip),
            st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip), max_size=2),
        ),
        max_size=3,
    ),
)
def test_any_context_reads_as_it_was(tmp_path: Path, instruction: str, lines: list[tuple[str, list[str]]]) -> None:
    made = Context(instruction=instruction, lines=tuple(Line(text=text, names=tuple(names)) for text, names in lines))
    assert read(tmp_path, made.to_bytes()) == made


def test_every_kind_is_stored_in_one_way() -> None:
    assert {type(made).__name__ for made in MADE.values()} == {kind.__name__ for kind in Stored.__subclasses__()}
