"""An offline import as another program asks for it: one JSON object with the arguments and the paths of the files."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.offline import import_offline
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import Rejection


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    path: Path
    name: str
    role: str = ""


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    graph_id: str
    files: list[_File]
    format: str = ""
    source: str = ""
    strict: bool = False
    options: dict[str, Any] = {}
    rejections: str = ""


def run_request(data_dir: Path, text: str, *, heap: str) -> dict[str, Any]:
    """Run the import that a request describes; returns the report as plain values.

    Raises:
        InvalidInput: the request is malformed, or a file cannot be read.
        KnowledgeSmithError: see ``import_offline``.
    """
    try:
        request = _Request.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(first["msg"], field=".".join(map(str, first["loc"])) or "request") from error
    with ExitStack() as stack:
        files = [_open(file, stack) for file in request.files]
        spool: TextIO | None = None
        if request.rejections:
            spool = stack.enter_context(Path(request.rejections).open("w", encoding="utf-8"))

        def keep(rejection: Rejection) -> None:
            if spool is not None:
                place = rejection.place
                line = {"file": place.file, "record": place.record, "reason": rejection.reason}
                spool.write(json.dumps(line, ensure_ascii=False) + "\n")

        report = import_offline(
            data_dir,
            graph_id=request.graph_id,
            files=files,
            source=request.source,
            format=request.format,
            options=request.options,
            strict=request.strict,
            heap=heap,
            on_rejection=keep,
        )
    found = {key: value for key, value in asdict(report).items() if key not in {"examples", "rejections"}}
    return {**found, "findings": [kind.describe() for kind in report.findings]}


def _open(file: _File, stack: ExitStack) -> InputFile:
    try:
        content = cast("BinaryIO", stack.enter_context(file.path.open("rb")))
    except OSError as error:
        raise InvalidInput("a file cannot be read", field="files", value=f"{file.name}: {error.strerror}") from error
    return InputFile(name=file.name, content=content, role=file.role)
