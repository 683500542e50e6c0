"""The importers by name: one line each; a module is loaded when its format is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.importer import Importer

_ROOM: Final = "knowledgesmith.graph_schema.importing.formats"
_MODULES: Final[Mapping[str, str]] = {
    "conflictedit": "benchmarks.conflictedit:ConflictEdit",
    "counterfact": "benchmarks.counterfact:CounterFact",
    "gexf": "networks.gexf:GexfImporter",
    "graphml": "networks.graphml:GraphmlImporter",
    "knowedit": "benchmarks.knowedit:KnowEdit",
    "knowundo": "benchmarks.knowundo:KnowUnDo",
    "lre": "benchmarks.lre:Lre",
    "mapped": "mapped:Mapped",
    "mquake": "benchmarks.mquake:Mquake",
    "nodelink": "networks.nodelink:NodeLinkImporter",
    "obo": "ontology.obo:OboImporter",
    "obograph": "ontology.obograph:OboGraphImporter",
    "rdf": "rdf.importer:RdfImporter",
    "rippleedits": "benchmarks.rippleedits:RippleEdits",
    "sheet": "tables.sheet:SheetImporter",
    "taxi": "benchmarks.taxi:Taxi",
    "tofu": "benchmarks.tofu:Tofu",
    "tree": "json_tree:TreeImporter",
    "triples": "triples:Triples",
    "zsre": "benchmarks.zsre:Zsre",
    "tables": "own_tables:TablesImporter",
}
"""Name to ``module:class`` below ``importing/formats``."""


def importer_names() -> tuple[str, ...]:
    """Names of all importers, sorted."""
    return tuple(sorted(_MODULES))


def load_importer(name: str) -> Importer:
    """The importer of this name.

    Raises:
        InvalidInput: there is none.
    """
    if name not in _MODULES:
        raise InvalidInput(
            "there is no importer of this name", field="format", value=name, hint=f"Use one of {', '.join(_MODULES)}."
        )
    module, _, attribute = _MODULES[name].partition(":")
    found: Importer = getattr(import_module(f"{_ROOM}.{module}"), attribute)()
    return found
