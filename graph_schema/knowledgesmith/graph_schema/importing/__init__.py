"""Import of a user's graph from CSV or JSONL files: all rows or none.

``rows`` reads lines, ``parse`` turns rows into checked values, ``loader`` writes them in one transaction.
"""

from __future__ import annotations

from knowledgesmith.graph_schema.importing.loader import ImportReport, import_graph
from knowledgesmith.graph_schema.importing.rows import FileFormat, FileRole, SourceFile

__all__ = ["FileFormat", "FileRole", "ImportReport", "SourceFile", "import_graph"]
