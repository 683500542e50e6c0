"""Calls of the catalogue service."""

from __future__ import annotations

from collections.abc import Sequence

from knowledgesmith.client._types.catalogue import Homonym, Relation, Suggestion, Trait, WordingCorrection
from knowledgesmith.client._wire.fill import message, read
from knowledgesmith.v1 import catalogue_pb2 as pb

from .base import AsyncNamespace


class AsyncCatalogue(AsyncNamespace):
    """The relation catalogue of a graph: what is declared, and what the facts suggest."""

    async def relations(
        self, *, graph_id: str, relation: str = "", with_wordings: bool = False, limit: int | None = None
    ) -> list[Relation]:
        """The relations of a graph by name.

        Args:
            graph_id: the graph.
            relation: only this one; empty = all.
            with_wordings: tell every wording too, with an example from the graph.
            limit: at most so many; ``None`` = all.

        Raises:
            GraphNotFound: no graph has this id.
            RelationNotFound: the graph has no such relation.
        """
        request = message(pb.ListRelationsRequest, graph_id=graph_id, relation=relation, with_wordings=with_wordings)
        return await self._list(request, pb.ListRelationsResponse, "relations", Relation, limit)

    async def suggest(
        self, *, graph_id: str, min_support: int = 0, min_confidence: float = 0.0, limit: int = 0
    ) -> list[Suggestion]:
        """Traits that the facts suggest, the surest first; nothing is applied.

        Args:
            graph_id: the graph.
            min_support: cases that must agree; 0 = 10.
            min_confidence: share of cases that must agree; 0 = 0.9.
            limit: most suggestions; 0 = 200.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = message(
            pb.SuggestTraitsRequest,
            graph_id=graph_id,
            min_support=min_support,
            min_confidence=min_confidence,
            limit=limit,
        )
        answer = await self._transport.unary(request, pb.SuggestTraitsResponse)
        return [read(Suggestion, found) for found in answer.suggestions]

    async def accept(self, *, graph_id: str, traits: Sequence[Trait]) -> list[Relation]:
        """Declare traits and return the catalogue as it is now; facts and digest stay, levels follow.

        Raises:
            InvalidCatalogue: the traits contradict each other, the present ones, or facts.
            RelationNotFound: a relation is unknown.
        """
        request = message(pb.AcceptTraitsRequest, graph_id=graph_id, traits=traits)
        answer = await self._transport.unary(request, pb.AcceptTraitsResponse)
        return [read(Relation, relation) for relation in answer.relations]

    async def withdraw(self, *, graph_id: str, traits: Sequence[Trait]) -> list[Trait]:
        """Take accepted traits back and return those that are left.

        The catalogue follows with the next import, which declares what the files say and brings back what the
        acceptance took away.

        Raises:
            InvalidInput: a trait was not accepted; the hint names those that were.
        """
        request = message(pb.WithdrawTraitsRequest, graph_id=graph_id, traits=traits)
        answer = await self._transport.unary(request, pb.WithdrawTraitsResponse)
        return [read(Trait, trait) for trait in answer.traits]

    async def correct_wordings(
        self, *, graph_id: str, relation: str, corrections: Sequence[WordingCorrection]
    ) -> Relation:
        """Correct wordings of a relation and return it as it is now; corrections hold over later imports.

        Raises:
            InvalidInput: a text does not fit its use, or would be trained and asked.
            RelationNotFound: the graph has no such relation.
        """
        request = message(pb.CorrectWordingsRequest, graph_id=graph_id, relation=relation, corrections=corrections)
        answer = await self._transport.unary(request, pb.CorrectWordingsResponse)
        return read(Relation, answer.relation)

    async def homonyms(self, *, graph_id: str, limit: int | None = None) -> list[Homonym]:
        """Names and aliases that several entities share, the most shared first.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = message(pb.ListHomonymsRequest, graph_id=graph_id)
        return await self._list(request, pb.ListHomonymsResponse, "homonyms", Homonym, limit)
