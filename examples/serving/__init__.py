"""Ways to ask a release from other programs."""
