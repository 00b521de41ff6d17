"""The models by name, one a file."""
