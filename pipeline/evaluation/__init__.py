"""Measures, the test on the next day, the verdict on it."""
