"""Wire types of KnowledgeSmith."""
