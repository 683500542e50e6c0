"""What the calls of every service share."""

from __future__ import annotations

import uuid

from knowledgesmith.client._transport import Transport


class Calls:
    """Base of the groups of calls."""

    _transport: Transport

    @staticmethod
    def _request_id(given: str | None) -> str:
        """One key a logical call, so that its repetitions are recognised by the server."""
        return given or str(uuid.uuid4())
