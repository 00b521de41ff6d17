"""What a release holds beside the model: candidates, histories, profiles, counters."""
