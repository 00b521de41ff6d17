"""Dayspring: daily incremental training of recommenders, one day at a time."""
