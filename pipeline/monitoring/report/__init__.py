"""What a day leaves for people to read: a CSV of measures per job, a page per day, both readable offline."""
