"""What a user may say about a table of facts that the table does not say by itself."""

from __future__ import annotations

from knowledgesmith.graph_schema.importing.formats.tables.layout import Header, Layout
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions


class SheetOptions(ImportOptions):
    """What a table does not say by itself."""

    columns: tuple[str, ...] = ()
    """What the columns hold, from the left: ``subject``, ``relation``, ``object``, ``source`` (of the fact), ``label``
    (true or false), ``direction``; ``-`` leaves one out. Empty = told from the header or the rows."""
    header: Header = Header.AUTO
    """Whether the first row names the columns: ``auto``, ``yes`` or ``no``."""
    layout: Layout = Layout.AUTO
    """A row is a fact (``facts``), a subject with a relation a column (``wide``), or a node of edges (``nodes``)."""
    separator: str = ""
    """Between columns; empty = told from the rows. ``tab`` is a tab."""
    encoding: str = "utf-8"
    """Of all text files."""
    relation: str = ""
    """Relation of a table that has a subject and an object only."""
    name_column: str = ""
    """Heading of the column that names things whose ids stand in another one; ``-`` = ids are the names. Empty = told
    from the headings and the texts."""
    split: str = ""
    """Sign between several objects in one cell; empty = a cell is one object."""
    sheet: str = ""
    """Name of a workbook's sheet; empty = its first one that is not empty."""
    hierarchical: tuple[str, ...] = ()
    """Relations from child to parent."""
    transitive: tuple[str, ...] = ()
    """Relations that are transitive."""
    symmetric: tuple[str, ...] = ()
    """Relations that are symmetric."""
    functional: tuple[str, ...] = ()
    """Relations with one object for each subject."""
    no_traits: tuple[str, ...] = ()
    """Relations that get no trait from their name, as ``located_in`` (transitive) and ``borders`` (symmetric) do."""
    domain: str = ""
    """Domain of the entities that a table of nodes or a wide table describes."""
