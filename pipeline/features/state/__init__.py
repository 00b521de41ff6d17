"""What grows with the days: counters, histories, profiles, candidates."""
