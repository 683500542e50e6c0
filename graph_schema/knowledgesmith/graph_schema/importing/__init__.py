"""Import of a user's graph from files of any known format.

``formats`` turn files into records, ``staging`` checks and settles them on disk, ``difference`` compares them with what
is stored, ``loader`` writes the difference in bounded transactions, ``pipeline`` runs it all.
"""

from __future__ import annotations

from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole
from knowledgesmith.graph_schema.importing.pipeline import ImportReport, import_graph
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

__all__ = ["FileRole", "ImportReport", "InputFile", "Place", "Rejection", "import_graph"]
