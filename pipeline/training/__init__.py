"""An experiment's chain of checkpoints: what makes the next one, and its export."""
