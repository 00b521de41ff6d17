"""Data to run on: a generator of a school, and converters of public data sets to the jobs' tables."""
