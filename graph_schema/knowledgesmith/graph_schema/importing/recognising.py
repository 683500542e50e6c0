"""Which importer is for the files of a graph, and which files beside them are none of it: by name, then by content.

Files that hold no part of a graph (a README, a licence, scripts, pictures) are left out by name wherever others are
there; the report names them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final

import ijson

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.json_tree import CHILDREN, is_plain_tree
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole, TablesImporter, role_of
from knowledgesmith.graph_schema.importing.formats.rows.column_words import STRONG, WEAK, Role, heading
from knowledgesmith.graph_schema.importing.formats.rows.opendocument import is_opendocument
from knowledgesmith.graph_schema.importing.formats.rows.workbook import is_workbook
from knowledgesmith.graph_schema.importing.formats.tables.layout import Layout
from knowledgesmith.graph_schema.importing.formats.tables.sheet import layout_of
from knowledgesmith.graph_schema.importing.reading.columnar import is_columnar
from knowledgesmith.graph_schema.importing.reading.importer import Importer, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import Shape, parsed, shape_of
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place
from knowledgesmith.graph_schema.importing.registry import importer_names, load_importer

_STEMS: Final = frozenset(
    [
        "readme",
        "license",
        "licence",
        "copying",
        "notice",
        "authors",
        "contributors",
        "contributing",
        "changelog",
        "changes",
        "citation",
        "makefile",
        "dockerfile",
        "datapackage",
        "package",
        "requirements",
        "manifest",
        "thumbs",
        "metadata.schema",
    ]
)
_ENDINGS: Final = frozenset(
    [
        ".md",
        ".rst",
        ".adoc",
        ".html",
        ".htm",
        ".pdf",
        ".doc",
        ".docx",
        ".odt",
        ".rtf",
        ".ppt",
        ".pptx",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".svg",
        ".webp",
        ".tif",
        ".tiff",
        ".bmp",
        ".ico",
        ".py",
        ".pyc",
        ".ipynb",
        ".r",
        ".rmd",
        ".jl",
        ".sh",
        ".bash",
        ".bat",
        ".ps1",
        ".pl",
        ".rb",
        ".js",
        ".ts",
        ".css",
        ".java",
        ".class",
        ".jar",
        ".c",
        ".h",
        ".cpp",
        ".hpp",
        ".cs",
        ".go",
        ".rs",
        ".php",
        ".scala",
        ".kt",
        ".sql",
        ".cypher",
        ".tex",
        ".bib",
        ".log",
        ".toml",
        ".cfg",
        ".ini",
        ".lock",
        ".yml",
        ".yaml",
        ".sha1",
        ".sha256",
        ".md5",
        ".asc",
        ".sig",
        ".pickle",
        ".pkl",
        ".pt",
        ".pth",
        ".npy",
        ".npz",
        ".h5",
        ".safetensors",
        ".gguf",
        ".mp3",
        ".mp4",
        ".wav",
        ".zip",
        ".tar",
        ".tgz",
        ".7z",
        ".rar",
        ".exe",
        ".dll",
        ".so",
        ".dylib",
        ".xsd",
        ".dtd",
        ".xsl",
        ".bak",
        ".tmp",
        ".swp",
        ".license",
    ]
)
_PACKED: Final = (".gz", ".bz2", ".xz", ".zst")
_MAPPINGS: Final = (".mapping.yaml", ".mapping.yml", ".mapping.json")
_TEXTS: Final = re.compile(r"(?:entit|relation)\w*2\w+")
_TABLE_ENDINGS: Final = frozenset({".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm", ".ods", ".parquet"})
_LOOK: Final = 2_000_000
_HEAD: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The importer, the files that are for it, and what was left out."""

    importer: Importer
    files: tuple[InputFile, ...]
    findings: tuple[Finding, ...] = field(default=())


def without_foreign(files: Sequence[InputFile]) -> tuple[list[InputFile], list[Finding]]:
    """The files that may hold a part of a graph, by their names; where none may, all of them."""
    kept = [file for file in files if file.role or not is_foreign(file.name)]
    if not kept:
        return list(files), []
    names = {id(file) for file in kept}
    return kept, [_left_out(file, "by its name it holds no graph") for file in files if id(file) not in names]


def is_foreign(name: str) -> bool:
    """Whether a file's name says that it is a text about the files, a program, a picture or the like."""
    path = PurePosixPath(name.replace("\\", "/").casefold())
    while path.suffix in _PACKED:
        path = path.with_suffix("")
    if path.name.endswith(_MAPPINGS):
        return False
    stem = path.name.split(".")[0]
    return path.suffix in _ENDINGS or (stem in _STEMS and path.suffix in {"", ".txt", ".json", ".xml"})


def recognise(files: Sequence[InputFile], name: str = "") -> Recognised:
    """The importer for files that are unpacked and not foreign.

    Args:
        files: at least one.
        name: of the importer, where the user says it; files of other formats beside its own are left out.

    Raises:
        InvalidInput: there is no file, none is known, or they are of several formats.
    """
    if not files:
        raise InvalidInput("there is no file", field="files", hint="Name at least one file.")
    mappings = [file for file in files if _is_mapping(file)]
    if name:
        return _named(load_importer(name), files, mappings)
    if mappings:
        return _by_mapping(files, mappings)
    kinds = [_kind(file) for file in files]
    groups: defaultdict[str, list[InputFile]] = defaultdict(list)
    for file, kind in zip(files, kinds, strict=True):
        groups[kind.name].append(file)
    if "tables" in groups and not TablesImporter.describe(groups["tables"]):
        # Facts without a table of entities, or tables that only share a name with ours
        groups["sheet"] += groups.pop("tables")
    elif "tables" in groups:
        strange = [file for file in groups["tables"] if _is_strange(file)]
        groups["sheet"] += strange
        groups["tables"] = [file for file in groups["tables"] if file not in strange]
    if "triples" in groups:
        groups["triples"] += groups.pop("sheet", [])
    return _one_of(groups, {file.name: kind for file, kind in zip(files, kinds, strict=True)}, files)


def _one_of(groups: dict[str, list[InputFile]], kinds: dict[str, _Kind], files: Sequence[InputFile]) -> Recognised:
    unknown = groups.pop("", [])
    if "sheet" in groups and len(files) > 1:
        # Beside other tables a text that is no table of facts is a note
        layouts = {id(file): layout_of(file) for file in groups["sheet"]}
        tables = [file for file in groups["sheet"] if layouts[id(file)] is not None]
        if tables or len(groups) > 1:
            unknown += [file for file in groups["sheet"] if file not in tables]
            groups["sheet"] = tables
        if "tables" in groups:
            unknown += _beside_tables(groups, layouts)
    elif "tables" in groups:
        unknown += groups.pop("sheet", [])
    found = {name: members for name, members in groups.items() if members}
    if len(found) == 1:
        name, members = next(iter(found.items()))
        left = tuple(_left_out(file, kinds[file.name].why or f"it is no part of {name}") for file in unknown)
        return Recognised(importer=load_importer(name), files=tuple(members), findings=left)
    if found:
        some = "; ".join(f"{name}: {', '.join(file.name for file in found[name][:3])}" for name in sorted(found))
        raise InvalidInput(
            f"the files are of several formats ({some})",
            field="format",
            value=", ".join(sorted(found)),
            hint="A graph comes in one format: name its files, or say --format.",
        )
    first = unknown[0] if unknown else files[0]
    raise InvalidInput(
        f"the format of {first.name} cannot be told: {kinds[first.name].why or 'it looks like none that is known'}",
        field="format",
        value=", ".join(file.name for file in files[:5]),
        hint=f"Name it: one of {', '.join(importer_names())}; own tables are `sheet`, JSON of any shape `mapped`.",
    )


def _is_strange(file: InputFile) -> bool:
    """Whether a file has our name for facts, and facts in other columns than ours."""
    named = not file.role and role_of(file) is FileRole.FACTS
    return named and not TablesImporter.holds_facts(file) and layout_of(file) is Layout.FACTS


def _beside_tables(groups: dict[str, list[InputFile]], layouts: dict[int, Layout | None]) -> list[InputFile]:
    """Give tables beside our own a part in the graph; those that have none are returned.

    Facts in our columns are a table of facts. Where nothing but entities is described by our tables, others are read
    together with them as tables of facts and nodes.

    Raises:
        InvalidInput: a table of facts has other columns than ours, so that its facts would be lost.
    """
    others, own = groups.pop("sheet"), groups["tables"]
    facts = [file for file in others if layouts[id(file)] is Layout.FACTS]
    fitting = [file for file in facts if TablesImporter.holds_facts(file)]
    strange = [file for file in facts if file not in fitting]
    wide = [file for file in others if layouts[id(file)] is Layout.WIDE]
    only_entities = all(not file.role and role_of(file) is FileRole.ENTITIES for file in own)
    if only_entities and (strange or (wide and not fitting)):
        groups["sheet"] = groups.pop("tables") + others
        return []
    if strange:
        raise InvalidInput(
            f"{strange[0].name} is a table of facts, but not in the columns of a table beside "
            f"{', '.join(file.name for file in own[:3])}",
            field="files",
            value=strange[0].name,
            hint="Name its columns subject, relation, object (and source), or leave the file out to import the others "
            "alone.",
        )
    groups["tables"] = own + [replace(file, role=FileRole.FACTS) for file in fitting]
    return [file for file in others if file not in fitting]


def _is_mapping(file: InputFile) -> bool:
    """Whether a file says how tables beside it are read."""
    return file.role == "mapping" or file.name.casefold().endswith(_MAPPINGS)


def _by_mapping(files: Sequence[InputFile], mappings: Sequence[InputFile]) -> Recognised:
    """Files with a mapping among them are read by it.

    Raises:
        InvalidInput: there are several mappings, or nothing beside one.
    """
    names = ", ".join(file.name for file in mappings[:5])
    if len(mappings) > 1:
        raise InvalidInput(
            f"the files hold {len(mappings)} mappings ({names}), and tables are read by one",
            field="files",
            value=names,
            hint="Name one of them and its tables, or say --format sheet to read the tables without a mapping.",
        )
    if len(files) == 1:
        raise InvalidInput(
            f"{names} is a mapping, and no table is beside it",
            field="files",
            value=names,
            hint="Name the tables that it reads as well, or the folder that holds them and the mapping.",
        )
    said = "the mapping by which the other files are read; --format sheet reads tables without it"
    found = Finding(place=Place(file=mappings[0].name), kind=FindingKind.READ_AS, text=said)
    return Recognised(importer=load_importer("mapped"), files=tuple(files), findings=(found,))


def _named(importer: Importer, files: Sequence[InputFile], mappings: Sequence[InputFile]) -> Recognised:
    """The files of a format that was named: mappings, and those whose ending is another format's, are left out.

    Raises:
        InvalidInput: there is nothing but mappings.
    """
    if importer.name != "mapped" and mappings:
        tables = [file for file in files if file not in mappings]
        if not tables:
            raise InvalidInput(
                f"{mappings[0].name} is a mapping, and no table is beside it",
                field="files",
                value=mappings[0].name,
                hint="Name the tables as well.",
            )
        left = tuple(_left_out(file, "it is a mapping, which --format mapped reads tables by") for file in mappings)
        known = _named(importer, tables, ())
        return replace(known, findings=(*left, *known.findings))
    others = {ending for name in importer_names() for ending in load_importer(name).endings} | _TABLE_ENDINGS
    others -= set(importer.endings)
    own = [file for file in files if _fits(file, importer.endings)]
    if not own or not importer.endings or importer.name == "tables":
        return Recognised(importer=importer, files=tuple(files))
    kept = [file for file in files if file in own or file.role or not _fits(file, tuple(others))]
    left = tuple(_left_out(file, f"it is no {importer.name}") for file in files if file not in kept)
    return Recognised(importer=importer, files=tuple(kept), findings=left)


def _fits(file: InputFile, endings: tuple[str, ...]) -> bool:
    return file.name.casefold().endswith(endings)


def _left_out(file: InputFile, why: str) -> Finding:
    return Finding(place=Place(file=file.name), kind=FindingKind.FILE_LEFT_OUT, text=f"left out: {why}")


@dataclass(frozen=True)
class _Kind:
    name: str
    why: str = ""


def _kind(file: InputFile) -> _Kind:
    """The importer's name for one file, empty where none is known."""
    if file.role:
        return _Kind("tables") if file.role in set(FileRole) else _Kind("", f"the role {file.role!r} is of one format")
    for name in importer_names():
        endings = load_importer(name).endings
        if name != "tables" and endings and _fits(file, endings):
            return _Kind(name)
    if TablesImporter.knows(file):
        return _Kind("tables")
    if _TEXTS.search(PurePosixPath(file.name).name.casefold()):
        return _Kind("triples")
    if is_workbook(file) or is_opendocument(file) or is_columnar(file):
        return _Kind("sheet")
    shape = shape_of(file)
    if shape is not None:
        return _json_kind(file, shape)
    return _text_kind(file)


def _text_kind(file: InputFile) -> _Kind:
    file.content.seek(0)
    head = file.content.read(_HEAD)
    file.content.seek(0)
    if not head.strip():
        return _Kind("", "it is empty")
    if b"\x00" in head:
        return _Kind("", "it is neither text nor a workbook")
    if head.lstrip().startswith(b"<"):
        for name in ("graphml", "gexf"):
            if f"<{name}".encode() in head:
                return _Kind(name)
        return _Kind("rdf") if b"rdf:RDF" in head else _Kind("", "it is XML of an unknown kind")
    if head.startswith(b"format-version:"):
        return _Kind("obo")
    return _Kind("sheet")


_CHILDREN: Final = frozenset(heading(key) for key in CHILDREN if key not in {"nodes", "items", "parts", "members"})
"""Keys that say by themselves that what holds them is a tree."""


def _json_kind(file: InputFile, shape: Shape) -> _Kind:
    keys = _top_keys(file, shape)
    folded = {heading(key) for key in keys}
    if any(key.startswith("@") for key in keys):
        return _Kind("rdf")
    if shape is Shape.OBJECT and "graphs" in keys:
        return _Kind("obograph")
    if shape is Shape.OBJECT and "nodes" in keys and keys & {"edges", "links"}:
        return _Kind("nodelink")
    if folded & _CHILDREN:
        return _Kind("tree")
    ends = all(folded & {*STRONG[role], *WEAK[role]} for role in (Role.SUBJECT, Role.OBJECT))
    one = all(folded & set(STRONG[role]) for role in (Role.SUBJECT, Role.RELATION, Role.OBJECT))
    if ends and (one or shape is not Shape.OBJECT):
        return _Kind("sheet")
    if keys and shape is Shape.OBJECT and (is_plain_tree(file) or _has_children(file)):
        return _Kind("tree")
    shown = ", ".join(sorted(keys)[:8])
    return _Kind("", f"JSON with the keys {shown}" if shown else "JSON without objects")


def _top_keys(file: InputFile, shape: Shape) -> set[str]:
    """Keys of the topmost object, or of the first objects of a list."""
    depth = 2 if shape is Shape.LIST else 1
    return {key for level, key in _keys(file, lines=shape is Shape.LINES) if level == depth}


def _has_children(file: InputFile) -> bool:
    return any(level <= 4 and heading(key) in _CHILDREN for level, key in _keys(file, lines=False))


def _keys(file: InputFile, *, lines: bool) -> Iterator[tuple[int, str]]:
    """Keys of a JSON file with how deep they stand; the content of long lists is passed over soon."""
    depth = 0
    try:
        for number, (event, value) in enumerate(parsed(file.content, multiple_values=lines)):
            depth += (event in {"start_map", "start_array"}) - (event in {"end_map", "end_array"})
            if event == "map_key":
                yield depth, str(value)
            if number > _LOOK:
                return
    except (ijson.JSONError, ValueError):
        return
