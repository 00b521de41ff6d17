"""Setting up, starting and stopping Dayspring on one machine: what the Makefile calls."""
