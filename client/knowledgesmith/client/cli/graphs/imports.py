"""``ksmith import``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._json import to_json
from knowledgesmith.client._types.enums import FileRole
from knowledgesmith.client._types.imports import (
    GraphFile,
    Importer,
    ImportFindings,
    ImportRejection,
    ImportResult,
)
from knowledgesmith.client.cli.shared.operations import await_result, finish, only_begun, progress, waiting
from knowledgesmith.client.cli.shared.output import plain_text, table
from knowledgesmith.client.cli.shared.session import Session, common
from knowledgesmith.client.local_server import default_data_dir

_PATH: Final = click.Path(exists=True, path_type=Path)
_ROLES: Final = {role.value.lower(): role for role in FileRole if role is not FileRole.UNSPECIFIED}
_SHOWN: Final = 10
_BY_FILE: Final = ("read_as", "file_left_out")
"""Kinds of findings that are shown a line each."""


@click.command(help="Import a graph from files of any known format, or a bundled one.")
@click.argument("files", nargs=-1, type=_PATH)
@click.option("--graph-id", default="", metavar="ID", help="Id of the graph; a bundled one has its own.")
@click.option("--format", "format_name", default="", metavar="NAME", help="Format; default: told from the file names.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the format.")
@click.option("--formats", is_flag=True, help="List the formats and their options.")
@click.option("--bundled", metavar="NAME", help="Import a graph that ships with the server, e.g. atlas.")
@click.option("--entities", multiple=True, type=_PATH, help="A table of entities.")
@click.option("--relations", multiple=True, type=_PATH, help="A table of the relation catalogue.")
@click.option("--facts", multiple=True, type=_PATH, help="A table of facts.")
@click.option("--templates", multiple=True, type=_PATH, help="A table of templates.")
@click.option("--source", default="", help="Where the graph comes from.")
@click.option("--strict", is_flag=True, help="Import nothing when one record is bad.")
@click.option("--dry-run", is_flag=True, help="Check and report, write nothing.")
@click.option("--rejections", type=click.Path(dir_okay=False, path_type=Path), help="Write rejected records as JSONL.")
@click.option("--offline", is_flag=True, help="Fill the empty, stopped embedded database; fast for large graphs.")
@waiting
@common
def import_(
    session: Session,
    *,
    files: tuple[Path, ...],
    graph_id: str,
    format_name: str,
    options: tuple[str, ...],
    formats: bool,
    bundled: str | None,
    source: str,
    strict: bool,
    dry_run: bool,
    rejections: Path | None,
    offline: bool,
    wait: bool,
    **roles: tuple[Path, ...],
) -> None:
    """Import a graph; a folder among FILES stands for all files below it."""
    if formats:
        _list_formats(session)
        return
    chosen = [file for path in files for file in GraphFile.below(path)]
    chosen += [GraphFile(path=path, role=role) for name, role in _ROLES.items() for path in roles[name]]
    if bundled:
        if chosen or dry_run or offline:
            raise click.UsageError("--bundled takes neither files nor --dry-run nor --offline.")
        with session.connect() as smith:
            found = finish(
                session,
                lambda: smith.graphs.import_bundled(name=bundled, graph_id=graph_id, wait=False),
                wait=wait,
            )
        session.emit(found, lambda: _show(found, graph_id or bundled, dry_run=False))
        return
    if not (chosen and graph_id):
        raise click.UsageError("Give --graph-id and files, or --bundled atlas.")
    if rejections and not wait:
        raise click.UsageError("--rejections is written at the end; leave out --no-wait.")
    if offline:
        if dry_run or not wait:
            raise click.UsageError("--offline takes neither --dry-run nor --no-wait.")
        arguments = {"graph_id": graph_id, "format": format_name, "source": source, "strict": strict}
        _offline(session, chosen, {**arguments, "options": read_options(options)}, rejections)
        return
    with session.connect() as smith, progress(session) as report:
        operation = smith.graphs.import_files(
            graph_id=graph_id,
            files=chosen,
            source=source,
            validate_only=dry_run,
            format=format_name,
            options=read_options(options),
            strict=strict,
            wait=False,
        )
        if not wait:
            only_begun(session, [operation])
        try:
            result = await_result(session, operation, report)
        finally:
            if rejections and operation.done:
                _write_rejections(smith.graphs.rejections(operation=operation.name), rejections)
    session.emit(result, lambda: _show(result, graph_id, dry_run=dry_run))


def read_options(texts: Sequence[str]) -> dict[str, Any]:
    """Options from ``KEY=VALUE``; lists and objects are written as JSON.

    Raises:
        InvalidInput: no ``=``, an option twice, or broken JSON.
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key or key in found:
            raise InvalidInput("An option is written KEY=VALUE, each once.", field="--option", value=text)
        try:
            found[key] = json.loads(value) if value[:1] in {"[", "{"} else value
        except ValueError as error:
            raise InvalidInput("This is not JSON.", field=f"--option {key}", value=str(error)) from None
    return found


def _write_rejections(found: Iterable[ImportRejection], path: Path) -> None:
    """One JSON object a line, also of an import that failed for them."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(to_json(rejection) + "\n" for rejection in found)


def _offline(session: Session, files: list[GraphFile], arguments: dict[str, Any], rejections: Path | None) -> None:
    """Hand the import to the program that owns the embedded database; files and options travel on its input."""
    request = {
        **arguments,
        "files": [
            {"path": str(file.path.resolve()), "name": file.shown_name, "role": _role_word(file.role)} for file in files
        ],
        "rejections": str(rejections.resolve()) if rejections else "",
    }
    command = [sys.executable, "-m", "knowledgesmith.graph_schema", "import"]
    command += ["--data-dir", str(default_data_dir() / "neo4j"), *(["--json"] if session.as_json else [])]
    done = subprocess.run(command, input=json.dumps(request), text=True, check=False)
    click.get_current_context().exit(done.returncode)


def _role_word(role: FileRole) -> str:
    return "" if role is FileRole.UNSPECIFIED else role.lower()


def _list_formats(session: Session) -> None:
    """The formats of the server that was named, else those that are installed here: a list starts nothing."""
    found: Sequence[Importer]
    if session.server:
        with session.connect() as smith:
            found = smith.graphs.importers()
    else:
        found = _installed_formats()
    session.emit(found, lambda: _formats(found))


def _installed_formats() -> tuple[Importer, ...]:
    command = [sys.executable, "-m", "knowledgesmith.graph_schema.importing.listing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidInput(
            "The formats are known where the server is installed, and it is not installed here.",
            field="--formats",
            value=(done.stderr.strip().splitlines() or [""])[-1],
            hint="Name a server with --server HOST:PORT.",
        )
    return tuple(map(Importer.from_listing, json.loads(done.stdout)))


def _formats(found: Sequence[Importer]) -> RenderableType:
    formats = table(
        ("format", "files", "what"),
        ((importer.name, ", ".join(importer.endings) or "by content or name", importer.summary) for importer in found),
    )
    options = table(
        ("format", "option", "default", "what"),
        (
            (
                importer.name,
                option.name,
                "required" if option.required else json.dumps(option.default),
                option.description,
            )
            for importer in found
            for option in importer.options
        ),
    )
    return Group(formats, options)


def _show(result: ImportResult, graph_id: str, *, dry_run: bool) -> RenderableType:
    report = result.report
    rows = (
        (
            "entities",
            report.entities_created,
            report.entities_matched,
            report.entities_changed,
            report.entities_retired,
        ),
        ("facts", report.facts_created, report.facts_matched, 0, report.facts_removed),
    )
    done = "checked, nothing written" if dry_run else f"version {report.version}"
    cases = f", {report.cases:,} cases" if report.cases else ""
    head = (
        f"graph {graph_id}: {done}, {report.records:,} records in {report.seconds:.1f} s, "
        f"{report.relations} relations{cases}, digest {report.digest[:12]}"
    )
    parts: list[RenderableType] = [plain_text(head), table(("", "new#", "known#", "changed#", "gone#"), rows)]
    if report.traits_accepted:
        parts.append(f"{report.traits_accepted} accepted traits hold on")
    parts += [plain_text(f"accepted trait left out: {trait}") for trait in report.traits_left_out]
    parts += _findings(report.findings)
    if report.rejected:
        often = sorted(report.reasons.items(), key=lambda found: (-found[1], found[0]))
        counted = ((count, reason) for reason, count in often[:_SHOWN])
        parts += [
            f"{report.rejected:,} records rejected, e.g. {plain_text(str(report.rejections[0]))}",
            table(("rejected#", "why"), counted),
        ]
    if dry_run:
        parts.append(table(("", "example"), _examples(result)))
    return Group(*parts)


def _findings(found: Sequence[ImportFindings]) -> Iterator[RenderableType]:
    """How files were read, a line each; then what else is to tell, a row a kind with its first example."""
    for kind in found:
        if kind.kind in _BY_FILE:
            yield from (plain_text(str(example)) for example in kind.examples)
            if kind.count > len(kind.examples):
                yield plain_text(f"… and {kind.count - len(kind.examples):,} more of: {kind.meaning}")
    rows = [
        (kind.count, kind.meaning, "; ".join(map(str, kind.examples[:1])))
        for kind in found
        if kind.kind not in _BY_FILE
    ]
    if rows:
        yield table(("noted#", "what", "e.g."), rows)


def _examples(result: ImportResult) -> Iterator[tuple[str, str]]:
    examples = result.report.examples
    for what, uids in (
        ("new", examples.entities_created),
        ("changed", examples.entities_changed),
        ("gone", examples.entities_retired),
    ):
        yield from ((f"{what} entity", uid) for uid in uids[:_SHOWN])
    for what, keys in (("new", examples.facts_created), ("gone", examples.facts_removed)):
        yield from ((f"{what} fact", f"{key.subject_uid} {key.relation} {key.object_uid}") for key in keys[:_SHOWN])
