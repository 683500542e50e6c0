"""Names and aliases that several entities share: questions about them would have no single answer."""

from __future__ import annotations

from dataclasses import dataclass

from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.language.name_keys import INVISIBLE, difference_of
from knowledgesmith.graph_schema.storage.store import GraphStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Homonym:
    """A shared name or alias: how many living entities have it, and the first 20 of them by uid.

    ``spellings`` are its forms, up to 20, the label first: where there are several, they differ in normal form, width,
    case or invisible signs alone, and ``differs`` says in which.
    """

    label: str
    entities: int
    uids: tuple[str, ...]
    spellings: tuple[str, ...] = ()

    @property
    def differs(self) -> str:
        """What tells the spellings apart; empty where there is one."""
        kinds = (kind for other in self.spellings[1:] for kind in [difference_of(self.label, other)])
        return "; ".join(dict.fromkeys(kinds))


def homonyms(
    store: GraphStore, graph_id: str, *, after: tuple[int, str] | None = None, limit: int = 100
) -> list[Homonym]:
    """Shared names and aliases, the most shared first, then by label; ``after`` = (entities, label) of the last one.

    Raises:
        GraphNotFound: there is no graph of this id.
    """
    store.read_transaction(lambda tx: require_graph(tx, graph_id))
    entities, label = after or (None, "")
    rows = store.read(
        "suggesting/homonyms",
        graph_id=graph_id,
        after_entities=entities,
        after_label=label,
        limit=limit,
        invisible=list(INVISIBLE),
    )
    return [
        Homonym(
            label=row["label"], entities=row["entities"], uids=tuple(row["uids"]), spellings=tuple(row["spellings"])
        )
        for row in rows
    ]
