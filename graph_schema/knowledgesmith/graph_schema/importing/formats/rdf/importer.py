"""RDF in N-Triples, N-Quads, Turtle, TriG, RDF/XML and JSON-LD, with what SKOS, RDFS and OWL mean.

All files together form one graph. They are first written to a store on disk, because the statements about one thing
may stand anywhere; then each subject is read with all its statements. Memory holds the statements of one subject and
the properties. ``owl:imports``, JSON-LD contexts and XML entities outside the files are never fetched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import ClassVar

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rdf.loading import load
from knowledgesmith.graph_schema.importing.formats.rdf.options import RdfOptions
from knowledgesmith.graph_schema.importing.formats.rdf.properties import Properties
from knowledgesmith.graph_schema.importing.formats.rdf.subjects import Subjects
from knowledgesmith.graph_schema.importing.formats.rdf.triples import Triples
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.records import Record


class RdfImporter:
    """Reads RDF files as one graph."""

    name: ClassVar[str] = "rdf"
    summary: ClassVar[str] = "RDF (N-Triples, N-Quads, Turtle, TriG, RDF/XML, JSON-LD) with SKOS, RDFS and OWL"
    endings: ClassVar[tuple[str, ...]] = (".nt", ".nq", ".ttl", ".trig", ".rdf", ".owl", ".jsonld")
    options: ClassVar[type[ImportOptions]] = RdfOptions

    def read(self, files: Sequence[InputFile], options: RdfOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        with tempfile.TemporaryDirectory(prefix="ksmith_rdf_") as folder:
            loaded = load(files, folder, syntax=options.syntax, graphs=options.graphs, base=options.base)
            if not loaded.count and not loaded.rejections:
                raise InvalidInput(
                    "the files hold no statement",
                    field="files",
                    value=", ".join(file.name for file in files[:5]),
                    hint="Check the files and the options syntax and graphs.",
                )
            yield from loaded.rejections
            deprecated = options.deprecated_predicates
            triples = Triples(loaded, curies=options.uids == "curie", deprecated=deprecated)
            properties = Properties(triples, options)
            subjects = Subjects(triples, properties, options)
            for subject, statements in triples.subjects():
                yield from subjects.records(subject, statements)
            yield from subjects.tally.findings()
            yield from properties.findings
            yield from properties.table.records(properties.hierarchical, inherited=options.inherited)
