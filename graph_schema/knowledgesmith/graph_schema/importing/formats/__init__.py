"""The importers: one file a family of formats."""
