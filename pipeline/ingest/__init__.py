"""From the sources to the validated tables of a day: the one door for raw values."""
