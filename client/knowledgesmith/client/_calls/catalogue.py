"""Calls of the catalogue service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.catalogue import Homonym, Relation, Suggestion, Trait, WordingCorrection
from knowledgesmith.v1 import catalogue_pb2 as pb
from knowledgesmith.v1.catalogue_pb2_grpc import CatalogueServiceStub

from .base import Calls


class CatalogueCalls(Calls):
    """The relation catalogue of a graph."""

    @cached_property
    def _catalogue_stub(self) -> CatalogueServiceStub:
        return CatalogueServiceStub(self._transport.channel)

    def list_relations(self, *, graph_id: str, relation: str = "", with_wordings: bool = False) -> tuple[Relation, ...]:
        """The relations of a graph by name.

        Args:
            graph_id: the graph.
            relation: only this one; empty = all.
            with_wordings: tell every wording too, with an example from the graph.

        Raises:
            GraphNotFound: no graph has this id.
            RelationNotFound: the graph has no such relation.
        """
        request = pb.ListRelationsRequest(graph_id=graph_id, relation=relation, with_wordings=with_wordings)
        answer = self._transport.unary(self._catalogue_stub.ListRelations, request)
        return tuple(Relation.from_proto(relation) for relation in answer.relations)

    def suggest_traits(
        self, *, graph_id: str, min_support: int = 0, min_confidence: float = 0.0, limit: int = 0
    ) -> tuple[Suggestion, ...]:
        """Traits that the facts suggest, the surest first; nothing is applied.

        Args:
            graph_id: the graph.
            min_support: cases that must agree; 0 = 10.
            min_confidence: share of cases that must agree; 0 = 0.9.
            limit: most suggestions; 0 = 200.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = pb.SuggestTraitsRequest(
            graph_id=graph_id, min_support=min_support, min_confidence=min_confidence, limit=limit
        )
        answer = self._transport.unary(self._catalogue_stub.SuggestTraits, request, slow=True)
        return tuple(Suggestion.from_proto(suggestion) for suggestion in answer.suggestions)

    def accept_traits(self, *, graph_id: str, traits: Sequence[Trait]) -> tuple[Relation, ...]:
        """Declare traits and return the catalogue as it is now; facts and digest stay, levels follow.

        Raises:
            InvalidCatalogue: the traits contradict each other, the present ones, or facts.
            RelationNotFound: a relation is unknown.
        """
        request = pb.AcceptTraitsRequest(graph_id=graph_id, traits=[trait.to_proto() for trait in traits])
        answer = self._transport.unary(self._catalogue_stub.AcceptTraits, request, slow=True)
        return tuple(Relation.from_proto(relation) for relation in answer.relations)

    def withdraw_traits(self, *, graph_id: str, traits: Sequence[Trait]) -> tuple[Trait, ...]:
        """Take accepted traits back and return those that are left.

        The catalogue follows with the next import, which declares what the files say and brings back what the
        acceptance took away.

        Raises:
            InvalidInput: a trait was not accepted; the hint names those that were.
        """
        request = pb.WithdrawTraitsRequest(graph_id=graph_id, traits=[trait.to_proto() for trait in traits])
        answer = self._transport.unary(self._catalogue_stub.WithdrawTraits, request)
        return tuple(map(Trait.from_proto, answer.traits))

    def correct_wordings(self, *, graph_id: str, relation: str, corrections: Sequence[WordingCorrection]) -> Relation:
        """Correct wordings of a relation and return it as it is now; corrections hold over later imports.

        Raises:
            InvalidInput: a text does not fit its use, or would be trained and asked.
            RelationNotFound: the graph has no such relation.
        """
        request = pb.CorrectWordingsRequest(
            graph_id=graph_id, relation=relation, corrections=[one.to_proto() for one in corrections]
        )
        answer = self._transport.unary(self._catalogue_stub.CorrectWordings, request)
        return Relation.from_proto(answer.relation)

    def list_homonyms(self, *, graph_id: str, limit: int | None = None) -> Iterator[Homonym]:
        """Names and aliases that several entities share, the most shared first."""

        def fetch(token: str) -> tuple[Sequence[pb.Homonym], str]:
            request = pb.ListHomonymsRequest(graph_id=graph_id, page_size=page_size(limit), page_token=token)
            page = self._transport.unary(self._catalogue_stub.ListHomonyms, request, slow=True)
            return page.homonyms, page.next_page_token

        return map(Homonym.from_proto, iterate(fetch, limit=limit))
