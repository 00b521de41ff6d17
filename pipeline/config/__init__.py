"""A job's YAML, typed and strict."""
