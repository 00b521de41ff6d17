"""Is everything that was ever committed still what it says it is? Nothing is changed by looking."""
