"""Sources: where a job's tables are read from, by URL."""
