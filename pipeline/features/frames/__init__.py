"""Columns of plain values and of lists, side by side."""
