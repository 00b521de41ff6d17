"""What tasks share below their towers, and how their answers come together."""
