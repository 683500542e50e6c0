"""Frozen dataclasses of the client, one module a subject, with the fields of their wire messages."""
