"""Redis: the connection, and the embedded server of a root."""
