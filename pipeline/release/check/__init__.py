"""Is a release whole, and does it answer as it was trained? Asked in a clean process."""
