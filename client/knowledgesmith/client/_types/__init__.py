"""Frozen dataclasses of the client, one module a subject; each reads its wire message with ``from_proto``."""
