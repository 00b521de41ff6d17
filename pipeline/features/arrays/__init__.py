"""A day's arrays, as models read them."""
