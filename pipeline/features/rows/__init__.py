"""The rows of a day: requests, candidates or impressions, and what is known of them."""
