"""Who calls, as far as a call says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from knowledgesmith.server.front.interceptors import Context

ACTOR_KEY = "x-ksmith-actor"
_LONGEST = 200


def actor_of(context: Context) -> str:
    """Who asked: what the client says of itself, else its address."""
    metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
    actor = metadata.get(ACTOR_KEY, "")
    text = actor.decode(errors="replace") if isinstance(actor, bytes) else actor
    return text[:_LONGEST] or context.peer()
