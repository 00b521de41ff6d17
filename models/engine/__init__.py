"""Training and scoring: compiled steps over fused tables, and their plain state."""
