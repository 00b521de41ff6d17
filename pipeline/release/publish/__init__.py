"""Where releases go: models to the object store, contents to Redis, then one pointer."""
