"""Api: the journey API, open data and their shapes; rules are reached through services only."""
