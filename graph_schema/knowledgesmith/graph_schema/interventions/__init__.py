"""Interventions in the graph: their states, branches and revisions, the ledger, and the beliefs of a head."""
