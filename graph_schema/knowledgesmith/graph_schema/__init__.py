"""The knowledge graph: its types, its Cypher, its plans and its ledger."""
