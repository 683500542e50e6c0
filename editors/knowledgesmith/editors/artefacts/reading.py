"""Artefacts as files: ``<sha256>.safetensors``, checked against their digest before anything in them is used."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from knowledgesmith.editors.artefacts.weights import FORMAT, HEADER, Delta, Dense, LowRank, Weights
from knowledgesmith.graph_schema.errors import ArtefactCorrupt, ArtefactNotFound


def load_artefact(path: Path, expected_sha256: str) -> Weights:
    """Read an artefact file and check it against its digest before anything in it is used.

    Raises:
        ArtefactNotFound: there is no such file.
        ArtefactCorrupt: the bytes have another digest, or are no artefact.
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
        return _parse(content)
    except (SafetensorError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ArtefactCorrupt("the file is no artefact of this format", field="path", value=path.name) from error


def _parse(content: bytes) -> Weights:
    (size,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][HEADER])
    if header["format"] != FORMAT:
        raise ValueError(header["format"])
    tensors = load_tensors(content)
    deltas: dict[str, Delta] = {}
    for key, tensor in tensors.items():
        kind, _, name = key.partition(".")
        if kind == "delta":
            deltas[name] = Dense(tensor)
        elif kind == "a":
            deltas[name] = LowRank(tensor, tensors[f"b.{name}"], float(header["scales"][name]))
    return Weights(deltas=deltas, metadata=header["metadata"])
