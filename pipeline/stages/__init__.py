"""The stages of a day by name, their order, and a range of days."""
