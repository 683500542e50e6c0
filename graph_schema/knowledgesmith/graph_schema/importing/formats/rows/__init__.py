"""Rows of any table, whatever file they stand in: separated text, workbooks, JSON."""
