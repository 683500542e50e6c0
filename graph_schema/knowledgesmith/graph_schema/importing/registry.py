"""The importers by name: one line each; a module is loaded when its format is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def guess_importer(names: Iterable[str]) -> Importer:
    """The one importer whose endings fit all file names.

    Raises:
        InvalidInput: none or several fit.
    """
    files = [name.lower() for name in names]
    fitting = [
        importer
        for importer in map(load_importer, importer_names())
        if files and all(file.endswith(importer.endings) for file in files if importer.endings) and importer.endings
    ]
    if len(fitting) == 1:
        return fitting[0]
    raise InvalidInput(
        "the format of the files cannot be told from their names",
        field="format",
        value=", ".join(files[:5]),
        hint=f"Name it: one of {', '.join(importer_names())}.",
    )
