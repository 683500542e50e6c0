"""Loads the ``.cypher`` files: one query a file, with a documented header.

Header lines open the file::

    // purpose: one sentence
    // params: graph_id, uids
    // returns: uid, name
    // access: read            (or: write)

User text is never part of a query; it travels in parameters. Relationship types come from the catalogue, which
only admits ``[A-Z][A-Z0-9_]*``, and travel as parameters too (``$(row.rel_type)`` or ``type(r) IN $types``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import LiteralString

_HEADER_KEYS = ("purpose", "params", "returns", "access")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A named Cypher statement with its contract."""

    name: str
    text: LiteralString
    purpose: str
    params: frozenset[str]
    returns: tuple[str, ...]
    write: bool


def parse(name: str, source: str) -> Query:
    """Read one ``.cypher`` source.

    Raises:
        ValueError: a header line is missing or malformed.
    """
    header: dict[str, str] = {}
    for line in source.splitlines():
        if not line.startswith("//"):
            break
        key, _, value = line.removeprefix("//").strip().partition(":")
        if key in _HEADER_KEYS:
            header[key] = value.strip()
    missing = [key for key in _HEADER_KEYS if key not in header]
    if missing or header["access"] not in {"read", "write"}:
        raise ValueError(
            f"query {name}: header needs {', '.join(_HEADER_KEYS)}; wrong or missing: {missing or 'access'}"
        )
    return Query(
        name=name,
        text=source,  # pyright: ignore[reportArgumentType] - a packaged file is as good as a literal
        purpose=header["purpose"],
        params=frozenset(p.strip() for p in header["params"].split(",") if p.strip()),
        returns=tuple(r.strip() for r in header["returns"].split(",") if r.strip()),
        write=header["access"] == "write",
    )


@cache
def load(name: str) -> Query:
    """The query stored as ``cypher/<name>.cypher`` (``name`` may contain folders: ``probes/direct``).

    Raises:
        FileNotFoundError: no such file ships with the package.
    """
    folder = files("knowledgesmith.graph_schema").joinpath("cypher")
    return parse(name, folder.joinpath(*f"{name}.cypher".split("/")).read_text(encoding="utf-8"))


@cache
def names() -> tuple[str, ...]:
    """Names of all queries that ship with the package, sorted."""
    with as_file(files("knowledgesmith.graph_schema").joinpath("cypher")) as folder:
        found = folder.rglob("*.cypher")
        return tuple(sorted(file.relative_to(folder).with_suffix("").as_posix() for file in found))


@cache
def load_all() -> None:
    """Read every query once; from then on :func:`load` needs no files."""
    for name in names():
        load(name)
