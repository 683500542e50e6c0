"""Artefacts as files, named by their SHA-256 and checked against it before anything in them is used.

Weights and memories are safetensors, contexts JSON; which one a file holds is told by its content.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from knowledgesmith.editors.artefacts import context, memory, weights
from knowledgesmith.editors.artefacts.base import HEADER, TENSORS, TEXT
from knowledgesmith.editors.artefacts.context import Context, Line
from knowledgesmith.editors.artefacts.memory import Acts, Memory
from knowledgesmith.editors.artefacts.weights import Delta, Dense, LowRank, Weights
from knowledgesmith.graph_schema.errors import ArtefactCorrupt, ArtefactNotFound, KnowledgeSmithError

AnyArtefact: TypeAlias = Weights | Memory | Context
_FORMATS = {Weights.kind: weights.FORMAT, Memory.kind: memory.FORMAT, Context.kind: context.FORMAT}
_FOREIGN = (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a file raises that is none of ours."""
_LENGTH = 8
"""Bytes at the beginning of a safetensors file that tell the length of its header."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _WeightsHeader(_Strict):
    format: int
    metadata: dict[str, str]
    scales: dict[str, float]


class _MemoryHeader(_Strict):
    format: int
    kind: Literal["memory"]
    metadata: dict[str, str]
    module: str
    acts: str
    labels: list[str]


class _LineContent(_Strict):
    text: str
    names: list[str]


class _ContextContent(_Strict):
    format: int
    kind: Literal["context"]
    metadata: dict[str, str]
    instruction: str
    lines: list[_LineContent]
    lead: str


_Header = TypeVar("_Header", bound=_Strict)


def artefact_file(folder: Path, digest: str) -> Path:
    """Where an artefact is kept: the file that is there, else the one of the commonest kind."""
    names = [folder / f"{digest}{suffix}" for suffix in (TENSORS, TEXT)]
    return next((path for path in names if path.is_file()), names[0])


def load_artefact(path: Path, expected_sha256: str) -> AnyArtefact:
    """Read an artefact file and check it against its digest before anything in it is used.

    Raises:
        ArtefactNotFound: there is no such file.
        ArtefactCorrupt: the bytes have another digest, are no artefact, or are of a format that is not known.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactNotFound("no artefact file stands here", field="path", value=path.name) from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected_sha256:
        raise ArtefactCorrupt(
            "the artefact's bytes have another digest",
            field="sha256",
            value=expected_sha256,
            hint=f"The file has {found}. Restore it from a backup or run the intervention again.",
            metadata={"found": found},
        )
    try:
        artefact = _parse(content, path.name)
    except ArtefactCorrupt:
        raise
    except (*_FOREIGN, KnowledgeSmithError) as error:
        raise ArtefactCorrupt("the file is no artefact of this format", field="path", value=path.name) from error
    artefact.remember(found)
    return artefact


def _parse(content: bytes, name: str) -> AnyArtefact:
    """The artefact in a file's content.

    Raises:
        ArtefactCorrupt: it is an artefact of another format.
        ValueError, KeyError, …: it is none.
    """
    header = _header_of(content)
    kind = header.get("kind", Weights.kind)
    if kind not in _FORMATS:
        raise ValueError(kind)
    if header["format"] != _FORMATS[kind]:
        raise ArtefactCorrupt(
            f"the {kind} artefact has a format that this release does not know",
            field="path",
            value=name,
            hint=f"It has format {header['format']!r}, known is {_FORMATS[kind]}; use the release that wrote it.",
        )
    if kind == Context.kind:
        return _context(_checked(_ContextContent, header))
    if kind == Memory.kind:
        return _memory(content, _checked(_MemoryHeader, header))
    return _weights(content, _checked(_WeightsHeader, header))


def _header_of(content: bytes) -> dict[str, Any]:
    """What a file tells of itself. A text that was taken for a length would be longer than any file."""
    size = struct.unpack("<Q", content[:_LENGTH])[0] if len(content) > _LENGTH else len(content)
    if _LENGTH + size <= len(content):
        header = json.loads(json.loads(content[_LENGTH : _LENGTH + size])["__metadata__"][HEADER])
        if header.get("kind") == Context.kind:
            raise ValueError("a context is no safetensors file")
    else:
        (key, header), *others = json.loads(content).items()
        if key != HEADER or others or header.get("kind") != Context.kind:
            raise ValueError(key)
    return dict(header)


def _checked(model: type[_Header], header: dict[str, Any]) -> _Header:
    try:
        return model.model_validate(header)
    except ValidationError as error:
        raise ValueError(str(error)) from error


def _weights(content: bytes, header: _WeightsHeader) -> Weights:
    tensors = load_tensors(content)
    deltas: dict[str, Delta] = {}
    for key, tensor in tensors.items():
        kind, _, name = key.partition(".")
        if kind == "delta":
            deltas[name] = Dense(tensor)
        elif kind == "a":
            deltas[name] = LowRank(tensor, tensors[f"b.{name}"], header.scales[name])
        elif kind != "b" or f"a.{name}" not in tensors:
            raise ValueError(key)
    return Weights(deltas=deltas, metadata=header.metadata)


def _memory(content: bytes, header: _MemoryHeader) -> Memory:
    tensors = load_tensors(content)
    return Memory(
        module=header.module,
        keys=tensors.pop("keys"),
        values=tensors.pop("values"),
        radii=tensors.pop("radii"),
        labels=tuple(header.labels),
        acts=Acts(header.acts),
        metadata=_only(header.metadata, tensors),
    )


def _only(metadata: dict[str, str], tensors: dict[str, Any]) -> dict[str, str]:
    if tensors:
        raise ValueError(f"tensors of no memory: {sorted(tensors)}")
    return metadata


def _context(content: _ContextContent) -> Context:
    return Context(
        instruction=content.instruction,
        lines=tuple(Line(text=line.text, names=tuple(line.names)) for line in content.lines),
        lead=content.lead,
        metadata=content.metadata,
    )
