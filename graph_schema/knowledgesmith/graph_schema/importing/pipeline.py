"""An import from files to a graph: read, stage, compare, write.

Nothing is written before everything was read and checked. What an importer or the staging rejects does not stop the
rest, unless the import is strict. A second import under the same id makes the graph what the files say: entities that
vanished are retired (old interventions still name them), facts that vanished are removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

from pydantic import ValidationError

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance
from knowledgesmith.graph_schema.errors import Aborted, ImportRejected, InvalidInput, KnowledgeSmithError
from knowledgesmith.graph_schema.graphs.reading import accepted_traits
from knowledgesmith.graph_schema.importing.reading.findings import Finding, FindingCount
from knowledgesmith.graph_schema.importing.reading.importer import Importer, ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.records import Rejection
from knowledgesmith.graph_schema.importing.recognising import Recognised, recognise, without_foreign
from knowledgesmith.graph_schema.importing.staging.staging import Progress, Staging
from knowledgesmith.graph_schema.importing.unpacking import MAX_BYTES, plain_files
from knowledgesmith.graph_schema.importing.writing.delta import Counts, Difference, Examples
from knowledgesmith.graph_schema.importing.writing.loader import Loader
from knowledgesmith.graph_schema.importing.writing.lock import ImportLock, take_lock
from knowledgesmith.graph_schema.interventions.cases import replace_cases
from knowledgesmith.graph_schema.language.text_checks import GRAPH_ID, MAX_NAME, problem_with
from knowledgesmith.graph_schema.storage.store import GraphStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or would do.

    Attributes:
        graph_id: the graph.
        digest: the graph's digest afterwards.
        version: number of the graph's version; 0 for a dry run.
        records: records that the importer found, rejections included.
        rejected: records that could not be used.
        reasons: how many records each reason rejected, values left out.
        rejections: the first hundred.
        findings: what was merged, named by id, cyclic, doubled, defaulted …, by kind with examples.
        examples: the first ones of each sort of difference.
        cases: ready interventions that came with the files.
        entities_changed: matched ones whose name, type, domain, aliases, level or depth is new.
        seconds: the whole time.
        traits_accepted: traits that were accepted for this graph and hold on, beside those that the files declare.
        traits_left_out: accepted traits that do not fit the files any more, each with the reason; they stay noted.
        stages: seconds of ``read``, ``settle``, ``compare``, ``write`` and ``cases``.
    """

    graph_id: str
    digest: str
    entities_created: int
    entities_matched: int
    entities_retired: int
    facts_created: int
    facts_matched: int
    facts_removed: int
    relations: int
    seconds: float
    version: int = 0
    records: int = 0
    rejected: int = 0
    entities_changed: int = 0
    cases: int = 0
    traits_accepted: int = 0
    traits_left_out: tuple[str, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict[str, int])
    rejections: tuple[Rejection, ...] = ()
    findings: tuple[FindingCount, ...] = ()
    examples: Examples = field(default_factory=Examples)
    stages: Mapping[str, float] = field(default_factory=dict[str, float])


def import_graph(
    store: GraphStore,
    *,
    graph_id: str,
    files: Sequence[InputFile],
    source: str = "",
    validate_only: bool = False,
    format: str = "",  # noqa: A002 - the word of the command line and the wire
    options: Mapping[str, Any] | None = None,
    strict: bool = False,
    progress: Progress | None = None,
    on_rejection: Callable[[Rejection], None] | None = None,
    folder: Path | None = None,
) -> ImportReport:
    """Import the files of one graph; the last import wins.

    Args:
        store: the database, migrated.
        graph_id: 1 to 63 of ``[a-z0-9_-]``, a letter first.
        files: all of one format.
        source: where the graph comes from; also the source of facts that name none.
        validate_only: check and report, write nothing.
        format: name of the importer; empty = told from the files' names.
        options: of the importer.
        strict: import nothing when one record is rejected.
        progress: called with a stage and how far it is.
        on_rejection: called for every rejected record, by file and record.
        folder: where the staging file lies meanwhile.

    Raises:
        InvalidInput: ``graph_id``, ``source``, ``format`` or an option is wrong.
        ImportRejected: no usable entity is left, or (strict) a record is bad; nothing was imported.
        TooLarge: more relations than a graph may have.
        ImportRunning: another import of the graph runs.
        Aborted: traits were accepted for the graph while the files were read.
        GraphUnavailable: the database does not answer; run the import again to complete it.
    """
    watch = Watch(progress)
    check_graph_id(graph_id)
    accepted = accepted_traits(store, graph_id)
    with stage_files(
        files,
        source=source,
        format=format,
        options=options,
        strict=strict,
        folder=folder,
        progress=watch.report,
        on_rejection=on_rejection,
        accepted=accepted,
    ) as (staging, importer):
        watch.lap("settle")
        difference = Difference(staging, graph_id)
        if validate_only:
            difference.read_stored(store, progress=watch.report)
            return report_of(graph_id, staging, difference.counts(), difference.examples(), watch)
        return _write(store, staging, difference, watch, graph_id=graph_id, source=source, name=importer.name)


@contextmanager
def stage_files(
    files: Sequence[InputFile],
    *,
    source: str,
    format: str,  # noqa: A002
    options: Mapping[str, Any] | None,
    strict: bool,
    folder: Path | None,
    progress: Progress,
    on_rejection: Callable[[Rejection], None] | None = None,
    accepted: Sequence[Acceptance] = (),
    max_bytes: int = MAX_BYTES,
) -> Generator[tuple[Staging, Importer]]:
    """Read, check and settle the files of one graph; the block gets the staging, which is gone after it.

    Raises:
        InvalidInput: ``source``, ``format``, an option or a file's packing is wrong.
        ImportRejected: no usable entity is left, or (strict) a record is bad.
        TooLarge: more relations than a graph may have, or a file that unpacks to more than ``max_bytes``.
    """
    if problem := problem_with(source, limit=MAX_NAME, empty=True):
        raise InvalidInput(f"source {problem}", field="source", value=source, hint="Give a short text.")
    with (
        _own_files(files, folder, max_bytes) as (files, foreign),
        Staging(source=source, folder=folder, accepted=accepted) as staging,
    ):
        known = choose_importer(format, files)
        importer, files = known.importer, known.files
        checked = check_options(importer, options or {})
        for finding in (*foreign, *known.findings):
            staging.findings.take(finding)
        staging.take(importer.read(files, checked), progress=progress)
        staging.settle(progress=progress)
        if on_rejection is not None:
            for rejection in staging.rejections:
                on_rejection(rejection)
        if strict:
            staging.rejections.raise_if_any()
        _require_entities(staging, files)
        yield staging, importer


@contextmanager
def _own_files(
    files: Sequence[InputFile], folder: Path | None, max_bytes: int
) -> Generator[tuple[Sequence[InputFile], list[Finding]]]:
    """The files that may hold a part of the graph, unpacked, and what is to tell of the others."""
    own, foreign = without_foreign(files)
    with plain_files(own, folder, max_bytes=max_bytes) as plain:
        yield plain, foreign


def _require_entities(staging: Staging, files: Sequence[InputFile]) -> None:
    if staging.entities:
        return
    staging.rejections.raise_if_any()
    raise ImportRejected(
        "the files hold no entity, nothing was imported",
        field="files",
        value=", ".join(file.name for file in files[:5]),
        hint="A graph needs entities; check the format and its options.",
    )


def check_graph_id(graph_id: str) -> None:
    """Refuse an id that no graph can have.

    Raises:
        InvalidInput: it does not match ``[a-z][a-z0-9_-]{0,62}``.
    """
    if not GRAPH_ID.fullmatch(graph_id):
        raise InvalidInput(
            "this is not an id of a graph",
            field="graph_id",
            value=graph_id,
            hint="Use 1 to 63 of a-z, 0-9, _ and -, a letter first.",
        )


def choose_importer(name: str, files: Sequence[InputFile]) -> Recognised:
    """The importer of a name, else the one that the files' roles, names and contents tell; and the files for it.

    Raises:
        InvalidInput: there is none, or several fit.
    """
    return recognise(files, name)


def check_options(importer: Importer, given: Mapping[str, Any]) -> ImportOptions:
    """The importer's options from a mapping; texts are read as what the option is.

    Raises:
        InvalidInput: an option is unknown or has a value that it cannot have; the field is ``options.<name>``.
    """
    try:
        return importer.options.model_validate({key: _listed(importer, key, value) for key, value in given.items()})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(sorted(importer.options.model_fields)) or "none"
        raise InvalidInput(
            f"option of {importer.name}: {first['msg']}",
            field=f"options.{where}"[:200],
            value=first.get("input"),
            hint=f"Options of {importer.name}: {known}.",
        ) from error


def _listed(importer: Importer, key: str, value: Any) -> Any:
    """A text for an option that is a list is its items, parted by commas."""
    field = importer.options.model_fields.get(key)
    if not isinstance(value, str) or field is None or get_origin(field.annotation) is not tuple:
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


def _write(
    store: GraphStore,
    staging: Staging,
    difference: Difference,
    watch: Watch,
    *,
    graph_id: str,
    source: str,
    name: str,
) -> ImportReport:
    lock = take_lock(store, graph_id)
    loader = Loader(store, staging, lock, progress=watch.report)
    try:
        _check_accepted(lock, staging)
        difference.read_stored(store, progress=lock.keeping(store, watch.report))
        counts, examples = difference.counts(), difference.examples()
        watch.lap("compare")
        catalogue = loader.write(difference, counts)
        version, cases = complete(store, staging, lock, loader, watch, source=source, name=name, changed=catalogue)
    except BaseException:
        with suppress(KnowledgeSmithError):  # the first failure is the one to tell
            lock.release(store, untouched=not loader.touched)
        raise
    lock.release(store, untouched=False)
    return report_of(graph_id, staging, counts, examples, watch, version=version, cases=cases)


def _check_accepted(lock: ImportLock, staging: Staging) -> None:
    if lock.accepted != staging.catalogue.accepted:
        raise Aborted(
            "traits were accepted for the graph while the files were read",
            field="graph_id",
            value=lock.graph_id,
            hint="Run the import again.",
        )


def complete(
    store: GraphStore,
    staging: Staging,
    lock: ImportLock,
    loader: Loader,
    watch: Watch,
    *,
    source: str,
    name: str,
    changed: bool,
) -> tuple[int, int]:
    """Give a written graph its cases, then make it usable; returns the version's number and how many cases."""
    watch.lap("write")
    cases = replace_cases(store, graph_id=lock.graph_id, cases=staging.cases(), guard=loader.guard)
    watch.lap("cases")
    version = lock.finish(
        store,
        digest=staging.digest,
        source=source,
        format_name=name,
        totals=[staging.entities, staging.facts],
        changed=changed,
    )
    return version, cases


def report_of(
    graph_id: str,
    staging: Staging,
    counts: Counts,
    examples: Examples,
    watch: Watch,
    *,
    version: int = 0,
    cases: int | None = None,
) -> ImportReport:
    """The report of an import; ``cases`` is counted where it is not given."""
    return ImportReport(
        graph_id=graph_id,
        digest=staging.digest,
        entities_created=counts.entities_created,
        entities_matched=counts.entities_matched,
        entities_changed=counts.entities_changed,
        entities_retired=counts.entities_retired,
        facts_created=counts.facts_created,
        facts_matched=counts.facts_matched,
        facts_removed=counts.facts_removed,
        relations=len(staging.relations),
        seconds=watch.total(),
        version=version,
        records=staging.records,
        rejected=staging.rejections.total,
        reasons=staging.rejections.reasons,
        rejections=staging.rejections.first(),
        findings=staging.findings.report(),
        examples=examples,
        cases=sum(1 for _ in staging.cases()) if cases is None else cases,
        stages=watch.stages,
        traits_accepted=len(staging.catalogue.accepted) - len(staging.catalogue.left_out),
        traits_left_out=tuple(f"{label}: {why}" for label, why in sorted(staging.catalogue.left_out.items())),
    )


class Watch:
    """Seconds of the stages, and the caller's progress."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._started = self._last = time.monotonic()
        self.stages: dict[str, float] = {}

    def report(self, stage: str, done: int) -> None:
        """Pass progress on; the end of reading is a lap."""
        if stage == "entities" and "read" not in self.stages:
            self.lap("read")
        if self._progress is not None:
            self._progress(stage, done)

    def lap(self, stage: str) -> None:
        """Note how long a stage took."""
        now = time.monotonic()
        self.stages[stage] = round(now - self._last, 3)
        self._last = now

    def total(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started
