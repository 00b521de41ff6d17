"""What a job's features are declared to be, and whether that fits its tables."""
