"""Artefacts: committed folders with a manifest, the truth on disk."""
