"""Id maps: raw ids and their indices."""
