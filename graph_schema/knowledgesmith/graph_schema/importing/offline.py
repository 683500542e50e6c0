"""Import into the empty embedded database with Neo4j's own bulk tool, for graphs that are large at the first import.

The files go through the same staging as an online import. The tool writes entities, facts and links of the hierarchy
into the store; then the database is started once, gets its schema, and the ordinary import finishes the graph:
catalogue, version, cases. So both ways end in the same graph.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, RunningDatabase, start
from knowledgesmith.graph_schema.embedded.admin import DATABASE, has_store, require_stopped, run_admin
from knowledgesmith.graph_schema.errors import DatabaseNotEmpty
from knowledgesmith.graph_schema.importing.pipeline import (
    ImportReport,
    Watch,
    check_graph_id,
    complete,
    report_of,
    stage_files,
)
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import Rejection
from knowledgesmith.graph_schema.importing.staging.levels import LEVELS
from knowledgesmith.graph_schema.importing.staging.staging import Progress, Staging
from knowledgesmith.graph_schema.importing.writing.delta import Counts, Difference
from knowledgesmith.graph_schema.importing.writing.loader import BATCH, Loader
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.digests import prefixed
from knowledgesmith.graph_schema.types.facts import fact_id_from_keys

MAX_BYTES: Final = 64 * 1024**3
"""Bytes of one unpacked file; it comes from the machine itself."""
_TIMEOUT_S: Final = 3_600.0
_ARRAY: Final = "\x1f"
"""Parts the aliases; no text of a graph may hold a control character."""
_OPTIONS: Final = (
    "--id-type=integer",
    "--overwrite-destination",
    "--array-delimiter=U+001F",
    "--max-off-heap-memory=1G",
    "--bad-tolerance=0",
)


def import_offline(
    data_dir: Path,
    *,
    graph_id: str,
    files: Sequence[InputFile],
    source: str = "",
    format: str = "",  # noqa: A002 - the word of the command line
    options: Mapping[str, Any] | None = None,
    strict: bool = False,
    heap: str = "1g",
    progress: Progress | None = None,
    on_rejection: Callable[[Rejection], None] | None = None,
) -> ImportReport:
    """Import one graph into the embedded database of ``data_dir``: empty and stopped before, stopped after.

    Arguments are those of ``import_graph``; ``heap`` is the memory of Java.

    Raises:
        InvalidInput: an argument is wrong.
        ImportRejected: no usable entity is left, or (strict) a record is bad.
        DatabaseRunning: the database runs.
        DatabaseNotEmpty: it holds something.
        OfflineImportFailed: the tool failed.
    """
    watch = Watch(progress)
    check_graph_id(graph_id)
    require_stopped(data_dir)
    with stage_files(
        files,
        source=source,
        format=format,
        options=options,
        strict=strict,
        folder=None,
        progress=watch.report,
        on_rejection=on_rejection,
        max_bytes=MAX_BYTES,
    ) as (staging, importer):
        watch.lap("settle")
        settings = EmbeddedSettings(data_dir=data_dir, heap=heap, login=True)
        fill_store(settings, staging, graph_id)
        watch.lap("tool")
        with start(settings, owned=True) as database:
            store = GraphStore.connect(_settings_of(database))
            try:
                migrate(store)
                return finish_graph(store, staging, watch, graph_id=graph_id, source=source, name=importer.name)
            finally:
                store.close()


def finish_graph(
    store: GraphStore, staging: Staging, watch: Watch, *, graph_id: str, source: str, name: str
) -> ImportReport:
    """Catalogue, version and cases, as an online import writes them."""
    difference = Difference(staging, graph_id)
    examples = difference.examples()
    entities, facts = staging.entities, staging.facts
    counts = Counts(
        entities_created=entities,
        entities_matched=0,
        entities_changed=0,
        entities_retired=0,
        facts_created=facts,
        facts_matched=0,
        facts_removed=0,
        facts_resourced=0,
    )
    lock = take_lock(store, graph_id)
    loader = Loader(store, staging, lock, progress=watch.report)
    loader.count_written(entities=entities, facts=facts)
    loader.write_catalogue()
    _fill_aliases(store, graph_id)
    version, cases = complete(store, staging, lock, loader, watch, source=source, name=name, changed=True)
    lock.release(store, untouched=False)
    return report_of(graph_id, staging, counts, examples, watch, version=version, cases=cases)


def _fill_aliases(store: GraphStore, graph_id: str) -> None:
    last = ""
    while (row := store.write("importing/aliases_fill", graph_id=graph_id, after=last, limit=BATCH)[0])["last"]:
        last = row["last"]


def _settings_of(database: RunningDatabase) -> StoreSettings:
    return StoreSettings(uri=database.uri, user=database.user, password=database.password)


def _require_empty(settings: EmbeddedSettings) -> None:
    """Start a database that was used before, to see whether it holds more than its schema."""
    if not has_store(settings.data_dir):
        return
    with start(settings, owned=True) as database:
        store = GraphStore.connect(_settings_of(database))
        try:
            held = store.read("importing/held")[0]["held"]
        finally:
            store.close()
    if held:
        raise DatabaseNotEmpty(
            "the embedded database holds something already",
            field="data_dir",
            value=str(settings.data_dir),
            hint="Import without --offline, or use another data directory (KSMITH_DATA_DIR).",
        )


def fill_store(settings: EmbeddedSettings, staging: Staging, graph_id: str) -> None:
    """Write entities, facts and links into the store of a database that does not run, in place of what it holds.

    Raises:
        DatabaseRunning: the database runs.
        DatabaseNotEmpty: it holds something.
        OfflineImportFailed: the tool failed.
    """
    with tempfile.TemporaryDirectory(prefix="ksmith-offline-") as name:
        folder = Path(name)
        _write(folder / "entities.csv", _ENTITY_HEADER, _entities(staging, graph_id))
        _write(folder / "facts.csv", _FACT_HEADER, _facts(staging, graph_id))
        _write(folder / "links.csv", _LINK_HEADER, _links(staging))
        arguments = ["database", "import", "full", DATABASE, *_OPTIONS, f"--report-file={folder / 'report'}"]
        arguments += [f"--nodes={folder / 'entities.csv'}"]
        arguments += [f"--relationships={folder / 'facts.csv'}", f"--relationships={folder / 'links.csv'}"]
        _require_empty(settings)  # only now: writing the rows takes long enough for somebody to fill the database
        run_admin(settings, arguments, timeout_s=_TIMEOUT_S, replaces_store=True)


_ENTITY_HEADER: Final = (
    ":ID",
    "graph_id",
    "uid",
    "name",
    "type",
    "domain",
    "aliases:string[]",
    "retired:boolean",
    "depth:long",
    ":LABEL",
)
_FACT_HEADER: Final = (":START_ID", ":END_ID", ":TYPE", "fact_id", "source", "graph_id")
_LINK_HEADER: Final = (":START_ID", ":END_ID", ":TYPE")


def _write(path: Path, header: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    # A quoted empty field is the empty text, a bare one is nothing: numbers stay bare, texts are quoted.
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\n")
        csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)


def _entities(staging: Staging, graph_id: str) -> Iterator[Sequence[Any]]:
    rows = staging.database.execute("SELECT id, uid, name, type, domain, aliases, level, depth FROM entity ORDER BY id")
    for number, uid, name, kind, domain, aliases, level, depth in rows:
        parted = "" if aliases == "[]" else _ARRAY.join(json.loads(aliases))
        labels = f"Entity{_ARRAY}{LEVELS[level]}"
        yield number, graph_id, uid, name, kind, domain, parted, "false", depth, labels


def _facts(staging: Staging, graph_id: str) -> Iterator[Sequence[Any]]:
    relations = {
        number: (prefixed(name), rel_type)
        for number, name, rel_type in staging.database.execute("SELECT id, name, rel_type FROM relation")
    }
    graph = prefixed(graph_id)
    rows = staging.database.execute(
        "SELECT f.subject, f.object, f.relation, s.key, o.key, f.source FROM fact f "
        "CROSS JOIN entity s ON s.id = f.subject CROSS JOIN entity o ON o.id = f.object "
        "ORDER BY f.subject, f.relation, f.object"
    )
    for subject, obj, relation, subject_key, object_key, source in rows:
        name, rel_type = relations[relation]
        yield subject, obj, rel_type, fact_id_from_keys(graph, subject_key, name, object_key), source, graph_id


def _links(staging: Staging) -> Iterator[Sequence[Any]]:
    for parent, child in staging.database.execute("SELECT parent, child FROM link ORDER BY parent, child"):
        yield parent, child, "HAS_CHILD"
