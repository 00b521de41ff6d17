"""The online side: a request answered from a release alone, its contents in Redis and its exported model."""
