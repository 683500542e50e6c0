"""Commands of models, branches and revisions."""
