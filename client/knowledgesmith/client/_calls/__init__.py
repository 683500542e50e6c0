"""The calls of the client, one module a service; ``KnowledgeSmith`` puts them together."""
