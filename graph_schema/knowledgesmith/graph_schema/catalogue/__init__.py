"""The relation catalogue: relation types, traits and templates, and wordings made from a relation's name."""
