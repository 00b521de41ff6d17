"""The online side: Redis, and the reader that answers a request from it and the exported model."""
