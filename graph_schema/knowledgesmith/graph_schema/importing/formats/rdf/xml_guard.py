"""Looks through RDF/XML before it is parsed: nothing outside the file, no exploding entities, no endless nesting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from knowledgesmith.graph_schema.importing.formats.rdf.faults import fault
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.problems import quote

MAX_DEPTH: Final = 256
"""Elements inside each other."""
MAX_ENTITY: Final = 1_000
"""Characters of an entity's replacement."""
MAX_GROWTH: Final = 50
"""Characters that entities may make of one byte, after the first million."""
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlProblem:
    """What is wrong. ``line`` is 0 where unknown; a ``refused`` file must not be parsed at all."""

    line: int
    reason: str
    refused: bool


class _Refused(SAXException):
    pass


class _Parser(DefusedExpatParser):
    """Allows short internal entities, which OWL files use for namespaces."""

    def __init__(self) -> None:
        super().__init__(forbid_dtd=False, forbid_entities=True, forbid_external=True)

    def defused_entity_decl(
        self,
        name: str,
        is_parameter_entity: bool,  # noqa: FBT001 the interface
        value: str | None,
        base: str | None,
        sysid: str | None,
        pubid: str | None,
        notation_name: str | None,
    ) -> None:
        """Called by the parser for each entity that the file declares."""
        del is_parameter_entity, base, sysid, pubid, notation_name
        if value is None:
            raise _Refused(
                f"the entity {quote(name)} stands outside the file and is not fetched; write its text into the file"
            )
        if "&" in value or "%" in value:
            raise _Refused(f"the entity {quote(name)} holds another entity; write its text out")
        if len(value) > MAX_ENTITY:
            raise _Refused(
                f"the entity {quote(name)} has {len(value)} characters, at most {MAX_ENTITY} are allowed; shorten it"
            )

    @property
    def _expat(self) -> Any:
        return self.__dict__["_parser"]

    @property
    def consumed(self) -> int:
        return int(self._expat.CurrentByteIndex)

    @property
    def line(self) -> int:
        return int(self._expat.CurrentLineNumber)


class _Watch(ContentHandler):
    def __init__(self, parser: _Parser) -> None:
        super().__init__()
        self._parser = parser
        self._depth = 0
        self._written = 0

    def startElement(self, name: str, attrs: AttributesImpl[str]) -> None:  # noqa: N802 the interface's name
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Refused(f"more than {MAX_DEPTH} elements stand inside each other; write less deeply")
        self._grow(len(name) + sum(map(len, attrs.values())))

    def endElement(self, name: str) -> None:  # noqa: N802
        del name
        self._depth -= 1

    def characters(self, content: str) -> None:
        self._grow(len(content))

    def _grow(self, length: int) -> None:
        self._written += length
        if self._written > 1_000_000 + MAX_GROWTH * self._parser.consumed:
            raise _Refused("its entities make the text grow without measure; write the texts out")


def inspect_xml(file: InputFile) -> XmlProblem | None:
    """The first problem of an XML file, None when it is well-formed and harmless. The stream is read to its end."""
    file.content.seek(0)
    parser = _Parser()
    parser.setContentHandler(_Watch(parser))
    try:
        while chunk := file.content.read(_CHUNK):
            parser.feed(chunk)
        parser.close()
    except SAXParseException as error:
        # What expat says, without the place that the class writes around it
        return XmlProblem(
            line=error.getLineNumber() or 0, reason=fault(ValueError(error.getMessage()), "rdfxml"), refused=False
        )
    except _Refused as error:
        return XmlProblem(line=parser.line, reason=error.getMessage(), refused=True)
    except DefusedXmlException:
        return XmlProblem(
            line=parser.line, reason="it refers to something outside the file; leave that out", refused=True
        )
    return None
