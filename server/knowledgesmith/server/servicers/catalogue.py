"""CatalogueService: relations, suggested traits, and their acceptance."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, TraitKind
from knowledgesmith.graph_schema.catalogue.wording_clashes import mistakable
from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.graphs.reading import load_catalogue
from knowledgesmith.graph_schema.suggesting.accept import accept
from knowledgesmith.graph_schema.suggesting.correct import correct, example_facts
from knowledgesmith.graph_schema.suggesting.homonyms import homonyms
from knowledgesmith.graph_schema.suggesting.suggest import Suggestion, suggest
from knowledgesmith.graph_schema.suggesting.withdraw import withdraw
from knowledgesmith.graph_schema.worlds.resolving import find_relation
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_text
from knowledgesmith.server.wire.enums import from_wire, missing, to_wire
from knowledgesmith.server.wire.message_sizes import PAGE_BYTES, fitting
from knowledgesmith.server.wire.wordings import corrections_from, is_chained, wordings_to
from knowledgesmith.v1 import catalogue_pb2 as pb
from knowledgesmith.v1 import catalogue_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from knowledgesmith.graph_schema.types.facts import Relation
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

_MAX_TRAITS = 1_000


class CatalogueServicer(catalogue_pb2_grpc.CatalogueServiceServicer):
    """See ``catalogue.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ListRelations(self, request: pb.ListRelationsRequest, context: Context) -> pb.ListRelationsResponse:
        """The catalogue by name."""
        catalogue = await asyncio.to_thread(load_catalogue, self._parts.store, request.graph_id)
        name = find_relation(catalogue, request.relation).name if request.relation else ""
        listing = ["ListRelations", request.graph_id, name, str(request.with_wordings)]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, str)
        after = str(position[0]) if position else ""
        found = [catalogue[one] for one in sorted(catalogue) if one > after and name in ("", one)]
        page = found[:size]
        shown = fitting(await self._told(request, catalogue, page), limit=PAGE_BYTES)
        token = paging.encode(listing, [shown[-1].name]) if len(found) > len(shown) else ""
        return pb.ListRelationsResponse(relations=shown, next_page_token=token)

    async def _told(
        self, request: pb.ListRelationsRequest, catalogue: Mapping[str, Relation], page: Sequence[Relation]
    ) -> Iterable[pb.Relation]:
        """The relations of a page, with their wordings where these are asked for."""
        if not request.with_wordings:
            return map(_relation_to, page)
        examples = await self._parts.long.run(example_facts, self._parts.store, request.graph_id, page)
        like = mistakable(catalogue)
        return (_worded_to(one, examples.get(one.name), like.get(one.name, ())) for one in page)

    async def CorrectWordings(self, request: pb.CorrectWordingsRequest, context: Context) -> pb.CorrectWordingsResponse:
        """Correct wordings of a relation."""
        store, graph_id = self._parts.store, request.graph_id
        catalogue = await asyncio.to_thread(load_catalogue, store, graph_id)
        name = find_relation(catalogue, request.relation).name
        corrections = corrections_from(name, request.corrections)
        after = await self._parts.long.run(correct, store, graph_id, corrections)
        examples = await self._parts.long.run(example_facts, store, graph_id, [after[name]])
        relation = _worded_to(after[name], examples.get(name), mistakable(after).get(name, ()))
        return pb.CorrectWordingsResponse(relation=relation)

    async def SuggestTraits(self, request: pb.SuggestTraitsRequest, context: Context) -> pb.SuggestTraitsResponse:
        """What the facts suggest."""
        found = await self._parts.long.run(
            suggest,
            self._parts.store,
            request.graph_id,
            min_support=request.min_support or 10,
            min_confidence=request.min_confidence or 0.9,
            limit=request.limit or 200,
        )
        return pb.SuggestTraitsResponse(suggestions=[_suggestion_to(suggestion) for suggestion in found])

    async def AcceptTraits(self, request: pb.AcceptTraitsRequest, context: Context) -> pb.AcceptTraitsResponse:
        """Declare traits."""
        accepted = _acceptances_from(request.traits)
        after = await self._parts.long.run(accept, self._parts.store, request.graph_id, accepted)
        return pb.AcceptTraitsResponse(relations=[_relation_to(relation) for relation in after.values()])

    async def WithdrawTraits(self, request: pb.WithdrawTraitsRequest, context: Context) -> pb.WithdrawTraitsResponse:
        """Take accepted traits back."""
        withdrawn = _acceptances_from(request.traits)
        left = await self._parts.long.run(withdraw, self._parts.store, request.graph_id, withdrawn)
        return pb.WithdrawTraitsResponse(traits=[_trait_to(item) for item in left])

    async def ListHomonyms(self, request: pb.ListHomonymsRequest, context: Context) -> pb.ListHomonymsResponse:
        """Shared names."""
        listing = ["ListHomonyms", request.graph_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int, str)
        after = (int(position[0]), str(position[1])) if position else None
        found = await self._parts.long.run(homonyms, self._parts.store, request.graph_id, after=after, limit=size + 1)
        made = (
            pb.Homonym(label=h.label, entities=h.entities, uids=h.uids, spellings=h.spellings, differs=h.differs)
            for h in found[:size]
        )
        shown = fitting(made, limit=PAGE_BYTES)
        token = paging.encode(listing, [shown[-1].entities, shown[-1].label]) if len(found) > len(shown) else ""
        return pb.ListHomonymsResponse(homonyms=shown, next_page_token=token)


def _relation_to(relation: Relation) -> pb.Relation:
    traits = relation.traits
    return pb.Relation(
        name=relation.name,
        rel_type=relation.rel_type,
        domain_type=relation.domain_type,
        range_type=relation.range_type,
        functional=traits.functional,
        inverse_functional=traits.inverse_functional,
        symmetric=traits.symmetric,
        transitive=traits.transitive,
        hierarchical=traits.hierarchical,
        inverse_of=traits.inverse_of or "",
        composed_of=traits.composed_of,
        compositions=("|".join(pair) for pair in traits.compositions),
        sub_of=traits.sub_of,
        templates=len(relation.templates),
    )


def _worded_to(relation: Relation, example: tuple[str, str] | None, like: Sequence[str]) -> pb.Relation:
    message = _relation_to(relation)
    message.wordings.extend(wordings_to(relation, example))
    message.chained = is_chained(relation)
    message.worded_like.extend(like)
    return message


def _trait_to(item: Acceptance | Suggestion) -> pb.Trait:
    return pb.Trait(kind=to_wire(pb.TraitKind, item.kind), relation=item.relation, others=item.others)


def _suggestion_to(suggestion: Suggestion) -> pb.Suggestion:
    return pb.Suggestion(
        trait=_trait_to(suggestion),
        support=suggestion.support,
        cases=suggestion.cases,
        low=suggestion.low,
        high=suggestion.high,
        exceptions=suggestion.exceptions,
        declared=suggestion.declared,
    )


def _acceptances_from(traits: Sequence[pb.Trait]) -> list[Acceptance]:
    if len(traits) > _MAX_TRAITS:
        raise TooLarge(f"more than {_MAX_TRAITS} traits", field="traits", value=len(traits))
    return [_acceptance_from(trait, f"traits[{n}]") for n, trait in enumerate(traits)]


def _acceptance_from(trait: pb.Trait, field: str) -> Acceptance:
    kind = from_wire(pb.TraitKind, trait.kind, TraitKind, f"{field}.kind")
    if kind is None:
        raise missing(pb.TraitKind, f"{field}.kind")
    return Acceptance(
        kind=kind,
        relation=check_text(trait.relation, f"{field}.relation"),
        others=tuple(check_text(other, f"{field}.others") for other in trait.others),
    )
