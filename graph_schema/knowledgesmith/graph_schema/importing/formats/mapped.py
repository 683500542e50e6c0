"""Tables of any shape, read by a mapping: JSON, JSON lines, CSV, TSV, Parquet, several files and several kinds a file.

What a mapping can say stands in ``importing/reading/mapping.py``; some mappings come with the package. A row that lacks
its uid or name is rejected, a fact without an object is not: tables have gaps. A path that no record of a file has is
reported once for the file, since it is more likely a slip of the mapping.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Final, cast

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import Unusable, uid_of
from knowledgesmith.graph_schema.importing.formats.rows.mapped_rows import table_rows, text_of, walk
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.literals import not_finite
from knowledgesmith.graph_schema.importing.reading.mapping import (
    Case,
    Conditions,
    EntityMap,
    FactMap,
    FileMap,
    Join,
    Make,
    MappingDocument,
    Pick,
    load_mapping,
    parse_mapping,
    shipped_mappings,
)
from knowledgesmith.graph_schema.importing.reading.parsing import check_encoding, objects
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    EntityRecord,
    FactRecord,
    Place,
    Record,
    Rejection,
    RelationRecord,
)

ROLE: Final = "mapping"
"""Role of an uploaded file that is the mapping; one named ``….mapping.yaml`` (or json) is it without."""
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
"""A word of a title: unlike ``str.title``'s, an apostrophe does not end it."""
_ROMAN: Final = re.compile(r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})")
_MAPPING_ENDINGS: Final = (".mapping.yaml", ".mapping.yml", ".mapping.json")
MAX_JOINED: Final = 1_000_000
"""Rows of a file that is joined to another one; its named columns are held in memory."""
_KEY: Final = "@key"
_PARENT: Final = "@parent"
_VALUE: Final = "@value"


class MappedOptions(ImportOptions):
    """Where the mapping is; needed unless one of the files is the mapping."""

    mapping: str | dict[str, Any] = ""
    """Name of a mapping that ships, or a whole mapping as JSON."""
    encoding: str = ""
    """Of all tables, before what the mapping says."""
    delimiter: str = ""
    """Between the columns of all tables, before what the mapping says."""


class Mapped:
    """See the module."""

    name: ClassVar[str] = "mapped"
    summary: ClassVar[str] = "CSV, TSV, JSON, JSON lines or Parquet tables with a mapping"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = MappedOptions

    def read(self, files: Sequence[InputFile], options: MappedOptions) -> Iterator[Record]:
        """See ``Importer.read``."""
        document, tables = _document(files, options)
        if options.encoding:
            check_encoding(options.encoding)
        for relation in document.catalogue:
            yield RelationRecord(place=Place(file="mapping"), relation=relation)
        for file in tables:
            how = next((item for item in document.files if item.fits(file)), None)
            if how is None:
                yield Rejection(place=Place(file=file.name), reason="no part of the mapping is for this file")
                continue
            yield from _FileReader(_overruled(how, options), document, tables, options).read(file)


def _document(files: Sequence[InputFile], options: MappedOptions) -> tuple[MappingDocument, list[InputFile]]:
    given = [file for file in files if _is_mapping(file)]
    tables = [file for file in files if not _is_mapping(file)]
    if len(given) + bool(options.mapping) != 1:
        raise InvalidInput(
            "tables need exactly one mapping",
            field="options.mapping",
            value=len(given) + bool(options.mapping),
            hint=f"Name one of {', '.join(shipped_mappings())}, give a document, or a file named ….mapping.yaml.",
        )
    if options.mapping:
        return load_mapping(options.mapping), tables
    given[0].content.seek(0)
    try:
        return parse_mapping(given[0].content.read().decode("utf-8")), tables
    except UnicodeDecodeError as error:
        raise InvalidInput("the mapping is not UTF-8", field="files", value=given[0].name) from error


def _is_mapping(file: InputFile) -> bool:
    return file.role == ROLE or file.name.casefold().endswith(_MAPPING_ENDINGS)


def _overruled(how: FileMap, options: MappedOptions) -> FileMap:
    changes = {key: value for key in ("encoding", "delimiter") if (value := getattr(options, key))}
    return how.model_copy(update=changes) if changes else how


class _FileReader:
    """Turns the rows of one file into records."""

    def __init__(
        self, how: FileMap, document: MappingDocument, tables: Sequence[InputFile], options: MappedOptions
    ) -> None:
        self._how = how
        self._hits = {path: 0 for entity in how.entities for path in _paths(entity)}
        self._joined = [(join, _joined(join, document, tables, options)) for join in how.join]

    def read(self, file: InputFile) -> Iterator[Record]:
        rows = 0
        for found in objects(table_rows(file, self._how)):
            if isinstance(found, Rejection):
                yield found
                continue
            item, whole = found
            for row in self._with_inner(whole):
                rows += 1
                for join, table in self._joined:
                    row[join.into] = table.get(_first_text(row, join.key), {})
                for entity in self._how.entities:
                    yield from self._entity(entity, item.place, row)
        if rows:
            for path in sorted(path for path, hits in self._hits.items() if not hits):
                yield Rejection(place=Place(file=file.name), reason=f"no record has anything at {quote(path)}")

    def _with_inner(self, whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A record and, where the mapping recurses, all that stand in it, from the top down."""
        path, waiting = self._how.recurse, [whole]
        while waiting:
            row = waiting.pop()
            if path:
                own = {key: value for key, value in row.items() if key not in {_PARENT, _KEY, _VALUE}}
                below: list[dict[str, Any]] = []
                for key, item in walk(own, path):
                    inner = cast("dict[str, Any]", item) if isinstance(item, dict) else {_VALUE: item}
                    named = {_KEY: key} if path.endswith("*") else {}
                    below.append({**inner, **named, _PARENT: row})
                waiting += reversed(below)
            yield row

    def _entity(self, how: EntityMap, place: Place, row: dict[str, Any]) -> Iterator[Record]:
        # The record around a tree of keys has no key itself
        unnamed = bool(self._how.recurse) and how.uid.path == _KEY and _KEY not in row
        if unnamed or not _holds(row, how.where):
            return
        rejected: list[Rejection] = []
        try:
            uid = self._uid(how.uid, how.scope, place, row, rejected)
            if how.name:
                yield self._described(how, uid, place, row, rejected)
        except Unusable as error:
            rejected += [] if how.optional else [Rejection(place=place, reason=str(error))]
            uid = ""
        if uid:
            for fact in how.facts:
                yield from self._facts(fact, uid, place, row, rejected)
        yield from rejected

    def _described(
        self, how: EntityMap, uid: str, place: Place, row: dict[str, Any], rejected: list[Rejection]
    ) -> EntityRecord:
        names = (text for pick in how.name for text in self._texts(pick, place, row, rejected))
        name = next(names, "")
        if not name:
            raise Unusable(f"no name at {' or '.join(quote(pick.path) for pick in how.name)}")
        aliases = [text for pick in how.aliases for text in self._texts(pick, place, row, rejected)]
        kind, domain = (
            text if isinstance(text, str) else next(self._texts(text, place, row, rejected), "")
            for text in (how.type, how.domain)
        )
        return EntityRecord(
            place=place,
            uid=uid,
            name=name,
            type=kind,
            domain=domain,
            aliases=tuple(dict.fromkeys(alias for alias in aliases if alias != name)),
            merge=how.merge,
        )

    def _uid(self, pick: Pick, scope: Pick | None, place: Place, row: dict[str, Any], rejected: list[Rejection]) -> str:
        text = next(self._texts(pick, place, row, rejected), "")
        if not text:
            raise Unusable(f"no uid at {quote(pick.path)}")
        if scope is None:
            return text
        # As the uid of a made entity: the prefix stands first, then the scope, then the normalised text.
        plain = text.removeprefix(pick.prefix)
        return _made_uid(pick.prefix, next(self._texts(scope, place, row, rejected), ""), plain)

    def _facts(
        self, how: FactMap, subject: str, place: Place, row: dict[str, Any], rejected: list[Rejection]
    ) -> Iterator[Record]:
        if not _holds(row, how.where):
            return
        elements = walk(row, how.each) if how.each else iter([("", row)])
        for key, element in elements:
            self._hit(how.each)
            for text in self._texts(how.object, place, element, rejected, key=key):
                uid = text
                if how.make is not None:
                    made = self._made(how, how.make, text, place, (row, element, key), rejected)
                    yield made
                    uid = made.uid
                first, second = (uid, subject) if how.reverse else (subject, uid)
                yield FactRecord(place=place, subject=first, relation=how.relation, object=second, by_name=how.by_name)

    def _made(
        self,
        how: FactMap,
        make: Make,
        text: str,
        place: Place,
        around: tuple[dict[str, Any], object, str],
        rejected: list[Rejection],
    ) -> EntityRecord:
        row, element, key = around
        plain = text.removeprefix(how.object.prefix)
        name = plain if how.name is None else next(self._texts(how.name, place, element, rejected, key=key), plain)
        scope = next(self._texts(make.scope, place, row, rejected), "") if make.scope else ""
        aliases = [t for pick in make.aliases for t in self._texts(pick, place, element, rejected, key=key)]
        return EntityRecord(
            place=place,
            uid=_made_uid(make.prefix, scope, text),
            name=name,
            type=make.type,
            domain=make.domain,
            aliases=tuple(dict.fromkeys(alias for alias in aliases if alias != name)),
            merge=True,
        )

    def _hit(self, path: str) -> None:
        if path in self._hits:
            self._hits[path] += 1

    def _texts(
        self, pick: Pick, place: Place, value: object, rejected: list[Rejection], *, key: str = ""
    ) -> Iterator[str]:
        if pick.path == _KEY and not key and isinstance(value, dict):
            key = str(cast("dict[str, Any]", value).get(_KEY, ""))
        found = iter([("", key)]) if pick.path == _KEY else walk(value, pick.path)
        for _, item in found:
            if not_finite(item) and isinstance(item, float):
                if item == item:  # what is not a number at all is how tables write that there is none
                    reason = f"the value at {quote(pick.path)} is no finite number"
                    rejected.append(Rejection(place=place, reason=reason))
                continue
            raw = text_of(item)
            if not raw:
                continue
            self._hit(pick.path)
            for part in raw.split(pick.split) if pick.split else (raw,):
                text = changed(pick, part)
                if not text or text in pick.skip:
                    continue
                if any(fnmatchcase(text, pattern) for pattern in pick.unless):
                    reason = f"{quote(text)} at {quote(pick.path)} is none by the mapping"
                    rejected.append(Rejection(place=place, reason=reason))
                    continue
                yield f"{pick.prefix}{text}"


def changed(pick: Pick, text: str) -> str:
    """A text after what a pick does to it, without the prefix."""
    if pick.after:
        text = text.rpartition(pick.after)[2] if pick.after in text else ""
    if pick.before:
        text = text.partition(pick.before)[0]
    if pick.words:
        text = text.replace("_", " ")
    text = " ".join(text.split())
    if pick.case is Case.TITLE:
        text = _WORD.sub(lambda word: word[0] if _ROMAN.fullmatch(word[0]) else word[0].capitalize(), text)
    elif pick.case is not Case.KEEP:
        text = text.lower() if pick.case is Case.LOWER else text.upper()
    return pick.map.get(text, text)


def _made_uid(prefix: str, scope: str, text: str) -> str:
    inner = f"{scope}:{text}" if scope else text
    return prefix + uid_of(inner)


def _holds(row: dict[str, Any], conditions: Conditions) -> bool:
    return all(any(text_of(v) in allowed for _, v in walk(row, path)) for path, allowed in conditions.items())


def _first_text(row: dict[str, Any], path: str) -> str:
    return next((text for _, value in walk(row, path) if (text := text_of(value))), "")


def _paths(entity: EntityMap) -> Iterator[str]:
    """Paths that some record should have."""
    picks = [entity.uid, *entity.name, *entity.aliases]
    picks += [item for item in (entity.type, entity.domain) if isinstance(item, Pick)]
    for fact in entity.facts:
        picks += [pick for pick in (fact.object, fact.name) if pick is not None]
        yield from (path for path in (fact.each,) if path)
    yield from (pick.path for pick in picks if pick.path not in {"", _KEY})


def _joined(
    join: Join, document: MappingDocument, tables: Sequence[InputFile], options: MappedOptions
) -> Mapping[str, dict[str, Any]]:
    """The named columns of the joined files by the text of their key; of two rows with one key the first in order."""
    found: dict[str, dict[str, Any]] = {}
    for file in (file for file in tables if FileMap(match=join.match, entities=_ANY).fits(file)):
        how = next((item for item in document.files if item.fits(file)), None)
        reading = FileMap(match=join.match, entities=_ANY) if how is None else how
        for row in objects(table_rows(file, _overruled(reading, options))):
            if isinstance(row, Rejection):  # reported when the file itself is read
                continue
            key = _first_text(row[1], join.key)
            values = {name: text_of(row[1].get(name)) for name in join.columns}
            if key and (key not in found or sorted(values.items()) < sorted(found[key].items())):
                found[key] = values
            if len(found) > MAX_JOINED:
                raise TooLarge(f"a joined file has more than {MAX_JOINED} rows", field="files", value=file.name)
    return found


_ANY: Final = (EntityMap(uid=Pick(path="*")),)
