"""The journey API: compatible with MOTIS v1 to v6."""
