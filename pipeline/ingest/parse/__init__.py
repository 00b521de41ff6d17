"""Columns of raw values, parsed by their declared type."""
