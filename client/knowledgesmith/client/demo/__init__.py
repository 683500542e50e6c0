"""The story that ``ksmith demo`` tells: one edit and one unlearning on a real model, from import to rollback."""

from knowledgesmith.client.demo.story import Settings, tell

__all__ = ("Settings", "tell")
