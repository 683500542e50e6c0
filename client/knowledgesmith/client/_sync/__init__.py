"""The client for programs without an event loop, generated from ``_async`` by ``scripts/gen_sync.py``."""
