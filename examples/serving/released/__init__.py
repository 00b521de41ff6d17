"""What a release holds in Redis, read without the pipeline: docs/serving.md as code. Copy it and change it."""
