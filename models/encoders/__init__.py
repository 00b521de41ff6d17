"""What may be made of a history, one way a file."""
