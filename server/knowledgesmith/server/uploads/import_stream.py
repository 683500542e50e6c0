"""An import as a stream of messages: it runs in a thread, reports in order, and ends with its caller."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema.errors import Cancelled
from knowledgesmith.graph_schema.importing import ImportReport, InputFile, Rejection, import_graph
from knowledgesmith.graph_schema.importing.listing import list_importers
from knowledgesmith.v1 import graph_pb2
from knowledgesmith.server.wire.conversions import check_id, check_text, json_object

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from knowledgesmith.graph_schema.importing.reading.findings import FindingCount
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.front.dependencies import Parts

_QUEUE = 64
_REJECTIONS = 200
"""Rejections a message."""
_PROGRESS_SECONDS = 0.25
_POLL_SECONDS = 0.5


def run_import(
    store: GraphStore,
    header: graph_pb2.ImportHeader,
    files: Sequence[InputFile],
    *,
    emit: Callable[[graph_pb2.ImportGraphResponse], None] | None = None,
) -> graph_pb2.ImportReport:
    """Import files; ``emit`` receives progress and rejections. Blocks.

    Raises:
        KnowledgeSmithError: see ``import_graph``.
    """
    reporter = _Reporter(emit) if emit is not None else None
    try:
        report = import_graph(
            store,
            graph_id=check_id(header.graph_id, "graph_id"),
            files=files,
            source=check_text(header.source, "source"),
            validate_only=header.validate_only,
            format=check_text(header.format, "format"),
            options=json_object(header.options_json, "options_json"),
            strict=header.strict,
            progress=reporter.progress if reporter else None,
            on_rejection=reporter.rejection if reporter else None,
        )
    finally:
        if reporter:
            reporter.flush()  # a strict import that is refused still tells every record
    return report_to(report)


async def stream_import(
    parts: Parts, header: graph_pb2.ImportHeader, files: Sequence[InputFile], *, close: Callable[[], None]
) -> AsyncIterator[graph_pb2.ImportGraphResponse | graph_pb2.ImportReport]:
    """Progress and rejections while an import runs, its report at the end.

    When the caller goes away, the import stops at its next report; ``close`` is called once it has ended.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[graph_pb2.ImportGraphResponse] = asyncio.Queue(_QUEUE)
    stopped = threading.Event()

    def emit(message: graph_pb2.ImportGraphResponse) -> None:
        waiting = asyncio.run_coroutine_threadsafe(queue.put(message), loop)
        while True:
            if stopped.is_set():
                waiting.cancel()
                raise Cancelled("the caller of the import went away")
            try:
                waiting.result(_POLL_SECONDS)
            except TimeoutError:
                continue
            return

    work = loop.create_task(parts.long.run(run_import, parts.store, header, files, emit=emit))
    work.add_done_callback(lambda done: _ended(done, close))
    try:
        while not (work.done() and queue.empty()):
            getting = loop.create_task(queue.get())
            await asyncio.wait({getting, work}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                yield getting.result()
            else:
                getting.cancel()
        yield await work
    finally:
        stopped.set()


def _ended(work: asyncio.Task[graph_pb2.ImportReport], close: Callable[[], None]) -> None:
    close()
    if not work.cancelled():
        work.exception()  # seen, so that nobody warns of it when the caller has gone


class _Reporter:
    """Turns reports of the import into messages, progress at most a few times a second."""

    def __init__(self, emit: Callable[[graph_pb2.ImportGraphResponse], None]) -> None:
        self._emit = emit
        self._began = self._last = time.monotonic()
        self._stage = ""
        self._rejections: list[graph_pb2.ImportRejection] = []

    def progress(self, stage: str, done: int) -> None:
        now = time.monotonic()
        if stage == self._stage and now - self._last < _PROGRESS_SECONDS:
            return
        self.flush()
        self._stage, self._last = stage, now
        progress = graph_pb2.ImportProgress(stage=stage, done=done, seconds=now - self._began)
        self._emit(graph_pb2.ImportGraphResponse(progress=progress))

    def rejection(self, rejection: Rejection) -> None:
        self._rejections.append(rejection_to(rejection))
        if len(self._rejections) >= _REJECTIONS:
            self.flush()

    def flush(self) -> None:
        if self._rejections:
            batch = graph_pb2.ImportRejections(rejections=self._rejections)
            self._rejections = []
            self._emit(graph_pb2.ImportGraphResponse(rejections=batch))


def rejection_to(rejection: Rejection) -> graph_pb2.ImportRejection:
    """The wire's message."""
    place = rejection.place
    return graph_pb2.ImportRejection(file=place.file, record=place.record, reason=rejection.reason)


def report_to(report: ImportReport) -> graph_pb2.ImportReport:
    """The wire's message."""
    examples = report.examples
    names = {"rejections", "examples", "stage_seconds", "findings"}
    counts: dict[str, Any] = {
        field.name: getattr(report, field.name)
        for field in graph_pb2.ImportReport.DESCRIPTOR.fields
        if field.name not in names
    }
    return graph_pb2.ImportReport(
        **counts,
        stage_seconds=report.stages,
        rejections=[rejection_to(rejection) for rejection in report.rejections],
        findings=[_findings_to(found) for found in report.findings],
        examples=graph_pb2.ImportExamples(
            entities_created=examples.entities_created,
            entities_changed=examples.entities_changed,
            entities_retired=examples.entities_retired,
            facts_created=[_fact_to(key) for key in examples.facts_created],
            facts_removed=[_fact_to(key) for key in examples.facts_removed],
        ),
    )


def _findings_to(found: FindingCount) -> graph_pb2.ImportFindings:
    examples = [
        graph_pb2.ImportFinding(file=item.place.file, record=item.place.record, text=item.text, count=item.count)
        for item in found.examples
    ]
    return graph_pb2.ImportFindings(kind=found.kind.value, meaning=found.meaning, count=found.count, examples=examples)


def _fact_to(key: tuple[str, str, str]) -> graph_pb2.FactName:
    return graph_pb2.FactName(subject=key[0], relation=key[1], object=key[2])


def importers() -> list[graph_pb2.Importer]:
    """Every importer with its options, by name."""
    return [
        graph_pb2.Importer(
            name=found.name,
            summary=found.summary,
            endings=found.endings,
            options=[
                graph_pb2.ImporterOption(
                    name=option.name,
                    schema_json=option.schema_json,
                    default_json=option.default_json,
                    description=option.description,
                )
                for option in found.options
            ],
        )
        for found in list_importers()
    ]
